"""The way back to the application, which a browser follows only where the page's policy lets it.

CSP's `form-action` also governs the redirects that answer a form. No HTTP library knows that: with `'self'` alone
every test but these is green, and nobody can log in.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.browser.visitor import PHONE, Listener, Visitor
from tests.stage import MALLORY, Pkce, Stage

NATIVE = "com.example.notes://callback"

on_a_phone = pytest.mark.parametrize("look", [PHONE], ids=str)
with_and_without_script = pytest.mark.parametrize("look", [PHONE, replace(PHONE, script=False)], ids=str)


@with_and_without_script
def test_allow(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    pkce = Pkce()
    visitor.open(stage, listener, pkce)
    visitor.log_in()
    visitor.page.click("#consent-allow")
    visitor.sees("Back in the application")
    said = listener.answer()
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    assert stage.redeem(said["code"], pkce, redirect_uri=listener.url).status_code == 200
    visitor.has_no_complaints()


@with_and_without_script
def test_deny(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.page.click("#consent-deny")
    visitor.sees("Back in the application")
    said = listener.answer()
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "af0ifjsldkj", stage.issuer)
    assert "code" not in said
    visitor.has_no_complaints()


@on_a_phone
def test_from_the_login_page_straight_back(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in(MALLORY)  # who is blocked, which the application is told
    visitor.sees("Back in the application")
    assert listener.answer()["error"] == "access_denied"
    visitor.has_no_complaints()


@on_a_phone
def test_with_the_keyboard_alone(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.has_focus("#username")
    press = visitor.page.keyboard
    press.type("alice@example.com")
    press.press("Tab")
    press.type("understudy")
    press.press("Enter")
    visitor.sees("Allow access?")
    press.press("Tab")
    visitor.has_focus("#consent-deny")
    press.press("Tab")
    visitor.has_focus("#consent-allow")
    press.press("Enter")
    visitor.sees("Back in the application")
    assert "code" in listener.answer()
    visitor.has_no_complaints()


@on_a_phone
def test_the_way_back_leads_to_no_second_answer(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.page.click("#consent-allow")
    visitor.sees("Back in the application")
    assert "code" in listener.answer()
    visitor.page.go_back()
    visitor.sees("This did not work")
    visitor.finds_nothing_wrong()
    assert listener.heard_nothing()


@with_and_without_script
@pytest.mark.parametrize(("button", "answer"), [("#consent-allow", "code"), ("#consent-deny", "error")])
def test_an_application_with_its_own_scheme(stage: Stage, visitor: Visitor, button: str, answer: str) -> None:
    pkce = Pkce()
    visitor.open(stage, None, pkce, redirect_uri=NATIVE)
    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.finds_nothing_wrong()
    with visitor.page.expect_event("requestfailed") as leaving:
        visitor.page.click(button, no_wait_after=True)
    # Nothing on this machine has registered the scheme: the browser hands the URL over, and that is all.
    url = leaving.value.url
    assert url.startswith(NATIVE + "?")
    assert leaving.value.failure == "net::ERR_ABORTED"
    said = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    assert answer in said
    if answer == "code":
        assert stage.redeem(said["code"], pkce, redirect_uri=NATIVE).status_code == 200
    assert visitor.complaints == []


@with_and_without_script
def test_an_answer_that_is_posted(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    pkce = Pkce()
    visitor.open(stage, listener, pkce, response_mode="form_post")
    visitor.log_in()
    visitor.page.click("#consent-allow")
    if not visitor.look.script:
        visitor.sees("Continue")
        visitor.finds_nothing_wrong()
        visitor.page.click("#form-post button")
    visitor.sees("Back in the application")
    said = listener.answer()
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    assert stage.redeem(said["code"], pkce, redirect_uri=listener.url).status_code == 200
    assert visitor.complaints == []


@with_and_without_script
def test_back_to_the_application_after_logout(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    (client,) = stage.rows("SELECT settings FROM clients WHERE client_id = 'native-app'")
    settings = json.loads(client["settings"]) | {"allowed_logout_urls": [listener.url]}
    stage.change("UPDATE clients SET settings = :to WHERE client_id = 'native-app'", to=json.dumps(settings))
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.sees("Allow access?")
    back_to = {"client_id": "native-app", "post_logout_redirect_uri": listener.url, "state": "of the logout"}
    visitor.page.goto(f"{stage.issuer}oidc/logout?{urlencode(back_to)}")
    visitor.sees("Log out?")
    visitor.page.click("#logout-yes")
    visitor.sees("Back in the application")
    assert listener.answer() == {"state": "of the logout"}
    visitor.has_no_complaints()


class SelfAlone:
    """What would happen if the policy named nobody but this server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def narrow(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(name, _narrowed(name, value)) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, narrow)


def _narrowed(name: bytes, value: bytes) -> bytes:
    return re.sub(rb"form-action [^;]*", b"form-action 'self'", value) if name == b"content-security-policy" else value


@on_a_phone
@pytest.mark.parametrize("native", [False, True], ids=["loopback", "own scheme"])
def test_these_tests_would_notice(
    raise_stage: Callable[..., Stage], visitor: Visitor, listener: Listener, native: bool
) -> None:
    stage = raise_stage()
    assert stage.theatre.app
    stage.theatre.app.add_middleware(SelfAlone)
    visitor.open(stage, listener, redirect_uri=NATIVE if native else listener.url)
    visitor.log_in()
    visitor.sees("Allow access?")
    with visitor.page.expect_console_message(lambda message: "policy violated: form-action" in message.text):
        visitor.page.click("#consent-allow", no_wait_after=True)
    assert visitor.complaints
    assert listener.heard_nothing()
    assert not any(NATIVE in each for each in visitor.failed)
