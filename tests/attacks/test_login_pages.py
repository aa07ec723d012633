"""LO1-LO15: login and consent pages serve the person in front of them and nobody else."""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.attacks.judge import (
    ask,
    cookie,
    copy_cookies,
    interaction_of,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
    refusal,
    same_origin,
)
from tests.stage import ALICE, BOB, CALLBACK, MALLORY, PASSWORD, Browser, Pkce, Stage, Theatre, answer

pytestmark = on_sqlite

MARKUP = "<img src=x onerror=alert(1)>\"'{{7*7}}</title><script>alert(1)</script>"
CREDENTIALS = {"username": ALICE, "password": PASSWORD, "action": "default"}


def login_form(stage: Stage, browser: Browser, **changed: str | None) -> httpx2.Response:
    page = browser.follow(stage.authorize(browser, **changed))
    assert "/u/login" in str(page.url)
    return page


def pages(stage: Stage, browser: Browser) -> dict[str, httpx2.Response]:
    """Every kind of page."""
    login = login_form(stage, browser)
    wrong = browser.submit(login, username=ALICE, password="wrong", action="default")
    consent = browser.log_in(login)
    assert "/u/consent" in str(consent.url)
    lost = browser.get(f"{stage.issuer}u/login?state=unknown")
    error = stage.authorize(browser, client_id="nobody")
    foreign = stage.http.get(str(consent.url))
    return {"login": login, "wrong": wrong, "consent": consent, "lost": lost, "error": error, "foreign": foreign}


FOREIGN = (
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.test", "Sec-Fetch-Site": "same-origin"},
)


@pytest.mark.parametrize("path", ["u/login", "u/consent"])
def test_LO1_a_form_from_elsewhere_is_refused(stage: Stage, path: str) -> None:
    browser = stage.browser()
    page = login_form(stage, browser)
    if path == "u/consent":
        page = browser.log_in(page)
    data = {"state": interaction_of(page), **CREDENTIALS}
    for headers in (
        *FOREIGN,
        {**same_origin(stage), "Origin": stage.issuer},
        {**same_origin(stage), "Origin": "HTTP://EVIL"},
    ):
        with nothing_changes(stage):
            assert is_error_page(browser.http.post(f"{stage.issuer}{path}", data=data, headers=headers), 403), headers
    assert browser.http.post(f"{stage.issuer}{path}", data=data, headers=same_origin(stage)).status_code == 303


def test_LO1_nobody_is_logged_in_as_the_attacker(stage: Stage) -> None:
    """The attacker's form with the attacker's state and password, posted by the victim's browser."""
    attacker, victim = stage.browser(), stage.browser()
    data = {
        "state": interaction_of(login_form(stage, attacker)),
        "username": BOB,
        "password": PASSWORD,
        "action": "default",
    }
    login_form(stage, victim)
    cut = interaction_of(login_form(stage, attacker))[:-1]
    with nothing_changes(stage):
        for headers in ({}, same_origin(stage)):
            response = victim.http.post(stage.issuer + "u/login", data=data, headers=headers)
            assert is_error_page(response, 403)
            assert "set-cookie" not in response.headers
        for state in ("", "x" * 43, "\x00", cut):
            assert victim.http.post(stage.issuer + "u/login", data={**data, "state": state}).status_code in (400, 403)


def test_LO3_no_page_can_be_framed_or_run_scripts(stage: Stage) -> None:
    for name, page in pages(stage, stage.browser()).items():
        policy = {part.split()[0]: part.split()[1:] for part in page.headers["content-security-policy"].split(";")}
        assert page.headers["x-frame-options"] == "DENY", name
        assert policy["frame-ancestors"] == policy["default-src"] == policy["base-uri"] == ["'none'"], name
        assert policy["form-action"][0] == "'self'", name
        assert policy["style-src"] == ["'self'"], name
        assert "unsafe" not in page.headers["content-security-policy"], name
        assert page.headers["x-content-type-options"] == "nosniff", name
        assert page.headers["content-type"] == "text/html; charset=utf-8", name
        assert not re.search(r"<script|\son\w+=|javascript:|<style|\sstyle=", page.text), name


def test_LO3_the_policy_names_this_receiver_alone(stage: Stage) -> None:
    for uri, source in ((CALLBACK, "http://127.0.0.1:8400"), ("com.example.notes://callback", "com.example.notes:")):
        page = login_form(stage, stage.browser(), redirect_uri=uri)
        assert f"form-action 'self' {source}" in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].endswith(source)


def test_LO4_the_session_id_changes_at_every_login(stage: Stage) -> None:
    attacker = logged_in(stage)
    victim = stage.browser()
    copy_cookies(attacker, victim)  # planted, and known to the attacker
    planted = victim.http.cookies[cookie(victim, "session")]
    page = login_form(stage, victim, prompt="login")
    victim.submit(page, username=BOB, password=PASSWORD, action="default")
    assert victim.http.cookies[cookie(victim, "session")] != planted
    assert refusal(stage, stage.authorize(attacker, prompt="none")) == "login_required"
    assert len(stage.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL")) == 1


def test_LO4_an_invented_cookie_is_never_taken_as_a_session(stage: Stage) -> None:
    real = logged_in(stage)
    name, value = cookie(real, "session"), real.http.cookies[cookie(real, "session")]
    for invented in ("chosen-by-the-attacker", value[:-1], value + "x", value.swapcase(), "", "\xff"):
        browser = stage.browser()
        browser.http.headers["Cookie"] = f"{name}={invented}"
        assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    browser = stage.browser()
    browser.http.cookies.set(name, "chosen-by-the-attacker", domain="127.0.0.1")
    browser.log_in(stage.authorize(browser))
    assert "chosen-by-the-attacker" not in browser.http.cookies.values()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_LO5_cookies_are_out_of_reach_of_scripts_and_other_sites(
    raise_stage: Callable[..., Stage], theatre: Theatre, scheme: str
) -> None:
    stage = raise_stage(issuer=f"{scheme}://127.0.0.1:{theatre.port}/")
    headers = {"Host": f"127.0.0.1:{theatre.port}"}
    base = f"http://127.0.0.1:{theatre.port}/"  # TLS ends in front of us
    browser = stage.browser().http
    first = browser.get(base + "authorize", params=stage.parameters(), headers=headers)
    browser_cookie = first.headers["set-cookie"]
    held = {"Cookie": browser_cookie.partition(";")[0]}
    data = {"state": interaction_of(first), **CREDENTIALS}
    second = browser.post(base + "u/login", data=data, headers={**headers, **held, **same_origin(stage)})
    for line in (browser_cookie, second.headers["set-cookie"]):
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes, line
        assert not any(attribute.startswith("domain") for attribute in attributes), line
        assert ("secure" in attributes) == line.startswith("__Host-") == (scheme == "https"), line


def test_LO8_markup_is_text_everywhere(stage: Stage) -> None:
    stage.change("UPDATE clients SET name = :name", name=MARKUP)
    api = json.dumps({"scopes": {"read:notes": MARKUP, "write:notes": ""}, "allow_offline_access": True})
    stage.change("UPDATE resource_servers SET name = :name, settings = :settings", name=MARKUP, settings=api)
    profile = json.dumps({"email": MARKUP, "name": MARKUP})
    stage.change("UPDATE users SET profile = :profile", profile=profile)
    browser = stage.browser()
    login = login_form(stage, browser, login_hint=MARKUP, state=MARKUP, nonce=MARKUP)
    wrong = browser.submit(login, username=MARKUP, password=MARKUP, action="default")
    consent = browser.log_in(login)
    assert "/u/consent" in str(consent.url)
    asked = {"login_hint": MARKUP, "screen_hint": "signup", "prompt": "login"}
    signup = browser.follow(stage.authorize(browser, state=MARKUP, **asked))
    weak = browser.submit(signup, username=MARKUP, password=MARKUP, action="default")
    reset = browser.get(f"{stage.issuer}u/reset-password/request", state=interaction_of(signup))
    sent = browser.submit(reset, username="@" + MARKUP, action="default")
    errors = [stage.authorize(browser, client_id=MARKUP), stage.authorize(browser, redirect_uri=MARKUP)]
    errors += [browser.get(f"{stage.issuer}u/login", state=MARKUP, error=MARKUP, error_description=MARKUP)]
    shown = (login, wrong, signup, weak, reset, sent, consent)
    for page in (*shown, *errors):
        assert page.headers["content-type"].startswith("text/html")
        assert "<img src=x" not in page.text
        assert "<script" not in page.text
        assert "49" not in re.findall(r"<p[^>]*>([^<]*)", page.text)
        # Links lead to pages of ours with the state of this interaction, and nowhere else.
        assert not re.search(r'(?:href|src|action|formaction)="(?!/static/|/u/[a-z/-]+\?state=[\w-]{43}")', page.text)
    for page in shown:
        assert html.escape(MARKUP).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page.text
    for page in errors:
        assert "onerror" not in page.text
    # Back to the application the state goes percent-encoded, unchanged.
    back = browser.decide(consent)
    assert answer(back)["state"] == MARKUP
    assert "<" not in back.headers["location"]


def test_LO9_only_the_servers_own_record_says_where_to_go(stage: Stage) -> None:
    elsewhere = ("//evil.test", "/\\evil.test", "/%09/evil.test", "https://evil.test/", "javascript:alert(1)")
    for target in elsewhere:
        browser = stage.browser()
        extra = dict.fromkeys(("next", "return_to", "redirect", "continue", "url", "redirect_uri", "callback"), target)
        page = login_form(stage, browser)
        first = browser.http.post(
            str(page.url),
            params={**extra, "state": interaction_of(page)},
            data={"state": interaction_of(page), **CREDENTIALS, **extra},
            headers=same_origin(stage),
        )
        assert first.headers["location"] == f"{stage.issuer}authorize/resume?state={interaction_of(page)}"
        second = browser.http.get(first.headers["location"], params={**extra, "state": interaction_of(page)})
        assert second.headers["location"] == f"{stage.issuer}u/consent?state={interaction_of(page)}"
        third = browser.submit(browser.follow(second), action="default", **extra)
        assert answer(browser.follow(third))["code"]


def test_LO10_spellings_of_one_name_are_one_account(stage: Stage) -> None:
    same = (
        "ALICE@EXAMPLE.COM",
        "\uff41lice@example.com",  # full-width a
        "alice\u200b@example.com",  # zero width
        "\u202ealice@example.com",
        " alice@example.com ",
    )
    for name in same:
        browser = stage.browser()
        browser.submit(login_form(stage, browser), username=name, password=PASSWORD, action="default")
        assert len(stage.rows("SELECT 1 FROM login_sessions")) == 1, name
        assert stage.rows("SELECT user_id FROM login_sessions")[0]["user_id"].endswith("1"), name
        stage.change("DELETE FROM login_sessions")
    others = (
        "alice",
        "alice@example.com\x00",
        "alice@example.com'--",
        "alice@example",
        "alíce@example.com",
        "",
        "*",
        "%",
    )
    for name in others:
        browser = stage.browser()
        page = browser.submit(login_form(stage, browser), username=name, password=PASSWORD, action="default")
        assert is_error_page(page), name
    assert stage.rows("SELECT 1 FROM login_sessions") == []


def test_LO10_every_byte_of_a_password_counts(raise_stage: Callable[..., Stage], tmp_path: Path) -> None:
    long = "pass" * 50
    tenant = tmp_path / "tenant.yaml"
    demo = Path("authserver/tenant.yaml").read_text("utf-8")
    tenant.write_text(demo.replace("password: understudy", f"password: {long}", 1), "utf-8")
    stage = raise_stage(tenant=tenant, database_url=f"sqlite:///{tmp_path / 'own.db'}")
    browser = stage.browser()
    page = login_form(stage, browser)
    for wrong in (
        long[:72],
        long[:-1],
        long + "x",
        long[:-1] + "\x00",
        "",
        long[:72] + "\x00",
        long.upper(),
        "x" * 100_000,
    ):
        assert is_error_page(browser.submit(page, username=ALICE, password=wrong, action="default")), wrong[-3:]
    assert browser.submit(page, username=ALICE, password=long, action="default").status_code == 303


def test_LO6_unknown_user_and_wrong_password_look_alike(stage: Stage) -> None:
    browser = stage.browser()
    page = login_form(stage, browser)
    seen = set()
    for name in (ALICE, MALLORY, "nobody@example.com"):
        again = browser.submit(page, username=name, password="wrong", action="default")
        seen.add((again.status_code, again.text.replace(name, "NAME")))
    assert len(seen) == 1
    # Only who knows the password learns that the account is blocked.
    blocked = browser.log_in(page, MALLORY)
    assert refusal(stage, blocked) == "access_denied"
    assert stage.rows("SELECT 1 FROM login_sessions") == []


def test_LO11_credentials_in_the_url_count_for_nothing(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    browser = stage.browser()
    page = login_form(stage, browser)
    state = interaction_of(page)
    with nothing_changes(stage):
        shown = browser.get(stage.issuer + "u/login", state=state, username=ALICE, password="understudy-canary")
        assert "understudy-canary" not in shown.text
        posted = browser.http.post(
            stage.issuer + "u/login", params=CREDENTIALS, data={"state": state}, headers=same_origin(stage)
        )
        assert is_error_page(posted)
        for method in ("PUT", "DELETE", "PATCH", "HEAD"):
            assert browser.http.request(method, stage.issuer + "u/login", params=CREDENTIALS).status_code == 405
    assert "canary" not in "".join(capfd.readouterr())


def test_LO13_the_page_names_client_account_permissions_and_receiver(stage: Stage) -> None:
    browser = stage.browser()
    consent = browser.log_in(stage.authorize(browser, scope="openid offline_access read:notes delete:notes"))
    for said in (
        "Notes (native app)",
        ALICE,
        "Notes API",
        "read:notes",
        "delete:notes",
        "offline_access",
        "127.0.0.1:8400",
    ):
        assert html.escape(said) in consent.text, said
    assert "write:notes" not in consent.text
    assert "Only continue if you started this yourself" in consent.text


def test_LO15_a_cookie_alone_submits_nothing(stage: Stage) -> None:
    """Ports share cookies and are same-site: a page on another port of this host rides them, and is told apart."""
    browser = stage.browser()
    consent = browser.log_in(stage.authorize(browser))
    neighbour = {"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}
    data = {"state": interaction_of(consent), "action": "default"}
    with nothing_changes(stage):
        assert is_error_page(browser.http.post(stage.issuer + "u/consent", data=data, headers=neighbour), 403)
        # Without the state, which only the page knows, the cookies open nothing either.
        without = browser.http.post(stage.issuer + "u/consent", data={"action": "default"}, headers=same_origin(stage))
        assert is_error_page(without)


def test_LO15_two_issuers_on_one_host_have_different_cookies(
    raise_stage: Callable[..., Stage], theatre: Theatre
) -> None:
    names = set()
    for port in (1, 2):
        stage = raise_stage(issuer=f"http://127.0.0.1:{port}/")
        url = f"http://127.0.0.1:{theatre.port}/authorize"
        response = stage.http.get(url, params=stage.parameters(), headers={"Host": f"127.0.0.1:{port}"})
        names.add(response.headers["set-cookie"].partition("=")[0])
    assert len(names) == 2


def test_LO15_a_session_ends_when_idle_and_when_old(stage: Stage) -> None:
    idle, absolute = stage.settings.idle_session_lifetime, stage.settings.session_lifetime
    browser = logged_in(stage)
    stage.clock.advance(idle - 1)
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"
    browser.decide(browser.follow(stage.authorize(browser)))
    passed = idle - 1
    while passed + idle - 1 < absolute:  # kept alive, yet not for ever
        stage.clock.advance(idle - 1)
        passed += idle - 1
        browser.decide(browser.follow(stage.authorize(browser)))
    stage.clock.advance(absolute - passed - 1)
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"
    stage.clock.advance(1)
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    other = logged_in(stage)
    stage.clock.advance(idle)
    assert refusal(stage, stage.authorize(other, prompt="none")) == "login_required"


def test_LO15_a_code_needs_a_session_to_the_end(stage: Stage) -> None:
    browser = stage.browser()
    consent = browser.log_in(stage.authorize(browser, Pkce()))
    browser.submit(consent, action="default")
    stage.change("UPDATE login_sessions SET ended_at = 1")
    resumed = browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(consent)}")
    assert resumed.status_code == 403
    assert "code=" not in resumed.headers.get("location", "")
    assert is_error_page(ask(stage, client_id="nobody"))
