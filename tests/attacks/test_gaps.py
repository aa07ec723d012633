"""What mutants showed that nobody asked yet: logout, comparisons in constant time, namespaces, listeners."""

import ast
import inspect
from collections.abc import Callable

import httpx2
import pytest
from pydantic import ValidationError

from authserver import client_auth
from authserver.rules import pkce
from authserver.settings import Settings
from authserver.tenant_file import TenantFile
from tests.attacks.judge import both_dialects, cookie, copy_cookies, is_error_page, json_error, logged_in, on_sqlite
from tests.stage import ALICE, API, BOB, Browser, Stage, claims

REGISTERED = "http://127.0.0.1:8400/"
"""The demo tenant's native app may be returned to here after a logout."""

NEVER_REGISTERED = (
    "https://evil.test/",
    "//evil.test/",
    "/",
    "javascript:alert(1)",
    "http://127.0.0.1:8400.evil.test/",
    "http://127.0.0.1:8400@evil.test/",
    "http://evil.test\\@127.0.0.1:8400/",
    "http://127.0.0.1:8400/../evil",
    "http://127.0.0.1:8400/x",
    "http://127.0.0.1:8401/",
    "http://localhost:8400/",
    "https://127.0.0.1:8400/",
    "http://127.0.0.1:8400/\r\nSet-Cookie: a=b",
    "com.example.notes://callback/x",
    "com.example.notes://callbackx",
)


def still_logged_in(stage: Stage, browser: Browser) -> bool:
    """Whether the session would spare the password."""
    return "/u/login" not in str(browser.follow(stage.authorize(browser)).url)


@on_sqlite
@pytest.mark.parametrize("client_id", ["native-app", None])
def test_LO9_v2_logout_leads_to_registered_urls_alone(stage: Stage, client_id: str | None) -> None:
    browser = logged_in(stage)
    asked = {"client_id": client_id} if client_id else {}
    for url in NEVER_REGISTERED:
        refused = browser.get(stage.issuer + "v2/logout", returnTo=url, **asked)
        assert is_error_page(refused), url
    assert is_error_page(browser.get(stage.issuer + "v2/logout", returnTo=REGISTERED, client_id="nobody"))
    assert is_error_page(browser.get(stage.issuer + "v2/logout", returnTo=REGISTERED, client_id="web-app"))
    assert still_logged_in(stage, browser), "a refused request ends nothing"


@on_sqlite
def test_LO9_oidc_logout_compares_every_character(stage: Stage) -> None:
    browser = logged_in(stage)
    id_token = stage.tokens(browser=browser)["id_token"]
    for url in (*NEVER_REGISTERED, REGISTERED + "?a=b", REGISTERED + "#a", REGISTERED[:-1], REGISTERED.upper()):
        for hint in ({"id_token_hint": id_token}, {"client_id": "native-app"}):
            refused = browser.get(stage.issuer + "oidc/logout", post_logout_redirect_uri=url, **hint)
            assert is_error_page(refused), url
    nobody = browser.get(stage.issuer + "oidc/logout", post_logout_redirect_uri=REGISTERED)
    assert is_error_page(nobody), "without a client no URL is registered"
    assert still_logged_in(stage, browser)

    done = browser.get(
        stage.issuer + "oidc/logout", post_logout_redirect_uri=REGISTERED, id_token_hint=id_token, state="a&b=c #+ä"
    )
    assert done.status_code == 302
    assert done.headers["location"] == REGISTERED + "?state=a%26b%3Dc%20%23%2B%C3%A4"
    assert not still_logged_in(stage, browser)


@on_sqlite
def test_LO1_nobody_is_logged_out_unasked(stage: Stage) -> None:
    """Without an ID token of this very session the person decides: a link or an image on any page must not."""
    browser, bob = logged_in(stage), stage.browser()
    bobs = stage.tokens(user=BOB, browser=bob)["id_token"]
    altered = bobs[:-10] + ("A" if bobs[-10] != "A" else "B") + bobs[-9:]
    for hint in ({}, {"client_id": "native-app"}, {"id_token_hint": bobs}, {"logout_hint": "guess"}):
        asked = browser.get(stage.issuer + "oidc/logout", **hint)
        assert (asked.status_code, 'id="logout-yes"' in asked.text) == (200, True), hint
    for bad in (altered, bobs.rpartition(".")[0] + ".", "x", "e30.e30.e30"):
        assert is_error_page(browser.get(stage.issuer + "oidc/logout", id_token_hint=bad))
    other = browser.get(stage.issuer + "oidc/logout", id_token_hint=bobs, client_id="spa")
    assert is_error_page(other), "the hint of one client, the name of another"
    assert still_logged_in(stage, browser)
    page = browser.get(stage.issuer + "oidc/logout", client_id="native-app", post_logout_redirect_uri=REGISTERED)
    yes = browser.http.post(stage.issuer + "oidc/logout", data=hidden_fields(page))
    assert (yes.status_code, yes.headers["location"]) == (303, REGISTERED)
    assert not still_logged_in(stage, browser)


def hidden_fields(page: httpx2.Response) -> dict[str, str]:
    """What the page's form would send along."""
    found = page.text.split('<input type="hidden" name="')[1:]
    return {each.split('"')[0]: each.split('value="')[1].split('"')[0] for each in found}


@on_sqlite
@pytest.mark.parametrize("way", ["v2/logout", "oidc/logout"])
def test_LO15_after_a_logout_the_cookie_is_worthless(stage: Stage, way: str) -> None:
    """Also to whoever copied it before."""
    browser, thief = logged_in(stage), stage.browser()
    copy_cookies(browser, thief)
    assert still_logged_in(stage, thief)
    hint = {"id_token_hint": stage.tokens(browser=browser)["id_token"]} if way == "oidc/logout" else {}
    assert browser.get(stage.issuer + way, **hint).status_code in (200, 302)
    assert not [each for each in browser.http.cookies.jar if each.name == cookie(thief, "session")]
    assert not still_logged_in(stage, thief)
    assert "LoggedOut" in stage.events()


@on_sqlite
@both_dialects
def test_TK20_a_clients_own_token_speaks_of_nobody(stage: Stage) -> None:
    asked = {"grant_type": "client_credentials", "audience": API}
    answered = stage.http.post("/oauth/token", data=asked, auth=stage.basic("backend"))
    assert answered.status_code == 200, answered.text
    assert {"refresh_token", "id_token"}.isdisjoint(answered.json())
    assert claims(answered.json()["access_token"])["sub"] == "backend@clients"
    assert stage.userinfo(answered.json()["access_token"]).status_code == 401
    status = 403 if stage.dialect == "auth0" else 400
    assert json_error(stage.token(**asked)) == (status, "unauthorized_client")
    user = {"user_id": "backend@clients", "email": ALICE, "password": "understudy"}
    with pytest.raises(ValidationError, match="must not end in @clients"):
        TenantFile.model_validate({"users": [user]})


@on_sqlite
@both_dialects
def test_TK20_a_public_client_never_speaks_for_itself(stage: Stage) -> None:
    """Not even when its registration says so: without a secret anybody could be it."""
    stage.configure_client("native-app", grant_types=["authorization_code", "client_credentials"])
    refused = stage.token(grant_type="client_credentials", audience=API)
    status = 403 if stage.dialect == "auth0" else 400
    assert json_error(refused) == (status, "unauthorized_client")


@pytest.mark.parametrize(
    "function",
    [client_auth.authenticate, pkce.check_verifier],
    ids=["secret", "verifier"],
)
def test_CA2_what_is_secret_is_compared_in_constant_time(function: Callable[..., object]) -> None:
    """No clock is steady enough to see this from outside, so the code is read."""
    tree = ast.parse(inspect.getsource(function))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "hmac.compare_digest" in called
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and _by_value(node)]
    assert not compared, [ast.unparse(node) for node in compared]


def _by_value(node: ast.Compare) -> bool:
    return any(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops)


@pytest.mark.parametrize(
    "unsafe",
    [
        {"issuer": "http://auth.example.com/"},
        {"issuer": "http://127.0.0.1.evil.test/"},
        {"issuer": "http://192.0.2.1/"},
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.0.2.1"},
    ],
    ids=str,
)
def test_DE7_beyond_loopback_only_with_an_explicit_word(unsafe: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="allow_insecure_"):
        Settings.model_validate(unsafe)
    word = "allow_insecure_http_issuer" if "issuer" in unsafe else "allow_insecure_listen"
    assert Settings.model_validate({**unsafe, word: True})
