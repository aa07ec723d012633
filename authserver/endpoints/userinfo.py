"""UserInfo endpoint.

Done: OpenID Connect Core §5.3 · RFC 6750 §2.1, §3, §3.1.
Left out: tokens in the form body or the query (RFC 6750 §2.2, §2.3), signed answers.

The row decides, not the JWT: so an access token that was revoked with its family is dead here at once.
"""

from authserver.endpoints import Endpoint, Room
from authserver.errors import InsufficientScope, InvalidRequest, InvalidToken, NoToken
from authserver.messages import Answer, Json, Request
from authserver.rules import claims
from authserver.rules.scopes import IDENTITY_SCOPES, OPENID
from authserver.store import issued
from authserver.store.registered import User, find_user
from authserver.tenant import Tenant


def userinfo(request: Request, tenant: Tenant) -> Answer:
    """The claims that the access token's scope opens, as they are now."""
    user, scope, custom = _authorize(request, tenant)
    return Json(claims.about(user, scope, tenant.policy, custom))


def _authorize(request: Request, tenant: Tenant) -> tuple[User, list[str], dict[str, object]]:
    of, now = issued.digest(_bearer(request)), tenant.now()
    with tenant.database.read() as db:
        found = issued.find_access_token(db, of)
        user = find_user(db, found[0][1].user_id) if found else None
    alive = found and not any(token.revoked_at or grant.revoked_at for token, grant in found)
    if not alive or user is None or user.blocked or found[0][0].expires_at <= now:
        raise InvalidToken
    token = found[0][0]
    scope = token.scope.split()
    if OPENID not in scope or tenant.url("/userinfo") not in token.audience:
        raise InsufficientScope(OPENID)
    return user, scope, (found[0][1].claims or {}).get("id_token", {})


def _bearer(request: Request) -> str:
    if len(request.authorization) > 1 or "access_token" in request.query or "access_token" in request.body:
        raise InvalidRequest("The access token must be sent once, in the Authorization header.")
    if not request.authorization:
        raise NoToken
    scheme, _, token = request.authorization[0].partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        raise InvalidToken
    return token


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {
        "userinfo_endpoint": tenant.url("/userinfo"),
        "claims_supported": ["iss", "aud", "exp", "iat", "auth_time", "nonce", "sid", *claims.SUPPORTED],
        "scopes_supported": list(IDENTITY_SCOPES),
    }


ROOM = Room(
    endpoints=(Endpoint("/userinfo", {"GET": userinfo, "POST": userinfo}, "resource", cors="any"),),
    metadata=_metadata,
)
