"""Slow peers: a connection that does not get to the point is closed, so that it cannot wear others out.

Done: RFC 9112 section 9.5; security row HT2. The body's deadline is in `visit`.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 20.0
"""Seconds within which request line and headers must have arrived, from the connection or the former answer on."""


class ImpatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with a deadline on the headers of each request."""

    _deadline: asyncio.TimerHandle | None = None
    _answered: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._wait()

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not self._answered:
            self._answered = self.cycle
            self._stop_waiting()

    def on_response_complete(self) -> None:
        # Before the next request is looked at: one that is here already ends the wait again.
        self._wait()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
