"""Connections as they are registered: where people come from.

A name, a strategy (`auth0` for a database of ours, `oidc`, `samlp`), the clients that may use it, and the options of
its strategy, in the words of Auth0's deploy file.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import bindparam, select

from authserver.store.tables import connections

DATABASE_STRATEGY = "auth0"
"""People with a password here; also how their user ids begin."""


@dataclass(frozen=True, slots=True)
class Connection:
    """`enabled_clients` None means every client."""

    name: str
    strategy: str
    display_name: str | None = None
    enabled_clients: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_upstream(self) -> bool:
        """Whether somebody else looks who the person is."""
        return self.strategy in ("oidc", "samlp")

    def serves(self, client_id: str) -> bool:
        """Whether people of this connection may log in to that client."""
        return self.enabled_clients is None or client_id in self.enabled_clients


_ALL = select(connections).order_by(connections.c.name)
_ONE = select(connections).where(connections.c.name == bindparam("of"))


def find_connection(db: Db, name: str) -> Connection | None:
    """The connection with exactly this name."""
    row = db.execute(_ONE, {"of": name}).mappings().one_or_none()
    return _load(dict(row)) if row else None


def all_connections(db: Db) -> list[Connection]:
    """Every connection, by name."""
    return [_load(dict(row)) for row in db.execute(_ALL).mappings()]


def connections_of(db: Db, client_id: str) -> list[Connection]:
    """Those by which people may log in to this client, by name."""
    return [connection for connection in all_connections(db) if connection.serves(client_id)]


def admits(db: Db, name: str, client_id: str) -> bool:
    """Whether people of the connection with this name may log in to this client."""
    connection = find_connection(db, name)
    return connection is not None and connection.serves(client_id)


def _load(row: dict[str, Any]) -> Connection:
    settings = dict(row["settings"])
    enabled = settings.pop("enabled_clients", None)
    serves = tuple(enabled) if enabled is not None else None
    return Connection(row["name"], row["strategy"], enabled_clients=serves, **settings)
