"""Device codes and user codes, as rows; both are kept as digests alone.

Done: RFC 8628 §3.2 (one row holds both codes), §5.2 (the device code is as long as any secret of ours), §5.4.
Whatever happens to a code once (claimed, decided, redeemed) is decided in `once`.
"""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles it to the same words

from authserver.store.tables import device_codes

SLOWER = 5
"""Seconds by which a device that polls too fast has to slow down (RFC 8628 §3.5)."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """RFC 8628 §3.2. `source` is the address that asked; `scope` is space-separated; times in epoch seconds.

    `browser_digest` and `user_id` say who claimed it by entering the user code; `decision` is theirs.
    """

    digest: bytes
    user_code_digest: bytes
    client_id: str
    audience: str | None
    scope: str
    source: str
    issued_at: int
    expires_at: int
    poll_interval: int
    expiry_told_at: int | None = None
    browser_digest: bytes | None = None
    user_id: str | None = None
    decision: str | None = None
    grant_id: str | None = None
    used_at: int | None = None

    def is_over(self, now: int) -> bool:
        """Whether its time has passed, or had passed before the clock was set back."""
        return self.expiry_told_at is not None or not self.issued_at <= now < self.expires_at


_COLUMNS = [device_codes.c[f.name] for f in fields(DeviceCode)]
_FIND = select(*_COLUMNS).where(device_codes.c.digest == bindparam("of"))
_FIND_BY_USER_CODE = select(*_COLUMNS).where(device_codes.c.user_code_digest == bindparam("of"))
_INSERT = insert(device_codes).on_conflict_do_nothing().returning(device_codes.c.digest)
_SLOW_DOWN = (
    update(device_codes)
    .where(device_codes.c.digest == bindparam("of"))
    .values(poll_interval=device_codes.c.poll_interval + SLOWER)
)
_FORGET = delete(device_codes).where(
    device_codes.c.expires_at <= bindparam("before"), device_codes.c.grant_id.is_(None)
)


def find(db: Connection, of: bytes) -> DeviceCode | None:
    """By the digest of the device code, spent or not."""
    return _one(db.execute(_FIND, {"of": of}).one_or_none())


def find_by_user_code(db: Connection, of: bytes) -> DeviceCode | None:
    """By the digest of the user code in its canonical form."""
    return _one(db.execute(_FIND_BY_USER_CODE, {"of": of}).one_or_none())


def add(db: Connection, code: DeviceCode) -> bool:
    """False when the user code exists already: then another one is to be made up."""
    values = {f.name: getattr(code, f.name) for f in fields(code)}
    return db.execute(_INSERT, values).one_or_none() is not None


def slow_down(db: Connection, of: bytes) -> None:
    """This and all later intervals of the device get longer."""
    db.execute(_SLOW_DOWN, {"of": of})


def forget(db: Connection, before: int) -> None:
    """Delete what expired before then and was never approved, so that unanswered requests do not pile up."""
    db.execute(_FORGET, {"before": before})


def _one(row: Any) -> DeviceCode | None:
    return DeviceCode(*row) if row else None
