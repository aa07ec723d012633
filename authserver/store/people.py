"""What changes about a person: how often they logged in, and what Actions wrote about them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from authserver.store.tables import users

_METADATA = select(users.c.user_metadata, users.c.app_metadata).where(users.c.user_id == bindparam("of"))
_SET_METADATA = (
    update(users)
    .where(users.c.user_id == bindparam("of"))
    .values(user_metadata=bindparam("own"), app_metadata=bindparam("app"), updated_at=bindparam("now"))
)
_LOGGED_IN = (
    update(users)
    .where(users.c.user_id == bindparam("of"))
    .values(logins_count=users.c.logins_count + 1, last_login=bindparam("now"))
)


def logged_in(db: Connection, user_id: str, now: int) -> None:
    """One login more."""
    db.execute(_LOGGED_IN, {"of": user_id, "now": now})


def write_metadata(
    db: Connection, user_id: str, user_metadata: Mapping[str, Any], app_metadata: Mapping[str, Any], now: int
) -> None:
    """Merge these keys in; a value of None deletes its key. In a write transaction, which holds the row."""
    held = db.execute(_METADATA.with_for_update(), {"of": user_id}).one_or_none()
    if held is None:
        return
    own, app = _merged(held[0], user_metadata), _merged(held[1], app_metadata)
    db.execute(_SET_METADATA, {"of": user_id, "own": own, "app": app, "now": now})


def _merged(held: dict[str, Any] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**(held or {}), **changes}
    return {name: value for name, value in merged.items() if value is not None}
