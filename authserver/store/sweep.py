"""Sweeping: rows that can decide nothing any more.

A spent marker (a used code or refresh token) is how a second use is recognised, which then ends its family. So it stays
while there is a family to end: while an access token of its grant lives, or a refresh token was of use within a day. A
live grant stays in any case, because it is also what the person has approved.
"""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Table, bindparam, delete, or_, select

from authserver.settings import Settings
from authserver.store.tables import (
    access_tokens,
    authorization_codes,
    device_codes,
    grants,
    interactions,
    login_attempts,
    login_sessions,
    outbox,
    refresh_tokens,
    tickets,
    upstream_assertions,
    upstream_logins,
    upstream_logouts,
)

DAY = 86400

MAILS_KEPT = 30 * DAY
"""Seconds that a mail lies in the outbox; its link died long before."""

_NOW: BindParameter[Any] = bindparam("now")
_YESTERDAY: BindParameter[Any] = bindparam("yesterday")


def _or_never(column: ColumnElement[Any], moment: BindParameter[Any]) -> ColumnElement[bool]:
    return or_(column.is_(None), column > moment)


def _none(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of the grant at hand, no row of `table` meets them all."""
    return ~select(table.c.grant_id).where(table.c.grant_id == grants.c.grant_id, *conditions).exists()


_EXTINCT = select(grants.c.grant_id).where(
    _none(access_tokens, access_tokens.c.expires_at > _NOW),
    _none(
        refresh_tokens,
        refresh_tokens.c.used_at.is_(None),
        _or_never(refresh_tokens.c.revoked_at, _YESTERDAY),
        _or_never(refresh_tokens.c.expires_at, _YESTERDAY),
        _or_never(refresh_tokens.c.idle_expires_at, _YESTERDAY),
    ),
    _none(authorization_codes, authorization_codes.c.expires_at > _YESTERDAY),
    _none(device_codes, device_codes.c.expires_at > _YESTERDAY),
)
"""Grants, revoked or not, of which nothing could be presented with any effect."""

_SWEEPS = {
    "interactions": delete(interactions).where(interactions.c.expires_at <= _YESTERDAY),
    "upstream logins": delete(upstream_logins).where(upstream_logins.c.expires_at <= _YESTERDAY),
    "upstream assertions": delete(upstream_assertions).where(upstream_assertions.c.expires_at <= _YESTERDAY),
    "upstream logouts": delete(upstream_logouts).where(upstream_logouts.c.expires_at <= _YESTERDAY),
    "login attempts": delete(login_attempts).where(login_attempts.c.since <= _YESTERDAY),
    "login sessions": delete(login_sessions).where(
        or_(
            login_sessions.c.ended_at <= _YESTERDAY,
            login_sessions.c.last_seen_at <= bindparam("unseen_since"),
            login_sessions.c.auth_time <= bindparam("logged_in_before"),
        )
    ),
    "tickets": delete(tickets).where(tickets.c.expires_at <= _YESTERDAY),
    "mails": delete(outbox).where(outbox.c.at <= bindparam("mailed_before")),
    # One that was never redeemed gave nothing that a replay could endanger.
    "codes": delete(authorization_codes).where(
        authorization_codes.c.expires_at <= _YESTERDAY,
        or_(authorization_codes.c.used_at.is_(None), authorization_codes.c.grant_id.in_(_EXTINCT)),
    ),
    "device codes": delete(device_codes).where(
        device_codes.c.expires_at <= _YESTERDAY,
        or_(device_codes.c.used_at.is_(None), device_codes.c.grant_id.in_(_EXTINCT)),
    ),
    # Past its absolute end a token is refused before anybody asks whether it was spent.
    "refresh tokens": delete(refresh_tokens).where(
        or_(refresh_tokens.c.expires_at <= _YESTERDAY, refresh_tokens.c.grant_id.in_(_EXTINCT))
    ),
    "access tokens": delete(access_tokens).where(access_tokens.c.expires_at <= _YESTERDAY),
    "revoked grants": delete(grants).where(grants.c.revoked_at <= _YESTERDAY, grants.c.grant_id.in_(_EXTINCT)),
}


def sweep(db: Connection, now: int, settings: Settings) -> dict[str, int]:
    """Delete what is over. Returns how many rows of each kind went."""
    moment = {
        "now": now,
        "yesterday": now - DAY,
        "mailed_before": now - MAILS_KEPT,
        "unseen_since": now - DAY - settings.idle_session_lifetime,
        "logged_in_before": now - DAY - settings.session_lifetime,
    }
    return {name: db.execute(statement, moment).rowcount for name, statement in _SWEEPS.items()}
