"""What the page shows and does once somebody is logged in, and what it says when something is away, refused or over.

Rooms: client/serve/notes.py, client/serve/session.py, client/serve/pages.py, client/serve/told.py
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from client.app import NativeApp
from client.serve.notes import duration
from client.settings import Settings
from tests.client.conftest import Clock
from tests.client.fake_server import Answer, FakeApi, FakeIssuer, Request
from tests.client.serving import Browser, Served, token_file, words

ALL = "openid profile email offline_access read:notes write:notes delete:notes"
TOO_SMALL = Answer(
    403,
    {"error": "insufficient_scope"},
    {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="delete:notes"'},
)


@pytest.fixture
def browser(served: Served) -> Browser:
    browser = served.browser()
    browser.log_in()
    return browser


def expire(served: Served) -> None:
    held = served.store.load()
    assert held
    served.store.save(replace(held, expires_at=0.0))


def refreshes(issuer: FakeIssuer) -> int:
    return [request.form["grant_type"] for request in issuer.asked("/oauth/token")].count("refresh_token")


def test_adding_a_note(browser: Browser, api: FakeApi) -> None:
    answer = browser.post("/notes", {"text": "Feed the cat\r\nand the ünïcorn 🦄"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (added,) = [request for request in api.requests if request.method == "POST"]
    assert json.loads(added.body) == {"text": "Feed the cat\nand the ünïcorn 🦄"}
    assert added.headers["authorization"] == "Bearer access-1"


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": " \r\n "}], ids=str)
def test_a_note_needs_some_text(browser: Browser, api: FakeApi, fields: dict[str, str]) -> None:
    assert browser.post("/notes", fields).status_code == 400
    assert not [request for request in api.requests if request.method == "POST"]


@pytest.mark.parametrize(
    "answer",
    [Answer(503, {}), Answer(422, {"error": "invalid", "error_description": "too long"}), Answer(body=b"<html>")],
)
def test_a_note_that_could_not_be_kept_is_not_lost(browser: Browser, api: FakeApi, answer: Answer) -> None:
    draft = "\n<b>Much</b> thought & time"
    token = browser.form_token()
    api.always("/notes", answer)
    page = browser.raw_post("/notes", {"form_token": token, "text": draft}, Origin=browser.origin)
    assert page.status_code in (400, 502, 503)
    assert "Your note was not saved" in words(page)
    kept = unescape(page.text.partition("required>")[2].partition("</textarea>")[0])
    assert kept == "\n" + draft, "browsers drop the first line feed of a textarea"
    assert "<b>" not in page.text


def test_deleting_needs_the_scope(browser: Browser, issuer: FakeIssuer, api: FakeApi) -> None:
    assert 'value="n1"' in browser.get().text, "one button tries it all the same"
    assert 'aria-label="Delete: Buy milk"' not in browser.get().text
    assert "It was not granted delete:notes" in words(browser.get())
    api.always("/notes/n1", TOO_SMALL)
    page = browser.post("/notes/delete", {"id": "n1"})
    assert page.status_code == 403
    assert "wants the scope delete:notes" in words(page)
    assert "RFC 6750" in words(page)

    issuer.answer = {"scope": ALL}
    browser.log_in(scope="delete:notes")
    assert 'aria-label="Delete: Buy milk"' in browser.get().text
    assert "may not do" not in words(browser.get())
    api.always("/notes/n1", Answer(204, b""))
    assert browser.post("/notes/delete", {"id": "n1"}).headers["location"] == "/"


def test_a_note_that_is_gone_already(browser: Browser, api: FakeApi) -> None:
    """Two tabs, one note."""
    api.always("/notes/n1", Answer(404, {"error": "not_found"}))
    assert browser.post("/notes/delete", {"id": "n1"}).headers["location"] == "/"


@pytest.mark.parametrize(
    "name", ["", "..", "../me", "n1/../../me", "n1?x=y", "n1%2f", "n1#", "é", "n 1", "n1\n", "x" * 65]
)
def test_names_of_notes_are_no_paths(browser: Browser, api: FakeApi, name: str) -> None:
    token, calls = browser.form_token(), len(api.requests)
    sent = {"form_token": token, "id": name}
    assert browser.raw_post("/notes/delete", sent, Origin=browser.origin).status_code == 400
    assert len(api.requests) == calls


def test_refresh_now(browser: Browser, issuer: FakeIssuer, served: Served) -> None:
    assert browser.post("/refresh").headers["location"] == "/"
    assert refreshes(issuer) == 1
    held = served.store.load()
    assert held
    assert held.access_token == "access-2"
    assert "grant_type=refresh_token" in words(browser.get())


def test_without_a_refresh_token_there_is_no_button(browser: Browser, issuer: FakeIssuer) -> None:
    issuer.answer = {"refresh_token": None}
    assert 'id="refresh"' in browser.get().text
    page = browser.log_in()
    assert 'id="refresh"' not in page.text
    assert "you will have to log in again" in words(page)


def test_CL10_twenty_tabs_and_an_expired_token(
    browser: Browser, served: Served, issuer: FakeIssuer, api: FakeApi
) -> None:
    expire(served)
    api.requests.clear()
    with ThreadPoolExecutor(20) as pool:
        pages = list(pool.map(browser.get, ["/"] * 20))
    assert [page.status_code for page in pages] == [200] * 20
    assert all("Buy milk" in words(page) for page in pages)
    assert refreshes(issuer) == 1
    assert {request.headers["authorization"] for request in api.requests} == {"Bearer access-2"}


def test_CL10_another_process_refreshes_at_the_same_time(
    browser: Browser, served: Served, app: NativeApp, issuer: FakeIssuer
) -> None:
    expire(served)
    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(app.call_api, "GET", "/notes") for _ in range(4)]
        pages = list(pool.map(browser.get, ["/"] * 4))
        assert [each.result() for each in work] == [[{"id": "n1", "text": "Buy milk", "created_at": 0}]] * 4
    assert all("Buy milk" in words(page) for page in pages)
    assert refreshes(issuer) == 1


def test_who_waits_holds_nobody_up(browser: Browser, served: Served, api: FakeApi) -> None:
    """The native app below waits for servers and locks: in threads, while the loop goes on."""
    reached, go_on = threading.Event(), threading.Event()

    def slow(_request: Request) -> Answer:
        reached.set()
        assert go_on.wait(30)
        return Answer(body=[])

    api.routes["/notes"] = slow
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(browser.get)
        try:
            assert reached.wait(30)
            assert served.browser().get("/healthz").status_code == 200
            assert "Somebody is logged in" in words(served.browser().get())
        finally:
            go_on.set()
        assert waiting.result().status_code == 200


def test_CL14_the_server_ends_the_login(browser: Browser, served: Served, issuer: FakeIssuer) -> None:
    expire(served)
    issuer.token_route = lambda _request: Answer(403, {"error": "invalid_grant"})
    page = browser.get()
    assert page.status_code == 200
    assert "The server has ended this login (invalid_grant)" in words(page)
    assert 'id="login"' in page.text
    assert served.store.load() is None


def test_CL14_the_server_is_away(browser: Browser, served: Served, issuer: FakeIssuer) -> None:
    expire(served)
    issuer.close()
    page = browser.get()
    assert page.status_code == 503
    for text in ("cannot be reached", "Try again", "Alice", "Log out"):
        assert text in words(page)
    assert served.store.load() is not None


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Answer(503, {}), 503, "busy or out of order"),
        (Answer(401, {"error": "invalid_token"}), 400, "refuses even a fresh token"),
        (
            Answer(403, {}, {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="read:notes"'}),
            403,
            "wants the scope",
        ),
        (Answer(302, {}, {"Location": "https://evil.example/"}), 502, "redirects"),
        (Answer(body={"notes": []}), 502, "no list of notes"),
        (Answer(body=["note"]), 502, "no list of notes"),
        (Answer(body=b"[", headers={"Content-Type": "application/json"}), 502, "not valid JSON"),
    ],
)
def test_what_the_api_may_answer_instead(
    browser: Browser, api: FakeApi, answer: Answer, status: int, says: str
) -> None:
    api.always("/notes", answer)
    page = browser.get()
    assert page.status_code == status
    assert says in words(page)
    assert "Log out" in words(page)


@pytest.mark.parametrize(
    "note",
    [
        {"id": '"><b>', "text": "<script>alert(1)</script>"},
        {"id": 7, "text": None},
        {},
        {"id": "n", "text": "\ud800 half a pair"},
        {"id": "n", "text": "{{ 7 * 7 }} \x00 \x1b[2J \u202e"},
        {"id": "n", "text": ["x"]},
    ],
    ids=str,
)
def test_LO8_notes_are_text(browser: Browser, api: FakeApi, note: dict[str, Any]) -> None:
    api.always("/notes", Answer(body=[note, {"id": "n2", "text": "the next"}]))
    page = browser.get()
    assert page.status_code == 200
    assert "the next" in words(page)
    assert "<script" not in page.text
    assert '"><b>' not in page.text
    assert "49" not in words(page).partition("This login")[0]


def test_LO8_names_are_text(browser: Browser, issuer: FakeIssuer) -> None:
    issuer.claims = {"name": "<b>Alice</b>", "email": ["a"]}
    page = browser.log_in()
    assert "<b>Alice</b>" in words(page)
    assert "<b>" not in page.text


def test_logout(browser: Browser, served: Served, issuer: FakeIssuer) -> None:
    issuer.metadata["end_session_endpoint"] = f"{issuer.origin}/oidc/logout"
    page = browser.follow(browser.post("/logout"))
    assert "revoked at the login server" in words(page)
    assert f'href="{issuer.origin}/oidc/logout?client_id=native-app"' in page.text
    assert "eyJ" not in page.text
    assert [request.form["token"] for request in issuer.asked("/oauth/revoke")] == ["refresh-1"]
    assert served.store.load() is None
    assert browser.cookie("session") is None
    after = browser.get()
    assert "Log in to see your notes" in words(after)
    assert "Buy milk" not in after.text
    assert "What just happened" not in after.text


def test_logout_twice(browser: Browser, issuer: FakeIssuer) -> None:
    """From the page that another tab still shows."""
    token = browser.form_token()
    for _ in range(2):
        answer = browser.raw_post("/logout", {"form_token": token}, Origin=browser.origin)
        assert answer.headers["location"] == "/logged-out"
    assert len(issuer.asked("/oauth/revoke")) == 1


def test_CL19_logout_while_the_server_is_away(browser: Browser, served: Served, issuer: FakeIssuer) -> None:
    issuer.close()
    page = browser.follow(browser.post("/logout"))
    assert "could not be told" in words(page)
    assert "Log out there" not in words(page)
    assert served.store.load() is None


def test_the_logged_out_page_is_for_those_who_are(browser: Browser, issuer: FakeIssuer) -> None:
    assert browser.get("/logged-out").headers["location"] == "/"
    browser.post("/logout")
    assert "Log out there" not in words(browser.get("/logged-out")), "this issuer offers none"
    issuer.close()
    assert browser.get("/logged-out").status_code == 200


def test_the_command_line_logs_out_while_the_page_is_open(browser: Browser, app: NativeApp, api: FakeApi) -> None:
    token, calls = browser.form_token(), len(api.requests)
    calls = len(api.requests)
    app.logout()
    page = browser.raw_post("/notes", {"form_token": token, "text": "My thought"}, Origin=browser.origin)
    assert page.status_code == 403
    assert "Please log in" in words(page)
    assert "My thought" in words(page)
    assert "Your login here has ended" in words(browser.get())
    assert len(api.requests) == calls


def test_what_is_stored_is_damaged(browser: Browser, settings: Settings) -> None:
    token_file(settings).write_text("{")
    assert "damaged" in words(browser.get())
    assert "Buy milk" in words(browser.log_in())


def test_what_is_stored_is_no_object(browser: Browser, settings: Settings) -> None:
    for content in ("[]", "null", '"browser"', "7", '{"browser": 7}'):
        token_file(settings).write_text(content)
        assert "damaged" in words(browser.get())


def test_the_access_token_runs_out(browser: Browser, clock: Clock, issuer: FakeIssuer) -> None:
    clock.time += 3599
    assert "valid for another 1 s" in words(browser.get())
    clock.time += 1
    assert "valid for another 1 h" in words(browser.get())
    assert refreshes(issuer) == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86399, "23 h 59 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations(seconds: int, said: str) -> None:
    assert duration(seconds) == said


def test_the_unexpected_is_a_page_and_a_word_in_the_log(
    browser: Browser, served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> float:
        raise RuntimeError("access-1")

    monkeypatch.setattr(served.site, "now", broken)
    page = browser.get()
    assert page.status_code == 500
    assert "the log calls it" in words(page)
    assert "RuntimeError at " in caplog.text
    assert "access-1" not in caplog.text
