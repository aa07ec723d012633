"""Web origins: which pages in a browser may call this API and read its answers.

The Fetch standard's CORS protocol, without credentials: an access token is sent by the page that holds it, never by
the browser of its own accord, so no cookie is ever allowed along. Origins are compared character by character; there
is no wildcard, and nothing is reflected that the settings do not name.
"""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ANSWER_HEADERS

_PREFLIGHT = {
    **ANSWER_HEADERS,
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "authorization, content-type, traceparent",
    "Access-Control-Max-Age": "600",
}


class Cors:
    """Pure ASGI, around the door: its refusals, too, have to be readable for the page that caused them."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
            return
        allowed = origin in self._origins

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, Retry-After"
            await send(message)

        asks_first = scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)
        if allowed and asks_first:
            await Response(status_code=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)(scope, receive, send_with_origin)
        else:
            await self._app(scope, receive, send_with_origin)
