"""AZ17-AZ41: what is wrong with an authorization request is told to the application, and never guessed around."""

import socket

import pytest

from tests.attacks.judge import (
    WEB_APP,
    ask,
    both_dialects,
    cookie,
    goes_on,
    interaction_of,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
    refusal,
    same_origin,
)
from tests.stage import API, BOB, CALLBACK, Browser, Pkce, Stage, answer, claims

pytestmark = on_sqlite

REPEATABLE = (
    "response_type",
    "response_mode",
    "scope",
    "audience",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "made_up",
)


def refused(stage: Stage, **changed: str | None) -> str:
    """The error that the application is told about the good request with these changes; nothing was written."""
    with nothing_changes(stage):
        return refusal(stage, ask(stage, **changed))


@both_dialects
def test_AZ17_a_repeated_parameter_counts_for_nothing(stage: Stage) -> None:
    good, before = stage.parameters(), stage.snapshot()
    for name in REPEATABLE:
        for second in (good.get(name, "x"), "other", ""):
            first = {name: good.get(name, "x")}
            twice = ask(stage, (name, second), **first)
            assert refusal(stage, twice) == "invalid_request", name
            # The same name in query and body: frameworks disagree which one wins, so neither does.
            mixed = stage.http.post("/authorize", params={name: second}, data={**good, **first})
            assert refusal(stage, mixed) == "invalid_request", name
            for response in (twice, mixed):
                assert answer(response).get("state") == (None if name == "state" else good["state"])
    assert stage.snapshot() == before
    assert goes_on(stage, stage.http.post("/authorize", params={"nonce": "n"}, data=stage.parameters(nonce=None)))


def test_AZ19_unknown_parameters_are_ignored(stage: Stage) -> None:
    unknown = {
        "auth0Client": "eyJ9",
        "ui_locales": "de",
        "utm_source": "<script>",
        "a[]": "1",
        "ext-x": "ä",
        "__proto__": "x",
    }
    assert goes_on(stage, ask(stage, *unknown.items()))


@both_dialects
def test_AZ20_only_response_type_code_exists(stage: Stage) -> None:
    assert refused(stage, response_type=None) == refused(stage, response_type="") == "invalid_request"
    for other in (
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "CODE",
        "Code",
        "none",
        "code code",
    ):
        assert refused(stage, response_type=other) == "unsupported_response_type", other
    for odd in ("code ", " code", "code\t", "code\x00", "code,token"):
        assert refused(stage, response_type=odd) in ("unsupported_response_type", "invalid_request"), odd


def test_AZ21_an_unknown_response_mode_is_refused(stage: Stage) -> None:
    for other in ("bogus", "QUERY", "query fragment", "query.jwt.jwt", "form_post;query", "javascript"):
        assert refused(stage, response_mode=other) == "invalid_request", other
    assert goes_on(stage, ask(stage, response_mode="query"))


@both_dialects
def test_AZ22_a_malformed_scope_is_never_granted(stage: Stage) -> None:
    quotes = (
        'openid "x"',
        "openid\\x",
        "openid\tprofile",
        "openid\nprofile",
        "openid\x00",
        "openid" + " " * 2 + "profile",
        " openid",
        "openid ",
    )
    others = ("öpenid", "openid\x7f", "openid\u00a0profile", "openid \u202e", "x" * 65000, "openid " * 9000)
    for scope in (*quotes, *others):
        with nothing_changes(stage):
            response = stage.http.post("/authorize", data=stage.parameters(scope=scope))
            assert refusal(stage, response) == "invalid_scope", scope[:20]
    for invalid in (b"openid \xff", b"openid \xed\xa0\x80", b"openid \xc0\xaf"):
        with nothing_changes(stage):
            assert refusal(stage, ask(stage, ("scope", invalid), scope=None)) == "invalid_scope"


@both_dialects
def test_AZ22_an_unknown_scope_is_refused_or_dropped_but_never_granted(stage: Stage) -> None:
    for unknown in ("admin", "read:notes2", "READ:notes", "read:*", "read:notes,write:notes", "role:admin", "OPENID"):
        if stage.dialect == "rfc":
            assert refused(stage, scope=f"openid {unknown}") == "invalid_scope", unknown
        else:
            assert goes_on(stage, ask(stage, scope=f"openid {unknown}")), unknown
    if stage.dialect == "auth0":
        tokens = stage.tokens(scope="openid admin read:notes read:*")
        assert set(tokens["scope"].split()) == set(claims(tokens["access_token"])["scope"].split())
        assert set(tokens["scope"].split()) == {"openid", "read:notes"}


@both_dialects
@pytest.mark.parametrize("client", [{}, WEB_APP], ids=["public", "confidential"])
def test_AZ24_nobody_gets_a_code_without_a_wellformed_challenge(stage: Stage, client: dict[str, str]) -> None:
    good = Pkce().challenge
    assert refused(stage, code_challenge=None, code_challenge_method=None, **client) == "invalid_request"
    assert refused(stage, code_challenge=None, **client) == "invalid_request"
    odd = (
        "",
        "x" * 42,
        "x" * 44,
        "x" * 129,
        good + "=",
        good[:-1] + "+",
        good[:-1] + "/",
        good[:-1] + "=",
        good[:-1] + "ä",
        good + "\n",
    )
    for challenge in odd:
        assert refused(stage, code_challenge=challenge, **client) == "invalid_request", challenge
    assert goes_on(stage, ask(stage, code_challenge=good, **client))


@both_dialects
def test_AZ25_no_method_but_S256(stage: Stage) -> None:
    for method in (None, "", "plain", "PLAIN", "s256", "S256 ", "S512", "none", "S256 plain"):
        assert refused(stage, code_challenge_method=method) == "invalid_request", method
    assert stage.http.get("/.well-known/openid-configuration").json()["code_challenge_methods_supported"] == ["S256"]


def test_AZ26_a_challenge_that_comes_again_is_put_on_record(stage: Stage) -> None:
    pkce = Pkce()
    stage.code(pkce)
    assert "ChallengeRepeated" not in stage.events()
    stage.code(pkce)
    assert "ChallengeRepeated" in stage.events()


@both_dialects
def test_AZ27_every_answer_names_the_issuer_of_the_metadata(stage: Stage) -> None:
    issuer = stage.http.get("/.well-known/openid-configuration").json()["issuer"]
    browser = stage.browser()
    denied = browser.decide(logged_in(stage, browser).follow(stage.authorize(browser)), "deny")
    allowed = browser.decide(browser.follow(stage.authorize(browser)))
    silent = stage.authorize(stage.browser(), prompt="none")
    wrong = stage.authorize(stage.browser(), response_type="token", iss="https://evil.test/")
    for response in (denied, allowed, silent, wrong):
        assert answer(response)["iss"] == issuer == stage.issuer
    assert "code" in answer(allowed)


def test_AZ29_nothing_leaks_to_third_parties_or_caches(stage: Stage) -> None:
    browser = stage.browser()
    redirect = stage.authorize(browser)
    login = browser.follow(redirect)
    consent = browser.log_in(login)
    back = browser.decide(consent)
    error = stage.authorize(browser, client_id="nobody")
    for response in (redirect, login, consent, back, error):
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["cache-control"] == "no-store"
    for page in (login, consent, error):
        assert "://" not in page.text.replace(CALLBACK, "").replace("http://127.0.0.1", "")
        assert "<script" not in page.text
    assert back.headers["location"].partition("#")[2] in ("", "_")


@both_dialects
def test_AZ30_prompt_none_shows_nothing_and_issues_nothing_unasked(stage: Stage) -> None:
    assert refusal(stage, ask(stage, prompt="none")) == "login_required"
    browser = logged_in(stage)
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"
    for combined in ("none login", "login none", "none consent", "none none login"):
        assert refused(stage, prompt=combined) == "invalid_request", combined
    for unknown in ("nothing", "NONE", "login,consent", "create me"):
        assert refused(stage, prompt=unknown) == "invalid_request", unknown


@both_dialects
def test_AZ31_max_age_is_a_plain_number_of_seconds(stage: Stage) -> None:
    for odd in (
        "-1",
        "1e99",
        "\uff11\uff12",
        "1_000",
        " 60 ",
        "+60",
        "60.0",
        "0x10",
        "NaN",
        "Infinity",
        "\u0666\u0660",
        "060",
        "9" * 5000,
        "\x00",
    ):
        assert refused(stage, max_age=odd) == "invalid_request", odd
    assert goes_on(stage, ask(stage, max_age="0"))
    assert goes_on(stage, ask(stage, max_age="3600"))


@pytest.mark.parametrize(
    "demand", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}], ids=["login", "max_age", "select"]
)
def test_AZ32_a_demanded_login_cannot_be_stripped_on_the_way(stage: Stage, demand: dict[str, str]) -> None:
    browser = logged_in(stage)
    page = browser.follow(stage.authorize(browser, **demand))
    assert "/u/login" in str(page.url)
    state = interaction_of(page)
    for stripped in ("", "&prompt=none", "&prompt=consent", "&max_age=100000", "&prompt=", "&skip=1"):
        again = browser.get(f"{stage.issuer}authorize/resume?state={state}{stripped}")
        assert "/u/login" in again.headers["location"], stripped
    # Nor can the person approve around the login page.
    browser.http.post(
        f"{stage.issuer}u/consent?state={state}", data={"state": state, "action": "default"}, headers=same_origin(stage)
    )
    assert "/u/login" in browser.get(f"{stage.issuer}authorize/resume?state={state}").headers["location"]
    assert "/u/consent" in str(browser.log_in(page).url)


@both_dialects
def test_AZ34_request_objects_are_refused_and_nothing_is_fetched(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        port = trap.getsockname()[1]
        for uri in (
            f"http://127.0.0.1:{port}/",
            f"http://localhost:{port}/r",
            "file:///etc/passwd",
            "http://169.254.169.254/",
            "urn:x",
        ):
            assert refused(stage, request_uri=uri) == "request_uri_not_supported", uri
        assert refused(stage, request="eyJhbGciOiJub25lIn0.e30.") == "request_not_supported"
        with pytest.raises(BlockingIOError):
            trap.accept()


def doors(stage: Stage, browser: Browser, state: str) -> list[int]:
    """What this browser gets at every address of an interaction; never a code."""
    data = {"state": state, "username": "alice@example.com", "password": "understudy", "action": "default"}
    responses = [
        browser.get(f"{stage.issuer}{path}?state={state}") for path in ("authorize/resume", "u/login", "u/consent")
    ]
    responses += [
        browser.http.post(f"{stage.issuer}{path}?state={state}", data=data, headers=same_origin(stage))
        for path in ("u/login", "u/consent")
    ]
    assert not any("code=" in response.headers.get("location", "") for response in responses)
    return [response.status_code for response in responses]


def test_AZ35_another_browser_gets_403_and_never_the_code(stage: Stage) -> None:
    pkce, victim, attacker = Pkce(), stage.browser(), stage.browser()
    page = victim.follow(stage.authorize(victim, pkce))
    state = interaction_of(page)
    somebody = logged_in(stage)
    stranger = stage.browser()
    for browser in (attacker, somebody, stranger):
        with nothing_changes(stage):
            assert doors(stage, browser, state) == [403] * 5
    consent = victim.log_in(page)
    with nothing_changes(stage):
        assert doors(stage, attacker, state) == doors(stage, somebody, state) == [403] * 5
    approved = victim.submit(consent, action="default")
    with nothing_changes(stage):
        assert doors(stage, attacker, state) == doors(stage, somebody, state) == [403] * 5
    assert stage.redeem(answer(victim.follow(approved))["code"], pkce).status_code == 200
    assert doors(stage, attacker, state) == [403] * 5


def test_AZ35_the_attackers_own_request_cannot_be_approved_by_a_victim(stage: Stage) -> None:
    attacker, victim = stage.browser(), logged_in(stage)
    state = interaction_of(attacker.follow(stage.authorize(attacker)))
    with nothing_changes(stage):
        assert doors(stage, victim, state) == [403] * 5
    assert "/u/login" in attacker.get(f"{stage.issuer}authorize/resume?state={state}").headers["location"]


def test_AZ35_a_planted_cookie_does_not_open_what_the_victim_approved(stage: Stage) -> None:
    pkce, attacker, victim = Pkce(), stage.browser(), stage.browser()
    page = attacker.follow(stage.authorize(attacker, pkce))
    state = interaction_of(page)
    for each in attacker.http.cookies.jar:
        victim.http.cookies.jar.set_cookie(each)
    consent = victim.log_in(victim.get(str(page.url)))
    resume = f"{stage.issuer}authorize/resume?state={state}"
    with nothing_changes(stage):
        assert attacker.get(resume).status_code == 403
        assert attacker.get(f"{stage.issuer}u/consent?state={state}").status_code == 403
    victim.submit(consent, action="default")
    with nothing_changes(stage):
        assert attacker.get(resume).status_code == 403
    # Nor with a session of the attacker's own.
    own = logged_in(stage)
    attacker.http.cookies.set(cookie(own, "session"), own.http.cookies[cookie(own, "session")], domain="127.0.0.1")
    with nothing_changes(stage):
        assert attacker.get(resume).status_code == 403
        url = f"{stage.issuer}u/consent?state={state}"
        assert attacker.get(url).status_code == 403
        denied = attacker.http.post(url, data={"state": state, "action": "deny"}, headers=same_origin(stage))
        assert denied.status_code == 403
    assert "code" in answer(victim.get(resume))


def test_AZ36_the_servers_copy_wins_over_hidden_fields(stage: Stage) -> None:
    pkce, browser = Pkce(), stage.browser()
    consent = browser.log_in(stage.authorize(browser, pkce, scope="openid read:notes"))
    changed = {
        "scope": "openid read:notes write:notes delete:notes offline_access",
        "client_id": "web-app",
        "redirect_uri": "http://evil.test/",
        "audience": "https://other.example/",
        "user_id": "auth0|65f0a11ce000000000000002",
        "code_challenge": Pkce("x" * 43).challenge,
        "nonce": "changed",
    }
    back = browser.follow(browser.submit(consent, action="default", **changed))
    assert back.headers["location"].startswith(CALLBACK + "?code=")
    tokens = stage.redeem(answer(back)["code"], pkce).json()
    token, id_token = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert (token["scope"], token["aud"][0], id_token["aud"]) == ("openid read:notes", API, "native-app")
    assert (id_token["nonce"], id_token["sub"]) == ("n-0S6_WzA2Mj", "auth0|65f0a11ce000000000000001")


@both_dialects
def test_AZ37_an_app_that_cannot_prove_itself_is_approved_each_time(stage: Stage) -> None:
    browser = stage.browser()
    stage.tokens(browser=browser)
    for uri in (CALLBACK, "http://127.0.0.1:8401/callback", "com.example.notes://callback"):
        page = browser.follow(stage.authorize(browser, redirect_uri=uri))
        assert "/u/consent" in str(page.url), uri
        assert refusal(stage, stage.authorize(browser, prompt="none", redirect_uri=uri)) == "consent_required"
    stage.configure_client("native-app", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    assert "code" in answer(stage.authorize(browser, prompt="none"))


def test_AZ37_remembered_consent_covers_one_person_one_client_and_no_wider_scope(stage: Stage) -> None:
    browser = stage.browser()
    stage.code(Pkce(), browser=browser, scope="openid read:notes", **WEB_APP)
    assert "code" in answer(stage.authorize(browser, scope="openid read:notes", **WEB_APP))
    assert "code" in answer(stage.authorize(browser, scope="openid", **WEB_APP))
    assert "/u/consent" in stage.authorize(browser, scope="openid write:notes", **WEB_APP).headers["location"]
    assert "/u/consent" in stage.authorize(browser, scope="openid", audience=None, **WEB_APP).headers["location"]
    asked = stage.authorize(browser, scope="openid", prompt="consent", **WEB_APP)
    assert "/u/consent" in asked.headers["location"]
    bob = stage.browser()
    assert "/u/consent" in str(bob.log_in(stage.authorize(bob, scope="openid", **WEB_APP), BOB).url)
    stage.change("UPDATE grants SET revoked_at = 1")
    assert "/u/consent" in stage.authorize(browser, scope="openid read:notes", **WEB_APP).headers["location"]


def test_AZ41_looking_ahead_consumes_nothing(stage: Stage) -> None:
    pkce, browser = Pkce(), stage.browser()
    login = browser.follow(stage.authorize(browser, pkce))
    with nothing_changes(stage):
        for _ in range(2):
            head = browser.http.head(stage.issuer + "authorize", params=stage.parameters())
            assert head.status_code == 405
            assert browser.http.head(str(login.url)).status_code == 405
            assert browser.get(str(login.url)).status_code == 200
    consent = browser.log_in(login)
    state = interaction_of(consent)
    with nothing_changes(stage):
        assert browser.get(str(consent.url)).status_code == 200
        assert browser.http.head(f"{stage.issuer}authorize/resume?state={state}").status_code == 405
        assert browser.get(f"{stage.issuer}u/consent?state={state}&action=default").status_code == 200
        assert "/u/consent" in browser.get(f"{stage.issuer}authorize/resume?state={state}").headers["location"]
    assert stage.redeem(answer(browser.decide(consent))["code"], pkce).status_code == 200


@pytest.mark.parametrize(
    "purpose", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}], ids=["new", "old"]
)
def test_AZ41_a_browser_that_looks_ahead_gets_no_code(stage: Stage, purpose: dict[str, str]) -> None:
    browser = stage.browser()
    stage.code(Pkce(), browser=browser, **WEB_APP)
    good = stage.parameters(**WEB_APP)
    with nothing_changes(stage, but=("interactions",)):
        ahead = browser.http.get(stage.issuer + "authorize", params=good, headers=purpose)
        assert "code=" not in ahead.headers.get("location", "")
    assert "code" in answer(browser.http.get(stage.issuer + "authorize", params=good))


def test_AZ41_an_answer_leaves_once(stage: Stage) -> None:
    """Back button, reload and a second submit end on a page."""
    browser = stage.browser()
    consent = browser.log_in(stage.authorize(browser))
    browser.decide(consent)
    resume = f"{stage.issuer}authorize/resume?state={interaction_of(consent)}"
    with nothing_changes(stage):
        assert is_error_page(browser.get(resume))
        assert is_error_page(browser.submit(consent, action="default"))
        assert is_error_page(browser.submit(consent, action="deny"))
        assert is_error_page(browser.get(str(consent.url)))


def test_AZ41_the_first_decision_stands(stage: Stage) -> None:
    browser = stage.browser()
    consent = browser.log_in(stage.authorize(browser))
    browser.submit(consent, action="deny")
    browser.submit(consent, action="default")
    back = browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(consent)}")
    assert refusal(stage, back) == "access_denied"


def test_AZ41_an_interaction_that_waited_too_long_is_over(stage: Stage) -> None:
    pkce, browser = Pkce(), stage.browser()
    login = browser.follow(stage.authorize(browser, pkce))
    stage.clock.advance(stage.settings.interaction_lifetime - 1)
    consent = browser.log_in(login)
    assert "/u/consent" in str(consent.url)
    stage.clock.advance(1)
    with nothing_changes(stage):
        assert is_error_page(browser.get(str(login.url)))
        assert is_error_page(browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(login)}"))
        assert is_error_page(browser.submit(consent, action="default"))
