"""A device without a browser: it shows a code, a person types it elsewhere, and the device gets its tokens."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.settings import DEMO_TENANT
from tests.devices import DENIED, DEVICE_GRANT, EXPIRED, PENDING, SLOW, UNKNOWN, approves, asks, denies, device, enters
from tests.stage import API, MALLORY, SCOPE, Stage, claims

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])


def test_a_person_lets_a_device_in(stage: Stage) -> None:
    tv = device(stage)
    told = tv.told
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert (told["verification_uri"], told["expires_in"], told["interval"]) == (stage.issuer + "activate", 900, 5)
    assert told["verification_uri_complete"] == f"{stage.issuer}activate?user_code={told['user_code']}"
    assert tv.hears(tv.poll(), PENDING)

    browser = stage.browser()
    page = enters(browser, tv.user_code)
    for fact in (tv.user_code, "Notes (native app)", "Notes API", "read:notes", "127.0.0.1", "just now"):
        assert fact in page.text
    assert tv.hears(tv.waits(), PENDING), "nothing is approved by looking at it"
    login = browser.decide(page)
    assert "/u/login" in str(login.url)
    again = browser.log_in(login)
    assert "alice@example.com" in again.text
    assert tv.hears(tv.waits(), PENDING), "nor by logging in"
    assert "Device connected" in browser.decide(again).text

    response = tv.waits()
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 86400, SCOPE)
    id_token, access_token = claims(tokens["id_token"]), claims(tokens["access_token"])
    assert id_token["sub"] == access_token["sub"] == "auth0|65f0a11ce000000000000001"
    assert "nonce" not in id_token
    assert access_token["aud"] == [API, stage.issuer + "userinfo"]
    assert stage.userinfo(tokens["access_token"]).json()["email"] == "alice@example.com"
    assert stage.refresh(tokens["refresh_token"]).status_code == 200
    session = stage.rows("SELECT sid FROM login_sessions")
    assert [{"sid": id_token["sid"]}] == session, "the device's tokens carry the browser's session"
    told_of = [event for event in stage.events() if "Device" in event]
    assert told_of == ["DeviceApproved", "DeviceCodeExchanged"]


def test_who_is_logged_in_already_decides_on_one_page(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    stage.tokens(browser=browser)
    page = enters(browser, tv.user_code)
    assert "You are logged in as" in page.text
    assert "Device connected" in browser.decide(page).text
    assert tv.poll().status_code == 200


def test_a_person_declines(stage: Stage) -> None:
    tv = device(stage)
    denies(stage.browser(), tv.user_code)
    assert tv.hears(tv.poll(), DENIED)
    assert tv.hears(tv.waits(), DENIED)
    if stage.dialect == "auth0":
        assert tv.waits().json()["error_description"] == "User cancelled the confirmation prompt."
    assert stage.rows("SELECT 1 FROM grants") == []
    assert "DeviceCancelled" in stage.events()


def test_one_can_decline_without_logging_in(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    assert "Device refused" in browser.decide(enters(browser, tv.user_code), "deny").text
    assert tv.hears(tv.poll(), DENIED)


def test_a_blocked_person_lets_nothing_in(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    page = browser.log_in(browser.decide(enters(browser, tv.user_code)), MALLORY)
    assert page.status_code == 400
    assert "blocked" in page.text
    response = tv.poll()
    assert tv.hears(response, DENIED)
    assert "blocked" in response.json()["error_description"]
    assert stage.rows("SELECT 1 FROM grants") == []


def test_somebody_who_was_blocked_since_gets_nothing(stage: Stage) -> None:
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    stage.change("UPDATE users SET blocked = :blocked", blocked=True)
    assert tv.hears(tv.poll(), UNKNOWN)
    assert stage.rows("SELECT 1 FROM access_tokens") == []


def test_the_code_expires(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    stage.clock.advance(10)
    page = enters(browser, tv.user_code)
    stage.clock.advance(889)
    assert tv.hears(tv.poll(), PENDING)
    stage.clock.advance(1)
    assert "no longer valid" in browser.decide(page, "deny").text
    assert 'id="error"' in enters(stage.browser(), tv.user_code).text
    stage.clock.advance(4)
    assert tv.hears(tv.poll(), EXPIRED)
    # Auth0 says so once; then it knows the code no more.
    assert tv.hears(tv.waits(), UNKNOWN if stage.dialect == "auth0" else EXPIRED)
    # Over once is over for good, also when the clock is set back.
    stage.clock.now -= 600
    stage.change("UPDATE device_codes SET polled_at = NULL")
    assert tv.hears(tv.poll(), UNKNOWN if stage.dialect == "auth0" else EXPIRED)


def test_approved_too_late_is_expired(stage: Stage) -> None:
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    stage.clock.advance(900)
    assert tv.hears(tv.poll(), EXPIRED)
    assert stage.rows("SELECT 1 FROM access_tokens") == []


def test_the_pages_live_through_a_restart(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    page = enters(browser, tv.user_code)
    stage.restart()
    page = browser.log_in(browser.decide(page))
    stage.restart()
    browser.decide(page)
    stage.restart()
    assert tv.poll().status_code == 200


def test_scope_and_audience_are_those_of_authorize(stage: Stage) -> None:
    unknown = asks(stage, scope="openid fly:moon")
    if stage.dialect == "auth0":
        assert unknown.status_code == 200
    else:
        assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_scope")
    nowhere = asks(stage, audience="https://nowhere.example/")
    expected = (403, "access_denied") if stage.dialect == "auth0" else (400, "invalid_target")
    assert (nowhere.status_code, nowhere.json()["error"]) == expected
    tv = device(stage, scope="read:notes", audience=API)
    approves(stage.browser(), tv.user_code)
    tokens = tv.poll().json()
    assert tokens["scope"] == "read:notes"
    assert {"id_token", "refresh_token"}.isdisjoint(tokens)


def test_line_10_confidential_clients_and_clients_without_the_grant(stage: Stage) -> None:
    stage.configure_client("web-app", grant_types=["authorization_code", DEVICE_GRANT])
    secret = stage.secrets["web-app"]
    confidential = asks(stage, client_id="web-app", client_secret=secret)
    if stage.dialect == "auth0":
        assert (confidential.status_code, confidential.json()["error"]) == (403, "unauthorized_client")
    else:
        assert confidential.status_code == 200
        approves(stage.browser(), confidential.json()["user_code"])
        redeemed = stage.token(
            grant_type=DEVICE_GRANT,
            device_code=confidential.json()["device_code"],
            client_id="web-app",
            client_secret=secret,
        )
        assert redeemed.status_code == 200
    without = asks(stage, client_id="spa")
    assert (without.status_code, without.json()["error"]) == (
        403 if stage.dialect == "auth0" else 400,
        "unauthorized_client",
    )
    nobody = asks(stage, client_id="nobody")
    assert nobody.status_code == 401
    missing = asks(stage, client_id=None)
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_request")
    assert stage.rows("SELECT client_id FROM device_codes") == (
        [] if stage.dialect == "auth0" else [{"client_id": "web-app"}]
    )


def test_discovery_names_it(stage: Stage) -> None:
    document = stage.http.get("/.well-known/openid-configuration").json()
    assert document["device_authorization_endpoint"] == stage.issuer + "oauth/device/code"
    assert DEVICE_GRANT in document["grant_types_supported"]


def test_a_request_in_json(stage: Stage) -> None:
    asked = {"client_id": "native-app", "scope": SCOPE, "audience": API, "organization": None}
    response = stage.http.post("/oauth/device/code", json=asked)
    assert response.status_code == (200 if stage.dialect == "auth0" else 400)
    if response.status_code == 200:
        code = response.json()["device_code"]
        polled = stage.http.post(
            "/oauth/token", json={"client_id": "native-app", "grant_type": DEVICE_GRANT, "device_code": code}
        )
        assert (polled.status_code, polled.json()["error"]) == (403, PENDING)


def test_a_client_that_tolerates_nothing_but_pending(stage: Stage) -> None:
    """One that waits three seconds more than it was asked to, and gives up at any error but the pending one."""
    tv = device(stage)
    approve_at = 3
    for attempt in range(6):
        stage.clock.advance(tv.told["interval"] + 3)
        response = tv.poll()
        if response.status_code == 200:
            assert attempt == approve_at
            return
        assert response.json()["error"] == PENDING
        if attempt == approve_at - 1:
            approves(stage.browser(), tv.user_code)
    pytest.fail("the device never got its tokens")


def test_line_10_wordings(stage: Stage) -> None:
    tv = device(stage)
    pending, fast = tv.poll(), tv.poll()
    assert tv.hears(fast, SLOW)
    assert fast.json()["error_description"] == "You are polling faster than the specified interval of 5 seconds."
    if stage.dialect == "auth0":
        assert pending.json()["error_description"] == "User has yet to authorize device code."


@pytest.mark.parametrize("backend", ["sqlite"])
def test_codes_look_as_the_tenant_says(raise_stage: Callable[..., Stage], tmp_path: Path) -> None:
    tenant = tmp_path / "tenant.yaml"
    demo = DEMO_TENANT.read_text(encoding="utf-8")
    tenant.write_text(demo.replace("tenant:\n", "tenant:\n  device_flow: {charset: digits, mask: '*** *** ***'}\n", 1))
    stage = raise_stage(tenant=tenant, database_url=f"sqlite:///{tmp_path}/own.db")
    tv, browser = device(stage), stage.browser()
    assert re.fullmatch("[0-9]{3} [0-9]{3} [0-9]{3}", tv.user_code)
    assert f"activate?user_code={tv.user_code.replace(' ', '%20')}" in tv.told["verification_uri_complete"]
    assert f'value="{tv.user_code}"' in browser.get(tv.told["verification_uri_complete"]).text
    page = enters(browser, tv.user_code.replace(" ", "-"))
    assert tv.user_code in page.text
    approves(stage.browser(), device(stage).user_code)
