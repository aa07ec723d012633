"""Tickets: what a mailed link proves, once. They are kept as digests; `once.spend_ticket` is their gate.

`purpose` says what the link is for, `email` the address that the mail went to.
"""

from dataclasses import dataclass, fields

from sqlalchemy import Connection, bindparam, insert, select, update

from authserver.store.tables import tickets

RESET_PASSWORD = "reset-password"
VERIFY_EMAIL = "verify-email"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Times in epoch seconds."""

    digest: bytes
    purpose: str
    user_id: str
    email: str
    client_id: str | None
    expires_at: int
    used_at: int | None = None


_COLUMNS = [tickets.c[f.name] for f in fields(Ticket)]
_INSERT = insert(tickets)
_FIND = select(*_COLUMNS).where(
    tickets.c.digest == bindparam("of"),
    tickets.c.purpose == bindparam("for"),
    tickets.c.used_at.is_(None),
    tickets.c.expires_at > bindparam("now"),
)
_VOID = (
    update(tickets)
    .where(tickets.c.user_id == bindparam("user"), tickets.c.purpose == bindparam("for"), tickets.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
)


def add_ticket(db: Connection, ticket: Ticket) -> None:
    """Insert a ticket whose link is about to be mailed."""
    db.execute(_INSERT, {f.name: getattr(ticket, f.name) for f in fields(ticket)})


def find_ticket(db: Connection, of: bytes, purpose: str, now: int) -> Ticket | None:
    """The ticket with this digest, while it is good for this purpose."""
    row = db.execute(_FIND, {"of": of, "for": purpose, "now": now}).one_or_none()
    return Ticket(*row) if row else None


def void_tickets(db: Connection, user_id: str, purpose: str, now: int) -> None:
    """None of this user's links for this purpose opens anything from here on."""
    db.execute(_VOID, {"user": user_id, "for": purpose, "now": now})
