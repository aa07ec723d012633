"""Line 10: devices."""

import httpx2
import pytest

from tests.attacks.judge import on_sqlite
from tests.devices import Device, approves, asks, denies, device, reaches_the_decision
from tests.proves import proves
from tests.stage import Stage

pytestmark = on_sqlite


def said(response: httpx2.Response) -> tuple[int, str, str]:
    return response.status_code, response.json()["error"], response.json()["error_description"]


@proves("POST /oauth/device/code", "client_id", "scope", "audience", "POST /oauth/token", "authorization_pending")
def test_item_10_a_waiting_is_403_pending(stage: Stage) -> None:
    tv = device(stage)
    assert set(tv.told) == {
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "expires_in",
        "interval",
    }
    assert said(tv.waits()) == (403, "authorization_pending", "User has yet to authorize device code.")


@proves("POST /oauth/token", "slow_down")
def test_item_10_b_too_fast_is_429(stage: Stage) -> None:
    tv = device(stage)
    tv.waits()
    assert said(tv.poll()) == (
        429,
        "slow_down",
        "You are polling faster than the specified interval of 5 seconds.",
    )


@proves("POST /oauth/token", "access_denied", "GET /activate", "decline")
def test_item_10_c_declined_is_403(stage: Stage) -> None:
    tv = device(stage)
    denies(stage.browser(), tv.user_code)
    assert said(tv.waits()) == (403, "access_denied", "User cancelled the confirmation prompt.")


@proves("POST /oauth/token", "expired_token")
def test_item_10_d_expired_is_said_once(stage: Stage) -> None:
    tv = device(stage)
    stage.clock.advance(tv.told["expires_in"])
    assert said(tv.waits())[:2] == (403, "expired_token")
    assert said(tv.waits())[:2] == (403, "invalid_grant")


@proves("GET /activate", "user_code")
@pytest.mark.parametrize("spelling", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_item_10_e_the_user_code_may_be_typed_as_people_do(stage: Stage, spelling: object) -> None:
    tv: Device = device(stage)
    assert callable(spelling)
    page = reaches_the_decision(stage.browser(), spelling(tv.user_code))
    assert tv.user_code in page.text


@proves("POST /oauth/device/code", "403 unauthorized_client")
def test_item_10_f_a_confidential_client_is_refused(stage: Stage) -> None:
    response = asks(stage, client_id="web-app", client_secret=stage.secrets["web-app"])
    assert said(response)[:2] == (403, "unauthorized_client")


@proves("POST /oauth/token", "grant_type=urn:ietf:params:oauth:grant-type:device_code")
def test_item_10_g_an_approved_device_gets_its_tokens_once(stage: Stage) -> None:
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    assert tv.waits().status_code == 200
    assert said(tv.waits())[:2] == (403, "invalid_grant")
