"""Web pages of the origins that the settings name may call the API and read its answers; other pages may not."""

import httpx2
import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api import Settings
from tests.api.conftest import StartApi
from tests.api.fake_issuer import FakeIssuer

PAGE = "http://localhost:3000"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cors(response: httpx2.Response) -> list[str]:
    return [name for name in response.headers if name.startswith("access-control-")]


def test_API22_no_origin_is_reflected(api: TestClient, issuer: FakeIssuer) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:8000"):
        headers = {"Origin": origin, "Cookie": "a=b", **bearer(issuer.token())}
        preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        for response in (api.get("/me", headers=headers), api.options("/me", headers=preflight)):
            assert cors(response) == []
            assert response.headers["vary"] == "Origin"
    assert api.options("/me", headers=preflight).status_code == 405


def test_API22_only_these_very_origins(start_api: StartApi, issuer: FakeIssuer) -> None:
    api = start_api(web_origins="https://app.example.com, http://localhost:3000")
    for origin in ("https://app.example.com", PAGE):
        headers = {"Origin": origin, **bearer(issuer.token())}
        response = api.get("/me", headers=headers)
        assert response.headers["access-control-allow-origin"] == origin
        assert "access-control-allow-credentials" not in response.headers
    near = (
        "https://app.example.com.evil.test",
        "https://app.example.com:8443",
        "https://app.example.co",
        "https://APP.example.com",
        "http://app.example.com",
        "http://localhost:30000",
        "http://localhost",
        "https://app.example.com, http://localhost:3000",
    )
    for origin in near:
        assert cors(api.get("/me", headers={"Origin": origin, **bearer(issuer.token())})) == [], origin


def test_a_page_may_ask_first(api: TestClient) -> None:
    for method in ("GET", "POST", "DELETE"):
        headers = {"Origin": PAGE, "Access-Control-Request-Method": method}
        response = api.options("/notes/1", headers=headers)
        assert (response.status_code, response.text) == (204, "")
        assert response.headers["access-control-allow-origin"] == PAGE
        assert method in response.headers["access-control-allow-methods"].split(", ")
        assert "authorization" in response.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in response.headers
        assert response.headers["x-content-type-options"] == "nosniff"
    # What merely looks like the question is answered as ever.
    assert api.options("/notes", headers={"Origin": PAGE}).status_code == 405


def test_a_page_can_read_every_refusal(api: TestClient, issuer: FakeIssuer) -> None:
    page = {"Origin": PAGE}
    answers = {
        401: api.get("/notes", headers=page),
        403: api.post("/notes", headers={**page, **bearer(issuer.token(scope="openid"))}, json={"text": "x"}),
        404: api.get("/nothing", headers=page),
        413: api.post("/notes", headers=page, content=b"x" * 40_000),
    }
    for status, response in answers.items():
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == PAGE
    assert "WWW-Authenticate" in answers[403].headers["access-control-expose-headers"]


def test_nobody_or_nothing_else_can_be_named(start_api: StartApi, issuer: FakeIssuer) -> None:
    api = start_api(web_origins="")
    assert cors(api.get("/me", headers={"Origin": PAGE, **bearer(issuer.token())})) == []
    for wrong in ("*", "null", "localhost:3000", "http://localhost:3000/", "HTTP://localhost", "https://a.test:443"):
        with pytest.raises(ValidationError, match="web_origins"):
            Settings.model_validate({"web_origins": wrong})
