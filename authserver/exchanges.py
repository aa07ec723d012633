"""Exchanges: each HTTP request gets a trace, one log line and one measurement, whatever becomes of it.

The line names the route and never the path or the query: what callers send there may be anything, secrets included.
An exception that nobody expected ends here, with a reference for the caller and its cause for the log alone (law 4).
"""

import logging
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authserver import pages, trace
from authserver.errors import ServerError
from authserver.logs import Log
from authserver.messages import Json
from authserver.metrics import METHODS, OTHER, Metrics

log = logging.getLogger("authserver")

_PROBES = {"/healthz", "/readyz", "/metrics"}
"""Asked all day by machines; worth a line when they fail, or to who wants to see everything."""


def unexpected() -> str:
    """Write the exception at hand to the log. Returns the sentence for the caller, with the reference to it."""
    reference = secrets.token_hex(8)
    log.exception("unexpected exception", extra={"reference": reference})
    return f"{ServerError.description} Reference: {reference}"


class Exchanges:
    """Around everything else."""

    def __init__(self, app: ASGIApp, metrics: Metrics, told: Log | None) -> None:
        self.app, self.metrics, self.told = app, metrics, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = trace.begin([value for name, value in scope["headers"] if name == b"traceparent"])
        began, status, seconds = time.perf_counter(), 0, 0.0

        async def noting(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception:
            said = unexpected()
            if status:
                raise
            answer = Json({"error": ServerError.error, "error_description": said}, ServerError.status)
            await pages.json_response(answer)(scope, receive, noting)
        finally:
            self._tell(scope, exchange, status, seconds)

    def _tell(self, scope: Scope, exchange: trace.Exchange, status: int, seconds: float) -> None:
        route = exchange.route or OTHER
        method = scope["method"] if scope["method"] in METHODS else OTHER
        self.metrics.observe(method, route, status, seconds)
        if self.told:
            facts = {"client_id": exchange.client_id, "error": exchange.error, "refusal": exchange.refusal}
            known = {name: fact for name, fact in facts.items() if fact is not None}
            tell = self.told.debug if route in _PROBES and status == 200 else self.told.info
            tell("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2), **known)
