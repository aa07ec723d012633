"""The server process: uvicorn's, which ends without cutting anybody off.

Done: RFC 9112 §9.6 (a close is announced, half-closed first, and waited for) · RFC 8446 §6.1 (close_notify).
Left out: requests pipelined behind the one whose answer says `Connection: close`; their sender is told to repeat them.

After the first SIGTERM or SIGINT: whoever has connected is still accepted, what was sent is read, every answer says
that it is the last one on its connection, idle connections are taken leave of, and the process ends with status 0
within ten seconds. A second signal ends it at once.
"""

import asyncio
import contextlib
import ctypes
import logging
import multiprocessing
import os
import socket
import struct
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import ServerState

from authserver.slow_peers import PATIENCE, ImpatientProtocol

log = logging.getLogger("authserver")

GRACE = 7.0
"""Seconds that requests in hand may take after the signal; with all the rest less than the ten that Docker waits."""

SETTLE = 0.1
"""Seconds for accepting and reading what the kernel holds at the signal."""

LINGER = 1.0
"""Seconds that a peer has for closing its side, or for the rest of a TLS handshake."""


class State(ServerState):
    """What the connections of one process share."""

    stopping = False


class Connection(ImpatientProtocol):
    """One HTTP/1.1 connection that can be taken leave of."""

    server_state: State
    _leaving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        if self.server_state.stopping:
            self.loop.call_later(LINGER, self.shutdown)

    def data_received(self, data: bytes) -> None:
        if not self._leaving:  # what comes later is read, so that no reset answers it, and dropped
            super().data_received(data)

    def shutdown(self) -> None:
        """Take leave, unless a request is in hand or on its way: its answer says `close` and does the same."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            self.cycle.default_headers = self.server_state.default_headers
            return
        if self.conn.trailing_data[0] or self._leaving:
            return
        self._leaving = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER, self.transport.close)
        else:
            self.transport.close()  # TLS: says so, and waits for the answer


class Server(uvicorn.Server):
    """`ready` is called when requests are accepted; `connection` is what each of them becomes."""

    server_state: State

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], connection: type[Connection] = Connection
    ) -> None:
        super().__init__(config)
        self.server_state, self._ready, self._kind = State(), ready, connection

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Like uvicorn's, with our patience in the TLS handshake as well."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        loop, context = asyncio.get_running_loop(), self.config.ssl
        self.servers = [
            await loop.create_server(
                self._connection,
                sock=listener,
                ssl=context,
                ssl_handshake_timeout=PATIENCE if context else None,
                ssl_shutdown_timeout=LINGER if context else None,
            )
            for listener in sockets or []
        ]
        if parent := multiprocessing.parent_process():
            loop.add_reader(parent.sentinel, self._orphaned, loop, parent.sentinel)
        self.started = True
        log.info("accepting requests")
        self._ready()

    def _connection(self) -> Connection:
        return self._kind(self.config, self.server_state, self.lifespan.state)

    def _orphaned(self, loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
        loop.remove_reader(sentinel)
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal asks, the second insists; not with a worker, whom both its group and its parent may ask."""
        del frame
        if self.should_exit and multiprocessing.parent_process() is None:
            os._exit(128 + sig)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what was begun."""
        log.info("stopping")
        state = self.server_state
        state.stopping = self.lifespan.state["stopping"] = True  # the latter is seen by the application, at /readyz
        state.default_headers.append((b"connection", b"close"))  # also of requests that are in hand already
        for listener in sockets or []:
            refuse_newcomers(listener)
        await asyncio.sleep(SETTLE)
        for server in self.servers:
            server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.sleep(LINGER if self.config.ssl else 0)  # for handshakes, which are no connections yet
        if not await self._all_done(GRACE):
            log.warning("%d connections that did not come to an end are cut", len(state.connections))
            for connection in list(state.connections):
                connection.transport.abort()
            if not await self._all_done(LINGER):
                log.error("%d requests hang, in a database perhaps; stopping without them", len(state.tasks))
                os._exit(1)  # their threads would hold up any other end
        await super().shutdown(sockets)

    async def _all_done(self, seconds: float) -> bool:
        """Whether every connection and request has come to its end within this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(SETTLE)
                return True
        return False


def refuse_newcomers(listener: socket.socket) -> None:
    """Let the kernel ignore SYNs to this socket from now on.

    Without it somebody may connect between the last accept and the close, believe to be heard, and be reset. Their
    SYN is repeated after a second, and then refused, or answered by our successor. Linux only; elsewhere that gap of
    microseconds stays.
    """
    attach_filter = getattr(socket, "SO_ATTACH_FILTER", 26)
    # Classic BPF: flags = tcp[13]; drop if (flags & (SYN|ACK)) == SYN, else keep.
    program = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            listener.setsockopt(
                socket.SOL_SOCKET, attach_filter, struct.pack("HP", len(program), ctypes.addressof(code))
            )
