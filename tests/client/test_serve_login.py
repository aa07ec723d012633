"""Login at the page: whose login it is, which answer counts, and what is left in the address bar.

Rooms: client/serve/login.py, client/serve/logins.py, client/serve/browser.py
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import pytest

from client.app import NativeApp
from client.pkce import s256
from client.serve.logins import LIFETIME, MOST
from client.settings import Settings
from tests.client.conftest import Clock, log_in
from tests.client.fake_server import CLIENT_ID, Answer, FakeApi, FakeIssuer
from tests.client.serving import Browser, Served, token_file, words


@pytest.fixture
def browser(served: Served) -> Browser:
    return served.browser()


def test_a_login(served: Served, browser: Browser, issuer: FakeIssuer) -> None:
    assert "Log in to see your notes" in words(browser.get())
    page = browser.log_in()
    assert page.status_code == 200
    assert str(page.url) == served.origin + "/"
    for text in (
        "Buy milk",
        "Alice <alice@example.com>",
        "read:notes",
        "valid for another 1 h",
        "Refresh token stored",
    ):
        assert text in words(page)
    (form,) = [request.form for request in issuer.asked("/oauth/token")]
    (asked,) = [request.query for request in issuer.asked("/authorize")]
    assert asked["redirect_uri"] == form["redirect_uri"] == served.origin + "/callback"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert s256(form["code_verifier"]) == asked["code_challenge"]
    assert asked["client_id"] == CLIENT_ID
    assert served.store.load() is not None


def test_the_page_says_what_just_happened_and_no_secret(browser: Browser) -> None:
    page = browser.log_in()
    told = words(page).partition("What just happened")[2]
    steps = ("openid-configuration", "/authorize", "/callback", "authorization_code", "jwks.json", "GET /notes")
    assert [step for step in steps if step in told] == list(steps)
    assert sorted(map(told.index, steps)) == list(map(told.index, steps)), "in the order in which it happened"
    for secret in ("the-secret-code", "access-1", "refresh-1", "eyJ", browser.cookie("session")):
        assert secret
        assert secret not in page.text


@pytest.mark.parametrize("path", ["", "?state=", "?state=x&code=c", "?code=c", "?error=access_denied"])
def test_CL2_an_answer_that_nobody_asked_for(browser: Browser, issuer: FakeIssuer, path: str) -> None:
    """A hostile page can send anybody here; the login that is under way goes on."""
    there = browser.at_issuer(browser.start())
    answer = browser.get("/callback" + path)
    assert answer.status_code == 400
    assert "no login that this browser has under way" in words(answer)
    assert not issuer.asked("/oauth/token")
    assert "Your notes" in words(browser.follow(browser.get(there)))


@pytest.mark.parametrize(
    "twist", ["{0}&{1}", "{1}&{0}", "{0}&state=", "{0}%00", "{0}" + "&x=y" * 40, "{0}&x=" + "y" * 9000]
)
def test_CL2_state_is_one_and_ours(browser: Browser, issuer: FakeIssuer, twist: str) -> None:
    state = parse_qs(urlsplit(browser.start()).query)["state"][0]
    query = twist.format(f"state={state}", "state=another") + f"&code=c&iss={quote(issuer.issuer)}"
    assert browser.get("/callback?" + query).status_code == 400
    assert not issuer.asked("/oauth/token")


def test_CL2_only_get_brings_an_answer(browser: Browser, issuer: FakeIssuer) -> None:
    there = urlsplit(browser.at_issuer(browser.start()))
    target = f"{there.path}?{there.query}"
    assert browser.http.head(target).status_code == 400
    assert browser.http.post(target).status_code == 405
    assert not issuer.asked("/oauth/token")


def test_CL2_another_browser_cannot_finish_the_login(served: Served, browser: Browser, issuer: FakeIssuer) -> None:
    """Login CSRF, and a code that somebody saw: the state belongs to the browser that it was made for."""
    there = browser.at_issuer(browser.start())
    stranger = served.browser()
    stranger.get()
    for path in (there, there.replace("callback?", "callback?x=y&")):
        assert stranger.get(path).status_code == 400
    assert httpx2.get(there, trust_env=False).status_code == 400, "nor one without cookies"
    assert not issuer.asked("/oauth/token")
    assert stranger.cookie("session") is None
    assert "Your notes" in words(browser.follow(browser.get(there))), "and nothing was used up by the attempt"


@pytest.mark.parametrize(
    ("callback", "says"),
    [
        ({"iss": "https://evil.example/"}, "evil.example"),
        ({"iss": "(left out)"}, "nobody in particular"),
        ({"code": "(left out)"}, "not a single code"),
        ({"error": "server_error"}, "not a single code"),
        (
            {"code": "(left out)", "error": "access_denied", "error_description": "<b>no</b>"},
            "declined (access_denied: <b>no</b>)",
        ),
        ({"code": "(left out)", "error": "server_error"}, "The server ended the login"),
    ],
)
def test_CL5_a_failed_login_is_a_page_at_a_clean_address(
    served: Served, browser: Browser, issuer: FakeIssuer, callback: dict[str, str], says: str
) -> None:
    issuer.callback = callback
    page = browser.log_in()
    assert page.status_code == 400
    assert says in words(page)
    assert "<b>" not in page.text
    assert "Log in" in words(page)
    assert "terminal" not in words(page)
    assert not page.url.query
    assert "the-secret-code" not in str(page.url)
    assert page.text == browser.get(str(page.url)).text, "reloading shows the same"
    assert served.browser().get(str(page.url)).status_code == 303, "to this browser alone"
    assert not issuer.asked("/oauth/token")
    assert served.store.load() is None


@pytest.mark.parametrize(
    ("lie", "status"),
    [
        (lambda issuer: setattr(issuer, "claims", {"nonce": "another"}), 502),
        (lambda issuer: setattr(issuer, "claims", {"aud": "another"}), 502),
        (lambda issuer: setattr(issuer, "claims", {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), 502),
        (lambda issuer: setattr(issuer, "answer", {"token_type": "mac"}), 502),
        (lambda issuer: setattr(issuer, "answer", {"id_token": None}), 502),
        (lambda issuer: issuer.always("/oauth/token", Answer(403, {"error": "invalid_grant"})), 400),
        (lambda issuer: issuer.always("/oauth/token", Answer(503, {})), 503),
    ],
)
def test_CL8_CL9_CL23_lies_end_the_login_and_nothing_is_stored(
    served: Served, browser: Browser, issuer: FakeIssuer, lie: Callable[[FakeIssuer], None], status: int
) -> None:
    lie(issuer)
    page = browser.log_in()
    assert page.status_code == status
    assert not page.url.query
    assert browser.cookie("session") is None
    assert served.store.load() is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"issuer": "https://evil.example/"}, 502),
        ({"token_endpoint": "https://evil.example/token"}, 502),
        ({"code_challenge_methods_supported": []}, 502),
    ],
)
def test_CL7_metadata_that_lie_stop_the_login(
    browser: Browser, issuer: FakeIssuer, change: dict[str, Any], status: int
) -> None:
    issuer.metadata |= change
    assert browser.post("/login").status_code == status
    assert not issuer.asked("/authorize")


def test_the_issuer_is_away(browser: Browser, issuer: FakeIssuer) -> None:
    browser.get()
    issuer.close()
    answer = browser.post("/login")
    assert answer.status_code == 503
    assert "cannot be reached" in words(answer)
    assert "Is it running?" in words(answer)


def test_metadata_are_asked_for_anew(browser: Browser, issuer: FakeIssuer) -> None:
    """A service lives longer than what an issuer says about itself."""
    browser.start()
    issuer.metadata["authorization_endpoint"] = f"{issuer.origin}/elsewhere"
    assert urlsplit(browser.start()).path == "/elsewhere"


def test_a_callback_that_is_reloaded(browser: Browser, issuer: FakeIssuer) -> None:
    """The person was impatient: the code is redeemed once, and each answer lets the browser in."""
    there = browser.at_issuer(browser.start())
    assert [browser.get(there).headers["location"] for _ in range(3)] == ["/"] * 3
    assert len(issuer.asked("/oauth/token")) == 1
    assert "Your notes" in words(browser.get())


def test_callbacks_in_parallel_redeem_once(browser: Browser, issuer: FakeIssuer) -> None:
    there = browser.at_issuer(browser.start())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(browser.get, [there] * 8))
    assert {answer.headers["location"] for answer in answers} == {"/"}
    assert len(issuer.asked("/oauth/token")) == 1
    assert "Your notes" in words(browser.get())


def test_a_callback_from_before_a_logout_lets_nobody_in(browser: Browser) -> None:
    there = browser.at_issuer(browser.start())
    browser.get(there)
    browser.post("/logout")
    assert "has ended" in words(browser.follow(browser.get(there)))


def test_two_tabs_log_in_at_once(browser: Browser) -> None:
    one, other = browser.start(), browser.start()
    first, second = browser.at_issuer(one), browser.at_issuer(other)
    # The fake issuer keeps one nonce: that of the tab that came last.
    assert "Your notes" in words(browser.follow(browser.get(second)))
    assert browser.get(first).headers["location"].startswith("/login/")
    assert "Your notes" in words(browser.get()), "and the failure of one tab does not touch the other"


def test_LO4_the_session_is_new_with_each_login(served: Served, browser: Browser) -> None:
    """Whatever was planted before is worthless, and so is what was valid before."""
    planted = "x" * 43
    browser.http.cookies.set(f"understudy-notes-{served.port}-session", planted, domain="127.0.0.1", path="/")
    browser.log_in()
    first = browser.cookie("session")
    browser.log_in()
    second = browser.cookie("session")
    assert len({planted, first, second}) == 3
    for old in (planted, str(first)):
        stranger = served.browser()
        stranger.http.cookies.set(f"understudy-notes-{served.port}-session", old, domain="127.0.0.1", path="/")
        assert "Buy milk" not in words(stranger.get())


def test_LO5_cookies_are_out_of_reach(served: Served, browser: Browser) -> None:
    set_cookies = browser.get().headers.get_list("set-cookie")
    there = browser.at_issuer(browser.start())
    set_cookies += browser.get(there).headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in set_cookies] == [
        f"understudy-notes-{served.port}-browser",
        f"understudy-notes-{served.port}-session",
    ]
    for cookie in set_cookies:
        assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.lower().split("; ")[1:])
        assert "domain" not in cookie.lower()


def test_a_login_waits_ten_minutes(browser: Browser, issuer: FakeIssuer, clock: Clock) -> None:
    there = browser.at_issuer(browser.start())
    clock.time += LIFETIME
    assert browser.get(there).status_code == 400
    assert not issuer.asked("/oauth/token")
    assert LIFETIME == 600


def test_B25_logins_under_way_are_bounded(served: Served, browser: Browser) -> None:
    token, urls = browser.form_token(), []
    for _ in range(MOST + 1):
        answer = browser.raw_post("/login", {"form_token": token}, Origin=served.origin)
        urls.append(answer.headers["location"])
    assert browser.get(browser.at_issuer(urls[0])).status_code == 400, "the oldest has gone"
    assert browser.get(browser.at_issuer(urls[1])).status_code == 303


def test_CL12_an_unsafe_store_is_noticed_before_the_browser_leaves(
    served: Served, browser: Browser, settings: Settings
) -> None:
    token = browser.form_token()
    with served.store.lock():
        Path(settings.token_dir).chmod(0o755)
    answer = browser.raw_post("/login", {"form_token": token}, Origin=served.origin)
    assert answer.status_code == 500
    assert "chmod 700" in words(answer)


def test_a_login_may_ask_for_one_scope_more(browser: Browser, issuer: FakeIssuer, settings: Settings) -> None:
    browser.log_in(scope="delete:notes")
    assert issuer.asked("/authorize")[-1].query["scope"] == settings.scope + " delete:notes"
    assert browser.post("/login", {"scope": "admin"}).status_code == 400


def test_what_was_granted_is_asked_for_again(browser: Browser, issuer: FakeIssuer, settings: Settings) -> None:
    issuer.answer = {"scope": "openid delete:notes everything"}
    browser.log_in()
    browser.start(scope="read:notes")
    browser.at_issuer(browser.start(scope="read:notes"))
    assert issuer.asked("/authorize")[-1].query["scope"] == settings.scope + " delete:notes"


@pytest.mark.parametrize("session", [None, "x" * 43], ids=["no session", "a made-up session"])
def test_another_browser_sees_no_notes_and_may_not_act(
    served: Served, browser: Browser, issuer: FakeIssuer, api: FakeApi, session: str | None
) -> None:
    browser.log_in()
    before, calls = served.store.load(), len(api.requests)
    stranger = served.browser()
    if session:
        stranger.http.cookies.set(f"understudy-notes-{served.port}-session", session, domain="127.0.0.1", path="/")
    page = stranger.get()
    assert page.status_code == 200
    assert "Somebody is logged in already" in words(page)
    for secret in ("Buy milk", "Alice", "alice@example.com", "What just happened"):
        assert secret not in words(page)
    assert stranger.post("/notes", {"text": "mine"}).status_code == 403
    assert stranger.post("/notes/delete", {"id": "n1"}).status_code == 403
    assert stranger.post("/refresh").status_code == 403
    assert stranger.post("/logout").headers["location"] == "/logged-out"
    assert served.store.load() == before
    assert len(api.requests) == calls
    assert not issuer.asked("/oauth/revoke")
    assert "Buy milk" in words(browser.get())


def test_another_browser_may_take_over_by_a_login_of_its_own(served: Served, browser: Browser) -> None:
    browser.log_in()
    assert "Buy milk" in words(served.browser().log_in())
    assert "Somebody is logged in already" in words(browser.get())


def test_a_login_at_the_terminal_is_not_for_browsers(browser: Browser, app: NativeApp, api: FakeApi) -> None:
    """Also not for the browser that was logged in before it, although that had a good cookie."""
    browser.log_in()
    calls = len(api.requests)
    log_in(app)
    page = browser.get()
    assert "Somebody is logged in already" in words(page)
    assert "Buy milk" not in words(page)
    assert len(api.requests) == calls


def test_a_browser_without_a_session_is_not_a_terminal(served: Served, app: NativeApp, api: FakeApi) -> None:
    """Neither of the two has a digest; that makes them no equals."""
    log_in(app)
    browser = served.browser()
    assert "Somebody is logged in already" in words(browser.get())
    assert browser.post("/notes", {"text": "mine"}).status_code == 403
    assert browser.post("/logout").status_code == 303
    assert app.store.load() is not None
    assert not api.requests


def test_a_restart_logs_nobody_out(served: Served, browser: Browser, settings: Settings, clock: Clock) -> None:
    """Only digests are stored, and they are with the tokens."""
    browser.log_in()
    again = Served(settings, clock)
    try:
        name = f"understudy-notes-{again.port}-session"
        later = again.browser()
        later.http.cookies.set(name, str(browser.cookie("session")), domain="127.0.0.1", path="/")
        assert "Buy milk" in words(later.get())
    finally:
        again.close()
    held = served.store.load()
    assert held
    assert browser.cookie("session") not in (held.browser, None)
    assert str(browser.cookie("session")) not in token_file(settings).read_text()


def test_tokens_of_before_this_page_existed(served: Served, app: NativeApp, settings: Settings) -> None:
    """A file without the member is a login at a terminal."""
    log_in(app)
    path = token_file(settings)
    path.write_text(path.read_text().replace(', "browser": null', ""))
    assert "browser" not in path.read_text()
    assert app.tokens().browser is None
    assert "Somebody is logged in already" in words(served.browser().get())


def test_a_refresh_keeps_the_browser(served: Served, browser: Browser, app: NativeApp) -> None:
    """Whoever refreshes, here or at the terminal."""
    browser.log_in()
    held = served.store.load()
    app.refresh()
    fresh = served.store.load()
    assert held
    assert fresh
    assert fresh.access_token != held.access_token
    assert replace(fresh, browser=held.browser) == fresh
    assert "Buy milk" in words(browser.get())
