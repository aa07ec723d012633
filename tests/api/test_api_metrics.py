"""The figures at /metrics: of this application alone, under labels that no caller chooses."""

import math

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api import keys
from tests.api.conftest import StartApi
from tests.api.fake_issuer import JWKS, METADATA, Clock, FakeIssuer, Json, reply

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(api: TestClient) -> Samples:
    answer = api.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    return {
        (each.name, frozenset(each.labels.items())): each.value
        for family in families
        for each in family.samples
        if not each.name.endswith("_created")
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_requests_are_counted_by_route(api: TestClient, issuer: FakeIssuer) -> None:
    for note in ("0" * 32, "1" * 32, "nonsense"):
        api.delete(f"/notes/{note}", headers=bearer(issuer.token()))
    api.get("/public?canary")
    found = samples(api)
    deleted = {"method": "DELETE", "route": "/notes/{note_id}", "status": "404"}
    assert value(found, "api_requests_total", **deleted) == 3
    assert value(found, "api_request_duration_seconds_count", **deleted) == 3
    assert value(found, "api_request_duration_seconds_bucket", **deleted, le="+Inf") == 3
    assert value(found, "api_requests_total", method="GET", route="/public", status="200") == 1


def test_HT9_callers_do_not_choose_labels(api: TestClient, issuer: FakeIssuer) -> None:
    before = None
    for round_ in range(3):
        for number in range(5):
            thing = f"canary{round_}x{number}"
            api.get(f"/{thing}")
            api.request(thing, "/notes")
            api.get(f"/docs/{thing}")
            api.delete(f"/notes/{thing}", headers=bearer(issuer.token(azp=thing)))
            api.get("/me", headers=bearer(issuer.token(header={"kid": thing})))
            api.get("/me", headers=bearer(issuer.token(iss=thing)))
        names = samples(api).keys()
        assert "canary" not in str(names)
        if round_ > 1:
            assert names == before  # the first /metrics is counted only after it was answered
        before = names


@pytest.mark.parametrize(
    ("verdict", "claims"),
    [
        ("accepted", {}),
        ("expired", {"exp": 1}),
        ("not_yet_valid", {"nbf": 10**10}),
        ("issuer", {"iss": "https://evil.example/"}),
        ("audience", {"aud": "other"}),
        ("type", {"nonce": "n"}),
        ("claims", {"sub": None}),
        ("bound", {"cnf": {}}),
        ("insufficient_scope", {"scope": "openid"}),
        ("access_denied", {"gty": "client-credentials"}),
    ],
)
def test_verdicts_on_tokens(api: TestClient, issuer: FakeIssuer, verdict: str, claims: Json) -> None:
    api.get("/notes", headers=bearer(issuer.token(**claims)))
    api.get("/public")
    verdicts = {key: count for key, count in samples(api).items() if key[0] == "api_token_verdicts_total"}
    assert verdicts == {("api_token_verdicts_total", frozenset({("verdict", verdict)})): 1}


def test_verdicts_on_what_is_hardly_a_token(api: TestClient, issuer: FakeIssuer) -> None:
    api.get("/me")
    for credentials in ("Bearer a b", "Bearer a.b.c", f"Bearer {issuer.token(header={'alg': 'none'})}"):
        api.get("/me", headers={"Authorization": credentials})
    api.get("/me", headers=bearer(issuer.token(header={"kid": "unknown"})))
    api.get("/me", headers=bearer(issuer.token(header={"crit": []})))
    api.get("/me", headers=bearer(issuer.token()[:-4] + "AAAA"))
    found = samples(api)
    counts = {
        verdict: value(found, "api_token_verdicts_total", verdict=verdict)
        for verdict in ("missing", "malformed", "algorithm", "unknown_key", "header", "signature", "accepted")
    }
    expected = {
        "missing": 1,
        "malformed": 2,
        "algorithm": 1,
        "unknown_key": 1,
        "header": 1,
        "signature": 1,
        "accepted": 0,
    }
    assert counts == expected


def test_fetches_and_the_age_of_the_keys(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    assert value(samples(api), "api_keys_age_seconds") == math.inf
    issuer.answers[JWKS] = lambda handler: reply(handler, b"", status=500)
    assert api.get("/me", headers=bearer(issuer.token())).status_code == 503
    issuer.answers.clear()
    clock.advance(keys.COLD_COOL_DOWN)
    assert api.get("/me", headers=bearer(issuer.token())).status_code == 200
    clock.advance(42)
    found = samples(api)
    assert value(found, "api_keys_age_seconds") == 42
    assert value(found, "api_key_fetches_total", result="unusable") == 1
    assert value(found, "api_key_fetches_total", result="success") == 1
    assert value(found, "api_token_verdicts_total", verdict="keys_unavailable") == 1
    issuer.answers[METADATA] = lambda handler: reply(handler, b"", status=421)
    clock.advance(keys.TTL)
    api.get("/me", headers=bearer(issuer.token()))
    assert value(samples(api), "api_key_fetches_total", result="host_refused") == 1


def test_each_application_counts_for_itself(start_api: StartApi) -> None:
    one, other = start_api(), start_api()
    one.get("/public")
    public = {"method": "GET", "route": "/public", "status": "200"}
    assert value(samples(one), "api_requests_total", **public) == 1
    assert value(samples(other), "api_requests_total", **public) == 0


def test_an_unexpected_error_is_counted(api: TestClient) -> None:
    async def broken() -> None:
        raise RuntimeError

    api.app.add_api_route("/broken", broken)  # type: ignore[attr-defined]  # TestClient knows only of ASGI
    api.get("/broken")
    assert value(samples(api), "api_requests_total", method="GET", route="/broken", status="500") == 1
