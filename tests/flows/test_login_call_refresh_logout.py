"""The story that everything else stands on: one person, one app, tokens, refresh, revocation."""

import pytest

from tests.stage import API, CALLBACK, Browser, Pkce, Stage, answer, claims

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])


def test_a_person_logs_in_and_the_app_gets_three_tokens(stage: Stage) -> None:
    browser, pkce = stage.browser(), Pkce()
    login = browser.follow(stage.authorize(browser, pkce))
    consent = browser.log_in(login)
    assert "read:notes" in consent.text
    assert "127.0.0.1:8400" in consent.text
    back = browser.decide(consent)
    assert back.headers["location"].startswith(CALLBACK + "?")
    said = answer(back)
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)

    response = stage.redeem(said["code"], pkce)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    tokens = response.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 86400)
    id_token, access_token = claims(tokens["id_token"]), claims(tokens["access_token"])
    assert id_token["aud"] == "native-app"
    assert id_token["nonce"] == "n-0S6_WzA2Mj"
    assert id_token["sub"] == access_token["sub"] == "auth0|65f0a11ce000000000000001"
    assert access_token["aud"] == [API, stage.issuer + "userinfo"]
    assert stage.userinfo(tokens["access_token"]).json()["email"] == "alice@example.com"


def test_refresh_rotates_and_a_spent_token_ends_the_family(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert stage.userinfo(second["access_token"]).status_code == 200

    assert stage.bad_grant(stage.refresh(first["refresh_token"]))

    assert stage.bad_grant(stage.refresh(second["refresh_token"]))
    for tokens in (first, second):
        assert stage.userinfo(tokens["access_token"]).status_code == 401
    assert "RefreshTokenReused" in stage.events()


def test_revocation_ends_the_family(stage: Stage) -> None:
    tokens = stage.tokens()
    revoked = stage.revoke(tokens["refresh_token"])
    assert (revoked.status_code, revoked.content) == (200, b"")
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
    assert stage.userinfo(tokens["access_token"]).status_code == 401


def test_a_restart_forgets_nothing(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.restart()
    first = stage.redeem(code, pkce).json()
    stage.restart()
    second = stage.refresh(first["refresh_token"]).json()
    stage.restart()
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    stage.restart()
    assert stage.bad_grant(stage.refresh(second["refresh_token"]))


def test_the_session_spares_the_password_but_not_the_consent(stage: Stage) -> None:
    browser = stage.browser()
    stage.tokens(browser=browser)
    page = browser.follow(stage.authorize(browser))
    assert "/u/consent" in str(page.url)


def test_a_person_denies(stage: Stage) -> None:
    browser = stage.browser()
    back = browser.decide(browser.log_in(stage.authorize(browser)), "deny")
    said = answer(back)
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "af0ifjsldkj", stage.issuer)
    assert "code" not in said


def test_two_tabs_at_once(stage: Stage) -> None:
    browser = stage.browser()
    one, two = Pkce(), Pkce()
    tab1 = browser.follow(stage.authorize(browser, one, state="tab1"))
    tab2 = browser.follow(stage.authorize(browser, two, state="tab2"))
    back2 = answer(browser.decide(browser.log_in(tab2)))
    back1 = answer(browser.decide(browser.log_in(tab1)))
    assert (back1["state"], back2["state"]) == ("tab1", "tab2")
    assert stage.redeem(back1["code"], one).status_code == stage.redeem(back2["code"], two).status_code == 200


def test_an_app_with_its_own_scheme(stage: Stage) -> None:
    pkce, uri = Pkce(), "com.example.notes://callback"
    browser = stage.browser()
    page = browser.log_in(stage.authorize(browser, pkce, redirect_uri=uri))
    assert "form-action 'self' com.example.notes:" in page.headers["content-security-policy"]
    back = browser.decide(page)
    assert back.headers["location"].startswith(uri + "?")
    assert stage.redeem(answer(back)["code"], pkce, redirect_uri=uri).status_code == 200


def test_a_wrong_password_is_told_on_the_same_page(stage: Stage) -> None:
    browser: Browser = stage.browser()
    form = browser.follow(stage.authorize(browser))
    again = browser.log_in(form, password="wrong")
    assert again.status_code == 400
    assert again.url == form.url
    assert 'id="error"' in again.text
    assert 'value="alice@example.com"' in again.text
    assert "/u/consent" in str(browser.log_in(again).url)
