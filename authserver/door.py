"""The door: between the wire and the rooms.

Done: RFC 6749 §3.1, §3.2, appendix B (form encoding in UTF-8, nothing twice) · RFC 9110 §15.5.6 (405 with Allow),
§15.5.16 · RFC 6750 §3 · the Fetch standard's CORS protocol, without credentials.

In: Host, method, size and content type are checked and raw pairs are read; a `Request` goes in, on a thread. Out: the
`Answer` is rendered, and so is every refusal, by the tenant's policy and for the surface's reader. Nothing here knows
a grant.
"""

import logging
from collections.abc import Callable, Iterable

import anyio
import anyio.to_thread
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver import pages, trace, wire
from authserver.database_errors import DatabaseError
from authserver.endpoints import Endpoint
from authserver.errors import (
    BearerError,
    InsufficientScope,
    InvalidClient,
    NoToken,
    PageError,
    ProtocolError,
    ServerError,
    TemporarilyUnavailable,
)
from authserver.exchanges import unexpected
from authserver.messages import Answer, Json, Page, Text
from authserver.store.engine import is_busy
from authserver.store.registered import all_clients
from authserver.tenant import Tenant

log = logging.getLogger("authserver")

THREADS = 16
"""How many requests are worked on at once in a process; the rest wait their turn on the loop."""

_CORS_HEADERS = "auth0-client, authorization, content-type, dpop, x-requested-with"


def routes(endpoints: Iterable[Endpoint], tenant_of: Callable[[Scope], Tenant]) -> list[Route]:
    """One route for each endpoint."""
    limiter = anyio.CapacityLimiter(THREADS)
    return [Route(each.path, _Doorway(each, tenant_of, limiter)) for each in endpoints]


class _Doorway:
    """One endpoint as an ASGI application. (A class, so that Starlette leaves the methods to us.)"""

    def __init__(
        self, endpoint: Endpoint, tenant_of: Callable[[Scope], Tenant], limiter: anyio.CapacityLimiter
    ) -> None:
        self.endpoint, self.tenant_of, self.limiter = endpoint, tenant_of, limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace.note_route(self.endpoint.path)
        http = HttpRequest(scope, receive)
        response = await self._answer(http, self.tenant_of(scope))
        await response(scope, receive, send)

    async def _answer(self, http: HttpRequest, tenant: Tenant) -> Response:
        endpoint, origin = self.endpoint, http.headers.get("origin")
        if http.method == "OPTIONS" and endpoint.cors != "none":
            response = Response(status_code=204, headers={"Access-Control-Allow-Headers": _CORS_HEADERS})
            response.headers["Access-Control-Allow-Methods"] = ", ".join(endpoint.methods)
            response.headers["Access-Control-Max-Age"] = "600"
        elif http.method not in endpoint.methods:
            refusal = Json({"error": "invalid_request", "error_description": "The method is not allowed here."}, 405)
            response = pages.render(refusal, http.method, tenant)
            response.headers["Allow"] = ", ".join(endpoint.methods)
        else:
            body = await self._read(http)
            if endpoint.waits:
                answer = await anyio.to_thread.run_sync(self._work, http, body, tenant, limiter=self.limiter)
            else:
                answer = self._work(http, body, tenant)
            response = pages.render(answer, http.method, tenant)
        if origin and endpoint.cors == "any":
            response.headers["Access-Control-Allow-Origin"] = "*"
        elif origin and endpoint.cors == "registered":
            response.headers.append("Vary", "Origin")
            if await anyio.to_thread.run_sync(_is_registered, origin, tenant, limiter=self.limiter):
                response.headers["Access-Control-Allow-Origin"] = origin
        return response

    async def _read(self, http: HttpRequest) -> bytes | ProtocolError:
        try:
            return await wire.read_body(http)
        except ProtocolError as error:
            return error

    def _work(self, http: HttpRequest, body: bytes | ProtocolError, tenant: Tenant) -> Answer:
        try:
            if isinstance(body, ProtocolError):
                raise body
            request = wire.parse(http, body, self.endpoint, tenant.policy)
            return self.endpoint.methods[http.method](request, tenant)
        except ProtocolError as error:
            return _refusal(error, self.endpoint, tenant)
        except (DBAPIError, PoolTimeout) as error:
            if isinstance(error, DBAPIError) and not is_busy(error):
                return _refusal(ServerError(unexpected()), self.endpoint, tenant)
            log.warning("database unavailable: %s", type(error).__name__)
            return _refusal(TemporarilyUnavailable(), self.endpoint, tenant)
        except Exception:
            return _refusal(ServerError(unexpected()), self.endpoint, tenant)


def _is_registered(origin: str, tenant: Tenant) -> bool:
    with tenant.database.read() as db:
        return any(origin in client.settings.web_origins for client in all_clients(db))


def _refusal(error: ProtocolError, endpoint: Endpoint, tenant: Tenant) -> Answer:
    status, code, description = tenant.policy.say(error)
    trace.note_refusal(code, error)
    if endpoint.surface == "person" or isinstance(error, PageError):
        return Page("error.html", {"error": code, "description": description}, status)
    if endpoint.surface == "database":
        kind = error if isinstance(error, DatabaseError) else DatabaseError()
        return Json(kind.members(status, code, description), status)
    if endpoint.surface == "resource" and isinstance(error, BearerError):
        return _challenge(error, status, code, description, tenant)
    headers: dict[str, str] = {}
    if isinstance(error, InvalidClient) and code == InvalidClient.error:
        headers["WWW-Authenticate"] = 'Basic realm="token endpoint", charset="UTF-8"'
    if status == TemporarilyUnavailable.status:
        headers["Retry-After"] = "1"
    return Json({"error": code, "error_description": description}, status, headers)


def _challenge(error: BearerError, status: int, code: str, description: str, tenant: Tenant) -> Answer:
    """RFC 6750 §3: no error code when no credentials were sent."""
    challenge = 'Bearer realm="Users"'
    if not isinstance(error, NoToken):
        challenge += f', error="{code}", error_description="{description}"'
    if isinstance(error, InsufficientScope):
        challenge += f', scope="{error.scope}"'
    headers = {"WWW-Authenticate": challenge}
    if tenant.policy.userinfo_challenge == "plain" and status == BearerError.status:
        return Text("Unauthorized", status, headers)
    return Json({"error": code, "error_description": description}, status, headers)


class HostGate:
    """Refuses a Host that is not ours (DNS rebinding, forged links), before anything else looks at the request.

    `/healthz` and `/readyz` pass, because a health check inside a container knows no name; the latter only until the
    server begins to stop.
    """

    def __init__(self, app: ASGIApp, serves: Callable[[str], bool]) -> None:
        self.app, self.serves = app, serves

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        sent: list[tuple[bytes, bytes]] = scope["headers"]
        names = {name for name, _ in sent}
        if {b"transfer-encoding", b"content-length"} <= names:
            # RFC 9112 §6.1: somebody between could have read another length.
            return _gate("Transfer-Encoding and Content-Length contradict each other.", 400)
        if scope["path"] == "/readyz" and scope.get("state", {}).get("stopping"):
            return _gate("This server is stopping.", 503)
        hosts = [value.decode("latin-1").lower() for name, value in sent if name == b"host"]
        if scope["path"] in ("/healthz", "/readyz") or (len(hosts) == 1 and self.serves(hosts[0])):
            return None
        return _gate("This Host is not served here. Use the issuer's, or add it with allowed_hosts.", 421)


def _gate(description: str, status: int) -> Response:
    return pages.json_response(Json({"error": "invalid_request", "error_description": description}, status))


__all__ = ["HostGate", "routes"]
