"""response_mode=web_message: the answer as a message to the window that asked, as auth0-spa-js and auth0.js expect it."""

import json
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from tests.attacks.judge import both_dialects, is_error_page, logged_in, nothing_changes, on_sqlite
from tests.spec.test_response_modes import HOSTILE, policy
from tests.stage import Browser, Pkce, Stage

pytestmark = on_sqlite

ORIGIN = "http://localhost:3000"
SPA: dict[str, Any] = {"client_id": "spa", "redirect_uri": ORIGIN, "response_mode": "web_message"}


class Sender(HTMLParser):
    """What the page's script reads, and everything else that a browser would run or send."""

    def __init__(self, page: httpx2.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.data: dict[str, str] = {}
        self.scripts: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        said = dict(attrs)
        assert not [name for name in said if name.startswith("on")]
        if tag == "script":
            self.scripts.append(said)
        elif said.get("id") == "web-message":
            assert not self.data
            self.data = {name: value or "" for name, value in attrs if name.startswith("data-")}


def message(response: httpx2.Response, receiver: str = ORIGIN) -> dict[str, str]:
    """The `response` of the message, checked to be for this receiver alone, from a script that is our own file."""
    assert response.status_code == 200, response.text
    assert "location" not in response.headers
    sender = Sender(response)
    assert sender.scripts == [{"src": "/static/web_message.js"}]
    assert not {"form", "a", "iframe", "meta http-equiv"} & set(sender.tags)
    assert sender.data["data-receiver"] == receiver
    said = policy(response)
    assert (said["script-src"], said["default-src"], said["base-uri"]) == (["'self'"], ["'none'"], ["'none'"])
    assert said["form-action"] == ["'none'"]
    assert response.headers["cache-control"] == "no-store"
    told: dict[str, str] = json.loads(sender.data["data-response"])
    return told


def silently(stage: Stage, browser: Browser, **changed: str | None) -> httpx2.Response:
    return stage.authorize(browser, **{**SPA, "prompt": "none", **changed})


@both_dialects
def test_web_message_hands_over_codes_and_errors(stage: Stage) -> None:
    pkce, browser = Pkce(), stage.browser()
    said = message(silently(stage, browser))
    assert (said["error"], said["state"], said["iss"]) == ("login_required", "af0ifjsldkj", stage.issuer)
    assert set(said) == {"error", "error_description", "state", "iss"}

    # In a popup the person logs in and decides, and the same window hands the answer over.
    page = browser.log_in(stage.authorize(browser, pkce, **SPA))
    assert "Allow access?" in page.text
    said = message(browser.decide(page))
    assert set(said) == {"code", "state", "iss"}
    redeemed = stage.redeem(said["code"], pkce, client_id="spa", redirect_uri=ORIGIN)
    assert redeemed.status_code == 200

    # On loopback a remembered consent is not enough (RFC 8252 §8.6), unless the client's registration says so.
    assert message(silently(stage, browser))["error"] == "consent_required"
    denied = browser.decide(browser.follow(stage.authorize(browser, **SPA)), "deny")
    assert message(denied)["error"] == "access_denied"
    stage.configure_client("spa", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    again = Pkce()
    said = message(stage.authorize(browser, again, **SPA, prompt="none"))
    assert stage.redeem(said["code"], again, client_id="spa", redirect_uri=ORIGIN).status_code == 200
    assert message(silently(stage, browser, code_challenge="x"))["error"] == "invalid_request"
    stateless = message(silently(stage, browser, state=None))
    assert "state" not in stateless


@both_dialects
def test_AZ2_nothing_is_sent_to_an_origin_that_is_not_registered(stage: Stage) -> None:
    browser = logged_in(stage)
    others: list[tuple[str, list[str]]] = [
        (ORIGIN, []),
        (ORIGIN, ["http://localhost:3001", "https://localhost:3000", "http://localhost", "localhost:3000", "*"]),
        (
            ORIGIN,
            ["http://localhost:30000", "http://localhost:3000/", "http://127.0.0.1:3000", "HTTP://localhost:3000"],
        ),
        ("http://localhost:3000/callback", ["http://localhost:3000/callback"]),
        ("com.example.notes://callback", ["com.example.notes://callback", "com.example.notes:", "null"]),
        ("https://app.example.com/cb", ["https://example.com", "https://app.example.com.evil.test"]),
    ]
    for redirect_uri, origins in others:
        stage.configure_client("spa", callbacks=[redirect_uri], web_origins=origins)
        with nothing_changes(stage):
            for prompt in ("none", "login", None):
                refused = silently(stage, browser, redirect_uri=redirect_uri, prompt=prompt)
                assert is_error_page(refused), (redirect_uri, origins)
                assert "Allowed Web Origins" in refused.text
                assert "script" not in refused.text
                assert policy(refused)["frame-ancestors"] == ["'none'"]
            # Nor are mistakes told.
            assert is_error_page(silently(stage, browser, redirect_uri=redirect_uri, response_type="token"))
    # What another client registered counts for that client alone.
    assert is_error_page(stage.authorize(browser, response_mode="web_message"))


@pytest.mark.parametrize(
    ("redirect_uri", "origin"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:3000/callback?tenant=a", "http://localhost:3000"),
        ("https://app.example.com:443/cb", "https://app.example.com"),
        ("https://app.example.com:8443/cb", "https://app.example.com:8443"),
        ("http://localhost:80/", "http://localhost"),
    ],
)
def test_LO3_its_receiver_alone_may_frame_the_message(stage: Stage, redirect_uri: str, origin: str) -> None:
    stage.configure_client("spa", callbacks=[redirect_uri], web_origins=[origin, "https://other.example.com"])
    browser = stage.browser()
    silent = silently(stage, browser, redirect_uri=redirect_uri)
    assert message(silent, origin)["error"] == "login_required"
    assert policy(silent)["frame-ancestors"] == [origin]
    assert "x-frame-options" not in silent.headers  # which knows no origins, and would overrule the policy
    # Whatever a person could be tricked into clicking stays out of frames.
    asked = {**SPA, "redirect_uri": redirect_uri}
    login = browser.follow(stage.authorize(browser, **asked, prompt="login"))
    consent = browser.log_in(stage.authorize(browser, **asked, prompt="consent"))
    assert "Allow access?" in consent.text
    for page in (login, consent, browser.submit(login, username="x", password="x", action="default")):
        assert policy(page)["frame-ancestors"] == ["'none'"]
        assert page.headers["x-frame-options"] == "DENY"
    posted = silently(stage, browser, redirect_uri=redirect_uri, response_mode="form_post")
    assert policy(posted)["frame-ancestors"] == ["'none'"]


def test_LO3_an_address_that_csp_cannot_name_frames_nothing(stage: Stage) -> None:
    stage.configure_client("spa", callbacks=["http://[::1]:3000/"], web_origins=["http://[::1]:3000"])
    silent = silently(stage, stage.browser(), redirect_uri="http://[::1]:3000/")
    assert message(silent, "http://[::1]:3000")["error"] == "login_required"  # in a popup
    assert policy(silent)["frame-ancestors"] == ["'none'"]
    assert silent.headers["x-frame-options"] == "DENY"


@both_dialects
def test_AZ21_a_hostile_state_comes_back_as_it_was(stage: Stage) -> None:
    browser = logged_in(stage)
    hostile = ("</div></script><script>alert(1)</script>", '" onload="alert(1)', "a+b c/=?&#", "\u0022\\", "{{7*7}}")
    for state in (HOSTILE, *hostile, "\u2028\u2029日本\U0001f511", "'`=<!--"):
        for prompt in ("none", "consent"):
            response = stage.authorize(browser, **SPA, state=state, prompt=prompt)
            if prompt == "consent":
                response = browser.decide(browser.follow(response))
            assert message(response)["state"] == state
            assert response.text.count("<script") == 1


def test_AZ21_a_repeated_mode_is_no_message(stage: Stage) -> None:
    """Nobody can tell which of two was meant: the answer goes by query, as ever."""
    good = stage.parameters(**SPA)
    for second in ("web_message", "query"):
        response = stage.http.get("/authorize", params=[*good.items(), ("response_mode", second)])
        assert response.headers["location"].startswith(ORIGIN + "?error=invalid_request&")
