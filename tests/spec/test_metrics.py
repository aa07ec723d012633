"""`GET /metrics`: what Prometheus reads, with labels of our own alone, right with several workers and several apps.

Rooms: authserver/metrics.py, authserver/endpoints/metrics.py
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from authserver.events import Event
from tests.conftest import Prepared
from tests.processes import served
from tests.stage import Stage, http_client

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def figures(http: httpx2.Client) -> Series:
    response = http.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "access-control-allow-origin" not in response.headers
    families = text_string_to_metric_families(response.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def of(series: Series, name: str, **labels: str) -> float:
    return series.get((f"authserver_{name}", frozenset(labels.items())), 0.0)


def requests(series: Series, method: str, route: str, status: int) -> float:
    return of(series, "http_request_duration_seconds_count", method=method, route=route, status=str(status))


def test_requests_are_counted_by_route_and_events_by_type(stage: Stage) -> None:
    tokens = stage.tokens()
    stage.refresh(tokens["refresh_token"])
    stage.refresh("unknown")
    stage.refresh(tokens["refresh_token"])
    series = figures(stage.http)
    assert requests(series, "GET", "/authorize", 302) == 1
    assert requests(series, "POST", "/u/login", 303) == 1
    assert requests(series, "POST", "/oauth/token", 200) == 2
    assert requests(series, "POST", "/oauth/token", 403) == 2
    counted = {name: of(series, "events_total", type=name) for name in stage.events()}
    assert counted == {name: stage.events().count(name) for name in stage.events()}
    assert counted["RefreshTokenReused"] == 1
    assert {
        ("authserver_events_total", frozenset({("type", each.__name__)})) for each in Event.__subclasses__()
    } <= set(series)


def test_the_keys_are_watched(stage: Stage) -> None:
    stage.clock.advance(100)
    before = figures(stage.http)
    stage.rotate_keys(lead=600)
    after = figures(stage.http)
    stage.clock.advance(700)
    later = figures(stage.http)
    following = "signing_key_next_activation_timestamp_seconds"
    assert of(after, "signing_key_age_seconds", alg="RS256") == of(before, "signing_key_age_seconds", alg="RS256") > 0
    assert (of(before, following, alg="RS256"), of(later, following, alg="RS256")) == (0, 0)
    assert of(after, following, alg="RS256") == stage.clock.now - 100
    assert of(later, "signing_key_age_seconds", alg="RS256") == 100


def test_HT5_under_an_allowed_host_alone(stage: Stage) -> None:
    assert stage.http.get("/metrics", headers={"Host": "prometheus.example"}).status_code == 421


def test_no_caller_makes_a_series(stage: Stage) -> None:
    """Paths, methods, hosts, parameters and ids of their choice: the number of series does not grow with them."""

    def ask(each: int) -> None:
        stage.http.get(f"/x{each}/{each}")
        stage.http.get(f"/static/{each}")
        stage.http.request(f"M{each}", "/userinfo")
        stage.http.get("/healthz2", headers={"Host": f"h{each}"})
        stage.http.post("/oauth/token", data={"grant_type": f"g{each}", "client_id": f"c{each}"})

    ask(0)
    ask(1)
    before = set(figures(stage.http))
    for each in range(2, 12):
        ask(each)
    figures(stage.http)
    assert {key for key in figures(stage.http) if ("route", "/metrics") not in key[1]} <= before


def test_each_application_has_figures_of_its_own(raise_stage: Callable[..., Stage]) -> None:
    """Two in one process neither clash nor add up, and the process's own registry is left alone."""
    before = {metric.name for metric in REGISTRY.collect()}
    first = raise_stage()
    first.http.get("/healthz")
    second = raise_stage()
    second.http.get("/readyz")
    series = figures(second.http)
    assert requests(series, "GET", "/healthz", 200) == 0
    assert requests(series, "GET", "/readyz", 200) == 1
    assert {metric.name for metric in REGISTRY.collect()} == before


@pytest.mark.parametrize("backend", ["sqlite"])
def test_workers_tell_of_each_other(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (directory := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with served(tmp_path, "--workers", "2", AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server:
        # Each request on a connection of its own goes to whichever worker is free.
        for _ in range(40):
            with http_client(base_url=server.issuer) as http:
                assert http.get("/.well-known/jwks.json").status_code == 200
        with http_client(base_url=server.issuer) as http:
            series = figures(http)
        assert list(directory.glob("understudy-metrics-*/*.db"))
        assert server.stop() == 0
    assert requests(series, "GET", "/.well-known/jwks.json", 200) == 40
    assert any(name == "process_resident_memory_bytes" for name, _ in series)
    assert not list(directory.glob("understudy-metrics-*"))
