"""The outbox: mail that never leaves. Operators read it with `python -m authserver outbox`.

The link in a mail is a secret, and here it stands in a readable row: docs/decisions/0007.
"""

from dataclasses import dataclass, fields

from sqlalchemy import Connection, insert, select

from authserver.store.tables import outbox


@dataclass(frozen=True, slots=True)
class Mail:
    """`template` names the kind of mail, `link` is the address that it asks to follow; `at` in epoch seconds."""

    at: int
    to: str
    subject: str
    template: str
    body: str
    link: str | None = None


_COLUMNS = [outbox.c[f.name] for f in fields(Mail)]
_INSERT = insert(outbox)
_ALL = select(*_COLUMNS).order_by(outbox.c.id)


def put(db: Connection, mail: Mail) -> None:
    """Lay a mail down, in the transaction of what it tells of."""
    db.execute(_INSERT, {f.name: getattr(mail, f.name) for f in fields(mail)})


def mails(db: Connection, to: str | None = None) -> list[Mail]:
    """Every mail, oldest first; `to` keeps those to one address."""
    found = _ALL if to is None else _ALL.where(outbox.c.to == to)
    return [Mail(*row) for row in db.execute(found)]
