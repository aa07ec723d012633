"""Refreshing an Access Token, with rotation and reuse detection.

Done: RFC 6749 §6 · RFC 9700 §2.2.2 and §4.14 · OpenID Connect Core §12.
Left out: another API than the grant's (RFC 8707 §2.2).
"""

from dataclasses import replace

from authserver import personalising
from authserver.actions.outcome import Outcome
from authserver.errors import BadRefreshToken, InvalidGrant, MissingParameter, UserBlocked, UserGone
from authserver.events import RefreshTokenExchanged, RefreshTokenRefused, RefreshTokenReused
from authserver.messages import TokenRequest, TokenResponse
from authserver.rules.scopes import check_target, narrowed, parse_scope
from authserver.store import issued, journal, once
from authserver.store.registered import REFRESH_TOKEN as GRANT_TYPE
from authserver.store.registered import Client, User, find_user
from authserver.tenant import Tenant
from authserver.tokens import absolute_end, idle_end, mint

__all__ = ["GRANT_TYPE", "exchange"]


def exchange(request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    """Exchange a refresh token. Raises InvalidGrant or InvalidScope; every refused token is an event."""
    presented = request.params.opaque("refresh_token")
    if presented is None:
        raise MissingParameter("refresh_token")
    try:
        return _refresh(issued.digest(presented), request, client, tenant)
    except InvalidGrant as refusal:
        tenant.record(RefreshTokenRefused(client_id=client.client_id, reason=type(refusal).__name__))
        raise


def _refresh(of: bytes, request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    now = tenant.now()
    token, grant, user = _presented(of, client, tenant)
    check_target(request.params, grant.audience, tenant.policy)
    scope = narrowed(parse_scope(request.params.opaque("scope")), grant.scope.split(), tenant.policy)
    outcome = Outcome()
    if not _is_reuse(token, client.refresh_token.leeway, now):  # which is dealt with, whatever an Action would say
        outcome = personalising.at_refresh(request, grant, token, scope, user, tenant)
        personalising.obey(outcome, client.client_id, user.user_id, tenant)
    remembered, grant = grant.claims, replace(grant, claims=outcome.kept())
    with tenant.database.read() as db:
        minted = mint(db, tenant, client, user, grant, scope, now=now, refreshed=token)

    with tenant.database.write() as db:
        if minted.response.refresh_token is not None:
            won = once.spend_refresh_token(db, of, now, client.refresh_token.leeway)
        else:
            won = issued.touch_refresh_token(db, of, absolute_end(client, token, now), idle_end(client, now))
        if won:
            rotating = client.refresh_token.rotation_type == "rotating"
            if token.rotating != rotating:
                # The client's mode has changed: what was issued under the other one ends with this exchange.
                issued.revoke_refresh_tokens(db, grant, rotating=token.rotating, now=now)
            issued.add(db, *minted.rows)
            if grant.claims != remembered:
                issued.set_claims(db, grant.grant_id, grant.claims)
            personalising.settle(db, outcome, client.client_id, user.user_id, tenant)
            journal.record(db, now, RefreshTokenExchanged(client.client_id, grant.user_id, grant.grant_id))
        else:
            # Two hold this token, and nobody can tell the thief: the family ends (RFC 9700 §4.14.2).
            issued.revoke_grant(db, grant.grant_id, now)
            journal.record(db, now, RefreshTokenReused(client.client_id, grant.user_id, grant.grant_id))
    if not won:
        raise BadRefreshToken
    return minted.response


def _presented(of: bytes, client: Client, tenant: Tenant) -> tuple[issued.RefreshToken, issued.Grant, User]:
    """A token of this client that could still be exchanged, spent or not, its grant, and its person."""
    with tenant.database.read() as db:
        found = issued.find_refresh_token(db, of)
        user = find_user(db, found[1].user_id) if found else None
    # The client is checked before reuse: a stranger who presents a spent token must not end somebody else's family.
    if found is None or found[1].client_id != client.client_id:
        raise BadRefreshToken
    token, grant = found
    if grant.revoked_at is not None or token.revoked_at is not None or _is_over(token, tenant.now()):
        raise BadRefreshToken
    if user is None:
        raise UserGone
    if user.blocked:
        raise UserBlocked
    return token, grant, user


def _is_reuse(token: issued.RefreshToken, leeway: int, now: int) -> bool:
    """True where the gate will certainly say no; it alone knows of a repetition within the leeway."""
    return token.used_at is not None and not (leeway > 0 and now - token.used_at <= leeway)


def _is_over(token: issued.RefreshToken, now: int) -> bool:
    """The absolute end is the whole family's.

    The idle end is this token's alone: once spent, it is past that anyhow.
    """
    if token.expires_at is not None and token.expires_at <= now:
        return True
    return token.used_at is None and token.idle_expires_at is not None and token.idle_expires_at <= now
