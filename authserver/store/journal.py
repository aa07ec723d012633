"""The ledger of events, written in the same transaction as what they tell of."""

from sqlalchemy import Connection, bindparam, insert, select

from authserver.events import Event
from authserver.store.engine import HAPPENED
from authserver.store.tables import events

_RECORD = insert(events)
_ALL = select(events).order_by(events.c.id)
_LAST = select(events).order_by(events.c.id.desc()).limit(bindparam("most"))


def record(db: Connection, now: int, event: Event) -> None:
    """Append `event`, in a transaction of `Database.write`, which announces it after the commit."""
    db.execute(
        _RECORD,
        {
            "at": now,
            "type": type(event).__name__,
            "client_id": event.client_id,
            "user_id": event.user_id,
            "grant_id": event.grant_id,
            "reason": event.reason,
            "connection": event.connection,
        },
    )
    db.info[HAPPENED].append(event)


def read(db: Connection) -> list[dict[str, object]]:
    """Every event, oldest first."""
    return [dict(row) for row in db.execute(_ALL).mappings()]


def read_last(db: Connection, most: int) -> list[dict[str, object]]:
    """The newest `most`, oldest first."""
    return [dict(row) for row in db.execute(_LAST, {"most": most}).mappings()][::-1]
