"""What is said instead of the true answer.

Done: RFC 6749 §4.1.2.1, §5.2 · RFC 6750 §3 · RFC 9207 §2 (`iss` in an error, too) · RFC 6585 §4.
"""

from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from authserver import pages
from authserver.errors import BearerError, InsufficientScope, InvalidToken, OAuthError, ProtocolError, SlowDown
from authserver.messages import AuthorizationRequest, Json
from authserver.rules.authorization_response import respond
from authserver.rules.redirects import form_target
from authserver.tenant import Tenant
from authserver.testing.faults.kinds import Answer, Error, Html, Outage, RateLimit

Made = Answer | Error | Html | Outage | RateLimit

LIMIT = 10
"""Requests that the made-up rate limit speaks of."""

_PAGE = """<!doctype html>
<html><head><title>One moment</title></head>
<body><h1>One moment</h1><p>This network wants you to sign in before you go on.</p></body></html>
"""
_DESCRIPTION = "The test asked for this error."
_NEEDS_MORE: dict[str, ProtocolError] = {
    "slow_down": SlowDown(5),
    "insufficient_scope": InsufficientScope("openid"),
    "invalid_token": InvalidToken(),
}


def make(order: Made, method: str, callback: AuthorizationRequest | None, tenant: Tenant) -> Response:
    """The answer to a request of this method; with `callback` an error is sent there."""
    match order:
        case Answer():
            return _given(order)
        case Html():
            return HTMLResponse(_PAGE, order.status)
        case Outage():
            return PlainTextResponse("upstream connect error: connection refused\n", 503)
        case RateLimit():
            return _rate_limit(order, tenant)
        case Error():
            return _redirected(order, method, callback, tenant) if callback else _error(order, tenant)


def unable(name: str) -> Response:
    """The connection cannot be closed, because nobody knows which one it is."""
    said = f"The fault {name} needs a connection, and this request came without one: use the live server."
    return pages.json_response(Json({"error": "server_error", "error_description": said}, 500))


def _given(order: Answer) -> Response:
    body: Any = order.body
    if body is None:
        return Response(status_code=order.status, headers=order.headers)
    kind = PlainTextResponse if isinstance(body, str) else JSONResponse
    return kind(body, order.status, order.headers)


def _rate_limit(order: RateLimit, tenant: Tenant) -> Response:
    body = {"error": "too_many_requests", "error_description": "Too many requests. Please try again later."}
    told = {"Retry-After": order.retry_after, "X-RateLimit-Limit": LIMIT, "X-RateLimit-Remaining": 0}
    headers = {**told, "X-RateLimit-Reset": tenant.now() + order.retry_after}
    return pages.json_response(Json(body, 429, {name: str(value) for name, value in headers.items()}))


def _error(order: Error, tenant: Tenant) -> Response:
    status, description = _said(order, tenant)
    body = {"error": order.error, "error_description": description}
    headers: dict[str, str] = {}
    if order.endpoint == "userinfo":
        headers["WWW-Authenticate"] = f'Bearer realm="Users", error="{order.error}", error_description="{description}"'
    return pages.json_response(Json(body, status, headers))


def _redirected(order: Error, method: str, callback: AuthorizationRequest, tenant: Tenant) -> Response:
    _, description = _said(order, tenant)
    said = {"error": order.error, "error_description": description, "state": callback.state, "iss": tenant.issuer}
    to = callback.redirect_uri
    return pages.render(respond(to, callback.response_mode, said, form_target=form_target(to)), method, tenant)


def _said(order: Error, tenant: Tenant) -> tuple[int, str]:
    """Status and description, as this tenant's dialect says this error when nothing else was asked for."""
    known = _NEEDS_MORE.get(order.error) or _known(order.error, OAuthError) or _known(order.error, BearerError)
    status, _, description = tenant.policy.say(known) if known else (400, "", _DESCRIPTION)
    return order.status or status, order.description or description


def _known(code: str, among: type[ProtocolError]) -> ProtocolError | None:
    """The most general error with this code."""
    for kind in among.__subclasses__():
        if kind.error == code:
            return kind()
    return None
