"""Observation: what is told of each request once it is over, whatever became of it.

One log line, `request`: method, route template, status, milliseconds, trace and, where they are known, the verified
token's client and the refusal in our own words. Never the path or the query as they were sent: callers put there what
they should not. The same facts go to `metrics`. An error that nobody expected ends here, as 500 and with its
traceback in the log; the answer carries the trace id, by which the log line is found.
"""

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import trace
from api.errors import ApiError, answer
from api.metrics import Metrics

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
OTHER = "other"
# Asked every few seconds by machines: told on level debug as long as they go well.
_WATCHED = ("/healthz", "/readyz", "/metrics")

log = logging.getLogger("api.request")


@dataclass
class Found:
    """What the rooms find out about a request and its observer passes on."""

    client_id: str | None = None
    verdict: str | None = None
    refusal: ApiError | None = None


def found(request: HTTPConnection) -> Found:
    """This request's facts, for the rooms to add to."""
    held: Found = request.state.found
    return held


def refuse(request: HTTPConnection, error: ApiError) -> JSONResponse:
    """The answer for `error`, which is also told to the log and the metrics."""
    found(request).refusal = error
    return answer(error)


class Observation:
    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        facts, status, started = Found(), 0, time.perf_counter()
        scope.setdefault("state", {})["found"] = facts

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = trace.current.set(trace.trace_of(scope["headers"]))
        try:
            await self._app(scope, receive, send_and_look)
        except Exception as error:
            facts.refusal = _unexpected(error)
            if status:  # too late for another answer: the server breaks off, which is the only way to say so
                raise
            await answer(facts.refusal)(scope, receive, send_and_look)
        finally:
            self._tell(scope, facts, status or HTTPStatus.INTERNAL_SERVER_ERROR, time.perf_counter() - started)
            trace.current.reset(token)

    def _tell(self, scope: Scope, facts: Found, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else OTHER
        route = getattr(scope.get("route"), "path", OTHER)
        self._metrics.request(method, route, status, seconds)
        verdict = facts.refusal.verdict if facts.refusal and facts.refusal.verdict else facts.verdict
        if verdict:
            self._metrics.verdict(verdict)
        line: dict[str, object] = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        if facts.client_id is not None:
            line["client_id"] = facts.client_id
        if facts.refusal is not None:
            line |= {"error": facts.refusal.error or "missing_token", "description": facts.refusal.description}
        quiet = route in _WATCHED and status < HTTPStatus.BAD_REQUEST
        log.log(logging.DEBUG if quiet else logging.INFO, "request", extra=line)


def _unexpected(error: Exception) -> ApiError:
    found = trace.current.get()
    logging.getLogger("api").error("unexpected error", exc_info=error)
    return ApiError(f"Something went wrong here; the log calls it {found.trace_id if found else '-'}")
