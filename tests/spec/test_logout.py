"""Logging out: Auth0's /v2/logout and OpenID Connect RP-Initiated Logout 1.0."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from authserver.settings import DEMO_TENANT
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import (
    WEB_APP,
    both_dialects,
    cookie,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
    refusal,
)
from tests.stage import Browser, Pkce, Stage, claims

APP = "http://127.0.0.1:8400/"
"""The native app's first allowed logout URL; its second is its private scheme."""

WEB = "http://localhost:3001"
TENANTS = "http://localhost:3001/goodbye"


def v2(browser: Browser, **params: str) -> httpx2.Response:
    return browser.get(browser.issuer + "v2/logout", **params)


def oidc(browser: Browser, **params: str) -> httpx2.Response:
    return browser.get(browser.issuer + "oidc/logout", **params)


def send(browser: Browser, method: str, path: str, *pairs: tuple[str, str]) -> httpx2.Response:
    """`pairs` in the query of a GET or in the form of a POST."""
    url, encoded = browser.issuer + path, urlencode(pairs)
    if method == "GET":
        return browser.get(f"{url}?{encoded}")
    return browser.http.post(url, content=encoded, headers={"Content-Type": "application/x-www-form-urlencoded"})


def is_logged_in(stage: Stage, browser: Browser) -> bool:
    return refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"


def tokens_of(stage: Stage, browser: Browser) -> dict[str, Any]:
    """The web app's, from this browser's session."""
    pkce = Pkce()
    code = stage.code(pkce, browser=browser, **WEB_APP)
    tokens: dict[str, Any] = stage.redeem(code, pkce, client_secret=stage.secrets["web-app"], **WEB_APP).json()
    return tokens


def shows_the_question(page: httpx2.Response) -> bool:
    return page.status_code == 200 and 'id="logout-yes"' in page.text and "location" not in page.headers


def test_v2_logout_ends_the_session_and_leaves_tokens_alone(stage: Stage) -> None:
    browser = stage.browser()
    tokens = tokens_of(stage, browser)
    other = logged_in(stage)
    name = cookie(browser, "session")
    away = v2(browser, client_id="web-app", returnTo=WEB)
    assert (away.status_code, away.headers["location"]) == (302, WEB)
    assert away.headers["cache-control"] == "no-store"
    cleared = away.headers["set-cookie"].lower()
    assert cleared.startswith(name + '=""; ')
    assert {"max-age=0", "path=/", "httponly", "samesite=lax"} <= set(cleared.split("; "))
    assert name not in browser.http.cookies
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    assert is_logged_in(stage, other)
    assert stage.events().count("LoggedOut") == 1

    assert stage.userinfo(tokens["access_token"]).status_code == 200
    refreshed = stage.refresh(tokens["refresh_token"], client_id="web-app", client_secret=stage.secrets["web-app"])
    assert refreshed.status_code == 200
    # Once more, without a session: the same answer, and nothing that happened.
    assert v2(browser, client_id="web-app", returnTo=WEB).headers["location"] == WEB
    assert stage.events().count("LoggedOut") == 1


@on_sqlite
def test_v2_logout_compares_as_auth0_does(stage: Stage) -> None:
    stage.configure_client("web-app", allowed_logout_urls=["https://App.example.com/Bye?x=1", "http://[::1]:3001/bye"])
    browser = stage.browser()
    good = {
        "native-app": (
            APP,
            APP + "?logged_out=1",
            APP + "#top",
            APP + "?a=b#c",
            "HTTP://127.0.0.1:8400/",
            "com.example.notes://callback",
            "com.example.notes://callback?x=y",
        ),
        "web-app": (
            "https://app.example.com/Bye",
            "HTTPS://APP.EXAMPLE.COM/Bye?whatever",
            "http://[::1]:3001/bye",
        ),
    }
    bad = {
        "native-app": (
            "http://127.0.0.1:8400",
            "http://127.0.0.1:8400//",
            "http://127.0.0.1/",
            "http://127.0.0.1:8401/",
            "https://127.0.0.1:8400/",
            "http://127.0.0.1:8400/x",
            "com.example.notes://callbacks",
            "com.example.notes:callback",
            WEB,
            TENANTS,
        ),
        "web-app": (
            "https://app.example.com/bye",
            "https://app.example.com/Bye/",
            "https://app.example.com:443/Bye",
            "/Bye",
            "x",
        ),
        "api-docs": ("http://localhost:8000/docs/oauth2-redirect", "http://localhost:8000"),
    }
    for client_id, urls in good.items():
        for url in urls:
            away = v2(browser, client_id=client_id, returnTo=url)
            assert (away.status_code, away.headers.get("location")) == (302, url), url
    for client_id, urls in bad.items():
        for url in urls:
            with nothing_changes(stage):
                page = v2(browser, client_id=client_id, returnTo=url)
                assert is_error_page(page), url
                assert "Allowed Logout URLs" in page.text


@both_dialects
@on_sqlite
def test_v2_logout_without_a_destination_or_a_client(stage: Stage) -> None:
    browser = logged_in(stage)
    assert v2(browser, client_id="native-app").headers["location"] == APP
    assert not [each for each in browser.http.cookies.jar if each.name.endswith("-session")]
    nowhere = (v2(browser), v2(browser, client_id="api-docs"), v2(browser, federated=""))
    for said in nowhere:
        assert (said.status_code, said.text, said.headers["content-type"]) == (200, "OK", "text/plain; charset=utf-8")
        assert "location" not in said.headers
    # Without a client the tenant's own list counts, and only that.
    assert v2(browser, returnTo=TENANTS + "?x=1").headers["location"] == TENANTS + "?x=1"
    for url in (WEB, APP, "http://localhost:3001/"):
        assert is_error_page(v2(browser, returnTo=url))
    assert is_error_page(v2(browser, client_id="web-app", returnTo=TENANTS))
    assert is_error_page(v2(browser, client_id="nobody"))
    assert is_error_page(v2(browser, client_id="nobody", returnTo=TENANTS))
    # What SDKs send besides.
    extra = {"federated": "1", "auth0Client": "eyJ9"}
    assert v2(browser, client_id="web-app", returnTo=WEB, **extra).headers["location"] == WEB
    for method in ("HEAD", "POST", "PUT"):
        assert browser.http.request(method, stage.issuer + "v2/logout").status_code == 405


@both_dialects
@pytest.mark.parametrize("method", ["GET", "POST"])
@on_sqlite
def test_oidc_logout_with_proof_asks_nothing(stage: Stage, method: str) -> None:
    assert stage.http.get("/.well-known/openid-configuration").json()["end_session_endpoint"] == (
        stage.issuer + "oidc/logout"
    )
    stage.configure_client("web-app", allowed_logout_urls=[WEB, WEB + "/bye?tenant=a"])

    def end_session(browser: Browser, **params: str) -> httpx2.Response:
        return send(browser, method, "oidc/logout", *params.items())

    state = "a b+c&d=e%/ä"
    for proof, target in (("hint", WEB), ("expired", WEB + "/bye?tenant=a"), ("sid", WEB), ("both", WEB)):
        browser = stage.browser()
        hint = tokens_of(stage, browser)["id_token"]
        sid = claims(hint)["sid"]
        if proof == "expired":
            stage.clock.advance(claims(hint)["exp"] - stage.clock() + 1)
        said = {"id_token_hint": hint} if proof != "sid" else {"logout_hint": sid, "client_id": "web-app"}
        if proof == "both":
            said |= {"logout_hint": sid, "client_id": "web-app"}
        away = end_session(browser, **said, post_logout_redirect_uri=target, state=state)
        assert away.status_code == (302 if method == "GET" else 303), proof
        joint = "&" if "?" in target else "?"
        assert away.headers["location"] == f"{target}{joint}state=a%20b%2Bc%26d%3De%25%2F%C3%A4"
        assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required", proof
        # Nobody is logged in any more, so there is nobody to ask.
        assert end_session(browser, **said, post_logout_redirect_uri=target).headers["location"] == target
    browser = stage.browser()
    page = end_session(browser, id_token_hint=tokens_of(stage, browser)["id_token"])
    assert "Logged out" in page.text
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    assert stage.events().count("LoggedOut") == 5


def test_oidc_logout_without_proof_asks_first(stage: Stage) -> None:
    browser = stage.browser()
    earlier = tokens_of(stage, browser)["id_token"]
    browser.log_in(stage.authorize(browser, prompt="login"))
    somebody = tokens_of(stage, stage.browser())["id_token"]
    back = {"post_logout_redirect_uri": APP, "client_id": "native-app", "state": "<&\">'"}
    unproved: tuple[dict[str, str], ...] = (
        {},
        {"client_id": "native-app"},
        back,
        {**back, "logout_hint": "x"},
        {"id_token_hint": earlier},
        {"id_token_hint": somebody, "logout_hint": claims(somebody)["sid"]},
    )
    with nothing_changes(stage):
        for said in unproved:
            page = oidc(browser, **said)
            assert shows_the_question(page), said
            assert "set-cookie" not in page.headers
    # The page leads where it may lead: Chromium holds redirects after a form against form-action too.
    page = oidc(browser, **back)
    assert page.headers["content-security-policy"].endswith("form-action 'self' http://127.0.0.1:8400")
    assert oidc(browser).headers["content-security-policy"].endswith("form-action 'self'")
    assert "Notes (native app)" in page.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    fields = {name: html.unescape(value) for name, value in hidden.items()}
    assert {name: fields[name] for name in back} == back
    assert re.search(r'<form method="post" action="/oidc/logout">', page.text)
    origin = {"Origin": stage.issuer.removesuffix("/"), "Sec-Fetch-Site": "same-origin"}
    away = browser.http.post(stage.issuer + "oidc/logout", data={**fields, "action": "default"}, headers=origin)
    assert (away.status_code, away.headers["location"]) == (303, APP + "?state=%3C%26%22%3E%27")
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    # Without a session there is no question.
    assert "Logged out" in oidc(browser).text
    assert oidc(browser, **back).headers["location"].startswith(APP)


@on_sqlite
def test_oidc_logout_leads_only_where_this_client_registered(stage: Stage) -> None:
    browser = stage.browser()
    hint = tokens_of(stage, browser)["id_token"]
    refused: tuple[dict[str, str], ...] = (
        {"id_token_hint": hint, "client_id": "native-app"},
        {"id_token_hint": hint, "client_id": "nobody"},
        {"id_token_hint": hint, "client_id": "native-app", "post_logout_redirect_uri": APP},
        {"id_token_hint": hint, "post_logout_redirect_uri": APP},
        {"id_token_hint": hint, "post_logout_redirect_uri": TENANTS},
        {"post_logout_redirect_uri": WEB},  # whose?
        {"client_id": "nobody", "post_logout_redirect_uri": WEB},
        {"client_id": "web-app", "post_logout_redirect_uri": WEB + "?x=1"},  # exact, unlike /v2/logout
        {"client_id": "web-app", "post_logout_redirect_uri": WEB + "/"},
        {"client_id": "web-app", "post_logout_redirect_uri": WEB + "#x"},
        {"client_id": "web-app", "post_logout_redirect_uri": WEB.upper()},
        {"client_id": "web-app", "post_logout_redirect_uri": "HTTP://localhost:3001"},
    )
    with nothing_changes(stage):
        for said in refused:
            page = oidc(browser, **said)
            assert is_error_page(page), said
            assert "set-cookie" not in page.headers
        for method in ("HEAD", "PUT", "DELETE"):
            assert browser.http.request(method, stage.issuer + "oidc/logout").status_code == 405
    assert is_logged_in(stage, browser)
    # The error page is for strangers to the session too.
    assert is_error_page(oidc(stage.browser(), client_id="web-app", post_logout_redirect_uri="https://evil.test/"))


def test_a_logout_url_that_no_header_could_carry_is_not_registered(tmp_path: Path) -> None:
    demo = DEMO_TENANT.read_text()
    for registered in (
        "http://localhost:3001/tschüß",
        "http://localhost:3001/#x",
        "http://user@localhost:3001/",
        "javascript:x",
    ):
        for known in ("[http://localhost:3001/goodbye]", "[http://localhost:3000]"):  # the tenant's and a client's
            file = tmp_path / "tenant.yaml"
            file.write_text(demo.replace(f"allowed_logout_urls: {known}", f'allowed_logout_urls: ["{registered}"]'))
            with pytest.raises(TenantFileError, match=r"allowed_logout_urls.*: must be an absolute URI in ASCII"):
                read_tenant_file(file)
