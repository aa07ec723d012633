"""Metrics: figures for Prometheus, at `/metrics`.

The text format 0.0.4. Each application has a registry of its own, so several can live in one process. Every label is
one of few values that this code chose; nothing that a caller sends becomes one.
"""

from collections.abc import Callable

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from starlette.responses import Response

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What is counted, and how often it was."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter("api_requests_total", "Requests, by route template.", labels, registry=self.registry)
        self._seconds = Histogram(
            "api_request_duration_seconds",
            "Time from a request's headers to the end of its answer.",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._verdicts = Counter(
            "api_token_verdicts_total",
            "What was found about the access tokens that requests needed.",
            ("verdict",),
            registry=self.registry,
        )
        self._fetches = Counter(
            "api_key_fetches_total", "Fetches of the issuer's keys.", ("result",), registry=self.registry
        )
        self._keys_age = Gauge(
            "api_keys_age_seconds", "Age of the issuer's keys; +Inf while there are none.", registry=self.registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route, status).observe(seconds)

    def verdict(self, verdict: str) -> None:
        self._verdicts.labels(verdict).inc()

    def fetch(self, result: str) -> None:
        self._fetches.labels(result).inc()

    def watch_keys(self, age: Callable[[], float]) -> None:
        self._keys_age.set_function(age)


router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Counters and durations, for Prometheus."""
    held: Metrics = request.app.state.service.metrics
    return Response(generate_latest(held.registry), media_type="text/plain; version=0.0.4; charset=utf-8")
