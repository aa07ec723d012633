"""How the authorization response travels: query, fragment, form_post; and the authorization endpoint asked by POST."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import httpx2
import pytest

from tests.attacks.judge import ask, both_dialects, goes_on, is_error_page, logged_in, on_sqlite, same_origin
from tests.stage import CALLBACK, Browser, Pkce, Stage

pytestmark = on_sqlite

MODES = ("query", "fragment", "form_post")
HOSTILE = (
    """"><script>alert(1)</script><input name='state' value='x'></form>&quot;&#34;<!--{{7*7}}\u2028 + %20&code=evil"""
)


class Form(HTMLParser):
    """The one form on a page as a browser reads it, and the scripts."""

    def __init__(self, page: httpx2.Response) -> None:
        super().__init__(convert_charrefs=True)
        self.action, self.method, self.fields = "", "", dict[str, str]()
        self.scripts: list[str | None] = []
        self.tags: list[str] = []
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = said.get("action", ""), said.get("method", "")
        elif tag == "input":
            assert said["name"] not in self.fields
            self.fields[said["name"]] = said["value"]
        elif tag == "script":
            self.scripts.append(said.get("src"))


def policy(page: httpx2.Response) -> dict[str, list[str]]:
    parts = page.headers["content-security-policy"].split(";")
    return {part.split()[0]: part.split()[1:] for part in parts}


def answered(response: httpx2.Response, mode: str, redirect_uri: str = CALLBACK) -> dict[str, str]:
    """What the application receives, checked to come in exactly this mode to exactly this URI."""
    if mode == "form_post":
        assert response.status_code == 200
        assert "location" not in response.headers
        form = Form(response)
        assert (form.method, form.action) == ("post", redirect_uri)
        return form.fields
    location = response.headers["location"]
    assert location.isascii()
    joint = {"query": "&" if "?" in redirect_uri else "?", "fragment": "#"}[mode]
    assert location.startswith(redirect_uri + joint)
    encoded = location.removeprefix(redirect_uri + joint)
    assert "+" not in encoded
    assert not set(encoded) & set("#? ")
    pairs = parse_qsl(encoded, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@both_dialects
@pytest.mark.parametrize("mode", MODES)
def test_AZ21_code_and_errors_come_in_the_mode_that_was_asked_for(stage: Stage, mode: str) -> None:
    pkce, browser = Pkce(), stage.browser()
    browser.log_in(stage.authorize(browser))
    allowed = browser.decide(browser.follow(stage.authorize(browser, pkce, response_mode=mode)))
    said = answered(allowed, mode)
    assert set(said) == {"code", "state", "iss"}
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    assert stage.redeem(said["code"], pkce).status_code == 200

    denied = browser.decide(browser.follow(stage.authorize(browser, response_mode=mode)), "deny")
    # Errors of every kind, also those that are noticed before the mode would have been looked at.
    refused = {
        "access_denied": denied,
        "consent_required": stage.authorize(browser, response_mode=mode, prompt="none"),
        "login_required": stage.authorize(stage.browser(), response_mode=mode, prompt="none"),
        "unsupported_response_type": stage.authorize(browser, response_mode=mode, response_type="token"),
        "invalid_request": stage.authorize(browser, response_mode=mode, code_challenge="x"),
        "invalid_scope": stage.authorize(browser, response_mode=mode, scope='"'),
        "request_not_supported": stage.authorize(browser, response_mode=mode, request="x"),
    }
    for error, response in refused.items():
        said = answered(response, mode)
        assert set(said) == {"error", "error_description", "state", "iss"}, error
        assert (said["error"], said["state"], said["iss"]) == (error, "af0ifjsldkj", stage.issuer)
    twice = ask(stage, ("nonce", "again"), response_mode=mode)
    assert answered(twice, mode)["error"] == "invalid_request"
    stateless = stage.authorize(browser, response_mode=mode, prompt="none", state=None)
    assert set(answered(stateless, mode)) == {"error", "error_description", "iss"}


def test_AZ21_a_mode_that_is_no_mode_is_answered_by_query(stage: Stage) -> None:
    for odd in ("WEB_MESSAGE", "FORM_POST", "form_post fragment", "jwt"):
        assert answered(stage.authorize(stage.browser(), response_mode=odd), "query")["error"] == "invalid_request"
    for second in ("form_post", "query", "", "fragment"):
        said = answered(ask(stage, ("response_mode", second), response_mode="fragment"), "query")
        assert (said["error"], said["state"]) == ("invalid_request", "af0ifjsldkj")
    unreadable = ask(stage, response_mode="fragment", state="\x00")
    assert set(answered(unreadable, "fragment")) == {"error", "error_description", "iss"}
    assert goes_on(stage, stage.authorize(stage.browser(), response_mode=""))
    supported = stage.http.get("/.well-known/openid-configuration").json()["response_modes_supported"]
    assert supported == [*MODES, "web_message"]  # which has a file of its own


@pytest.mark.parametrize("mode", MODES)
def test_AZ21_a_hostile_state_comes_back_as_it_was(stage: Stage, mode: str) -> None:
    browser = logged_in(stage)
    for state in (HOSTILE, "a+b c/=?&#", "日本\U0001f511", "'\"`=<>", "\\u0022", "javascript:alert(1)"):
        for prompt in ("none", "consent"):
            response = stage.authorize(browser, response_mode=mode, state=state, prompt=prompt)
            if prompt == "consent":
                response = browser.decide(browser.follow(response))
            assert answered(response, mode)["state"] == state
            if mode == "form_post":
                assert Form(response).scripts == ["/static/form_post.js"]
                assert Form(response).tags.count("form") == 1
                assert "<script>" not in response.text
                assert not re.search(r"\son\w+=|javascript:(?!alert\(1\)\")", response.text)


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        (CALLBACK, "http://127.0.0.1:8400"),
        ("https://app.example.com/cb?tenant=a%20b&x=%22", "https://app.example.com"),
        ("com.example.notes://callback", "com.example.notes:"),
        ("http://[::1]:8400/cb", "http:"),  # CSP has no IPv6 literals
    ],
)
def test_AZ21_the_form_can_go_to_the_application_alone(stage: Stage, redirect_uri: str, source: str) -> None:
    stage.configure_client("native-app", callbacks=[redirect_uri])
    page = stage.authorize(stage.browser(), response_mode="form_post", redirect_uri=redirect_uri, prompt="none")
    assert answered(page, "form_post", redirect_uri)["error"] == "login_required"
    said = policy(page)
    assert said["form-action"] == [source]
    assert (said["script-src"], said["default-src"], said["base-uri"]) == (["'self'"], ["'none'"], ["'none'"])
    assert said["frame-ancestors"] == ["'none'"]
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    # The button works where scripts do not, and the script is ours.
    assert '<button type="submit">' in page.text
    script = stage.http.get("/static/form_post.js")
    assert "submit()" in script.text
    assert script.headers["content-type"].startswith("text/javascript")
    # Pages of ours allow no script at all.
    login = stage.browser().follow(stage.authorize(stage.browser(), redirect_uri=redirect_uri))
    assert is_error_page(login, 403)
    assert "script-src" not in policy(login)


@pytest.mark.parametrize("mode", MODES)
def test_AZ7_a_registered_query_stays_in_every_mode(stage: Stage, mode: str) -> None:
    browser = logged_in(stage)
    for query in ("?a=b%20c+d&empty=&%C3%A4=%c3%a4", "?x"):
        registered = f"http://127.0.0.1:8400/callback{query}"
        stage.configure_client("native-app", callbacks=[registered])
        refused = stage.authorize(browser, response_mode=mode, redirect_uri=registered, prompt="none")
        assert answered(refused, mode, registered)["error"] == "consent_required"
        allowed = browser.decide(browser.follow(stage.authorize(browser, response_mode=mode, redirect_uri=registered)))
        assert "code" in answered(allowed, mode, registered)
    for ending in ("?", "?a=b&"):  # the joint is there already
        registered = f"http://127.0.0.1:8400/callback{ending}"
        stage.configure_client("native-app", callbacks=[registered])
        location = stage.authorize(browser, redirect_uri=registered, prompt="none").headers["location"]
        assert location.startswith(registered + "error=consent_required&")


def post(stage: Stage, browser: Browser, data: dict[str, str], **params: str) -> httpx2.Response:
    return browser.http.post(stage.issuer + "authorize", data=data, params=params, headers=same_origin(stage))


@both_dialects
def test_a_request_by_post_is_the_same_request(stage: Stage) -> None:
    pkce, browser = Pkce(), stage.browser()
    asked = post(stage, browser, stage.parameters(pkce))
    assert asked.status_code == 303
    assert goes_on(stage, asked)
    page = browser.log_in(asked)
    for mode in MODES:
        silent = post(stage, browser, stage.parameters(pkce, prompt="none", response_mode=mode))
        assert silent.status_code == (200 if mode == "form_post" else 303)
        assert answered(silent, mode)["error"] == "consent_required"
    code = answered(browser.decide(page), "query")["code"]
    assert stage.redeem(code, pkce).status_code == 200
    assert is_error_page(post(stage, browser, stage.parameters(redirect_uri="https://evil.test/")))
    # Half in the URL, half in the form: nothing twice, so nothing in doubt.
    half = {name: value for name, value in stage.parameters().items() if name != "scope"}
    assert goes_on(stage, post(stage, stage.browser(), half, scope="openid"))


@both_dialects
def test_AZ17_a_name_in_query_and_body_counts_for_nothing(stage: Stage) -> None:
    good = stage.parameters()
    for name in ("scope", "prompt", "code_challenge", "response_type", "max_age", "made_up"):
        for second in (good.get(name, "none"), "other"):
            said = answered(
                post(stage, stage.browser(), {**good, name: good.get(name, "none")}, **{name: second}), "query"
            )
            assert (said["error"], said["state"]) == ("invalid_request", good["state"]), name
    twice = post(stage, stage.browser(), {**good, "response_mode": "fragment"}, response_mode="fragment")
    assert answered(twice, "query")["error"] == "invalid_request"
    assert "state" not in answered(post(stage, stage.browser(), good, state=good["state"]), "query")
    for name in ("client_id", "redirect_uri"):
        assert is_error_page(post(stage, stage.browser(), good, **{name: good[name]}))
