"""OpenID Connect Core 1.0: ID tokens, claims by scope, and what prompt, max_age and nonce ask for."""

import base64
import hashlib

import pytest

from tests.attacks.judge import ask, both_dialects, goes_on, logged_in, on_sqlite, refusal
from tests.proves import proves
from tests.stage import ALICE, BOB, CALLBACK, Pkce, Stage, answer, claims

pytestmark = [both_dialects, on_sqlite]

PROFILE = {
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
}
SCOPES = {
    "openid": {"sub"},
    "openid profile": {"sub"} | PROFILE,
    "openid email": {"sub", "email", "email_verified"},
    "openid phone": {"sub", "phone_number", "phone_number_verified"},
    "openid address": {"sub", "address"},
}
PROTOCOL = {"iss", "aud", "exp", "iat", "sid", "nonce", "at_hash", "auth_time", "sub"}


def test_the_id_token(stage: Stage) -> None:
    """§2, §3.1.3.6"""
    tokens = stage.tokens(scope="openid", nonce="n-1")
    said = claims(tokens["id_token"])
    expected = {"iss", "sub", "aud", "exp", "iat", "sid", "nonce"}
    assert set(said) == expected | ({"at_hash", "auth_time"} if stage.dialect == "rfc" else set())
    assert (said["iss"], said["aud"], said["nonce"]) == (stage.issuer, "native-app", "n-1")
    assert (said["iat"], said["exp"]) == (stage.clock.now, stage.clock.now + 36000)
    assert len(said["sub"]) <= 255
    assert said["sub"].isascii()
    if stage.dialect == "rfc":
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        assert said["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_without_openid_there_is_no_id_token(stage: Stage) -> None:
    """§3.1.2.1"""
    assert "id_token" not in stage.tokens(scope="read:notes")


def test_no_nonce_asked_no_nonce_said(stage: Stage) -> None:
    """§3.1.2.1, §2"""
    assert "nonce" not in claims(stage.tokens(nonce=None)["id_token"])


def test_claims_follow_scopes_in_id_token_and_userinfo(stage: Stage) -> None:
    """§5.3.2, §5.4"""
    browser = logged_in(stage)
    for scope, expected in SCOPES.items():
        tokens = stage.tokens(browser=browser, scope=scope, audience=None)
        userinfo = stage.userinfo(tokens["access_token"]).json()
        assert set(userinfo) == expected, scope
        assert set(claims(tokens["id_token"])) - PROTOCOL == expected - {"sub"}, scope
        assert userinfo["sub"] == claims(tokens["id_token"])["sub"]


def test_claims_have_their_types(stage: Stage) -> None:
    """§5.1, §5.1.1, §5.1.2"""
    tokens = stage.tokens(scope="openid profile email phone address", audience=None)
    said = stage.userinfo(tokens["access_token"]).json()
    assert said["email_verified"] is True
    assert said["phone_number_verified"] is True
    assert said["address"]["country"] == "United Kingdom"
    assert isinstance(said["updated_at"], str if stage.dialect == "auth0" else int)
    assert None not in said.values()
    assert "" not in said.values()


def test_userinfo_tells_the_present_state(stage: Stage) -> None:
    """§5.3"""
    token = stage.tokens(user=BOB)["access_token"]
    before = stage.userinfo(token).json()
    stage.change(
        "UPDATE users SET profile = :profile WHERE user_id = :of",
        profile='{"email": "new@example.com"}',
        of=before["sub"],
    )
    assert stage.userinfo(token).json()["email"] == "new@example.com"


def test_prompt_none_succeeds_silently_where_it_may(stage: Stage) -> None:
    """§3.1.2.1, §3.1.2.6"""
    stage.configure_client("native-app", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    browser = stage.browser()
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    pkce = Pkce()
    stage.code(pkce, browser=browser)
    silent = stage.authorize(browser, pkce, prompt="none")
    assert silent.headers["location"].startswith(CALLBACK + "?code=")
    assert stage.redeem(answer(silent)["code"], pkce).status_code == 200


def test_prompt_login_asks_again_and_renews_auth_time(stage: Stage) -> None:
    """§3.1.2.1"""
    browser = logged_in(stage)
    stage.clock.advance(100)
    pkce = Pkce()
    page = browser.follow(stage.authorize(browser, pkce, prompt="login"))
    assert "/u/login" in str(page.url)
    code = answer(browser.decide(browser.log_in(page)))["code"]
    assert claims(stage.redeem(code, pkce).json()["id_token"])["auth_time"] == stage.clock.now


@proves("GET /authorize", "prompt=consent")
def test_prompt_consent_asks_again(stage: Stage) -> None:
    """§3.1.2.1"""
    stage.configure_client("native-app", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    browser = stage.browser()
    stage.code(Pkce(), browser=browser)
    assert "code" in answer(stage.authorize(browser))
    assert "/u/consent" in stage.authorize(browser, prompt="consent").headers["location"]


@proves("GET /authorize", "max_age")
def test_max_age_asks_again_when_the_login_is_too_old(stage: Stage) -> None:
    """§3.1.2.1"""
    browser = logged_in(stage)
    stage.clock.advance(59)
    assert "/u/consent" in stage.authorize(browser, max_age="60").headers["location"]
    stage.clock.advance(2)
    assert "/u/login" in stage.authorize(browser, max_age="60").headers["location"]
    assert refusal(stage, stage.authorize(browser, max_age="60", prompt="none")) == "login_required"
    assert "/u/login" in stage.authorize(browser, max_age="0").headers["location"]
    assert "/u/consent" in stage.authorize(browser).headers["location"]


def test_auth_time_is_the_time_of_the_login(stage: Stage) -> None:
    """§2: required when max_age was asked for"""
    browser = logged_in(stage)
    then = stage.clock.now
    stage.clock.advance(1000)
    said = claims(stage.tokens(browser=browser, max_age="5000")["id_token"])
    assert (said["auth_time"], said["iat"]) == (then, then + 1000)
    unasked = claims(stage.tokens(browser=browser)["id_token"])
    assert ("auth_time" in unasked) == (stage.dialect == "rfc")


@proves("GET /authorize", "login_hint")
def test_login_hint_fills_the_form(stage: Stage) -> None:
    """§3.1.2.1"""
    browser = stage.browser()
    page = browser.follow(stage.authorize(browser, login_hint=BOB))
    assert f'value="{BOB}"' in page.text


@pytest.mark.parametrize(
    "extra", [{"display": "popup"}, {"ui_locales": "de fr"}, {"acr_values": "1 2"}, {"claims_locales": "de"}]
)
def test_hints_that_are_not_supported_are_ignored(stage: Stage, extra: dict[str, str]) -> None:
    """§3.1.2.1, §15.1"""
    assert goes_on(stage, ask(stage, **extra))


def test_sub_is_never_reassigned_and_differs_between_people(stage: Stage) -> None:
    """§2, §5.7"""
    subjects = [claims(stage.tokens(user=user)["id_token"])["sub"] for user in (ALICE, BOB, ALICE)]
    assert subjects[0] == subjects[2] != subjects[1]
