"""The API's documentation in a real browser: it logs in, sends requests, and asks nobody else for anything."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

import api
from tests.browser.visitor import PHONE, TIMEOUT, Look, Visitor
from tests.stage import ALICE, API, PASSWORD, Clock, Stage, Theatre

LAPTOP = Look(1280, "light")
both_looks = pytest.mark.parametrize("look", [PHONE, LAPTOP], ids=str)
on_a_laptop = pytest.mark.parametrize("look", [LAPTOP], ids=str)


@pytest.fixture
def dialect() -> str:
    """What a newcomer meets."""
    return "auth0"


class Docs:
    """An API on a port of its own, and the page that somebody has opened there."""

    def __init__(self, visitor: Visitor, theatre: Theatre) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.origin = f"http://127.0.0.1:{theatre.port}"
        self.origins: set[str] = set()
        self.asked: list[str] = []
        self.tokens_asked: list[str] = []
        self.violations: list[str] = []
        self.page.context.on("request", self._look)  # also of the windows that the page opens
        self.page.context.on("console", self._listen)

    def _look(self, request: Request) -> None:
        parts = urlsplit(request.url)
        self.asked.append(request.url)
        if parts.scheme != "data":
            self.origins.add(f"{parts.scheme}://{parts.netloc}")
        if parts.path == "/oauth/token" and request.method == "POST":
            self.tokens_asked.append(request.post_data or "")

    def _listen(self, message: ConsoleMessage) -> None:
        if "policy violated" in message.text:
            self.violations.append(message.text)

    def open(self) -> None:
        self.page.goto(f"{self.origin}/docs")
        expect(self.page.locator(".opblock").first).to_be_visible(timeout=TIMEOUT)

    def begin(self, *scopes: str) -> Page:
        """Press Authorize with these scopes ticked; the window in which the login goes on."""
        self.page.click(".btn.authorize")
        for scope in ("read:notes", "write:notes", "delete:notes"):
            box = self.page.locator(f"label[for^='{scope}-authorizationCode'] .item").first
            ticked = self.page.locator(f"input[id^='{scope}-authorizationCode']").first.is_checked()
            if ticked != (scope in scopes):
                box.click()
        return self.begin_again()

    def begin_again(self) -> Page:
        with self.page.context.expect_page() as opened:
            self.press_authorize()
        return opened.value

    def press_authorize(self) -> None:
        self.page.locator(".auth-container", has_text="authorizationCode").locator(".btn.authorize").click()

    def reads_in_dialog(self, text: str) -> None:
        expect(self.page.locator(".auth-container .errors", has_text=text).first).to_be_visible(timeout=TIMEOUT)

    def requests_to(self, address: str) -> list[dict[str, list[str]]]:
        asked = [url.partition("?") for url in self.asked]
        return [parse_qs(query, strict_parsing=True) for url, _, query in asked if url == address]

    def pass_login(self, popup: Page) -> None:
        popup.fill("#username", ALICE)
        popup.fill("#password", PASSWORD)
        popup.click("#login-submit")

    def log_in(self, *scopes: str) -> None:
        popup = self.begin(*scopes)
        self.pass_login(popup)
        with popup.expect_event("close"):
            popup.click("#consent-allow", no_wait_after=True)
        logout = self.page.locator(".auth-container", has_text="authorizationCode").get_by_text("Logout")
        expect(logout).to_be_visible(timeout=TIMEOUT)

    def close_dialog(self) -> None:
        self.page.locator(".btn-done").first.click()

    def send(self, operation: str, **fields: str) -> int:
        """Try an operation out; the status of the answer."""
        block = self.page.locator(f"#operations-{operation}")
        if not block.locator(".opblock-body").is_visible():
            block.locator(".opblock-summary-control").click()
            block.locator(".try-out__btn").click()
        for name, value in fields.items():
            block.locator(f"tr[data-param-name='{name}'] input").fill(value)
        with self.page.expect_response(f"{self.origin}/notes**") as sent:
            block.locator(".execute").click()
        shown = block.locator(".live-responses-table tbody .response-col_status").first
        expect(shown).to_have_text(re.compile(f"^{sent.value.status}"), timeout=TIMEOUT)
        return sent.value.status


@pytest.fixture
def docs(stage: Stage, visitor: Visitor, tmp_path: Path) -> Iterator[Docs]:
    with api_for(stage.issuer, stage.clock, tmp_path) as theatre:
        docs = Docs(visitor, theatre)
        callback = f"{docs.origin}/docs/oauth2-redirect"
        stage.configure_client("api-docs", callbacks=[callback], web_origins=[docs.origin])
        yield docs
        assert docs.violations == []
        assert docs.origins <= {docs.origin, stage.issuer.removesuffix("/")}


class api_for:  # noqa: N801 - a context manager, used like a function
    def __init__(self, issuer: str, clock: Callable[[], float], directory: Path, **settings: str) -> None:
        values = {"issuer": issuer, "database_url": f"sqlite:///{directory}/notes.db", **settings}
        self.app = api.create_app(api.Settings.model_validate(values), clock)

    def __enter__(self) -> Theatre:
        self.theatre = Theatre()
        self.theatre.app = self.app
        return self.theatre

    def __exit__(self, *_: object) -> None:
        self.theatre.close()
        self.app.state.service.store.close()


@pytest.mark.parametrize(("look", "dialect"), [(PHONE, "auth0"), (LAPTOP, "rfc")], ids=str)
def test_a_newcomer_logs_in_and_is_refused_what_was_not_asked_for(docs: Docs) -> None:
    docs.open()
    assert docs.send("notes-list_notes") == 401
    docs.log_in("read:notes", "write:notes")
    docs.close_dialog()
    assert docs.send("notes-list_notes") == 200
    assert docs.send("notes-add_note") == 201
    assert docs.send("notes-delete_note", note_id="0" * 32) == 403
    assert docs.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(docs.tokens_asked) == 1
    form = parse_qs(docs.tokens_asked[0], strict_parsing=True)
    assert form.keys() == {"grant_type", "code", "client_id", "redirect_uri", "code_verifier"}
    assert all(re.search(r"\b40[13]\b", each) for each in docs.visitor.complaints), docs.visitor.complaints


@on_a_laptop
def test_who_asks_for_every_scope_may_delete(docs: Docs) -> None:
    docs.open()
    docs.log_in("read:notes", "write:notes", "delete:notes")
    docs.close_dialog()
    assert docs.send("notes-delete_note", note_id="0" * 32) == 404


@on_a_laptop
def test_the_request_is_unguessable_and_says_nothing_twice(docs: Docs, stage: Stage) -> None:
    docs.open()
    first = docs.begin("read:notes")
    first.close()
    docs.begin_again()
    one, other = docs.requests_to(stage.issuer + "authorize")
    assert {len(value) for value in (*one.values(), *other.values())} == {1}
    assert one["state"] != other["state"]
    assert min(len(one["state"][0]), len(one["code_challenge"][0])) == 43
    assert one["code_challenge"] != other["code_challenge"]
    expected = {
        "code_challenge_method": ["S256"],
        "audience": [API],
        "scope": ["read:notes"],
        "response_type": ["code"],
    }
    assert one.items() >= expected.items()


@on_a_laptop
def test_a_person_says_no(docs: Docs) -> None:
    docs.open()
    popup = docs.begin("read:notes")
    docs.pass_login(popup)
    with popup.expect_event("close"):
        popup.click("#consent-deny", no_wait_after=True)
    docs.reads_in_dialog("access_denied")
    assert docs.tokens_asked == []


NOT_BELIEVED: list[tuple[dict[str, str | list[str] | None], str | None]] = [
    ({"state": "V2VkIE5vdiAyNQ=="}, None),
    ({"state": ""}, None),
    ({"iss": "https://evil.example/"}, "Another authorization server"),
    ({"iss": None}, "Another authorization server"),
    ({"code": None}, "neither a code nor an error"),
    ({"code": ["one", "two"]}, "something twice"),
    ({"error": "access_denied"}, "access_denied"),
    ({}, "invalid_grant"),  # believed, and refused by the authorization server
]


@on_a_laptop
def test_AZ27_answers_that_are_not_believed(docs: Docs, stage: Stage) -> None:
    docs.open()
    docs.begin("read:notes").close()
    for change, says in NOT_BELIEVED:
        assert docs.tokens_asked == []
        popup = docs.begin_again()
        asked = docs.requests_to(stage.issuer + "authorize")[-1]
        good = {"code": "a-code-of-somebody", "state": asked["state"][0], "iss": stage.issuer}
        sent = {name: value for name, value in {**good, **change}.items() if value is not None}
        popup.wait_for_selector("#username")
        back = f"{docs.origin}/docs/oauth2-redirect"
        go_back = f"location.href = {json.dumps(f'{back}?{urlencode(sent, doseq=True)}')}"
        if says is None:
            popup.evaluate(go_back)
            expect(popup.locator("#told")).to_contain_text("Nobody waits here for this answer", timeout=TIMEOUT)
            popup.wait_for_url(back)  # nothing of it stays in the history
        else:
            with popup.expect_event("close"):
                popup.evaluate(go_back)
            docs.reads_in_dialog(says)
    assert len(docs.tokens_asked) == 1


@on_a_laptop
def test_a_window_that_was_not_opened(docs: Docs) -> None:
    docs.open()
    docs.page.evaluate("window.open = () => null")
    docs.page.click(".btn.authorize")
    docs.press_authorize()
    docs.reads_in_dialog("Allow pop-ups")


@both_looks
def test_the_redirect_page_by_itself(docs: Docs) -> None:
    docs.page.goto(f"{docs.origin}/docs/oauth2-redirect?code=a&state=b")
    docs.visitor.sees("Back from the login")
    expect(docs.page.locator("#told")).to_contain_text("Nobody waits here", timeout=TIMEOUT)
    docs.visitor.finds_nothing_wrong()


@both_looks
def test_an_issuer_that_does_not_answer(visitor: Visitor, tmp_path: Path) -> None:
    with api_for("http://127.0.0.1:1/", Clock(), tmp_path) as theatre:
        docs = Docs(visitor, theatre)
        docs.open()
        expect(docs.page.locator("#notice")).to_contain_text(
            "http://127.0.0.1:1/, and it does not answer", timeout=TIMEOUT
        )
        docs.page.click(".btn.authorize")
        expect(docs.page.locator(".auth-container")).to_have_count(1)
        expect(docs.page.locator(".auth-container")).to_contain_text("access_token")
        assert docs.origins == {docs.origin}
        visitor.has_no_complaints()


@on_a_laptop
def test_these_tests_would_notice(docs: Docs) -> None:
    docs.open()
    for spoiling, directive in {
        "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))": "script-src",
        "document.body.append(Object.assign(document.createElement('style'), {textContent: 'a {}'}))": "style-src",
        "fetch('http://127.0.0.1:1/').catch(() => null)": "connect-src",
        "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:1/'}))": "img-src",
    }.items():
        with docs.page.expect_console_message(lambda message: "policy violated" in message.text):
            docs.page.evaluate(spoiling)
        assert directive in docs.violations.pop()
        docs.violations.clear()
    assert docs.origins - {docs.origin} == {"http://127.0.0.1:1"}  # attempted, and stopped by the policy
    docs.origins.clear()
