"""RFC 6749, the OAuth 2.0 Authorization Framework: what the code and refresh token grants promise to a well-behaved client.

What must be refused stands in tests/attacks.
"""

import httpx2
import pytest

from tests.attacks.judge import WEB_APP, both_dialects, goes_on, json_error, logged_in, on_sqlite, refusal
from tests.stage import API, CALLBACK, Pkce, Stage, answer, claims

pytestmark = [both_dialects, on_sqlite]


def test_authorization_endpoint_supports_get_and_may_support_post(stage: Stage) -> None:
    """§3.1"""
    for response in (
        stage.http.get("/authorize", params=stage.parameters()),
        stage.http.post("/authorize", data=stage.parameters()),
    ):
        assert goes_on(stage, response)
    assert stage.http.get("/authorize", params=stage.parameters()).status_code == 302
    assert stage.http.post("/authorize", data=stage.parameters()).status_code == 303


def test_parameters_without_a_value_are_treated_as_omitted(stage: Stage) -> None:
    """§3.1, §3.2"""
    assert goes_on(stage, stage.http.get("/authorize", params=stage.parameters(max_age="", prompt="", login_hint="")))
    assert refusal(stage, stage.http.get("/authorize", params=stage.parameters(response_type=""))) == "invalid_request"
    pkce = Pkce()
    assert stage.redeem(stage.code(pkce), pkce, scope="", audience="", client_secret="").status_code == 200


def test_unrecognized_parameters_are_ignored(stage: Stage) -> None:
    """§3.1, §3.2"""
    pkce = Pkce()
    code = stage.code(pkce, colour="blue")
    assert stage.redeem(code, pkce, colour="blue").status_code == 200


@pytest.mark.parametrize(
    "state", ["abc", "a+b/c==", "%41 & = ?", "\u00e4\u4e2d\U0001f511", "a" * 4000, '{"x": [1]}', "a%2Bb"]
)
def test_state_comes_back_as_it_was_sent(stage: Stage, state: str) -> None:
    """§4.1.2, §4.1.2.1"""
    refused = stage.http.post("/authorize", data=stage.parameters(state=state, prompt="none"))
    assert answer(refused)["state"] == state
    assert "+" not in refused.headers["location"]  # §4.1.2 with RFC 3986: native SDKs do no form decoding
    assert "state" not in answer(stage.http.get("/authorize", params=stage.parameters(state=None, prompt="none")))


def test_a_code_is_answered_with_code_and_state_alone(stage: Stage) -> None:
    """§4.1.2, with iss of RFC 9207"""
    browser = stage.browser()
    back = browser.decide(browser.log_in(stage.authorize(browser)))
    assert set(answer(back)) == {"code", "state", "iss"}
    assert len(answer(back)["code"]) >= 43  # §10.10: 256 bits; 128 are demanded, 160 advised


def test_an_error_is_answered_with_error_description_and_state(stage: Stage) -> None:
    """§4.1.2.1"""
    response = stage.http.get("/authorize", params=stage.parameters(response_type="token"))
    assert set(answer(response)) == {"error", "error_description", "state", "iss"}
    browser = stage.browser()
    denied = browser.decide(browser.log_in(stage.authorize(browser)), "deny")
    assert refusal(stage, denied) == "access_denied"


def test_the_token_response_has_the_members_of_5_1(stage: Stage) -> None:
    """§4.1.4, §5.1"""
    response = stage.redeem(stage.code(pkce := Pkce()), pkce)
    assert response.headers["content-type"] == "application/json"
    tokens = response.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"}
    assert tokens["expires_in"] == 86400


def test_the_scope_of_the_answer_is_what_was_granted(stage: Stage) -> None:
    """§3.3, §5.1"""
    tokens = stage.tokens(scope="read:notes openid read:notes")
    assert tokens["scope"] == "read:notes openid"
    assert claims(tokens["access_token"])["scope"] == "read:notes openid"


def test_a_confidential_client_gets_tokens_by_its_secret(stage: Stage) -> None:
    """§2.3.1, §3.2.1"""
    pkce = Pkce()
    tokens = stage.redeem(stage.code(pkce, **WEB_APP), pkce, **WEB_APP, client_secret=stage.secrets["web-app"])
    assert tokens.status_code == 200
    assert API in claims(tokens.json()["access_token"])["aud"]


def test_a_refresh_token_renews_the_access_token(stage: Stage) -> None:
    """§6"""
    tokens = stage.tokens()
    stage.clock.advance(1000)
    renewed = stage.refresh(tokens["refresh_token"]).json()
    assert renewed["access_token"] != tokens["access_token"]
    assert renewed["scope"] == tokens["scope"]
    assert claims(renewed["access_token"])["exp"] == stage.clock.now + 86400
    assert stage.userinfo(renewed["access_token"]).status_code == 200
    assert stage.userinfo(tokens["access_token"]).status_code == 200  # the old one lives until its end


def test_errors_have_the_status_of_5_2_or_of_the_dialect(stage: Stage) -> None:
    """§5.2"""
    refused = 403 if stage.dialect == "auth0" else 400
    no_grant = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert json_error(stage.token(**no_grant)) == (refused, "invalid_grant")
    assert json_error(stage.token(grant_type="made_up")) == (400, "unsupported_grant_type")
    assert json_error(stage.token(refresh_token="x")) == (400, "invalid_request")
    assert json_error(stage.token(grant_type="refresh_token")) == (400, "invalid_request")
    assert json_error(stage.token(grant_type="authorization_code")) == (400, "invalid_request")
    assert json_error(stage.token(**no_grant, client_id="api-docs")) == (refused, "unauthorized_client")


def test_redirects_do_not_repeat_a_post(stage: Stage) -> None:
    """§1.7 with RFC 9110 §15.4.4: 303 after a POST, so that no browser posts a password to the application"""
    browser = stage.browser()
    login = browser.follow(stage.authorize(browser))
    posted = browser.submit(login, username="alice@example.com", password="understudy", action="default")
    assert posted.status_code == 303
    consent = browser.follow(posted)
    assert browser.submit(consent, action="default").status_code == 303


def test_two_grants_live_side_by_side(stage: Stage) -> None:
    """§1.4, §1.5"""
    first, second = stage.tokens(scope="openid offline_access"), stage.tokens(scope="openid offline_access read:notes")
    stage.revoke(first["refresh_token"])
    assert stage.refresh(second["refresh_token"]).status_code == 200


def test_every_code_and_token_is_new(stage: Stage) -> None:
    """§10.10"""
    browser = logged_in(stage)
    codes = {stage.code(Pkce(), browser=browser) for _ in range(3)}
    assert len(codes) == 3
    response: httpx2.Response = stage.redeem(codes.pop(), Pkce(), redirect_uri=CALLBACK)
    assert response.status_code in (400, 403)
