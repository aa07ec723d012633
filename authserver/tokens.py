"""Tokens: what a grant becomes. Signed outside any transaction; the caller spends, inserts and commits.

Done: RFC 9068 §2 (profile `rfc9068_profile`) · Auth0's own profile (`access_token`) · OpenID Connect Core §2, §3.1.3.3,
§3.1.3.6, §12.2 · RFC 6749 §5.1, §6.
Left out: encrypted tokens.

What a person may do at an API is looked up each time, so a role that was given or taken counts from the next token on;
the grant keeps what was asked for and approved.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from authserver.keys import RS256, Signer
from authserver.messages import TokenResponse
from authserver.rules import claims
from authserver.rules.scopes import OFFLINE_ACCESS, OPENID, permitted, personalised
from authserver.store import issued
from authserver.store.issued import AccessToken, Grant, RefreshToken
from authserver.store.permissions import permissions_of
from authserver.store.registered import (
    AUTHZ,
    REFRESH_TOKEN,
    Client,
    ResourceServer,
    User,
    find_resource_server,
)
from authserver.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Minted:
    """An answer that may leave once its rows are committed."""

    response: TokenResponse
    rows: tuple[AccessToken | RefreshToken, ...]


def mint(
    db: Connection,
    tenant: Tenant,
    client: Client,
    user: User,
    grant: Grant,
    scope: tuple[str, ...],
    *,
    now: int,
    nonce: str | None = None,
    refreshed: RefreshToken | None = None,
) -> Minted:
    """Access token, ID token when openid was granted, refresh token when one is due.

    `scope` is what of the grant is asked for; `refreshed` the refresh token that was presented.
    """
    api = find_resource_server(db, grant.audience) if grant.audience else None
    permissions = permissions_of(db, user.user_id, api.identifier) if api and api.looks_at_permissions else ()
    scope = personalised(permitted(scope, api, permissions), grant.claims)
    signer = tenant.keyring.signer(db, now)
    access_token, access_row = _access_token(
        signer, tenant, client, grant, api, scope, permissions, now, refreshed is not None
    )
    id_token = (
        _id_token(signer, tenant, client, user, grant, scope, now, nonce, access_token) if OPENID in scope else None
    )
    refresh_token, refresh_row = _refresh_token(client, grant, refreshed, now)
    response = TokenResponse(
        access_token=access_token,
        expires_in=access_row.expires_at - now,
        scope=scope,
        id_token=id_token,
        refresh_token=refresh_token,
    )
    return Minted(response, (access_row, refresh_row) if refresh_row else (access_row,))


def _access_token(
    signer: Signer,
    tenant: Tenant,
    client: Client,
    grant: Grant,
    api: ResourceServer | None,
    scope: tuple[str, ...],
    permissions: tuple[str, ...],
    now: int,
    from_refresh: bool,
) -> tuple[str, AccessToken]:
    userinfo = tenant.url("/userinfo")
    audience = ([api.identifier] if api else []) + ([userinfo] if OPENID in scope or not api else [])
    expires_at = now + (api.token_lifetime if api else tenant.settings.opaque_token_lifetime)
    if api is None and tenant.policy.opaque_without_audience:
        token = secrets.token_urlsafe(32)
    else:
        gty = "refresh_token" if from_refresh else None
        token = signed_access_token(
            signer,
            tenant,
            client,
            api,
            subject=grant.user_id,
            audience=audience,
            scope=scope,
            permissions=permissions,
            now=now,
            gty=gty,
            custom=(grant.claims or {}).get("access_token", {}),
        )
    return token, AccessToken(issued.digest(token), grant.grant_id, " ".join(scope), audience, expires_at)


def signed_access_token(
    signer: Signer,
    tenant: Tenant,
    client: Client,
    api: ResourceServer | None,
    *,
    subject: str,
    audience: list[str],
    scope: tuple[str, ...],
    permissions: tuple[str, ...],
    now: int,
    gty: str | None,
    custom: Mapping[str, object],
) -> str:
    """A JWT in the profile and by the algorithm that the API selected.

    `gty` is Auth0's word for how it was got; `permissions` are all that the subject has at the API, and are said where
    its profile ends in `_authz`; `custom` are the claims of Actions.
    """
    claims: dict[str, object] = {
        "iss": tenant.issuer,
        "sub": subject,
        "aud": audience if len(audience) > 1 else audience[0],
        "iat": now,
        "exp": now + (api.token_lifetime if api else tenant.settings.opaque_token_lifetime),
        "scope": " ".join(scope),
    }
    dialect = (api and api.token_dialect) or tenant.policy.default_token_profile
    if dialect.endswith(AUTHZ):
        claims["permissions"] = list(permissions)
    if dialect.removesuffix(AUTHZ) == "rfc9068_profile":
        typ, profile = "at+jwt", {"client_id": client.client_id, "jti": secrets.token_urlsafe(16)}
    else:
        typ, profile = "JWT", {"azp": client.client_id, **({"gty": gty} if gty else {})}
    alg = api.signing_alg if api else RS256
    # The protocol's claims come last: nothing that somebody added can overwrite them.
    return signer.sign(alg, typ, {**custom, **claims, **profile})


def _id_token(
    signer: Signer,
    tenant: Tenant,
    client: Client,
    user: User,
    grant: Grant,
    scope: tuple[str, ...],
    now: int,
    nonce: str | None,
    access_token: str,
) -> str:
    protocol: dict[str, object] = {
        "iss": tenant.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + client.settings.id_token_lifetime,
        "sid": grant.sid,
    }
    if nonce is not None:
        protocol["nonce"] = nonce
    if grant.auth_time_asked or tenant.policy.auth_time == "always":
        protocol["auth_time"] = grant.auth_time
    if tenant.policy.at_hash:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        protocol["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    # The protocol's claims come last: nothing in a profile can overwrite them.
    custom = (grant.claims or {}).get("id_token", {})
    return signer.sign(RS256, "JWT", {**claims.about(user, scope, tenant.policy, custom), **protocol})


def _refresh_token(
    client: Client, grant: Grant, refreshed: RefreshToken | None, now: int
) -> tuple[str | None, RefreshToken | None]:
    """A new one at login, when one rotates, and when the client's mode has changed since; else the old one goes on."""
    rotating = client.refresh_token.rotation_type == "rotating"
    if OFFLINE_ACCESS not in grant.scope.split() or not client.may_use(REFRESH_TOKEN):
        return None, None
    if refreshed and not rotating and not refreshed.rotating:
        return None, None
    token = "v1.M" + secrets.token_urlsafe(48)
    row = RefreshToken(
        digest=issued.digest(token),
        grant_id=grant.grant_id,
        parent=refreshed.digest if refreshed else None,
        rotating=rotating,
        issued_at=now,
        expires_at=absolute_end(client, refreshed, now),
        idle_expires_at=idle_end(client, now),
    )
    return token, row


def absolute_end(client: Client, refreshed: RefreshToken | None, now: int) -> int | None:
    """First issuance plus the lifetime that was configured then: an exchange inherits it and never extends it.

    One that never expired begins to, at its next exchange after a maximum was configured.
    """
    settings = client.refresh_token
    if refreshed and refreshed.expires_at is not None:
        return refreshed.expires_at
    if settings.expiration_type == "non-expiring" or settings.infinite_token_lifetime:
        return None
    return now + settings.token_lifetime


def idle_end(client: Client, now: int) -> int | None:
    """Each exchange restarts the idle clock, by the client's present settings."""
    settings = client.refresh_token
    if settings.expiration_type == "non-expiring" or settings.infinite_idle_token_lifetime:
        return None
    return now + settings.idle_token_lifetime
