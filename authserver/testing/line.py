"""The line: the connection under a request, for faults that HTTP has no words for.

ASGI cannot close a connection before an answer begins, so the protocol says how, in an extension of the scope. Only
servers whose harness is on speak this protocol: `live`, and `serve` with AUTHSERVER_TESTING=1.
"""

import asyncio
from collections.abc import Callable

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from authserver.testing.ending import Ending

_LINE = "understudy.line"


class Line:
    """`let_go` comes when whoever holds a request has to end: the server stops.

    `is_patient`: whether the other side ever gives up by itself, so that a fault may keep it waiting.
    """

    def __init__(self, cut: Callable[[], None], let_go: Ending | None = None, *, is_patient: bool = True) -> None:
        self.cut, self.let_go, self.is_patient = cut, let_go or Ending(), is_patient

    def under(self, scope: Scope) -> Scope:
        """The same scope, with this line under it."""
        return {**scope, "extensions": {**scope.get("extensions", {}), _LINE: self}}


def line_of(scope: Scope) -> Line | None:
    """The one under this request; None when somebody carries it who knows of none."""
    found: Line | None = scope.get("extensions", {}).get(_LINE)
    return found


class LineProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, each of whose requests knows its line. To be mixed in before other protocols."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._line = Line(self._cut)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None:  # its application begins in the next turn of the loop
            self.cycle.scope["extensions"] = self._line.under({})["extensions"]

    def shutdown(self) -> None:
        super().shutdown()
        self._line.let_go.come()

    def _cut(self) -> None:
        self.cycle.disconnected = True  # whatever is still said goes nowhere, and nobody complains that it is missing
        self.cycle.message_event.set()
        self.transport.close()
