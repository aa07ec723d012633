"""One exchange of a rehearsal, as it comes in and goes out: faults read it before the rooms, the recording after them.

Done: RFC 6749 §2.3.1 (who says to be the client, in the header or in the body) · RFC 6750 §2.1.
Left out: deciding anything. What cannot be read is empty here; the rooms refuse it.
"""

import base64
import binascii
import json
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from authserver.testing.endpoints import endpoint_of
from authserver.wire import BODY_LIMIT, BODY_SECONDS

KEPT = 256 * 1024
"""Bytes of a body that are kept, either way; of longer ones only their beginning."""

Pairs = tuple[tuple[str, str], ...]


class Asked:
    """A request. `receive` is what the rooms read from; what was read ahead is given to them all the same."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"].removeprefix(scope["root_path"])
        self.endpoint = endpoint_of(self.path)
        self.headers = Headers(scope=scope)
        self.query = _pairs(scope["query_string"])
        self._receive, self._body, self._ahead = receive, bytearray(), list[Message]()
        self._is_late = False

    async def receive(self) -> Message:
        """The next message of the request. Raises TimeoutError when it took too long already."""
        if self._ahead:
            return self._ahead.pop(0)
        if self._is_late:
            raise TimeoutError
        return await self._next()

    async def read_ahead(self) -> None:
        """Wait for the whole body, or for the end of the connection; no longer and for no more than the rooms would.

        What was too much or too late is refused by them as always.
        """
        read = 0
        with anyio.move_on_after(BODY_SECONDS) as patience:
            while read <= BODY_LIMIT:
                message = await self._next()
                self._ahead.append(message)
                read += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
        self._is_late = patience.cancelled_caught

    @property
    def body(self) -> bytes:
        """What has been read of it."""
        return bytes(self._body)

    @cached_property
    def form(self) -> Pairs:
        """The parameters of the body, whichever way they are written. To be asked for when it has been read."""
        if "json" not in self.headers.get("content-type", ""):
            return _pairs(self.body)
        try:
            members = json.loads(self.body, object_pairs_hook=tuple)
            return tuple((str(name), _text(value)) for name, value in members) if isinstance(members, tuple) else ()
        except (ValueError, RecursionError):
            return ()

    @property
    def parameters(self) -> dict[str, str]:
        """Query and body; of what stands twice the last."""
        return {**dict(self.query), **dict(self.form)}

    @property
    def client_id(self) -> str | None:
        """Who says to be the client."""
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                return unquote_plus(base64.b64decode(credentials, validate=True).decode().partition(":")[0])
            except (binascii.Error, ValueError):
                return None
        return self.parameters.get("client_id")

    @property
    def bearer(self) -> str | None:
        """The token in the header."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and len(self._body) < KEPT:
            self._body += message.get("body", b"")
        return message


class Answered:
    """An answer, kept while it is sent. `status` is 0 until it has begun."""

    def __init__(self, send: Send) -> None:
        self.status, self.headers, self.is_complete = 0, Headers(), False
        self._send, self._body = send, bytearray()

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], Headers(raw=list(message["headers"]))
        elif message["type"] == "http.response.body":
            if len(self._body) < KEPT:
                self._body += message.get("body", b"")
            self.is_complete = not message.get("more_body")
        await self._send(message)

    @property
    def body(self) -> bytes:
        """What has been sent of it."""
        return bytes(self._body)

    @property
    def json(self) -> Any:
        """The body; None when it is no JSON."""
        if "json" not in self.headers.get("content-type", ""):
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def _pairs(encoded: bytes) -> Pairs:
    try:
        return tuple(parse_qsl(encoded.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        return ()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """Objects were read as tuples of pairs, so that doubled names stay visible."""
    if isinstance(value, tuple):
        return {str(name): _plain(each) for name, each in value}
    return [_plain(each) for each in value] if isinstance(value, list) else value
