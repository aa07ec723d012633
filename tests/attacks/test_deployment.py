"""What a deployment must hold whoever sends what: two installs, forwarded addresses, pinned libraries, a pasted callback.

Rooms: authserver/__main__.py, authserver/attempts.py, authserver/endpoints/interaction.py
"""

import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from authserver.attempts import PER_SOURCE
from authserver.slow_peers import PATIENCE
from authserver.wire import BODY_SECONDS
from tests.attacks.test_races import serving
from tests.conftest import Prepared
from tests.stage import Browser, Pkce, Stage, claims, request_parameters

LOCK = Path(__file__).parents[2] / "requirements.lock"


@pytest.fixture
def backend() -> str:
    """None of these is about the database."""
    return "sqlite"


def test_DE4_nothing_of_one_install_works_at_another(raise_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """Even under the same issuer: other keys, other rows."""
    one, pkce = raise_stage(), Pkce()
    browser = one.browser()
    code, tokens = one.code(pkce), one.tokens(browser=browser)
    other = raise_stage(database_url=f"sqlite:///{tmp_path / 'other.db'}")
    assert other.issuer == one.issuer
    assert other.bad_grant(other.redeem(code, pkce))
    assert other.bad_grant(other.refresh(tokens["refresh_token"]))
    assert other.userinfo(tokens["access_token"]).status_code == 401
    page = browser.follow(other.authorize(browser))
    assert "/u/login" in str(page.url), "a session of one install was taken by the other"
    hinted = other.authorize(browser, id_token_hint=tokens["id_token"])
    assert "error=invalid_request" in hinted.headers["location"]


def test_DE5_a_forwarded_address_does_not_reset_the_lock(prepared: Prepared, tmp_path: Path) -> None:
    """As its users start it: the server trusts no proxy, so every attempt counts for the address that really sent it."""
    with serving(prepared.copy(tmp_path), workers=1) as issuer:
        browser = Browser(issuer)
        form = browser.follow(browser.get(issuer + "authorize", **request_parameters(Pkce())))
        statuses = []
        for number in range(PER_SOURCE + 1):
            forged = {
                "X-Forwarded-For": f"203.0.113.{number}",
                "Forwarded": f"for=203.0.113.{number}",
                "X-Real-IP": "::1",
            }
            browser.http.headers.update(forged)
            statuses.append(browser.submit(form, username="alice@example.com", password="wrong").status_code)
        browser.http.close()
    assert statuses == [400] * PER_SOURCE + [429]


def test_DE6_no_library_with_a_known_hole_is_locked() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", LOCK.read_text(), re.MULTILINE))
    least = {"authlib": (1, 7, 1), "pyjwt": (2, 13, 0), "h11": (0, 16), "joserfc": (1, 8)}
    for name, version in least.items():
        assert tuple(int(part) for part in locked[name].split(".")) >= version, name
    assert not {"python-jose", "httpx", "jose"} & set(locked)


def test_CL17_a_code_that_somebody_pastes_elsewhere_is_short_lived_and_the_page_warns(stage: Stage) -> None:
    browser, pkce = stage.browser(), Pkce()
    consent = browser.log_in(stage.authorize(browser, pkce))
    assert "Only continue if you started this yourself" in " ".join(consent.text.split())
    code = stage.code(pkce)
    stage.clock.advance(60)
    assert stage.bad_grant(stage.redeem(code, pkce))


def test_HT2_slow_peers_are_closed_and_others_served(prepared: Prepared, tmp_path: Path) -> None:
    """Silent, slow in the headers, slow in the headers of a second request, slow in the body: each ends in 10 to 30 s."""
    with serving(prepared.copy(tmp_path), workers=1) as issuer, httpx2.Client(trust_env=False) as http:
        address = urlsplit(issuer)
        host = (address.hostname or "", address.port or 0)
        head = f"POST /oauth/token HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        second = f"GET /healthz HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n" + head
        with ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(host, timeout=60)) for _ in range(200)]
            for connection, sent in zip(
                slow, ("", head, second, head + "Content-Length: 100\r\n\r\nclient_id=x"), strict=False
            ):
                connection.sendall(sent.encode())
            assert http.get(issuer + "healthz").status_code == 200
            received = [b"".join(iter(lambda: connection.recv(65536), b"")) for connection in slow]  # noqa: B023 - used at once
        assert http.get(issuer + "healthz").status_code == 200
    # Reading above ended by the server's closing, not by the socket's minute; the row asks for 10 to 30 seconds.
    assert 10 <= PATIENCE <= 30
    assert 10 <= BODY_SECONDS <= 30
    assert received[0] == b""
    assert received[1] == b""
    assert received[2].startswith(b"HTTP/1.1 200 ")
    assert received[3].startswith(b"HTTP/1.1 400 ")
    assert b"took too long" in received[3]


def test_HT9_nothing_that_a_caller_sends_reaches_a_log_line(
    prepared: Prepared, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither forged lines nor terminal codes nor huge values: what callers send is never logged at all."""
    hostile = "mark\r\n2026-01-01 ERROR forged\x1b[31m\x00" + "A" * 5000
    with serving(prepared.copy(tmp_path), workers=1) as issuer:
        browser = Browser(issuer)
        form = browser.follow(browser.get(issuer + "authorize", **request_parameters(Pkce())))
        answers = [
            browser.submit(form, username=hostile, password=hostile),
            browser.get(issuer + "authorize", client_id=hostile, state=hostile),
            browser.get(issuer + "mark", x=hostile),
            browser.http.post(
                issuer + "oauth/token", data={"client_id": hostile, "code": hostile, "grant_type": hostile}
            ),
            browser.http.get(issuer + "userinfo", headers={"Authorization": "Bearer mark", "X-Mark": "mark"}),
        ]
        browser.http.close()
    assert {answer.status_code for answer in answers} <= {400, 401, 404}
    written = capfd.readouterr()
    assert "mark" not in written.err + written.out
    assert "forged" not in written.err + written.out


def test_API21_a_revoked_token_lives_at_the_api_for_its_lifetime_at_most(stage: Stage) -> None:
    """The API verifies by itself, so a JWT outlives its revocation there: never longer than `expires_in` said."""
    tokens = stage.tokens()
    assert stage.revoke(tokens["refresh_token"]).status_code == 200
    assert stage.userinfo(tokens["access_token"]).status_code == 401
    payload = claims(tokens["access_token"])
    assert payload["exp"] - stage.clock.now == tokens["expires_in"] == 86400
