"""Figures for an operator's Prometheus: `GET /metrics`, under an allowed Host and for no web page.

They tell how much happens, never to whom. Who must not know that either is kept away by whatever stands in front.
"""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from authserver import keys
from authserver.endpoints import Endpoint, Room
from authserver.messages import Answer, Request, Text
from authserver.metrics import CONTENT_TYPE, Metrics
from authserver.tenant import Tenant


def room(metrics: Metrics) -> Room:
    """The room that tells the figures of this application."""

    def figures(_: Request, tenant: Tenant) -> Answer:
        return Text(metrics.exposition(_keys(tenant)), headers={"Content-Type": CONTENT_TYPE})

    return Room(endpoints=(Endpoint("/metrics", {"GET": figures}, "program"),))


def _keys(tenant: Tenant) -> Iterable[Metric]:
    now = tenant.now()
    age = GaugeMetricFamily(
        "authserver_signing_key_age_seconds", "How long the current key has been signing.", labels=("alg",)
    )
    following = GaugeMetricFamily(
        "authserver_signing_key_next_activation_timestamp_seconds",
        "When the published successor begins to sign; absent when there is none.",
        labels=("alg",),
    )
    with tenant.database.read() as db:
        for alg, current, successor in keys.schedule(db, now):
            age.add_metric((alg,), now - current)
            if successor is not None:
                following.add_metric((alg,), successor)
    return (age, following)
