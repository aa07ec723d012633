"""Health: alive, and ready to serve. Answered under any Host, because they say nothing about anybody."""

from authserver.endpoints import Endpoint, Room
from authserver.errors import TemporarilyUnavailable
from authserver.messages import Answer, Request, Text
from authserver.tenant import Tenant


def alive(_: Request, __: Tenant) -> Answer:
    """The process answers."""
    return Text("ok\n")


def ready(_: Request, tenant: Tenant) -> Answer:
    """The database is reachable and holds a signing key."""
    with tenant.database.read() as db:
        if not tenant.keyring.jwks(db, tenant.now())["keys"]:
            raise TemporarilyUnavailable
    return Text("ready\n")


ROOM = Room(
    endpoints=(
        Endpoint("/healthz", {"GET": alive}, "program", waits=False),
        Endpoint("/readyz", {"GET": ready}, "program"),
    ),
)
