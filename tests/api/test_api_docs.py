"""The page that documents the API, and the description behind it, as HTTP sees them (HT10)."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

import authserver
from api import openapi
from tests.api.conftest import StartApi
from tests.api.fake_issuer import JWKS, FakeIssuer, reply

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "docs.js": "text/javascript",
    "docs.css": "text/css",
    "oauth2-redirect.js": "text/javascript",
}


@pytest.fixture(autouse=True)
def _login(issuer: FakeIssuer) -> None:
    """An issuer at which people can log in, under the address that browsers dial."""
    issuer.metadata |= {
        "authorization_endpoint": f"{issuer.url}authorize",
        "token_endpoint": f"{issuer.url}oauth/token",
        "authorization_response_iss_parameter_supported": True,
    }


def described(api: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = api.get("/openapi.json").json()
    return document


def policy(api: TestClient, path: str = "/docs") -> dict[str, list[str]]:
    directives = api.get(path).headers["content-security-policy"].split(";")
    return {name: values for name, *values in map(str.split, directives)}


def test_HT10_the_pages_policy_lets_nothing_in(api: TestClient, issuer: FakeIssuer) -> None:
    for path, may_connect_to in (("/docs", ["'self'", issuer.origin]), ("/docs/oauth2-redirect", ["'none'"])):
        response = api.get(path)
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert policy(api, path) == {
            "default-src": ["'none'"],
            "script-src": ["'self'"],
            "style-src": ["'self'"],
            "img-src": ["'self'", "data:"],
            "connect-src": may_connect_to,
            "base-uri": ["'none'"],
            "form-action": ["'none'"],
            "frame-ancestors": ["'none'"],
        }
        expected = {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }
        assert response.headers.items() >= expected.items()
        assert "http" not in response.text  # nothing is loaded from elsewhere
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("name", ASSETS)
def test_the_files_are_sent_once(api: TestClient, name: str) -> None:
    first = api.get(f"/docs/{name}")
    assert first.headers["content-type"].partition(";")[0] == ASSETS[name]
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["x-content-type-options"] == "nosniff"
    again = api.get(f"/docs/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert api.get(f"/docs/{name}", headers={"If-None-Match": '"another"'}).content == first.content


@pytest.mark.parametrize(
    "path",
    [
        "redoc.standalone.js",
        "favicon.png",
        "docs.html",
        "../api/app.py",
        "..%2f..%2fapi%2fapp.py",
        "%2e%2e/%2e%2e/etc/passwd",
        "docs.js%00",
        "docs.js/",
        "",
        "x" * 5000,
        "%F0%9F%A5%9B",
    ],
)
def test_no_other_file_is_served(api: TestClient, path: str) -> None:
    response = api.get(f"/docs/{path}", follow_redirects=False)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_files_are_only_read(api: TestClient, method: str) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/oauth2-redirect"):
        assert api.request(method, path).status_code == 405


def test_the_page_knows_how_to_log_in(api: TestClient, issuer: FakeIssuer) -> None:
    assert api.get("/docs/login.json").json() == {
        "client_id": "api-docs",
        "issuer": issuer.url,
        "audience": "https://notes.example/api",
        "scopes": ["read:notes", "write:notes"],
        "iss_required": True,
        "problem": None,
    }


def test_without_a_client_there_is_no_page(start_api: StartApi) -> None:
    api = start_api(docs_client_id="")
    for path in ("/docs", "/docs/docs.js", "/docs/login.json", "/docs/oauth2-redirect"):
        assert api.get(path).status_code == 404
    assert api.get("/openapi.json").status_code == 200


def test_the_client_can_be_another(start_api: StartApi) -> None:
    assert start_api(docs_client_id="mine").get("/docs/login.json").json()["client_id"] == "mine"


def test_the_login_is_described_as_browsers_reach_it(start_api: StartApi, issuer: FakeIssuer) -> None:
    """Also when this API itself dials another address."""
    public = "http://localhost:9000/"
    issuer.metadata |= {"issuer": public, "jwks_uri": f"{public}.well-known/jwks.json"}
    issuer.metadata |= {"authorization_endpoint": f"{public}authorize", "token_endpoint": f"{public}oauth/token"}
    api = start_api(issuer=public, metadata_url=issuer.url)
    document = described(api)
    flow = document["components"]["securitySchemes"]["login"]["flows"]["authorizationCode"]
    assert flow == {
        "authorizationUrl": "http://localhost:9000/authorize",
        "tokenUrl": "http://localhost:9000/oauth/token",
        "scopes": openapi.SCOPES,
    }
    assert policy(api)["connect-src"] == ["'self'", "http://localhost:9000"]
    assert issuer.origin not in json.dumps(document) + api.get("/docs").text + api.get("/docs/login.json").text
    assert JWKS in issuer.requests


def test_every_operation_says_which_scope_it_needs(api: TestClient) -> None:
    needs = {
        ("/me", "get"): [],
        ("/notes", "get"): ["read:notes"],
        ("/notes", "post"): ["write:notes"],
        ("/notes/{note_id}", "delete"): ["delete:notes"],
    }
    paths = described(api)["paths"]
    for (path, method), scopes in needs.items():
        operation = paths[path][method]
        assert operation["security"] == [{"login": scopes}, {"access_token": scopes}]
        assert operation["responses"].keys() >= {"400", "401", "503"}
        assert ("403" in operation["responses"]) == bool(scopes)
        assert "HTTPValidationError" not in json.dumps(operation)
    for path in ("/public", "/healthz", "/readyz", "/metrics"):
        assert "security" not in paths[path]["get"]


def test_what_is_described_is_what_is_answered(api: TestClient, issuer: FakeIssuer) -> None:
    """The examples are the answers."""
    paths = described(api)["paths"]
    reader = {"Authorization": f"Bearer {issuer.token(scope='read:notes')}"}
    every = {"Authorization": f"Bearer {issuer.token()}"}
    client = {"Authorization": f"Bearer {issuer.token(sub='backend@clients', azp='backend')}"}
    text = {"content": b"{}", "headers": {**every, "content-type": "text/plain"}}
    cases: list[tuple[str, str, str, dict[str, Any]]] = [
        ("get", "/notes", "/notes", {}),
        ("get", "/notes", "/notes", {"headers": {"Authorization": "Bearer a b"}}),
        ("get", "/notes", "/notes", {"headers": {"Authorization": f"Bearer {issuer.token(exp=1)}"}}),
        ("delete", "/notes/{note_id}", f"/notes/{'0' * 32}", {"headers": reader}),
        ("delete", "/notes/{note_id}", f"/notes/{'0' * 32}", {"headers": client}),
        ("delete", "/notes/{note_id}", f"/notes/{'0' * 32}", {"headers": every}),
        ("post", "/notes", "/notes", {"headers": every, "json": {}}),
        ("post", "/notes", "/notes", text),
        (
            "post",
            "/notes",
            "/notes",
            {"headers": {**every, "content-type": "application/json"}, "content": b"x" * 40_000},
        ),
    ]
    for method, template, path, more in cases:
        answer = api.request(method, path, **more)
        content = paths[template][method]["responses"][str(answer.status_code)]["content"]["application/json"]
        assert answer.json() in [example["value"] for example in content["examples"].values()], (method, path)


def test_an_issuer_that_is_not_there_is_told_and_asked_again(api: TestClient, issuer: FakeIssuer, clock: Any) -> None:
    issuer.answers[JWKS] = lambda handler: reply(handler, b"", status=500)
    assert api.get("/docs").status_code == 200
    assert api.get("/docs/login.json").json()["problem"] == "what it answers cannot be used"
    assert described(api)["components"]["securitySchemes"].keys() == {"access_token"}
    assert issuer.fetches == 1  # the page is no hammer
    issuer.answers.clear()
    clock.advance(1)
    assert api.get("/docs/login.json").json()["problem"] is None
    assert described(api)["components"]["securitySchemes"].keys() == {"login", "access_token"}


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        1,
        "javascript:alert(1)//",
        "http://evil.example; script-src *",
        "http://evil.example/ 'unsafe-inline'",
        "http://evil.example/\r\nX-Evil: 1",
        "http://evil.example/;script-src 'unsafe-inline'",
        "http://user:pass@evil.example/",
        "/oauth/token",
        "http://*/",
    ],
)
def test_HT10_strange_endpoints_are_no_endpoints(api: TestClient, issuer: FakeIssuer, endpoint: object) -> None:
    issuer.metadata["token_endpoint"] = endpoint
    assert policy(api)["connect-src"] == ["'self'", issuer.origin]
    assert "login" not in described(api)["components"]["securitySchemes"]
    assert "publishes no endpoints" in api.get("/docs/login.json").json()["problem"]


def test_an_https_issuers_token_endpoint_is_https(start_api: StartApi, issuer: FakeIssuer) -> None:
    issuer.metadata |= {"issuer": "https://issuer.example/", "jwks_uri": "https://issuer.example/.well-known/jwks.json"}
    api = start_api(issuer="https://issuer.example/", metadata_url=issuer.url)
    assert "login" not in described(api)["components"]["securitySchemes"]


def test_the_demo_tenant_knows_the_same_scopes_and_the_pages_address() -> None:
    """Said on both sides, because nobody shares Python; here they are compared."""
    tenant = yaml.safe_load((Path(authserver.__file__).parent / "tenant.yaml").read_text(encoding="utf-8"))
    (server,) = tenant["resourceServers"]
    assert {scope["value"]: scope["description"] for scope in server["scopes"]} == openapi.SCOPES
    (client,) = (each for each in tenant["clients"] if each["client_id"] == "api-docs")
    assert "http://localhost:8000/docs/oauth2-redirect" in client["callbacks"]
    assert {f"{origin}/docs/oauth2-redirect" for origin in client["web_origins"]} == set(client["callbacks"])
