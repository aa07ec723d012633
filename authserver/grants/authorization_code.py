"""Authorization Code Grant: the token request.

Done: RFC 6749 §4.1.3, §4.1.4, §4.1.2 (a code used twice revokes what it gave) · RFC 7636 §4.5, §4.6 · RFC 9700
§2.1.1, §4.8.
Left out: omitting redirect_uri as OAuth 2.1 drafts allow; it is part of what must be repeated.
"""

from typing import NoReturn

from authserver.errors import BadCode, BadRedirectUri, InvalidGrant, MissingParameter
from authserver.events import CodeExchanged, CodeRefused, CodeReplayed
from authserver.messages import TokenRequest, TokenResponse
from authserver.rules import pkce
from authserver.rules.scopes import check_target
from authserver.store import issued, journal, once
from authserver.store.registered import AUTHORIZATION_CODE as GRANT_TYPE
from authserver.store.registered import Client, User, find_user
from authserver.tenant import Tenant
from authserver.tokens import mint

__all__ = ["GRANT_TYPE", "exchange"]


def exchange(request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    """Redeem a code. Raises InvalidGrant; every refusal is an event."""
    presented = request.params.opaque("code")
    if presented is None:
        raise MissingParameter("code")
    try:
        return _redeem(issued.digest(presented), request, client, tenant)
    except InvalidGrant as refusal:
        tenant.record(CodeRefused(client_id=client.client_id, reason=type(refusal).__name__))
        raise


def _redeem(of: bytes, request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    now = tenant.now()
    with tenant.database.read() as db:
        found = issued.find_code(db, of)
        user = find_user(db, found[1].user_id) if found else None
    if found is None or found[1].client_id != client.client_id:
        raise BadCode
    code, grant = found
    if code.used_at is None and not grant.created_at <= now < code.expires_at:
        _void(of, tenant)
    check_target(request.params, grant.audience, tenant.policy)

    if request.params.opaque("redirect_uri") != code.redirect_uri:
        raise BadRedirectUri
    if code.used_at is None:
        _reserve_attempt(of, tenant)
    pkce.check_verifier(code.code_challenge, request.params.opaque("code_verifier"))

    # From here on the caller has proved that the code is its own.
    if code.used_at is not None:
        _revoke_family(grant, tenant, now)
    user = _welcome(user, grant)
    scope = tuple(grant.scope.split())
    with tenant.database.read() as db:
        minted = mint(db, tenant, client, user, grant, scope, now=now, nonce=code.nonce)

    with tenant.database.write() as db:
        won = once.spend_code(db, of, now)
        if won:
            issued.add(db, *minted.rows)
            if minted.response.refresh_token is not None:
                issued.revoke_surplus(db, grant, now)
            journal.record(db, now, CodeExchanged(client.client_id, grant.user_id, grant.grant_id))
    if not won:
        _revoke_family(grant, tenant, now)
    return minted.response


def _void(of: bytes, tenant: Tenant) -> NoReturn:
    """Out of its time once is out of it for good, even if the clock is set back."""
    with tenant.database.write() as db:
        once.void_code(db, of)
    raise BadCode


def _reserve_attempt(of: bytes, tenant: Tenant) -> None:
    """Count before looking (law 4), so that parallel guesses at the verifier cannot outrun the limit."""
    with tenant.database.write() as db:
        left = once.reserve_code_attempt(db, of)
    if not left:
        raise BadCode


def _welcome(user: User | None, grant: issued.Grant) -> User:
    if grant.revoked_at is not None or user is None or user.blocked:
        raise BadCode
    return user


def _revoke_family(grant: issued.Grant, tenant: Tenant, now: int) -> NoReturn:
    """RFC 6749 §4.1.2: a code that comes twice was seen by two, so nobody keeps what it gave."""
    with tenant.database.write() as db:
        issued.revoke_grant(db, grant.grant_id, now)
        journal.record(db, now, CodeReplayed(grant.client_id, grant.user_id, grant.grant_id))
    raise BadCode
