"""Client Credentials Grant.

Done: RFC 6749 §4.4 · RFC 9068 §2.2 (`sub` names the client, in a form that no user can have: RFC 9700 §4.15).
Left out: refresh tokens (RFC 6749 §4.4.3 says they should not be) and ID tokens (there is no person).
"""

from authserver import personalising
from authserver.errors import MissingParameter, NoClientGrant, ServiceNotEnabled, UnauthorizedClient
from authserver.events import ClientCredentialsExchanged
from authserver.messages import TokenRequest, TokenResponse
from authserver.rules.scopes import narrowed, parse_scope, personalised
from authserver.store.registered import (
    DEFAULT_AUDIENCE,
    Client,
    find_client_grant,
    find_resource_server,
    find_tenant_setting,
)
from authserver.tenant import Tenant
from authserver.tokens import signed_access_token

__all__ = ["GRANT_TYPE", "exchange"]

GRANT_TYPE = "client_credentials"


def exchange(request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    """A token in the client's own name. Raises ServiceNotEnabled, NoClientGrant, InvalidScope."""
    if client.is_public:
        raise UnauthorizedClient
    identifier = request.params.text("audience")
    if identifier is None and tenant.policy.resource_parameter:
        identifier = request.params.text("resource")
    with tenant.database.read() as db:
        identifier = identifier or find_tenant_setting(db, DEFAULT_AUDIENCE)
    if identifier is None:
        raise MissingParameter("audience")
    now = tenant.now()
    with tenant.database.read() as db:
        api = find_resource_server(db, identifier)
        if api is None:
            raise ServiceNotEnabled
        allowed = find_client_grant(db, client.client_id, identifier)
        if allowed is None:
            raise NoClientGrant
        scope = narrowed(parse_scope(request.params.opaque("scope")), allowed, tenant.policy)
    outcome = personalising.at_credentials_exchange(request, client, identifier, scope, allowed, tenant)
    personalising.obey(outcome, client.client_id, None, tenant)
    scope = personalised(scope, outcome.kept())
    with tenant.database.read() as db:
        token = signed_access_token(
            tenant.keyring.signer(db, now),
            tenant,
            client,
            api,
            subject=f"{client.client_id}@clients",
            audience=[identifier],
            scope=scope,
            permissions=scope,  # a client's permissions are its grant
            now=now,
            gty="client-credentials",
            custom=outcome.access_token,
        )
    tenant.record(ClientCredentialsExchanged(client.client_id))
    return TokenResponse(access_token=token, expires_in=api.token_lifetime, scope=scope)
