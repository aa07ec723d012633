"""People on their way through somebody else's login or logout.

The row is found by the digest of the `state` that travels with the person. Nothing in it opens anything.
"""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import bindparam, insert, select

from authserver.store.issued import digest
from authserver.store.tables import upstream_logins, upstream_logouts


@dataclass(frozen=True, slots=True)
class UpstreamLogin:
    """`connection` is whom the person was sent to; times in epoch seconds. `logged_in_since` is the earliest moment at
    which the person may have shown there who they are; None when any will do.
    """

    digest: bytes
    connection: str
    expires_at: int
    logged_in_since: int | None = None
    ticket_digest: bytes | None = None
    identity: dict[str, Any] | None = None
    used_at: int | None = None


_INSERT_LOGIN = insert(upstream_logins)
_LOGIN = select(*(upstream_logins.c[f.name] for f in fields(UpstreamLogin))).where(
    upstream_logins.c.digest == bindparam("of")
)
_INSERT_LOGOUT = insert(upstream_logouts)
_LOGOUT = select(upstream_logouts.c.return_to).where(upstream_logouts.c.digest == bindparam("of"))


def add_upstream_login(db: Db, state: str, connection: str, expires_at: int, logged_in_since: int | None) -> None:
    """Somebody leaves with this `state`."""
    row = {"digest": digest(state), "connection": connection, "expires_at": expires_at}
    db.execute(_INSERT_LOGIN, {**row, "logged_in_since": logged_in_since})


def find_upstream_login(db: Db, state: str) -> UpstreamLogin | None:
    """The login that left with this `state`, whether it came back already or not."""
    row = db.execute(_LOGIN, {"of": digest(state)}).one_or_none()
    return UpstreamLogin(*row) if row else None


def add_upstream_logout(db: Db, state: str, return_to: str | None, expires_at: int) -> None:
    """A browser leaves with this `state`, and goes to `return_to` when it comes back."""
    db.execute(_INSERT_LOGOUT, {"digest": digest(state), "return_to": return_to, "expires_at": expires_at})


def return_after_logout(db: Db, state: str) -> str | None:
    """Where the browser goes that left with this `state`."""
    found: str | None = db.execute(_LOGOUT, {"of": digest(state)}).scalar_one_or_none()
    return found
