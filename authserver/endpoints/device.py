"""Device authorization endpoint: a device asks for two codes, one to poll with and one for a person to type.

Done: RFC 8628 §3.1, §3.2, §4, §5.1 (the user code), §5.2 (the device code).
What the person does with the user code is the business of `activate`, how the device polls that of
`grants/device_code`.
"""

import secrets

from authserver import attempts
from authserver.authorization_request import api_and_scope
from authserver.client_auth import authenticate
from authserver.endpoints import Endpoint, Room
from authserver.errors import GrantTypeNotAllowed, OAuthError, ServerError, TooManyRequests, UnauthorizedClient
from authserver.events import DeviceRequestRefused
from authserver.messages import Answer, Json, Request
from authserver.rules import user_codes
from authserver.store import device_codes
from authserver.store.device_codes import DeviceCode
from authserver.store.issued import digest
from authserver.store.registered import DEVICE_CODE, Client, find_tenant_setting
from authserver.tenant import Tenant

LIFETIME = 900
"""Seconds that a person has to find the page and to decide."""

INTERVAL = 5
"""Seconds between two polls (RFC 8628 §3.5)."""

_TRIES = 5
"""How often a user code is made up; two in a row that exist already is less likely than any other failure."""


def request_codes(request: Request, tenant: Tenant) -> Answer:
    """A device code for the device and a user code for its person. Every refusal but the flood's is an event."""
    client = authenticate(request, tenant)
    try:
        _may_ask(client, tenant)
        with tenant.database.read() as db:
            api, scope = api_and_scope(request.body, client, db, tenant)
            look = find_tenant_setting(db, "device_flow") or {}
    except OAuthError as refusal:
        tenant.record(DeviceRequestRefused(client.client_id, reason=type(refusal).__name__))
        raise
    if not attempts.reserve_device_code(request, client.client_id, tenant):
        raise TooManyRequests("Too many device codes were requested. Please try again later.")
    device_code, user_code = secrets.token_urlsafe(32), ""
    with tenant.database.write() as db:
        now = tenant.now()
        device_codes.forget(db, now - LIFETIME)
        for _ in range(_TRIES):
            user_code = user_codes.generate(look.get("charset", "base20"), look.get("mask", user_codes.MASK))
            row = DeviceCode(
                digest=digest(device_code),
                user_code_digest=digest(user_codes.canonical(user_code)),
                client_id=client.client_id,
                audience=api.identifier if api else None,
                scope=" ".join(scope),
                source=request.source[:64],
                issued_at=now,
                expires_at=now + LIFETIME,
                poll_interval=INTERVAL,
            )
            if device_codes.add(db, row):
                break
        else:
            raise ServerError
    page = tenant.url("/activate")
    return Json(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code.replace(' ', '%20')}",
            "expires_in": LIFETIME,
            "interval": INTERVAL,
        }
    )


def _may_ask(client: Client, tenant: Tenant) -> None:
    if tenant.policy.device_clients == "public" and not client.is_public:
        raise UnauthorizedClient
    if not client.may_use(DEVICE_CODE):
        raise GrantTypeNotAllowed


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {"device_authorization_endpoint": tenant.url("/oauth/device/code")}


ROOM = Room(
    endpoints=(Endpoint("/oauth/device/code", {"POST": request_codes}, "program", query=False),),
    metadata=_metadata,
)
