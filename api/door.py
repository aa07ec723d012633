"""Door: what holds for every request and every answer, before any route and whatever happens in one.

RFC 9110 section 8.6 (Content-Length), 15.5.14 (413). A pure ASGI wrapper: the body is counted while it is
read, so that a chunked one without a length is cut off as well, and a declared one is refused unread.

Left out on purpose: CORS. No header of it is sent, so no web page of another origin can read an answer; and
Host is never looked at, because nothing here builds URLs from it.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ANSWER_HEADERS, ContentTooLargeError, answer

# The longest note with every character escaped as a surrogate pair, and some air.
MAX_BODY_BYTES = 32 * 1024


class Door:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ANSWER_HEADERS)
            await send(message)

        if int(Headers(scope=scope).get("content-length", 0)) > MAX_BODY_BYTES:
            await answer(_too_large())(scope, receive, send_with_headers)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise _too_large()
            return message

        await self._app(scope, receive_limited, send_with_headers)


def _too_large() -> ContentTooLargeError:
    return ContentTooLargeError(f"The request body is longer than {MAX_BODY_BYTES} bytes")
