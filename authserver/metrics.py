"""Figures for Prometheus: how many, how long, how old.

Every application has figures of its own, so that several in one process do not count each other's requests. Worker
processes share theirs through files (`PROMETHEUS_MULTIPROC_DIR`, which `serve` sets), and any of them tells of all.
No label holds anything that a caller chose: routes, methods, codes and types are ours, and what is none of them is
`other`.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as CONTENT_TYPE
from prometheus_client.multiprocess import MultiProcessCollector

from authserver.events import Event

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

__all__ = ["CONTENT_TYPE", "METHODS", "OTHER", "Metrics"]


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Histogram(
            "authserver_http_request_duration_seconds",
            "Time from the head of a request to the head of its answer; _count is the number of requests.",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self._own,
        )
        self._events = Counter(
            "authserver_events",
            "What happened in the protocol: logins, exchanges by grant, refusals, reuse.",
            ("type",),
            registry=self._own,
        )
        for each in Event.__subclasses__():
            self._events.labels(each.__name__)  # zero is a figure too: a first alarm is an increase

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request has been answered. `method` is of METHODS or OTHER, `route` a template of ours or OTHER."""
        self._requests.labels(method, route, status).observe(seconds)

    def count(self, event: Event) -> None:
        """Something happened."""
        self._events.labels(type(event).__name__).inc()

    def exposition(self, now: Iterable[Metric]) -> str:
        """Everything in Prometheus' text format, with `now`, what is measured at this moment."""
        registry, directory = self._own, os.environ.get(_DIRECTORY)
        if directory:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, directory)  # type: ignore[no-untyped-call]
        told = CollectorRegistry()
        told.register(_Told([*registry.collect(), *_processes(directory), *now]))
        return generate_latest(told).decode()


class _Told:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def _processes(directory: str | None) -> Iterable[Metric]:
    """CPU, memory and file descriptors of each process that serves, told apart by `pid`."""
    files = Path(directory).glob("counter_*.db") if directory else ()
    pids = {int(file.stem.removeprefix("counter_")) for file in files} or {os.getpid()}
    told: dict[str, Metric] = {}
    for pid in sorted(pids):
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]  # bound now
            one = told.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
            for sample in metric.samples:
                one.add_sample(sample.name, {"pid": str(pid)}, sample.value)
    return told.values()
