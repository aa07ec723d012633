"""Client authentication: exactly one method, in constant time.

Done: RFC 6749 §2.3, §2.3.1, §3.2.1 (client_secret_basic, client_secret_post, none) · RFC 9700 §2.5.
Left out: private_key_jwt (RFC 7523), mutual TLS (RFC 8705).
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from urllib.parse import unquote_plus

from authserver import attempts, trace
from authserver.errors import InvalidClient, InvalidRequest, MissingParameter, TooManyRequests
from authserver.messages import Params, Request, is_text
from authserver.store.issued import digest
from authserver.store.registered import Client, find_client
from authserver.tenant import Tenant

METHODS = ("client_secret_basic", "client_secret_post", "none")

_NOBODYS_DIGEST = digest("no client has this secret")


@dataclass(frozen=True, slots=True)
class _Credentials:
    method: str
    client_id: str
    secret: str | None


def authenticate(request: Request, tenant: Tenant) -> Client:
    """The client that sent `request`.

    Raises InvalidRequest when methods are mixed or the client does not say who it is, InvalidClient when what it says
    is not proved, TooManyRequests after too many such; an unknown client and a wrong secret cost and say the same.
    """
    credentials = _credentials(request)
    if credentials.secret is None:
        return _proved(credentials, tenant)
    if not attempts.may_present_secret(request, credentials.client_id, tenant):
        raise TooManyRequests
    try:
        return _proved(credentials, tenant)
    except InvalidClient:
        attempts.count_secret(request, credentials.client_id, tenant)
        raise


def _proved(credentials: _Credentials, tenant: Tenant) -> Client:
    with tenant.database.read() as db:
        client = find_client(db, credentials.client_id) if is_text(credentials.client_id) else None
    expected = client.secret_digest if client and client.secret_digest else _NOBODYS_DIGEST
    is_right = hmac.compare_digest(digest(credentials.secret or ""), expected)
    if client is None:
        raise InvalidClient
    trace.note_client(client.client_id)
    if client.is_public:
        if credentials.secret is not None:
            raise InvalidClient
        return client
    if not is_right or not _method_fits(credentials.method, client, tenant):
        raise InvalidClient
    return client


def _method_fits(method: str, client: Client, tenant: Tenant) -> bool:
    if tenant.policy.client_authentication == "any secret method":
        return method != "none"
    return method == client.token_endpoint_auth_method


def _credentials(request: Request) -> _Credentials:
    body = request.body
    if len(request.authorization) > 1:
        raise InvalidRequest("More than one Authorization header was sent.")
    if "client_assertion" in body or "client_assertion_type" in body:
        raise InvalidClient
    if request.authorization:
        if "client_secret" in body:
            raise InvalidRequest("More than one method of client authentication was used.")
        credentials = _basic(request.authorization[0])
        if (named := body.text("client_id")) is not None and named != credentials.client_id:
            raise InvalidRequest("client_id differs from the client that authenticated.")
        return credentials
    return _in_body(body)


def _in_body(body: Params) -> _Credentials:
    client_id, secret = body.opaque("client_id"), body.opaque("client_secret")
    if client_id is None:
        raise MissingParameter("client_id")
    return _Credentials("client_secret_post" if secret is not None else "none", client_id, secret)


def _basic(header: str) -> _Credentials:
    """RFC 6749 §2.3.1: id and secret are form-encoded first, then joined and encoded as RFC 7617 says."""
    scheme, _, value = header.partition(" ")
    try:
        decoded = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise InvalidClient
    return _Credentials(
        "client_secret_basic",
        unquote_plus(client_id, errors="surrogateescape"),
        unquote_plus(secret, errors="surrogateescape"),
    )
