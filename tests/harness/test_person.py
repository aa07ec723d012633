"""The virtual person beyond a plain redirect: other response modes, and devices."""

from typing import Any

import httpx2
import pytest

from authserver.testing.handle import Authserver, Client, User
from tests.stage import http_client

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def test_an_answer_that_is_posted(authserver: Authserver) -> None:
    alice, app = authserver.add_user(), authserver.register_client()
    login = authserver.login(alice, app, response_mode="form_post", state='"<&>"')
    assert (login.location, login.response_mode, login.page) == (app.redirect_uri, "form_post", None)
    assert login.parameters["state"] == '"<&>"'
    assert login.tokens()["access_token"]


def test_an_answer_for_the_window_that_asked(authserver: Authserver) -> None:
    app = authserver.register_client(
        app_type="spa", callbacks=["https://spa.example/callback"], web_origins=["https://spa.example"]
    )
    login = authserver.login(authserver.add_user(), app, response_mode="web_message", state="of-the-page")
    assert (login.location, login.response_mode) == ("https://spa.example", "web_message")
    assert login.parameters["state"] == "of-the-page"
    assert login.tokens()["access_token"]


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_an_answer_in_the_redirect(authserver: Authserver, mode: str) -> None:
    login = authserver.login(authserver.add_user(), authserver.register_client(), response_mode=mode)
    assert (login.response_mode, bool(login.code)) == (mode, True)


def test_a_callback_with_a_query_of_its_own(authserver: Authserver) -> None:
    app = authserver.register_client(callbacks=["https://app.example/callback?tenant=a"])
    login = authserver.login(authserver.add_user(), app, response_mode="fragment")
    assert login.response_mode == "fragment"
    assert "tenant" not in login.parameters
    assert login.code


class Device:
    """Something without a browser."""

    def __init__(self, authserver: Authserver) -> None:
        self.issuer, self.app = authserver.issuer, Client("tv", None, None)
        authserver.register_client("tv", grant_types=[DEVICE], callbacks=[])
        self.codes = self._post("oauth/device/code", scope="openid").json()

    def poll(self) -> httpx2.Response:
        return self._post("oauth/token", grant_type=DEVICE, device_code=self.codes["device_code"])

    def _post(self, path: str, **form: str) -> httpx2.Response:
        with http_client() as http:
            return http.post(self.issuer + path, data={"client_id": "tv", **form})


def test_a_person_lets_a_device_in(authserver: Authserver) -> None:
    alice, device = authserver.add_user(), Device(authserver)
    walked = authserver.visit(device.codes["verification_uri_complete"], alice)
    assert (walked.location, walked.page, walked.error) == (None, "activate/confirm", None)
    assert walked.asked == ("activate", "activate/confirm", "u/login", "activate/confirm")
    assert device.poll().json()["access_token"]
    assert "DeviceApproved" in [event.type for event in authserver.events]


@pytest.mark.parametrize(
    ("how", "error"), [({"decision": "deny"}, "access_denied"), ({"password": "wrong"}, "authorization_pending")]
)
def test_a_device_is_not_let_in(authserver: Authserver, how: dict[str, Any], error: str) -> None:
    alice, device = authserver.add_user(), Device(authserver)
    authserver.visit(device.codes["verification_uri_complete"], alice, **how)
    assert device.poll().json()["error"] == error


def test_a_session_is_enough_for_a_device(authserver: Authserver) -> None:
    alice, device = authserver.add_user(), Device(authserver)
    authserver.login(alice, authserver.register_client(), browser="phone")
    walked = authserver.visit(device.codes["verification_uri_complete"], alice, browser="phone")
    assert walked.asked == ("activate", "activate/confirm")


def test_a_code_that_no_device_shows_ends_on_the_page(authserver: Authserver) -> None:
    alice: User = authserver.add_user()
    walked = authserver.visit(authserver.issuer + "activate?user_code=BCDF-GHJK", alice)
    assert (walked.page, walked.status) == ("activate", 400)
    assert walked.error
    assert walked.error.startswith("The code is invalid.")
