"""Server: uvicorn, less patient with slow peers, more patient at the end.

RFC 9112 section 9.5 (a server may close what takes too long), 9.6 (the last answer says `Connection: close`), RFC 9110
section 15.5.1 (400, in this API's form also for what is no HTTP). TLS 1.2 at least.

A stop resets nobody who was heard: from the signal on every answer says that it is the last one on its connection, so a
client sends nothing into a closing one; whoever waits at the listener is let in before it closes; and a connection that
has just come, or rests between two requests, is given a moment for what may be on its way already.

Left out: a limit on connections; waiting ones cost a file descriptor each, and go after the same seconds.
"""

import asyncio
import contextlib
import ctypes
import functools
import json
import logging
import select
import socket
import ssl
import struct
from collections.abc import Callable

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors import ANSWER_HEADERS, InvalidRequestError

PATIENCE = 20.0
"""Seconds for a TLS handshake, and from there or the former answer on for the headers of a request."""

LINGER = 0.5
"""Seconds that handshakes go on and resting connections stay open after the listener was closed."""

_SO_ATTACH_FILTER = 26  # Linux; Python has no name for it

log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """`ready` is called once requests are accepted."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if isinstance(self.config.ssl, ssl.SSLContext):
            self.config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
            loop = asyncio.get_running_loop()
            # uvicorn has no setting for these; asyncio's own are 60 and 30 seconds.
            patient = functools.partial(loop.create_server, ssl_handshake_timeout=PATIENCE, ssl_shutdown_timeout=1)
            loop.create_server = patient  # type: ignore[method-assign]  # for the listener that is made next
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping", extra={"connections": len(self.server_state.connections)})
        self.server_state.default_headers.append((b"connection", b"close"))  # the list that all connections share
        for listener in sockets or []:
            _let_nobody_knock(listener)
            await _let_in_who_waits(listener)
        for server in self.servers:
            server.close()
        await asyncio.sleep(LINGER)
        await super().shutdown(sockets)


def _let_nobody_knock(listener: socket.socket) -> None:
    """From now on the kernel drops what comes for this listener: who begins a connection tries again a second later.

    Closing a listener resets whoever the kernel has connected and this process has not seen yet; under load there is
    always somebody. Elsewhere than on Linux they are reset.
    """
    keep_nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(keep_nothing)))


async def _let_in_who_waits(listener: socket.socket) -> None:
    """Until nobody stands at the door for a few turns of the loop, or for LINGER seconds if there is no end of them.

    One turn accepts, and the next makes a connection of it; a listener that is closed between the two drops it.
    """
    poll, quiet = select.poll(), 0
    poll.register(listener, select.POLLIN)
    loop = asyncio.get_running_loop()
    until = loop.time() + LINGER
    while quiet < 4 and loop.time() < until:
        quiet = 0 if poll.poll(0) else quiet + 1
        await asyncio.sleep(0)


class HttpProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a deadline on the headers of each request. (The body's is in `door`.)"""

    _deadline: asyncio.TimerHandle | None = None
    _heard: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not self._heard:
            self._heard = self.cycle
            self._stop_waiting()

    def on_response_complete(self) -> None:
        # Before the next request is looked at: one that is here already ends the wait again.
        self._wait()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        del msg  # uvicorn's, in plain text
        refusal = InvalidRequestError("The request is not well-formed HTTP/1.1")
        body = json.dumps({"error": refusal.error, "error_description": refusal.description}).encode()
        headers = {**ANSWER_HEADERS, "Content-Type": "application/json", "Content-Length": str(len(body))}
        pairs = [*headers.items(), ("Connection", "close")]
        try:
            for event in (
                h11.Response(status_code=refusal.status, headers=pairs),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            """An answer is on its way already, and nothing can be said beside it."""
        self.transport.close()

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
