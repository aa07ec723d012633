"""Lines 8 and 11: silent answers and logout."""

import re

from tests.attacks.judge import WEB_APP, ask, is_error_page, logged_in, on_sqlite, refusal
from tests.proves import proves
from tests.stage import Browser, Pkce, Stage, answer, claims

pytestmark = on_sqlite

WEB = "http://localhost:3001"
SPA = {"client_id": "spa", "redirect_uri": "http://localhost:3000", "response_mode": "web_message"}


# 8. prompt=none: login_required, consent_required; web_message posts the exact shape only to an allowed origin ------------


@proves("GET /authorize", "prompt=none", "login_required")
def test_item_8_a_without_a_session_login_is_required(stage: Stage) -> None:
    said = answer(ask(stage, prompt="none"))
    assert (said["error"], said["error_description"]) == ("login_required", "Login required")


@proves("GET /authorize", "prompt=none", "consent_required")
def test_item_8_b_without_an_approval_consent_is_required(stage: Stage) -> None:
    said = answer(stage.authorize(logged_in(stage), prompt="none"))
    assert (said["error"], said["error_description"]) == ("consent_required", "Consent required")


@proves("GET /authorize", "response_mode=web_message")
def test_item_8_c_web_message_is_for_the_origin_that_was_registered(stage: Stage) -> None:
    page = ask(stage, prompt="none", **SPA)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "frame-ancestors http://localhost:3000" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    for member in ("http://localhost:3000", "login_required"):
        assert member in page.text


@proves("GET /authorize", "response_mode=web_message")
def test_item_8_d_web_message_says_nothing_to_any_other_origin(stage: Stage) -> None:
    stage.configure_client("spa", web_origins=["http://localhost:3002"])
    refused = ask(stage, prompt="none", **SPA)
    assert "web_message.js" not in refused.text
    assert "login_required" not in refused.text


# 11. logout: allowed list, first-URL default, plain OK, 400; SSO cookie gone; /oidc/logout with hint skips the question ---


def v2(browser: Browser, **params: str) -> tuple[int, str | None]:
    response = browser.get(browser.issuer + "v2/logout", **params)
    return response.status_code, response.headers.get("location")


@proves("GET /v2/logout", "client_id", "returnTo")
def test_item_11_a_an_allowed_url_is_returned_to(stage: Stage) -> None:
    assert v2(stage.browser(), client_id="web-app", returnTo=WEB) == (302, WEB)


@proves("GET /v2/logout", "returnTo")
def test_item_11_b_a_tenants_url_needs_no_client(stage: Stage) -> None:
    assert v2(stage.browser(), returnTo=WEB + "/goodbye") == (302, WEB + "/goodbye")


@proves("GET /v2/logout", "client_id")
def test_item_11_c_without_a_url_the_clients_first_is_taken(stage: Stage) -> None:
    assert v2(stage.browser(), client_id="web-app") == (302, WEB)


@proves("GET /v2/logout")
def test_item_11_d_without_anything_it_says_ok(stage: Stage) -> None:
    response = stage.http.get("/v2/logout")
    assert (response.status_code, response.text) == (200, "OK")


@proves("GET /v2/logout", "returnTo", "400")
def test_item_11_e_another_url_is_a_page_with_400(stage: Stage) -> None:
    assert is_error_page(stage.http.get("/v2/logout?client_id=web-app&returnTo=https://elsewhere.example/"))


@proves("GET /v2/logout", "SSO session")
def test_item_11_f_the_session_is_gone(stage: Stage) -> None:
    browser = logged_in(stage)
    v2(browser, client_id="web-app", returnTo=WEB)
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"


@proves("GET /oidc/logout", "id_token_hint", "post_logout_redirect_uri", "state")
def test_item_11_g_a_hint_skips_the_question(stage: Stage) -> None:
    browser, pkce = stage.browser(), Pkce()
    code = stage.code(pkce, browser=browser, **WEB_APP)
    hint = stage.redeem(code, pkce, client_secret=stage.secrets["web-app"], **WEB_APP).json()["id_token"]
    asked = {"post_logout_redirect_uri": WEB, "state": "s", "client_id": "web-app"}
    without = browser.get(stage.issuer + "oidc/logout", **asked)
    assert 'id="logout-yes"' in without.text
    away = browser.get(stage.issuer + "oidc/logout", id_token_hint=hint, **asked)
    assert (away.status_code, away.headers["location"]) == (302, WEB + "?state=s")
    assert re.fullmatch(r"[\w-]+", claims(hint)["sid"])


@proves("GET /v2/logout", "federated")
def test_federated_in_any_spelling_is_tolerated(stage: Stage) -> None:
    for spelling in ("federated", "federated=", "federated=1"):
        response = stage.http.get(f"/v2/logout?client_id=web-app&returnTo={WEB}&{spelling}")
        assert (response.status_code, response.headers["location"]) == (302, WEB)
