"""Token endpoint: authenticate the client, look the grant up, call it.

Done: RFC 6749 §3.2, §5.1, §5.2.
"""

from authserver.client_auth import METHODS, authenticate
from authserver.endpoints import Endpoint, Room
from authserver.errors import GrantTypeNotAllowed, UnsupportedGrantType
from authserver.grants import GRANTS
from authserver.messages import Answer, Json, Request, TokenRequest
from authserver.tenant import Tenant


def token(request: Request, tenant: Tenant) -> Answer:
    """One grant becomes one set of tokens, or one error."""
    client = authenticate(request, tenant)
    grant_type = request.body.required("grant_type")
    exchange = GRANTS.get(grant_type)
    if exchange is None:
        raise UnsupportedGrantType
    if not client.may_use(grant_type):
        raise GrantTypeNotAllowed(f"Grant type '{grant_type}' not allowed for the client.")
    response = exchange(TokenRequest(grant_type, request.body, request), client, tenant)
    return Json(response.members())


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {
        "token_endpoint": tenant.url("/oauth/token"),
        "grant_types_supported": list(GRANTS),
        "token_endpoint_auth_methods_supported": list(METHODS),
    }


ROOM = Room(
    endpoints=(Endpoint("/oauth/token", {"POST": token}, "program", query=False, cors="registered"),),
    metadata=_metadata,
)
