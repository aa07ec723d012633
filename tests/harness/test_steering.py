"""DE1, DE2: who may steer the harness, and that it is nowhere unless it was switched on."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from authserver.settings import Settings
from authserver.testing.handle import Authserver, Control, HarnessError
from tests.processes import served
from tests.stage import Stage, http_client


@pytest.fixture
def headers(authserver_host: Control) -> dict[str, str]:
    return dict(authserver_host._headers)


def test_DE1_nothing_is_steered_without_the_token(authserver_host: Control, headers: dict[str, str]) -> None:
    """Every operation that the description lists, and the description itself."""
    with http_client(base_url=authserver_host.url) as http:
        described = http.get("/_testing/openapi.json", headers=headers).json()
        operations = [(method, path) for path, item in described["paths"].items() for method in item]
        assert len(operations) >= 16
        for method, path in [*operations, ("get", "/_testing/openapi.json"), ("get", "/_testing/nothing")]:
            for sent in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": headers["Authorization"] + "x"}):
                response = http.request(method, path.format(name="x", kind="x", id="x"), headers=sent)
                assert response.status_code == 401, (method, path, sent)
                assert response.headers["www-authenticate"].startswith("Bearer")


def test_DE1_the_token_counts_in_its_one_place_alone(authserver_host: Control, headers: dict[str, str]) -> None:
    token = headers["Authorization"].removeprefix("Bearer ")
    with http_client(base_url=authserver_host.url) as http:
        twice = [("Authorization", headers["Authorization"]), ("Authorization", headers["Authorization"])]
        for request in (
            {"params": {"access_token": token, "token": token}},
            {"cookies": {"token": token}},
            {"headers": {"Authorization": f"Basic {token}"}},
            {"headers": {"X-Token": token}},
            {"headers": twice},
        ):
            given: dict[str, Any] = request
            if "cookies" in given:
                given = {"headers": {"Cookie": f"token={token}"}}
            assert http.get("/_testing/tenants", **given).status_code == 401, request


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    ],
)
def test_DE1_no_web_page_of_another_site_steers(
    authserver_host: Control, headers: dict[str, str], sent: dict[str, str]
) -> None:
    """Even one that knows the token."""
    before = authserver_host.call("GET", "tenants")
    with http_client(base_url=authserver_host.url) as http:
        for method in ("GET", "POST", "OPTIONS"):
            response = http.request(method, "/_testing/tenants", headers={**headers, **sent})
            assert response.status_code == 403
            assert "access-control-allow-origin" not in response.headers
    assert authserver_host.call("GET", "tenants") == before


def test_DE1_a_rebound_name_is_refused(authserver_host: Control, headers: dict[str, str]) -> None:
    port = httpx2.URL(authserver_host.url).port
    with http_client(base_url=authserver_host.url) as http:
        for host in (f"evil.example:{port}", "evil.example", f"localhost:{port}"):
            assert http.get("/_testing/tenants", headers={**headers, "Host": host}).status_code == 421


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_DE1_a_form_is_no_json(authserver_host: Control, headers: dict[str, str], kind: str) -> None:
    """What a page can post without asking first."""
    with http_client(base_url=authserver_host.url) as http:
        sent = {**headers, "Content-Type": kind}
        refused = http.post("/_testing/tenants", headers=sent, content=b'{"name": "form"}')
    assert refused.status_code == 415
    assert "form" not in authserver_host.call("GET", "tenants")


def test_DE1_no_tenant_leads_to_the_steering(authserver: Authserver, headers: dict[str, str]) -> None:
    with http_client() as http:
        for path in ("_testing/tenants", "_testing/openapi.json", "t/x/_testing/tenants", "../../_testing/tenants"):
            response = http.get(authserver.issuer + path, headers={**headers, "Origin": "https://evil.example"})
            assert response.status_code in (403, 404), path


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"name": "UPPER"}', b'{"name": "../x"}', b'{"other": 1}'])
def test_DE1_mistakes_get_a_sentence_and_no_echo(
    authserver_host: Control, headers: dict[str, str], body: bytes
) -> None:
    with http_client(base_url=authserver_host.url) as http:
        sent = {**headers, "Content-Type": "application/json"}
        response = http.post("/_testing/tenants", headers=sent, content=body)
    assert response.status_code == 422
    assert response.json()["error"] == "invalid_request"
    assert "UPPER" not in response.text
    assert "../x" not in response.text


def test_DE1_an_unknown_tenant_is_not_found(authserver_host: Control) -> None:
    for path in ("tenants/nobody/events", "tenants/nobody/clock"):
        with pytest.raises(HarnessError, match="404"):
            authserver_host.call("GET", path)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_DE2_without_the_switch_there_is_nothing(stage: Stage) -> None:
    for path in ("/_testing/tenants", "/_testing/openapi.json", "/t/x/.well-known/openid-configuration"):
        response = stage.http.get(path, headers={"Authorization": "Bearer x"})
        assert response.status_code == 404
    document = stage.http.get("/.well-known/openid-configuration")
    assert "understudy_testing" not in document.json()
    assert "understudy-testing" not in document.headers


def test_DE2_it_is_said_in_metadata_and_on_every_answer(authserver: Authserver, authserver_host: Control) -> None:
    with http_client() as http:
        for url in (authserver.metadata_url, authserver_host.url + ".well-known/openid-configuration"):
            assert http.get(url).json()["understudy_testing"] is True
        for url in (
            authserver.issuer + "userinfo",
            authserver_host.url + "nothing",
            authserver_host.url + "_testing/x",
        ):
            assert http.get(url).headers["understudy-testing"] == "on"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"host": "0.0.0.0", "allow_insecure_listen": True}, "allow_insecure_testing"),
        ({"issuer": "https://login.example.com/"}, "allow_insecure_testing"),
        ({"workers": 2}, "one process"),
        ({"testing_token": "short"}, "16 to 255"),
        ({"testing_token": "with a space in between"}, "16 to 255"),
    ],
)
def test_DE2_a_stray_switch_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Settings(testing=True, **options)


def test_DE2_beyond_loopback_it_takes_an_explicit_word() -> None:
    asked: dict[str, Any] = {"host": "0.0.0.0", "allow_insecure_listen": True, "allow_insecure_testing": True}
    settings = Settings(testing=True, testing_token="0123456789abcdef-secret", **asked)
    assert settings.testing
    assert "0123456789abcdef" not in repr(settings)


def test_DE2_a_served_harness_says_its_token_once(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/x.db"
    with served(tmp_path, AUTHSERVER_TESTING="1", AUTHSERVER_DATABASE_URL=database) as server:
        (token,) = re.findall(r"^TESTING (\S{40,})$", server.log.read_text(), re.MULTILINE)
        control = Control(server.url, token)
        tenant = control.make_tenant()
        assert tenant.issuer.startswith(server.url)
        tenant.login(tenant.add_user(), tenant.register_client()).tokens()
        control.close()
        assert server.stop() == 0
        log = server.log.read_text()
        assert log.count(token) == 1
        assert "harness is on" in log
        assert token not in server.said()


def test_DE2_a_token_that_was_chosen_is_not_said(tmp_path: Path) -> None:
    chosen = "chosen-by-the-operator-7f3a9c"
    variables = {"AUTHSERVER_TESTING_TOKEN": chosen, "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    with served(tmp_path, AUTHSERVER_TESTING="1", **variables) as server:
        control = Control(server.url, chosen)
        control.make_tenant()
        control.close()
        assert server.stop() == 0
        assert chosen not in server.log.read_text() + server.said()
