"""Single sign-on: how long a session lasts, what prompt, max_age and hints ask of it, and which consent is remembered."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from authserver.settings import DEMO_TENANT
from tests.attacks.judge import (
    WEB_APP,
    both_dialects,
    cookie,
    interaction_of,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
)
from tests.proves import proves
from tests.stage import ALICE, API, BOB, MALLORY, PASSWORD, Browser, Pkce, Stage, answer, claims

ALICES_ID, BOBS_ID = "auth0|65f0a11ce000000000000001", "auth0|65f0a11ce000000000000002"
HINT = {"scope": "openid", "audience": None}
"""For ID tokens: a request of as little as possible."""


def next_step(stage: Stage, response: httpx2.Response) -> str:
    """`login` or `consent` when the person has to do something; else `code` or the error that the application gets."""
    location = response.headers["location"]
    if location.startswith(stage.issuer + "u/"):
        return location.removeprefix(stage.issuer + "u/").partition("?")[0]
    said = answer(response)
    assert said["iss"] == stage.issuer
    return "code" if "code" in said else said["error"]


def ask(stage: Stage, browser: Browser, **changed: str | None) -> str:
    """The next step of the web app's request, whose consent can be remembered."""
    return next_step(stage, stage.authorize(browser, **{**WEB_APP, **changed}))


def web_tokens(stage: Stage, browser: Browser, code: str | None = None, **changed: Any) -> dict[str, Any]:
    """The web app's token response, with whatever login and consent it takes."""
    pkce = changed.pop("pkce", None) or Pkce()
    code = code or stage.code(pkce, browser=browser, **{**WEB_APP, **changed})
    response = stage.redeem(code, pkce, client_secret=stage.secrets["web-app"], **WEB_APP)
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def at_home(stage: Stage, user: str = ALICE) -> Browser:
    """A browser with a session, in which the web app has been approved."""
    browser = stage.browser()
    stage.code(Pkce(), browser=browser, user=user, **WEB_APP)
    assert ask(stage, browser, prompt="none") == "code"
    return browser


def test_LO15_a_session_ends_idle_and_ends_at_all(raise_stage: Callable[..., Stage]) -> None:
    stage = raise_stage(idle_session_lifetime=100, session_lifetime=250)
    browser = at_home(stage)
    stage.clock.advance(99)
    # An answer without a code does not keep it alive, nor does a page.
    assert ask(stage, browser, prompt="none", scope="openid delete:notes") == "consent_required"
    assert ask(stage, browser, prompt="consent") == "consent"
    stage.clock.advance(1)
    assert ask(stage, browser, prompt="none") == "login_required"
    assert ask(stage, browser) == "login"

    browser = at_home(stage)
    for passed in (99, 99, 51):
        stage.clock.advance(passed)
        assert ask(stage, browser, prompt="none") == "code"
    stage.clock.advance(1)  # second 250, of which it was used in second 249
    assert ask(stage, browser, prompt="none") == "login_required"
    # The cookie says the same to the browser.
    login = browser.follow(stage.authorize(browser))
    set_cookie = browser.submit(login, username=ALICE, password=PASSWORD).headers["set-cookie"]
    assert "max-age=250;" in set_cookie.lower()


@on_sqlite
def test_LO4_a_new_login_makes_the_old_cookie_worthless(stage: Stage) -> None:
    browser = at_home(stage)
    name = cookie(browser, "session")
    old = browser.http.cookies[name]
    first = web_tokens(stage, browser, **HINT)
    again = browser.log_in(stage.authorize(browser, prompt="login", **WEB_APP))
    assert browser.http.cookies[name] != old
    second = web_tokens(stage, browser, **HINT)
    assert claims(first["id_token"])["sid"] != claims(second["id_token"])["sid"]
    assert next_step(stage, again) == "code"

    thief = stage.browser()
    thief.http.cookies.set(name, old, domain="127.0.0.1")
    assert ask(stage, thief, prompt="none") == "login_required"
    assert ask(stage, thief) == "login"
    assert ask(stage, browser, prompt="none") == "code"


@both_dialects
@on_sqlite
def test_AZ30_a_silent_request_never_shows_a_page(stage: Stage) -> None:
    browser = stage.browser()
    assert ask(stage, browser, prompt="none") == "login_required"
    page = browser.log_in(stage.authorize(browser, **WEB_APP))
    assert ask(stage, browser, prompt="none") == "consent_required"
    browser.decide(page)
    back = stage.authorize(browser, prompt="none", **WEB_APP)
    assert back.status_code == 302
    assert answer(back)["state"] == "af0ifjsldkj"
    assert next_step(stage, back) == "code"
    assert ask(stage, browser, prompt="none", scope="openid delete:notes") == "consent_required"
    assert ask(stage, browser, prompt="none", max_age="0") == "login_required"
    assert stage.events().count("AuthorizationDenied") == 4


@both_dialects
@on_sqlite
def test_AZ32_the_application_can_demand_a_login(stage: Stage) -> None:
    browser = at_home(stage)
    began = stage.clock()
    silent = claims(web_tokens(stage, browser)["id_token"])
    assert silent.get("auth_time") == (began if stage.dialect == "rfc" else None)
    stage.clock.advance(30)
    assert ask(stage, browser, prompt="login") == ask(stage, browser, prompt="login consent") == "login"
    both = browser.log_in(stage.authorize(browser, prompt="consent login", **WEB_APP))
    assert "/u/consent" in str(both.url)  # each of the two is honoured

    pkce = Pkce()
    code = stage.code(pkce, browser=browser, prompt="login", **WEB_APP)
    fresh = claims(web_tokens(stage, browser, code, pkce=pkce)["id_token"])
    assert fresh["auth_time"] == began + 30 == fresh["iat"]
    assert fresh["sid"] != silent["sid"]


@both_dialects
@on_sqlite
def test_AZ31_max_age_counts_from_the_login(stage: Stage) -> None:
    browser = at_home(stage)
    began = stage.clock()
    stage.clock.advance(59)
    assert claims(web_tokens(stage, browser, max_age="60")["id_token"])["auth_time"] == began
    assert ask(stage, browser, max_age="60", prompt="none") == "code"
    stage.clock.advance(1)
    assert ask(stage, browser, max_age="60") == "login"
    assert ask(stage, browser, max_age="60", prompt="none") == "login_required"
    assert ask(stage, browser, max_age="61") == "code"
    assert ask(stage, browser) == "code"

    # max_age=0 asks each time, also in the very second of a login, but only once within one request.
    assert ask(stage, browser, max_age="0") == "login"
    again = claims(web_tokens(stage, browser, max_age="0")["id_token"])
    assert again["auth_time"] == stage.clock() == began + 60
    assert ask(stage, browser, max_age="0") == "login"
    # A person who takes long at the consent page has logged in all the same.
    stage.clock.advance(10)
    page = browser.log_in(stage.authorize(browser, max_age="10", prompt="consent", **WEB_APP))
    stage.clock.advance(60)
    assert next_step(stage, browser.decide(page)) == "code"


@on_sqlite
def test_select_account_lets_somebody_else_in(stage: Stage) -> None:
    browser = at_home(stage)
    assert ask(stage, browser, prompt="select_account") == "login"
    pkce = Pkce()
    page = browser.log_in(stage.authorize(browser, pkce, prompt="select_account", **WEB_APP), BOB)
    code = answer(browser.decide(page))["code"]
    assert claims(web_tokens(stage, browser, code, pkce=pkce)["id_token"])["sub"] == BOBS_ID
    live = stage.rows("SELECT user_id FROM login_sessions WHERE ended_at IS NULL")
    assert [row["user_id"] for row in live] == [BOBS_ID]


@on_sqlite
def test_a_login_hint_fills_the_form_and_decides_nothing(stage: Stage) -> None:
    browser = stage.browser()
    form = browser.follow(stage.authorize(browser, login_hint=BOB))
    assert f'value="{BOB}"' in form.text
    assert "/u/consent" in str(browser.log_in(form, ALICE).url)
    pkce = Pkce()
    code = stage.code(pkce, browser=browser, login_hint=BOB)
    assert claims(stage.redeem(code, pkce).json()["id_token"])["sub"] == ALICES_ID


@both_dialects
@on_sqlite
def test_an_id_token_hint_never_silently_becomes_somebody_else(stage: Stage) -> None:
    alice, bob = at_home(stage), at_home(stage, BOB)
    hint = web_tokens(stage, alice, **HINT)["id_token"]
    foreign = web_tokens(stage, bob, **HINT)["id_token"]
    assert ask(stage, alice, id_token_hint=hint, prompt="none") == "code"
    assert ask(stage, alice, id_token_hint=foreign, prompt="none") == "login_required"
    assert ask(stage, stage.browser(), id_token_hint=hint, prompt="none") == "login_required"

    # Shown a page, a person may still be the wrong one; the application then hears that nobody agreed.
    wrong = alice.log_in(stage.authorize(alice, id_token_hint=foreign, **WEB_APP), ALICE)
    assert next_step(stage, wrong) == "access_denied"
    pkce = Pkce()
    right = alice.log_in(stage.authorize(alice, pkce, id_token_hint=foreign, **WEB_APP), BOB)
    tokens = web_tokens(stage, alice, answer(right)["code"], pkce=pkce)
    assert claims(tokens["id_token"])["sub"] == BOBS_ID

    # Expired is as good: it says who, not that they are there (OpenID Connect Core §3.1.2.2).
    stage.clock.advance(claims(foreign)["exp"] - stage.clock() + 1)
    assert ask(stage, bob, id_token_hint=foreign, prompt="none") == "code"
    assert ask(stage, bob, id_token_hint=hint, prompt="none") == "login_required"


@on_sqlite
@proves("GET /authorize", "id_token_hint")
def test_an_id_token_hint_must_be_an_id_token_of_ours_for_this_client(stage: Stage) -> None:
    browser = at_home(stage)
    mine = web_tokens(stage, browser, **HINT)
    head, body, signature = mine["id_token"].split(".")
    others = stage.tokens(browser=browser)
    bad = {
        "another client's": others["id_token"],
        "an access token": others["access_token"],
        "an opaque one": mine["access_token"],
        "another user's claims": f"{head}.{others['id_token'].split('.')[1]}.{signature}",
        "unsigned": f"eyJhbGciOiJub25lIn0.{body}.",
        "cut": mine["id_token"][:-1],
        "two parts": f"{head}.{body}",
        "garbage": "x",
        "dots": "....",
        "a header of wrong types": "eyJhbGciOiJSUzI1NiIsImNyaXQiOjV9" + f".{body}.{signature}",
        "not ASCII": "ä.ö.ü",
    }
    for name, hint in bad.items():
        for prompt in ({}, {"prompt": "none"}):
            with nothing_changes(stage):
                assert ask(stage, browser, id_token_hint=hint, **prompt) == "invalid_request", name
    assert ask(stage, browser, id_token_hint=mine["id_token"]) == "code"


@on_sqlite
def test_two_tabs_and_two_people(stage: Stage) -> None:
    browser = stage.browser()
    tabs = [browser.follow(stage.authorize(browser, state=f"tab{number}")) for number in range(3)]
    consent = browser.log_in(tabs[0])
    # The second tab needs no password any more.
    resumed = browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(tabs[1])}")
    assert next_step(stage, resumed) == "consent"
    # In the third tab somebody else logs in: what the first has on screen is not theirs to approve.
    others = browser.log_in(tabs[2], BOB)
    with nothing_changes(stage):
        assert is_error_page(browser.submit(consent, action="default"), 403)
        assert is_error_page(browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(consent)}"), 403)
    assert answer(browser.decide(others))["state"] == "tab2"
    assert {row["user_id"] for row in stage.rows("SELECT user_id FROM grants")} == {BOBS_ID}


@both_dialects
@on_sqlite
def test_a_blocked_person_is_told_to_the_application_alone(stage: Stage) -> None:
    browser = stage.browser()
    form = browser.follow(stage.authorize(browser))
    wrong = browser.submit(form, username=MALLORY, password="wrong")
    assert wrong.status_code == 400
    assert "blocked" not in wrong.text
    right = browser.submit(form, username=MALLORY, password=PASSWORD)
    assert "set-cookie" not in right.headers
    back = browser.follow(right)
    assert next_step(stage, back) == "access_denied"
    assert "blocked" in answer(back)["error_description"]
    assert answer(back)["state"] == "af0ifjsldkj"
    # The interaction is over, and a session never began.
    assert browser.get(str(form.url)).status_code == 400
    assert stage.rows("SELECT 1 FROM login_sessions") == stage.rows("SELECT 1 FROM grants") == []
    reasons = [row["reason"] for row in stage.rows("SELECT reason FROM events WHERE type = 'LoginFailed' ORDER BY id")]
    assert reasons == ["wrong password", "blocked"]


@both_dialects
@on_sqlite
def test_a_session_of_somebody_who_was_blocked_since_opens_nothing(stage: Stage) -> None:
    browser = at_home(stage)
    asked = browser.follow(stage.authorize(browser, prompt="consent", **WEB_APP))
    stage.change("UPDATE users SET blocked = TRUE WHERE user_id = :id", id=ALICES_ID)
    for prompt in ({}, {"prompt": "none"}, {"prompt": "consent"}):
        back = stage.authorize(browser, **WEB_APP, **prompt)
        assert next_step(stage, back) == "access_denied"
        assert "blocked" in answer(back)["error_description"]
    assert next_step(stage, browser.decide(asked)) == "access_denied"
    # Another person can log in where the application lets them choose.
    assert ask(stage, browser, prompt="login") == "login"
    stage.change("UPDATE users SET blocked = FALSE")
    assert ask(stage, browser, prompt="none") == "code"


@dataclass
class Kind:
    """A client, its callback, and what its first and its second request of the same lead to."""

    client_id: str
    callback: str
    public: bool = True
    first_party: bool = True
    skip: bool = False
    api: str = API
    steps: tuple[str, str] = ("consent", "consent")


LOOPBACK, SCHEME, HTTPS = "http://127.0.0.1:7000/cb", "com.example.kind://cb", "https://app.example.com/cb"
ASKED_ONCE, NEVER_ASKED = ("consent", "code"), ("code", "code")
CAREFUL = "https://careful.example/api"

KINDS = (
    Kind("public on loopback", LOOPBACK),
    Kind("public on localhost, by TLS", "https://localhost:7000/cb"),
    Kind("public on a scheme", SCHEME),
    Kind("third party on loopback", LOOPBACK, first_party=False),
    Kind("public on loopback, trusted", LOOPBACK, skip=True, steps=NEVER_ASKED),
    Kind("third party on loopback, trusted", LOOPBACK, first_party=False, skip=True, steps=ASKED_ONCE),
    Kind("public on https", HTTPS, steps=NEVER_ASKED),
    Kind("public on https, careful API", HTTPS, api=CAREFUL, steps=ASKED_ONCE),
    Kind("third party on https", HTTPS, first_party=False, steps=ASKED_ONCE),
    Kind("confidential on loopback", LOOPBACK, public=False, steps=ASKED_ONCE),
    Kind("confidential on https", HTTPS, public=False, steps=NEVER_ASKED),
    Kind("confidential third party", HTTPS, public=False, first_party=False, steps=ASKED_ONCE),
)


@pytest.fixture
def kinds(raise_stage: Callable[..., Stage], tmp_path: Path) -> Stage:
    """A stage on a tenant with one client of each kind."""
    demo = yaml.safe_load(DEMO_TENANT.read_text())
    demo["clients"] = [
        {
            "client_id": kind.client_id,
            "name": kind.client_id,
            "app_type": "native" if kind.public else "regular_web",
            "token_endpoint_auth_method": "none" if kind.public else "client_secret_post",
            "grant_types": ["authorization_code", "refresh_token"],
            "callbacks": [kind.callback],
            "is_first_party": kind.first_party,
            "skip_non_verifiable_callback_uri_confirmation_prompt": kind.skip,
        }
        for kind in KINDS
    ]
    careful = {"identifier": CAREFUL, "name": "Careful", "skip_consent_for_verifiable_first_party_clients": False}
    demo["resourceServers"].append({**demo["resourceServers"][0], **careful})
    demo["clientGrants"] = []
    tenant = tmp_path / "kinds.yaml"
    tenant.write_text(yaml.safe_dump(demo))
    return raise_stage(tenant=tenant, database_url=f"sqlite:///{tmp_path / 'kinds.db'}")


@both_dialects
@on_sqlite
def test_AZ37_who_is_asked_and_how_often(kinds: Stage) -> None:
    stage, browser = kinds, kinds.browser()
    first = {"client_id": KINDS[0].client_id, "redirect_uri": KINDS[0].callback}
    browser.log_in(stage.authorize(browser, **first))
    for kind in KINDS:
        asking = {"client_id": kind.client_id, "redirect_uri": kind.callback, "audience": kind.api}
        silent = stage.authorize(browser, prompt="none", **asking)
        assert next_step(stage, silent) == ("code" if kind.steps[0] == "code" else "consent_required"), kind
        if kind.steps[0] == "consent":
            page = browser.follow(stage.authorize(browser, **asking))
            assert next_step(stage, browser.decide(page, "deny")) == "access_denied", kind
            # A refusal is not remembered, and no approval either.
            page = browser.follow(stage.authorize(browser, **asking))
            assert "/u/consent" in str(page.url), kind
            assert next_step(stage, browser.decide(page)) == "code", kind
        assert next_step(stage, stage.authorize(browser, **asking)) == kind.steps[1], kind
        silent = stage.authorize(browser, prompt="none", **asking)
        assert next_step(stage, silent) == ("code" if kind.steps[1] == "code" else "consent_required"), kind
        assert next_step(stage, stage.authorize(browser, prompt="consent", **asking)) == "consent", kind
        wider = stage.authorize(browser, **{**asking, "scope": "openid delete:notes"})
        assert next_step(stage, wider) == ("code" if kind.steps == NEVER_ASKED else "consent"), kind


def test_a_revoked_grant_forgets_the_consent(stage: Stage) -> None:
    browser, secret = stage.browser(), stage.secrets["web-app"]
    for how in ("revoked by the application", "ended by a code that came twice"):
        pkce = Pkce()
        code = stage.code(pkce, browser=browser, **WEB_APP)
        tokens = web_tokens(stage, browser, code, pkce=pkce)
        if how.startswith("revoked"):
            assert stage.revoke(tokens["refresh_token"], "web-app", client_secret=secret).status_code == 200
        else:
            assert stage.bad_grant(stage.redeem(code, pkce, client_secret=secret, **WEB_APP))
        assert ask(stage, browser) == "consent", how
        assert ask(stage, browser, scope="openid", prompt="none") == "consent_required", how


def test_AZ26_a_constant_challenge_is_noticed(stage: Stage) -> None:
    browser, constant = at_home(stage), Pkce()
    for _ in range(2):
        assert next_step(stage, stage.authorize(browser, **WEB_APP)) == "code"
    stage.configure_client("web-app", allow_insecure_missing_pkce=True)
    for _ in range(2):
        without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
        assert ask(stage, browser, **without) == "code"
    assert next_step(stage, stage.authorize(browser, constant, **WEB_APP)) == "code"
    assert "ChallengeRepeated" not in stage.events()
    stage.restart()
    assert next_step(stage, stage.authorize(browser, constant, **WEB_APP)) == "code"
    noticed = stage.rows("SELECT client_id, user_id FROM events WHERE type = 'ChallengeRepeated'")
    assert noticed == [{"client_id": "web-app", "user_id": ALICES_ID}]


@on_sqlite
def test_AZ35_an_interaction_is_one_browsers_through_every_prompt(stage: Stage) -> None:
    """The long way: login demanded, then consent, while somebody with a session of their own holds the `state`."""
    victim, thief = at_home(stage), logged_in(stage)
    login = victim.follow(stage.authorize(victim, prompt="login consent", **WEB_APP))
    state = interaction_of(login)
    resume = f"{stage.issuer}authorize/resume?state={state}"

    def thief_is_refused() -> None:
        with nothing_changes(stage):
            for url in (resume, str(login.url), f"{stage.issuer}u/consent?state={state}"):
                assert is_error_page(thief.get(url), 403)

    thief_is_refused()
    consent = victim.log_in(login)
    thief_is_refused()
    victim.submit(consent, action="default")
    thief_is_refused()
    assert next_step(stage, victim.get(resume)) == "code"
    thief_is_refused()


@on_sqlite
@pytest.mark.parametrize(
    "header", [("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch")]
)
def test_AZ41_a_prefetch_gets_nothing_and_consumes_nothing(stage: Stage, header: tuple[str, str]) -> None:
    browser = at_home(stage)
    waiting = browser.follow(stage.authorize(browser, prompt="consent", **WEB_APP))
    browser.submit(waiting, action="default")
    state = interaction_of(waiting)
    urls = {
        "authorize": {**stage.parameters(), **WEB_APP},
        "authorize/resume": {"state": state},
        "u/login": {"state": state},
        "u/consent": {"state": state},
        "v2/logout": {},
        "oidc/logout": {},
    }
    with nothing_changes(stage):
        for path, params in urls.items():
            ahead = browser.http.get(stage.issuer + path, params=params, headers=dict([header]))
            assert is_error_page(ahead), path
            assert "set-cookie" not in ahead.headers
            head = browser.http.head(stage.issuer + path, params=params)
            assert (head.status_code, head.headers["allow"].split(", ")[0]) == (405, "GET"), path
    assert next_step(stage, browser.get(stage.issuer + "authorize/resume", state=state)) == "code"
    assert ask(stage, browser, prompt="none") == "code"
