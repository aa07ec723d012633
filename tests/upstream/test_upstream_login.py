"""People of another tenant log in here: the whole way, between two live servers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from tests.attacks.judge import both_dialects, nothing_changes, on_sqlite
from tests.proves import proves
from tests.stage import ALICE, BOB, CALLBACK, Pkce, Stage, claims, query_of
from tests.upstream.traveller import CONNECTION, Traveller, answer, connect, onward, start

Travel = Callable[..., Traveller]


def there(provider: Stage, user: str = ALICE) -> str:
    found: str = provider.rows("SELECT user_id FROM users WHERE username_key = :of", of=user)[0]["user_id"]
    return found


def log_in(
    stage: Stage, provider: Stage, traveller: Traveller, user: str = ALICE, **changed: str | None
) -> dict[str, str]:
    """By `connection`, to the answer that the application gets."""
    page = start(stage, traveller, **{"connection": CONNECTION, **changed})
    assert str(page.url).startswith(provider.issuer + "u/login"), page.text
    return answer(traveller.log_in(page, user))


@both_dialects
@pytest.mark.parametrize("is_browser", [True, False])
@proves("GET /login/callback", "strategy=oidc", "GET /authorize", "connection")
def test_a_person_of_another_tenant_logs_in(stage: Stage, provider: Stage, travel: Travel, is_browser: bool) -> None:
    pkce, traveller = Pkce(), travel(provider.issuer, is_browser=is_browser)
    page = start(stage, traveller, code_challenge=pkce.challenge)
    assert "Continue with Acme" in page.text
    page = traveller.follow(traveller.submit(page, form=1, connection=CONNECTION))
    assert str(page.url).startswith(provider.issuer + "u/login")
    said = answer(traveller.log_in(page))
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    tokens = stage.redeem(said["code"], pkce).json()
    whole = claims(tokens["id_token"])
    assert whole["sub"] == f"{CONNECTION}|{there(provider)}"
    assert (whole["email"], whole["given_name"]) == (ALICE, "Alice")
    user = stage.rows("SELECT * FROM users WHERE user_id = :of", of=whole["sub"])[0]
    assert (user["connection"], user["password_hash"]) == (CONNECTION, "!")
    assert [row["connection"] for row in stage.rows("SELECT connection FROM login_sessions")] == [CONNECTION]
    event = stage.rows("SELECT * FROM events WHERE type = 'LoginSucceeded'")[0]
    assert (event["connection"], event["user_id"], event["client_id"]) == (CONNECTION, whole["sub"], "native-app")
    assert stage.userinfo(tokens["access_token"]).json()["sub"] == whole["sub"]


def test_what_is_asked_there(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    start(stage, traveller, connection=CONNECTION, login_hint="alice@example.com")
    asked = next(r for r in traveller.trail if str(r.url).startswith(provider.issuer + "authorize?"))
    params = {name: values[0] for name, values in query_of(str(asked.url)).items()}
    assert params["redirect_uri"] == stage.issuer + "login/callback"
    assert (params["response_type"], params["client_id"]) == ("code", "web-app")
    assert (params["scope"], params["code_challenge_method"]) == ("openid profile email", "S256")
    assert len(params["code_challenge"]) == len(params["nonce"]) == 43
    assert params["login_hint"] == "alice@example.com"
    assert not {"prompt", "max_age"} & params.keys()
    stored = str(stage.rows("SELECT * FROM upstream_logins"))
    assert params["state"] not in stored
    assert params["nonce"] not in stored


def test_the_session_is_ours_and_silent_requests_look_at_nothing_else(
    stage: Stage, provider: Stage, travel: Travel
) -> None:
    traveller = travel(provider.issuer)
    assert answer(start(stage, traveller, connection=CONNECTION, prompt="none"))["error"] == "login_required"
    assert "code" in log_in(stage, provider, traveller)
    stage.configure_client("native-app", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    asked_there = len(traveller.trail)
    assert "code" in answer(start(stage, traveller, connection=CONNECTION, prompt="none"))
    assert "code" in answer(start(stage, traveller))
    assert all(str(r.url).startswith(stage.issuer) for r in traveller.trail[asked_there:])


def test_another_connections_session_is_not_enough(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    traveller.log_in(start(stage, traveller), BOB)
    assert answer(start(stage, traveller, connection=CONNECTION, prompt="none"))["error"] == "login_required"
    assert "code" in log_in(stage, provider, traveller)


@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_login_that_must_be_new_is_new_there_too(
    stage: Stage, provider: Stage, travel: Travel, changed: dict[str, str]
) -> None:
    traveller = travel(provider.issuer)
    assert "code" in log_in(stage, provider, traveller)
    stage.clock.advance(1000)
    # Without asking for it, the session there is enough.
    stage.change("UPDATE login_sessions SET ended_at = 1")
    assert "code" in answer(traveller.allow(start(stage, traveller, connection=CONNECTION)))
    stage.clock.advance(1000)
    # With it, the password is asked there again.
    assert "code" in log_in(stage, provider, traveller, **changed)


def test_who_is_another_persons_namesake_is_somebody_else(stage: Stage, provider: Stage, travel: Travel) -> None:
    """OpenID Connect Core §5.7: an email address is no identity."""
    log_in(stage, provider, travel(provider.issuer))
    same = stage.rows("SELECT user_id, connection FROM users WHERE user_id LIKE :of", of=f"%{there(provider)}")
    assert len(same) == 2
    assert len({row["connection"] for row in same}) == 2


def test_the_profile_is_what_was_said_last(stage: Stage, provider: Stage, travel: Travel) -> None:
    log_in(stage, provider, travel(provider.issuer))
    provider.change(
        "UPDATE users SET profile = :to WHERE user_id = :of",
        to='{"email": "new@example.com", "name": "New"}',
        of=there(provider),
    )
    stage.clock.advance(60)
    log_in(stage, provider, travel(provider.issuer))
    rows = stage.rows("SELECT profile, created_at, updated_at FROM users WHERE connection = :of", of=CONNECTION)
    assert len(rows) == 1
    assert "new@example.com" in str(rows[0]["profile"])
    assert "given_name" not in str(rows[0]["profile"])
    assert rows[0]["updated_at"] == rows[0]["created_at"] + 60


def test_who_is_blocked_here_stays_outside(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    log_in(stage, provider, traveller)
    stage.change("UPDATE users SET blocked = :yes WHERE connection = :of", yes=True, of=CONNECTION)
    stage.change("UPDATE login_sessions SET ended_at = 1")
    said = answer(traveller.allow(start(stage, traveller, connection=CONNECTION)))
    assert said["error"] == "access_denied"
    assert stage.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL") == []
    failed = stage.rows("SELECT connection, reason FROM events WHERE type = 'LoginFailed'")
    assert failed == [{"connection": CONNECTION, "reason": "blocked"}]


def test_who_declines_there_is_told_to_the_application(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    page = start(stage, traveller, connection=CONNECTION)
    page = traveller.follow(traveller.submit(page, username=ALICE, password="understudy", action="default"))
    said = answer(traveller.follow(traveller.submit(page, action="deny")))
    assert (said["error"], said["state"], said["iss"]) == ("access_denied", "af0ifjsldkj", stage.issuer)
    assert stage.rows("SELECT 1 FROM users WHERE connection = :of", of=CONNECTION) == []


@both_dialects
@pytest.mark.parametrize("name", ["nobody", "ACME", "acme ", "other-clients", "acme'--"])
def test_an_unknown_or_foreign_connection_is_refused(stage: Stage, provider: Stage, travel: Travel, name: str) -> None:
    connect(
        stage, "other-clients", enabled_clients=["spa"], options={"issuer": provider.issuer, "client_id": "web-app"}
    )
    with nothing_changes(stage):
        said = answer(start(stage, travel(), connection=name))
    assert said["error"] == "invalid_request"
    assert name not in said["error_description"]


def test_a_connection_that_serves_others_has_no_button_and_takes_no_form(
    stage: Stage, provider: Stage, travel: Travel
) -> None:
    connect(
        stage, "other-clients", enabled_clients=["spa"], options={"issuer": provider.issuer, "client_id": "web-app"}
    )
    traveller = travel(provider.issuer)
    page = start(stage, traveller)
    assert "other-clients" not in page.text
    for name in ("other-clients", "nobody", "Username-Password-Authentication", ""):
        refused = traveller.submit(page, form=1, connection=name)
        assert refused.status_code == 400, name
        assert 'id="error"' in refused.text
    assert stage.rows("SELECT 1 FROM upstream_logins") == []


@on_sqlite
def test_the_form_is_taken_from_our_page_alone(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    page = start(stage, traveller)
    state = query_of(str(page.url))["state"][0]
    for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        data = {"state": state, "connection": CONNECTION}
        refused = traveller.http.post(stage.issuer + "u/login/connection", data=data, headers=headers)
        assert refused.status_code == 403
    assert stage.rows("SELECT 1 FROM upstream_logins") == []


@proves("GET /v2/logout", "federated")
def test_federated_logout_ends_both_sessions(stage: Stage, provider: Stage, travel: Travel) -> None:
    stage.configure_client("native-app", allowed_logout_urls=[CALLBACK])
    for query in ("federated", "federated=", "federated=1"):
        traveller = travel(provider.issuer)
        log_in(stage, provider, traveller)
        logout = f"{stage.issuer}v2/logout?client_id=native-app&returnTo={CALLBACK}&{query}"
        page = traveller.get(logout)
        assert (onward(page) or "").startswith(provider.issuer + "oidc/logout?")
        assert CALLBACK not in (onward(page) or "")
        page = traveller.follow(page)
        assert "logout-yes" in page.text  # no ID token is kept for it, so the provider asks
        end = traveller.follow(traveller.submit(page, action="default"))
        assert onward(end) == CALLBACK
        for each in (stage, provider):
            assert each.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL") == []


def test_logout_without_the_word_leaves_the_other_session(stage: Stage, provider: Stage, travel: Travel) -> None:
    stage.configure_client("native-app", allowed_logout_urls=[CALLBACK])
    traveller = travel(provider.issuer)
    log_in(stage, provider, traveller)
    assert onward(traveller.get(f"{stage.issuer}v2/logout?client_id=native-app&returnTo={CALLBACK}")) == CALLBACK
    assert provider.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL") != []


def test_OU1_federated_logout_leads_nowhere_that_is_not_allowed(stage: Stage, provider: Stage, travel: Travel) -> None:
    stage.configure_client("native-app", allowed_logout_urls=[CALLBACK])
    traveller = travel(provider.issuer)
    log_in(stage, provider, traveller)
    page = traveller.get(f"{stage.issuer}v2/logout?federated&client_id=native-app&returnTo=https://evil.test/")
    assert page.status_code == 400
    for state in ("", "x", "https://evil.test/"):
        back = traveller.get(f"{stage.issuer}v2/logout/callback", state=state, returnTo="https://evil.test/")
        assert "location" not in back.headers
        assert "evil" not in back.text
    # Where it goes on to is used once.
    leaving = onward(traveller.get(f"{stage.issuer}v2/logout?federated&client_id=native-app&returnTo={CALLBACK}"))
    back_with = {"state": query_of(leaving or "")["state"][0]}
    assert onward(traveller.get(f"{stage.issuer}v2/logout/callback", **back_with)) == CALLBACK
    assert onward(traveller.get(f"{stage.issuer}v2/logout/callback", **back_with)) is None


def test_federated_logout_of_a_person_of_ours_is_a_plain_one(stage: Stage, provider: Stage, travel: Travel) -> None:
    stage.configure_client("native-app", allowed_logout_urls=[CALLBACK])
    traveller = travel(provider.issuer)
    traveller.log_in(start(stage, traveller))
    page = traveller.get(f"{stage.issuer}v2/logout?federated&client_id=native-app&returnTo={CALLBACK}")
    assert onward(page) == CALLBACK
    assert urlsplit(CALLBACK).netloc


def test_B6_of_many_that_bring_one_answer_one_logs_in(stage: Stage, provider: Stage, travel: Travel) -> None:
    traveller = travel(provider.issuer)
    page = start(stage, traveller, connection=CONNECTION)
    page = traveller.follow(traveller.submit(page, username=ALICE, password="understudy", action="default"))
    traveller.sites = (provider.issuer,)
    url = onward(traveller.follow(traveller.submit(page, action="default"))) or ""
    assert url.startswith(stage.issuer + "login/callback?code=")
    with ThreadPoolExecutor(8) as many:
        answered = [each.status_code for each in many.map(lambda _: traveller.http.get(url), range(8))]
    assert sorted(answered) == [302, *[400] * 7]
    assert stage.events().count("LoginSucceeded") == 1
    assert len(stage.rows("SELECT 1 FROM login_sessions")) == 1
