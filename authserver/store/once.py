"""The single-use gate (law 5): whatever may be used once passes here, and exactly one caller wins.

Each gate is one conditional UPDATE … RETURNING, so the database decides the race and not the order in which we
looked. The spent row stays: that is how a second use is recognised, also after a restart.
"""

from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles it to the same words
from sqlalchemy.sql.dml import ReturningUpdate

from authserver.store.tables import (
    authorization_codes,
    device_codes,
    interactions,
    refresh_tokens,
    tickets,
    upstream_assertions,
    upstream_logins,
    upstream_logouts,
)

CODE_ATTEMPTS = 5
"""How often a code may be presented with any verifier before it is void (security case TK15)."""

LEEWAY_CHILDREN = 5
"""How many successors a refresh token may have within the leeway of its client."""

ALLOW, DENY, BLOCKED = "allow", "deny", "blocked"
"""What may become of a device code; whoever decides first decides for good."""

_NOW: BindParameter[Any] = bindparam("now")
_DIGEST: BindParameter[Any] = bindparam("of")


def _gate(table: Any) -> ReturningUpdate[Any]:
    return (
        update(table)
        .where(table.c.digest == _DIGEST, table.c.used_at.is_(None), table.c.expires_at > _NOW)
        .values(used_at=_NOW)
        .returning(table.c.used_at)
    )


_INTERACTION = _gate(interactions)
_CODE = _gate(authorization_codes)
_TICKET = _gate(tickets)
_UPSTREAM_LOGIN = _gate(upstream_logins)
_IDENTITY = (
    update(upstream_logins)
    .where(
        upstream_logins.c.digest == _DIGEST,
        upstream_logins.c.used_at.is_(None),
        upstream_logins.c.ticket_digest.is_(None),
        upstream_logins.c.expires_at > _NOW,
    )
    .values(ticket_digest=bindparam("ticket"), identity=bindparam("who"))
    .returning(upstream_logins.c.digest)
)
_ASSERTION = insert(upstream_assertions).on_conflict_do_nothing().returning(upstream_assertions.c.digest)
_UPSTREAM_LOGOUT = _gate(upstream_logouts)

_CODE_ATTEMPT = (
    update(authorization_codes)
    .where(authorization_codes.c.digest == _DIGEST, authorization_codes.c.attempts < CODE_ATTEMPTS)
    .values(attempts=authorization_codes.c.attempts + 1)
    .returning(authorization_codes.c.attempts)
)

_VOID_CODE = update(authorization_codes).where(authorization_codes.c.digest == _DIGEST).values(attempts=CODE_ATTEMPTS)

_child = refresh_tokens.alias("child")
_used_children = select(func.count()).where(_child.c.parent == refresh_tokens.c.digest, _child.c.used_at.is_not(None))

# A rotating refresh token: unspent, or repeated within the leeway while none of its children has been used.
_REFRESH_TOKEN = (
    update(refresh_tokens)
    .where(
        refresh_tokens.c.digest == _DIGEST,
        refresh_tokens.c.revoked_at.is_(None),
        refresh_tokens.c.used_at.is_(None)
        | (
            (bindparam("leeway") > 0)
            & (_NOW - refresh_tokens.c.used_at <= bindparam("leeway"))
            & (refresh_tokens.c.children < LEEWAY_CHILDREN)
            & (_used_children.scalar_subquery() == 0)
        ),
    )
    .values(used_at=func.coalesce(refresh_tokens.c.used_at, _NOW), children=refresh_tokens.c.children + 1)
    .returning(refresh_tokens.c.used_at)
)

_DEVICE = device_codes.c
_IS_OPEN = (_DEVICE.digest == _DIGEST, _DEVICE.expires_at > _NOW, _DEVICE.expiry_told_at.is_(None))

# Whoever came first; somebody who is not logged in yet may still turn out to be the person that claimed it.
_CLAIM_DEVICE = (
    update(device_codes)
    .where(
        *_IS_OPEN,
        _DEVICE.decision.is_(None),
        _DEVICE.browser_digest.is_(None) | (_DEVICE.browser_digest == bindparam("browser")),
        _DEVICE.user_id.is_(None) | (_DEVICE.user_id == func.coalesce(bindparam("user"), _DEVICE.user_id)),
    )
    .values(browser_digest=bindparam("browser"), user_id=func.coalesce(_DEVICE.user_id, bindparam("user")))
    .returning(_DEVICE.digest)
)

_DECIDE_DEVICE = (
    update(device_codes)
    .where(
        *_IS_OPEN,
        _DEVICE.decision.is_(None),
        _DEVICE.browser_digest == bindparam("browser"),
        _DEVICE.user_id.is_(None) | (_DEVICE.user_id == bindparam("user")),
    )
    .values(decision=bindparam("choice"), user_id=bindparam("user"), grant_id=bindparam("grant"))
    .returning(_DEVICE.digest)
)

_POLL_DEVICE = (
    update(device_codes)
    .where(
        _DEVICE.digest == _DIGEST,
        _DEVICE.polled_at.is_(None) | (_DEVICE.polled_at + _DEVICE.poll_interval <= _NOW),
    )
    .values(polled_at=_NOW)
    .returning(_DEVICE.digest)
)

_EXPIRE_DEVICE = (
    update(device_codes)
    .where(_DEVICE.digest == _DIGEST, _DEVICE.expiry_told_at.is_(None))
    .values(expiry_told_at=_NOW)
    .returning(_DEVICE.digest)
)

_DEVICE_CODE = (
    update(device_codes)
    .where(*_IS_OPEN, _DEVICE.used_at.is_(None), _DEVICE.decision == ALLOW)
    .values(used_at=_NOW)
    .returning(_DEVICE.used_at)
)


def _passed(row: Row[Any] | None) -> bool:
    return row is not None


def spend_interaction(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that finishes this interaction."""
    return _passed(db.execute(_INTERACTION, {"of": digest, "now": now}).one_or_none())


def spend_upstream_login(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that continues after this login elsewhere."""
    return _passed(db.execute(_UPSTREAM_LOGIN, {"of": digest, "now": now}).one_or_none())


def spend_assertion(db: Connection, digest: bytes, expires_at: int) -> bool:
    """True for the one caller that brings this SAML assertion."""
    return _passed(db.execute(_ASSERTION, {"digest": digest, "expires_at": expires_at}).one_or_none())


def keep_identity(db: Connection, digest: bytes, ticket: bytes, identity: dict[str, Any], now: int) -> bool:
    """True for the one caller that brings this login's identity, for whoever comes with the ticket."""
    values = {"of": digest, "ticket": ticket, "who": identity, "now": now}
    return _passed(db.execute(_IDENTITY, values).one_or_none())


def spend_upstream_logout(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that continues after this logout elsewhere."""
    return _passed(db.execute(_UPSTREAM_LOGOUT, {"of": digest, "now": now}).one_or_none())


def spend_code(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that redeems this authorization code."""
    return _passed(db.execute(_CODE, {"of": digest, "now": now}).one_or_none())


def spend_ticket(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that follows this mailed link to its end."""
    return _passed(db.execute(_TICKET, {"of": digest, "now": now}).one_or_none())


def reserve_code_attempt(db: Connection, digest: bytes) -> bool:
    """True while attempts are left.

    Reserved before the verifier is looked at, so parallel guesses cannot outrun the count.
    """
    return _passed(db.execute(_CODE_ATTEMPT, {"of": digest}).one_or_none())


def void_code(db: Connection, digest: bytes) -> None:
    """No attempt is left from here on."""
    db.execute(_VOID_CODE, {"of": digest})


def spend_refresh_token(db: Connection, digest: bytes, now: int, leeway: int) -> bool:
    """True for a caller that may have a successor of this refresh token.

    `leeway` in seconds; 0 allows no repetition.
    """
    values = {"of": digest, "now": now, "leeway": leeway}
    return _passed(db.execute(_REFRESH_TOKEN, values).one_or_none())


def claim_device_code(db: Connection, digest: bytes, browser: bytes, user_id: str | None, now: int) -> bool:
    """True while this browser is the one that entered the code, and this person, once known, the one who claimed it."""
    values = {"of": digest, "browser": browser, "user": user_id, "now": now}
    return _passed(db.execute(_CLAIM_DEVICE, values).one_or_none())


def decide_device_code(
    db: Connection, digest: bytes, browser: bytes, user_id: str | None, now: int, choice: str, grant_id: str | None
) -> bool:
    """True for the one decision about this code, by the browser and the person that claimed it."""
    who = {"of": digest, "browser": browser, "user": user_id, "now": now}
    return _passed(db.execute(_DECIDE_DEVICE, {**who, "choice": choice, "grant": grant_id}).one_or_none())


def reserve_device_poll(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one poll that may be answered in this interval."""
    return _passed(db.execute(_POLL_DEVICE, {"of": digest, "now": now}).one_or_none())


def expire_device_code(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that is told. From here on the code is over, even if the clock is set back."""
    return _passed(db.execute(_EXPIRE_DEVICE, {"of": digest, "now": now}).one_or_none())


def spend_device_code(db: Connection, digest: bytes, now: int) -> bool:
    """True for the one caller that redeems this approved device code."""
    return _passed(db.execute(_DEVICE_CODE, {"of": digest, "now": now}).one_or_none())
