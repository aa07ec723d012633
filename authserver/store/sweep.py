"""Sweeping: rows that can decide nothing any more.

Spent markers outlive their family: a used code or refresh token stays for as long as any token of its grant could be
presented, because that is how a second use is recognised.
"""

from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, exists, or_, select

from authserver.store.tables import (
    access_tokens,
    authorization_codes,
    grants,
    interactions,
    login_attempts,
    login_sessions,
    refresh_tokens,
)

DAY = 86400

_NOW: BindParameter[Any] = bindparam("now")
_YESTERDAY: BindParameter[Any] = bindparam("yesterday")

_live_refresh = exists().where(
    refresh_tokens.c.grant_id == grants.c.grant_id,
    or_(refresh_tokens.c.expires_at.is_(None), refresh_tokens.c.expires_at > _NOW),
)
_live_access = exists().where(access_tokens.c.grant_id == grants.c.grant_id, access_tokens.c.expires_at > _NOW)
_live_code = exists().where(
    authorization_codes.c.grant_id == grants.c.grant_id, authorization_codes.c.expires_at > _YESTERDAY
)

_SWEEPS = {
    "interactions": delete(interactions).where(interactions.c.expires_at <= _YESTERDAY),
    "login attempts": delete(login_attempts).where(login_attempts.c.since <= _YESTERDAY),
    "login sessions": delete(login_sessions).where(login_sessions.c.ended_at <= _YESTERDAY),
    # Codes that were never redeemed gave nothing that a replay could endanger.
    "unused codes": delete(authorization_codes).where(
        authorization_codes.c.used_at.is_(None), authorization_codes.c.expires_at <= _YESTERDAY
    ),
    "access tokens": delete(access_tokens).where(access_tokens.c.expires_at <= _YESTERDAY),
    # A revoked grant goes, with all that hangs on it, when nothing of it could be presented with any effect. A live one
    # stays: it is also what the person has approved.
    "revoked grants": delete(grants).where(
        grants.c.grant_id.in_(
            select(grants.c.grant_id).where(
                and_(grants.c.revoked_at <= _YESTERDAY, ~_live_refresh, ~_live_access, ~_live_code)
            )
        )
    ),
}


def sweep(db: Connection, now: int) -> dict[str, int]:
    """Delete what is over. Returns how many rows of each kind went."""
    moment = {"now": now, "yesterday": now - DAY}
    return {name: db.execute(statement, moment).rowcount for name, statement in _SWEEPS.items()}
