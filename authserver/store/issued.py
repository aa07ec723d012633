"""What was issued: grants, and the codes and tokens that hang on them.

A grant is what a user let a client have, and the root of its token family. Nothing below it outlives it: every lookup
joins the grant, so revoking a family is one UPDATE of one row, whatever races with it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_nothing  # SQLite compiles it to the same words

from authserver.store.tables import access_tokens, authorization_codes, grants, refresh_tokens

MOST_REFRESH_TOKENS = 200
"""Live refresh tokens of one user with one client; beyond it the oldest end."""


def digest(artefact: str) -> bytes:
    """SHA-256 of an artefact, the only form in which it is kept. Takes any string, lone surrogates included."""
    return hashlib.sha256(artefact.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Grant:
    """What the user let this client have. `scope` is space-separated; times in epoch seconds.

    `claims` is what Actions want: `{"id_token": {…}, "access_token": {…}, "added": […], "removed": […]}`.
    """

    grant_id: str
    client_id: str
    user_id: str
    audience: str | None
    scope: str
    sid: str
    auth_time: int
    auth_time_asked: bool
    created_at: int
    revoked_at: int | None = None
    claims: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """RFC 6749 §4.1.2, with what the token request must repeat or prove."""

    digest: bytes
    grant_id: str
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    expires_at: int
    used_at: int | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """RFC 6749 §1.5. `parent` is the token that it replaced; None never expires."""

    digest: bytes
    grant_id: str
    parent: bytes | None
    rotating: bool
    issued_at: int
    expires_at: int | None
    idle_expires_at: int | None
    used_at: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """RFC 6749 §1.4, as the server remembers it, so that userinfo knows what was revoked."""

    digest: bytes
    grant_id: str
    scope: str
    audience: list[str]
    expires_at: int
    revoked_at: int | None = None


_GRANT = [grants.c[f.name] for f in fields(Grant)]
_CODE = [authorization_codes.c[f.name] for f in fields(AuthorizationCode)]
_REFRESH = [refresh_tokens.c[f.name] for f in fields(RefreshToken)]
_ACCESS = [access_tokens.c[f.name] for f in fields(AccessToken)]

_FIND_CODE = select(*_CODE, *_GRANT).join(grants).where(authorization_codes.c.digest == bindparam("of"))
_FIND_REFRESH = select(*_REFRESH, *_GRANT).join(grants).where(refresh_tokens.c.digest == bindparam("of"))
_FIND_ACCESS = select(*_ACCESS, *_GRANT).join(grants).where(access_tokens.c.digest == bindparam("of"))
_FIND_GRANT = select(*_GRANT).where(grants.c.grant_id == bindparam("of"))
_INSERT_GRANT = insert(grants)
_INSERT_CODE = insert(authorization_codes)
_INSERT_REFRESH = insert(refresh_tokens)
_INSERT_ACCESS = insert_or_nothing(access_tokens).on_conflict_do_nothing()
_REVOKE_GRANT = (
    update(grants)
    .where(grants.c.grant_id == bindparam("of"), grants.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_SET_CLAIMS = update(grants).where(grants.c.grant_id == bindparam("of")).values(claims=bindparam("said"))
_REVOKE_GRANTS_OF = (
    update(grants)
    .where(grants.c.user_id == bindparam("user"), grants.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_REVOKE_ACCESS = (
    update(access_tokens)
    .where(access_tokens.c.digest == bindparam("of"), access_tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_TOUCH_REFRESH = (
    update(refresh_tokens)
    .where(
        refresh_tokens.c.digest == bindparam("of"),
        refresh_tokens.c.used_at.is_(None),
        refresh_tokens.c.revoked_at.is_(None),
    )
    .values(idle_expires_at=bindparam("idle"), expires_at=bindparam("absolute"))
    .returning(refresh_tokens.c.digest)
)
_SAME_USER_AND_CLIENT = [grants.c.user_id == bindparam("user"), grants.c.client_id == bindparam("client")]
_LIVE_REFRESH = [refresh_tokens.c.used_at.is_(None), refresh_tokens.c.revoked_at.is_(None)]
_REVOKE_OTHER_MODE = (
    update(refresh_tokens)
    .where(
        refresh_tokens.c.rotating == bindparam("mode"),
        *_LIVE_REFRESH,
        refresh_tokens.c.grant_id.in_(
            select(grants.c.grant_id).where(
                *_SAME_USER_AND_CLIENT, grants.c.audience.is_not_distinct_from(bindparam("api"))
            )
        ),
    )
    .values(revoked_at=bindparam("now"))
)
_SURPLUS = (
    select(refresh_tokens.c.digest)
    .join(grants)
    .where(*_SAME_USER_AND_CLIENT, grants.c.revoked_at.is_(None), *_LIVE_REFRESH)
    .order_by(refresh_tokens.c.issued_at.desc(), refresh_tokens.c.digest)
    .offset(MOST_REFRESH_TOKENS)
)
_REVOKE_SURPLUS = (
    update(refresh_tokens).where(refresh_tokens.c.digest.in_(_SURPLUS)).values(revoked_at=bindparam("now"))
)
_CHALLENGE_SEEN = select(authorization_codes.c.digest).where(
    authorization_codes.c.code_challenge == bindparam("challenge")
)
# Every login leaves a grant, and they mostly say the same.
_LIVE_GRANTS = (
    select(grants.c.scope)
    .where(
        grants.c.user_id == bindparam("user_id"),
        grants.c.client_id == bindparam("client_id"),
        grants.c.audience.is_not_distinct_from(bindparam("audience")),
        grants.c.revoked_at.is_(None),
    )
    .distinct()
)


def _split(row: Any, first: list[Any]) -> tuple[tuple[Any, ...], Grant]:
    return tuple(row[: len(first)]), Grant(*row[len(first) :])


def find_code(db: Connection, of: bytes) -> tuple[AuthorizationCode, Grant] | None:
    """The code with this digest and its grant, spent or not."""
    row = db.execute(_FIND_CODE, {"of": of}).one_or_none()
    if row is None:
        return None
    code, grant = _split(row, _CODE)
    return AuthorizationCode(*code), grant


def find_refresh_token(db: Connection, of: bytes) -> tuple[RefreshToken, Grant] | None:
    """The refresh token with this digest and its grant, spent or not."""
    row = db.execute(_FIND_REFRESH, {"of": of}).one_or_none()
    if row is None:
        return None
    token, grant = _split(row, _REFRESH)
    return RefreshToken(*token), grant


def find_access_token(db: Connection, of: bytes) -> list[tuple[AccessToken, Grant]]:
    """The access token with this digest, once for each grant that it was issued under, live or not."""
    rows = [_split(row, _ACCESS) for row in db.execute(_FIND_ACCESS, {"of": of})]
    return [(AccessToken(*token), grant) for token, grant in rows]


def find_grant(db: Connection, grant_id: str) -> Grant | None:
    """The grant with this id, revoked or not."""
    row = db.execute(_FIND_GRANT, {"of": grant_id}).one_or_none()
    return Grant(*row) if row else None


def live_grants(db: Connection, user_id: str, client_id: str, audience: str | None) -> Iterator[set[str]]:
    """The scope sets that this user has let this client have at this API and not taken back.

    The database is asked when somebody wants the first one: most decisions want none.
    """
    values = {"user_id": user_id, "client_id": client_id, "audience": audience}
    for scope in db.execute(_LIVE_GRANTS, values).scalars().all():
        yield set(scope.split())


def add(db: Connection, *artefacts: Grant | AuthorizationCode | RefreshToken | AccessToken) -> None:
    """Insert what is about to leave; the caller's transaction decides whether it does."""
    inserts = {
        Grant: _INSERT_GRANT,
        AuthorizationCode: _INSERT_CODE,
        RefreshToken: _INSERT_REFRESH,
        AccessToken: _INSERT_ACCESS,
    }
    for artefact in artefacts:
        values = {f.name: getattr(artefact, f.name) for f in fields(artefact)}
        db.execute(inserts[type(artefact)], values)


def revoke_grant(db: Connection, grant_id: str, now: int) -> None:
    """End the family: every code and token of this grant is dead from here on."""
    db.execute(_REVOKE_GRANT, {"of": grant_id, "now": now})


def set_claims(db: Connection, grant_id: str, claims: dict[str, Any] | None) -> None:
    """What Actions now want in the tokens of this grant."""
    db.execute(_SET_CLAIMS, {"of": grant_id, "said": claims})


def revoke_grants_of(db: Connection, user_id: str, now: int) -> None:
    """End every family of this user, with every client."""
    db.execute(_REVOKE_GRANTS_OF, {"user": user_id, "now": now})


def touch_refresh_token(db: Connection, of: bytes, expires_at: int | None, idle_expires_at: int | None) -> bool:
    """Restart the idle clock of a refresh token that does not rotate. False when it was spent or revoked meanwhile."""
    values = {"of": of, "absolute": expires_at, "idle": idle_expires_at}
    return db.execute(_TOUCH_REFRESH, values).one_or_none() is not None


def revoke_refresh_tokens(db: Connection, grant: Grant, *, rotating: bool, now: int) -> None:
    """End the unspent refresh tokens of one mode that this user has with this client at this API."""
    same = {"user": grant.user_id, "client": grant.client_id, "api": grant.audience}
    db.execute(_REVOKE_OTHER_MODE, {**same, "mode": rotating, "now": now})


def revoke_surplus(db: Connection, grant: Grant, now: int) -> None:
    """Keep the newest MOST_REFRESH_TOKENS that this user has with this client."""
    db.execute(_REVOKE_SURPLUS, {"user": grant.user_id, "client": grant.client_id, "now": now})


def is_challenge_seen(db: Connection, code_challenge: str) -> bool:
    """Whether an earlier code was bound to the same challenge, which only a constant verifier explains (RFC 9700
    §2.1.1).
    """
    return db.execute(_CHALLENGE_SEEN, {"challenge": code_challenge}).first() is not None


def revoke_access_token(db: Connection, of: bytes, now: int) -> None:
    """End one access token at userinfo and introspection."""
    db.execute(_REVOKE_ACCESS, {"of": of, "now": now})
