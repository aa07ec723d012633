"""Revocation endpoint.

Done: RFC 7009 §2.1, §2.2. Revoking a refresh token ends its grant and with it every token of the family; revoking an
access token, where the dialect takes one at all, ends that token alone, and only where this server is asked
(userinfo): an API that verifies JWTs by itself keeps accepting it until `exp`.
"""

from authserver.client_auth import METHODS, authenticate
from authserver.endpoints import Endpoint, Room
from authserver.errors import MissingParameter, UnauthorizedClient
from authserver.events import GrantRevoked
from authserver.messages import Answer, Request, Text
from authserver.store import issued, journal
from authserver.store.issued import AccessToken, Grant, RefreshToken
from authserver.store.registered import Client
from authserver.tenant import Tenant


def revoke(request: Request, tenant: Tenant) -> Answer:
    """Always the same empty answer, whether the token was live, dead or never ours; `token_type_hint` is not needed."""
    client = authenticate(request, tenant)
    presented = request.body.opaque("token")
    if presented is None:
        raise MissingParameter("token")
    of, now = issued.digest(presented), tenant.now()
    for token, grant in _find(of, tenant):
        if grant.client_id != client.client_id:
            return _foreign(client, tenant)
        with tenant.database.write() as db:
            if isinstance(token, RefreshToken):
                issued.revoke_grant(db, grant.grant_id, now)
                journal.record(db, now, GrantRevoked(client.client_id, grant.user_id, grant.grant_id))
            else:
                issued.revoke_access_token(db, of, now)
    return Text()


def _find(of: bytes, tenant: Tenant) -> list[tuple[RefreshToken | AccessToken, Grant]]:
    found: list[tuple[RefreshToken | AccessToken, Grant]] = []
    with tenant.database.read() as db:
        if refresh := issued.find_refresh_token(db, of):
            found.append(refresh)
        elif tenant.policy.access_tokens_revocable:
            found.extend(issued.find_access_token(db, of))
    return found


def _foreign(client: Client, tenant: Tenant) -> Answer:
    if tenant.policy.foreign_token_at_revocation == "error" or not client.is_public:
        raise UnauthorizedClient("The token was issued to another client.")
    return Text()


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {
        "revocation_endpoint": tenant.url("/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
    }


ROOM = Room(
    endpoints=(Endpoint("/oauth/revoke", {"POST": revoke}, "program", query=False, cors="registered"),),
    metadata=_metadata,
)
