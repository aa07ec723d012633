"""What these tests found once stays found: each case here was answered wrongly before.

Rooms: authserver/wire.py, authserver/door.py, authserver/rules/claims.py, authserver/grants/authorization_code.py
"""

import json
import socket
from urllib.parse import urlsplit

import pytest

from authserver.rules.redirects import is_registrable
from tests.stage import API, Pkce, Stage, claims


@pytest.fixture
def backend() -> str:
    """None of these is about the database."""
    return "sqlite"


def test_JW4_a_profile_cannot_overwrite_the_subject(stage: Stage) -> None:
    profile = json.dumps({"email": "alice@example.com", "sub": "auth0|somebody-else", "iss": "https://evil.example/"})
    stage.change("UPDATE users SET profile = :profile WHERE user_id LIKE '%1'", profile=profile)
    tokens = stage.tokens()
    subject = "auth0|65f0a11ce000000000000001"
    assert claims(tokens["id_token"])["sub"] == stage.userinfo(tokens["access_token"]).json()["sub"] == subject
    assert claims(tokens["id_token"])["iss"] == stage.issuer


def test_TK9_an_expired_code_stays_expired_when_the_clock_goes_back(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.clock.advance(61)
    assert stage.bad_grant(stage.redeem(code, pkce))
    stage.clock.advance(-30)
    assert stage.bad_grant(stage.redeem(code, pkce))


def test_TK9_a_code_from_the_future_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.clock.advance(-3600)
    assert stage.bad_grant(stage.redeem(code, pkce))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_TK3_json_is_utf_8(stage: Stage, encoding: str) -> None:
    body = json.dumps({"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": "x"})
    response = stage.http.post(
        "/oauth/token", content=body.encode(encoding), headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("body", [b"[]", b'["a"]', b'[["grant_type", "x"]]', b'"x"', b"1", b"null"])
def test_TK3_a_json_body_is_an_object(stage: Stage, body: bytes) -> None:
    response = stage.http.post("/oauth/token", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "object" in response.json()["error_description"]


def test_TK3_an_empty_object_is_no_scope(stage: Stage) -> None:
    tokens = stage.tokens()
    body = {
        "grant_type": "refresh_token",
        "client_id": "native-app",
        "refresh_token": tokens["refresh_token"],
        "scope": {},
    }
    response = stage.http.post("/oauth/token", json=body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert stage.refresh(tokens["refresh_token"]).status_code == 200


def test_HT4_two_lengths_are_refused(stage: Stage) -> None:
    address = urlsplit(stage.issuer)
    body = b"c\r\nclient_id=xy\r\n0\r\n\r\n"
    head = (
        f"POST /oauth/token HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        "Content-Length: 3\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        status = b"".join(iter(lambda: connection.recv(65536), b"")).split(b"\r\n")[0]
    assert status.split()[1] == b"400"


def test_HT10_static_files_are_what_they_say(stage: Stage) -> None:
    for name in ("understudy.css", "icon.svg", "form_post.js", "web_message.js"):
        response = stage.http.get(f"/static/{name}")
        assert (response.status_code, response.headers["x-content-type-options"]) == (200, "nosniff")


@pytest.mark.parametrize("dialect", ["rfc"])
def test_RT5_another_resource_than_the_grants_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    refused = stage.redeem(code, pkce, resource="https://other.example/api")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    tokens = stage.redeem(code, pkce, resource=API).json()
    refused = stage.refresh(tokens["refresh_token"], resource="https://other.example/api")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    assert stage.refresh(tokens["refresh_token"], resource=API).status_code == 200


@pytest.mark.parametrize(
    "uri", ["https://a;sandbox/cb", "https://a'b/cb", "https://a,b/cb", "https://*/cb", "https:///cb"]
)
def test_LO3_a_host_that_means_something_to_csp_is_not_registrable(uri: str) -> None:
    assert not is_registrable(uri)


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_AZ41_nothing_is_loaded_ahead_of_time(stage: Stage, header: str) -> None:
    before = stage.snapshot()
    response = stage.http.get("/authorize", params=stage.parameters(), headers={header: "prefetch"})
    assert response.status_code == 400
    assert "location" not in response.headers
    assert stage.snapshot() == before
