"""Door: what holds for every request and every answer, before any route and whatever happens in one.

RFC 9110 section 8.6 (Content-Length), 15.5.9 (408), 15.5.14 (413). A pure ASGI wrapper: the body is counted while
it is read, so that a chunked one without a length is cut off as well, and a declared one is refused unread. Whoever
sends it a byte at a time is cut off, too. (Slow headers meet their end in `server`.)

Left out on purpose: Host is never looked at, because nothing here builds URLs from it.
"""

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ANSWER_HEADERS, ContentTooLargeError, TooSlowError
from api.observation import refuse

# The longest note with every character escaped as a surrogate pair, and some air.
MAX_BODY_BYTES = 32 * 1024
# Seconds within which a body must have arrived.
BODY_PATIENCE = 20.0


class Door:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if int(Headers(scope=scope).get("content-length", 0)) > MAX_BODY_BYTES:
            await refuse(HTTPConnection(scope), too_large())(scope, receive, send_with_headers)
            return
        received, complete = 0, False
        deadline = asyncio.get_running_loop().time() + BODY_PATIENCE

        async def receive_limited() -> Message:
            nonlocal received, complete
            try:
                async with asyncio.timeout_at(None if complete else deadline):
                    message = await receive()
            except TimeoutError:
                raise TooSlowError("The request body took too long") from None
            complete = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise too_large()
            return message

        await self._app(scope, receive_limited, send_with_headers)


def too_large() -> ContentTooLargeError:
    return ContentTooLargeError(f"The request body is longer than {MAX_BODY_BYTES} bytes")
