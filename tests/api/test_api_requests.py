"""How a request carries its token, and what every answer looks like (API1, API2, API3, API22, HT1, HT5, HT10)."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.fake_issuer import FakeIssuer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_refused(response: Response, status: int, error: str) -> None:
    """Header and body agree, and nothing may be cached or sniffed."""
    assert response.status_code == status
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error"] == error
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith(f'Bearer realm="notes", error="{error}", ')
    assert f'error_description="{body["error_description"]}"' in challenge
    assert response.headers["cache-control"] == "no-store"


def test_API1_no_token_is_a_bare_challenge(api: TestClient) -> None:
    response = api.get("/notes")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="notes"'
    assert response.json().keys() == {"error_description"}


def test_API1_another_scheme_is_no_token(api: TestClient) -> None:
    for value in ("Basic YTpi", "DPoP abc", "Bearerish abc"):
        response = api.get("/me", headers={"Authorization": value})
        assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="notes"')


def test_API1_the_token_is_checked_before_the_body(api: TestClient) -> None:
    response = api.post("/notes", content=b"{not json", headers={"content-type": "application/json"})
    assert response.status_code == 401


def test_public_needs_no_token(api: TestClient) -> None:
    assert api.get("/public").status_code == 200


def test_me_shows_what_the_token_says(api: TestClient, issuer: FakeIssuer) -> None:
    expected = {"sub": "auth0|alice", "scope": ["openid", "read:notes"], "client_id": "native-app"}
    answer = api.get("/me", headers=bearer(issuer.token(scope="read:notes openid")))
    assert (answer.status_code, answer.json()) == (200, expected)
    token = issuer.token("at+jwt", scope="read:notes openid", azp=None, client_id="native-app")
    assert api.get("/me", headers={"authorization": f"bEARER  {token}"}).json() == expected


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer =", "a.b.c", "Bearer a, Bearer b", "Bearer ä"],
)
def test_API2_malformed_header_is_invalid_request(api: TestClient, value: str) -> None:
    assert_refused(api.get("/me", headers={b"Authorization": value.encode()}), 400, "invalid_request")


def test_API2_two_headers_are_refused_even_if_equal(api: TestClient, issuer: FakeIssuer) -> None:
    value = f"Bearer {issuer.token()}"
    response = api.get("/me", headers=[("Authorization", value), ("Authorization", value)])
    assert_refused(response, 400, "invalid_request")


def test_API2_token_in_a_form_is_refused_also_beside_the_header(api: TestClient, issuer: FakeIssuer) -> None:
    form = {"access_token": issuer.token()}
    assert_refused(api.post("/notes", data=form), 400, "invalid_request")
    assert_refused(api.post("/notes", data=form, headers=bearer(issuer.token())), 400, "invalid_request")


def test_API3_token_in_the_query_is_refused_also_beside_the_header(
    api: TestClient, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    query = {"access_token": issuer.token()}
    assert_refused(api.get("/me", params=query), 400, "invalid_request")
    assert_refused(api.get("/me", params=query, headers=bearer(issuer.token())), 400, "invalid_request")
    # TestClient's own log line names the URL it was told to fetch; ours must not.
    assert query["access_token"] not in "".join(r.getMessage() for r in caplog.records if r.name != "httpx2")


def test_HT1_a_declared_body_over_the_limit_is_refused_unread(api: TestClient) -> None:
    response = api.post("/notes", content=b"x" * 40_000)
    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")
    assert response.headers["x-content-type-options"] == "nosniff"


def test_HT1_a_chunked_body_over_the_limit_is_cut_off(api: TestClient, issuer: FakeIssuer) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += 1
            yield b" " * 1000

    headers = {**bearer(issuer.token()), "content-type": "application/json"}
    assert api.post("/notes", content=chunks(), headers=headers).status_code == 413


def test_HT5_the_host_header_changes_nothing(api: TestClient) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for path in ("/notes/", "/public", "/openapi.json"):
        response = api.get(path, headers=headers, follow_redirects=False)
        assert "evil.example" not in response.text + str(response.headers)
    assert api.get("/notes/", follow_redirects=False).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/nothing<script>", 404, "not_found"),
        ("PUT", "/notes", 405, "method_not_allowed"),
        ("GET", "/docs/redoc.standalone.js", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
    ],
)
def test_HT10_errors_are_json_and_repeat_nothing(
    api: TestClient, method: str, path: str, status: int, error: str
) -> None:
    response = api.request(method, path)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers["content-type"] == "application/json"
    assert "<script>" not in response.text


def test_HT10_every_answer_is_neither_cached_nor_sniffed(api: TestClient, issuer: FakeIssuer) -> None:
    for path in ("/public", "/me", "/notes", "/nothing", "/healthz", "/readyz", "/openapi.json"):
        for headers in ({}, bearer(issuer.token())):
            response = api.get(path, headers=headers)
            assert response.headers["x-content-type-options"] == "nosniff", path
            assert response.headers["cache-control"] == "no-store", path


def test_HT10_an_unexpected_error_tells_the_log_only(api: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("secret detail")

    assert isinstance(api.app, FastAPI)
    api.app.add_api_route("/broken", broken)
    response = api.get("/broken")
    assert (response.status_code, response.json()["error"]) == (500, "server_error")
    assert response.headers["cache-control"] == "no-store"
    assert "secret detail" not in response.text
    assert "secret detail" in caplog.text


def test_the_description_of_the_api_names_the_scopes(api: TestClient) -> None:
    document = json.loads(api.get("/openapi.json").text)
    assert document["paths"]["/notes"]["get"]["security"] == [{"access_token": ["read:notes"]}]
    assert document["paths"]["/me"]["get"]["security"] == [{"access_token": []}]
    assert "security" not in document["paths"]["/public"]["get"]
    assert "requestBody" in document["paths"]["/notes"]["post"]
