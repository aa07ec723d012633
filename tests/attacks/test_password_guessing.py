"""LO6, LO14: guessing a password is slow work, from one place or from many, and never locks the owner out."""

import ssl
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import httpx2
import pytest

from authserver.attempts import PER_NAME, PER_SOURCE, WINDOW
from tests.attacks.judge import cookie, copy_cookies, logged_in, on_sqlite
from tests.stage import ALICE, BOB, PASSWORD, Browser, Stage, http_client

WRONG = "not her password"
NOBODY = "nobody@example.com"
AT_ONCE = 50


def login_form(stage: Stage, browser: Browser) -> httpx2.Response:
    page = browser.follow(stage.authorize(browser, prompt="login"))
    assert "/u/login" in str(page.url)
    return page


def guess(browser: Browser, form: httpx2.Response, username: str = ALICE, password: str = WRONG) -> int:
    """The status: 400 for a wrong password, 303 for the right one, 429 for too many."""
    return browser.submit(form, username=username, password=password).status_code


def reasons(stage: Stage) -> Counter[str]:
    """Why logins failed, as the operator sees it."""
    return Counter(row["reason"] for row in stage.rows("SELECT reason FROM events WHERE type = 'LoginFailed'"))


@pytest.fixture
def from_elsewhere(stage: Stage, missing: Callable[[str], NoReturn]) -> Callable[..., Browser]:
    """A browser on another address of this machine."""

    def make(number: int = 2, like: Browser | None = None) -> Browser:
        browser = stage.browser()
        browser.http.close()
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        browser.http = http_client(transport=httpx2.HTTPTransport(local_address=f"127.0.0.{number}", verify=plain))
        if like is not None:
            copy_cookies(like, browser)
        try:
            browser.get(stage.issuer + "healthz")
        except httpx2.ConnectError:
            missing("a second loopback address: 127.0.0.2")
        return browser

    return make


@on_sqlite
def test_LO6_the_limit_holds_for_one_name_from_one_source(stage: Stage, from_elsewhere: Callable[..., Browser]) -> None:
    browser, neighbour = stage.browser(), stage.browser()
    form, theirs = login_form(stage, browser), login_form(stage, neighbour)
    assert [guess(browser, form) for _ in range(PER_SOURCE)] == [400] * PER_SOURCE
    # A new browser, another spelling or the right password change nothing: nobody looks at it any more.
    assert guess(browser, form) == guess(neighbour, theirs) == guess(neighbour, theirs, "ALICE@example.com ") == 429
    assert guess(browser, form, password=PASSWORD) == guess(neighbour, theirs, password=PASSWORD) == 429
    assert stage.rows("SELECT 1 FROM login_sessions") == []
    assert reasons(stage) == {"wrong password": PER_SOURCE, "too many attempts": 5}
    assert (PER_SOURCE, WINDOW) == (10, 900)

    # Other names from here, and this name from elsewhere, are not concerned.
    assert guess(neighbour, theirs, BOB, PASSWORD) == 303
    far = from_elsewhere()
    assert guess(far, login_form(stage, far), password=PASSWORD) == 303

    # It lets go by itself, WINDOW seconds after the first attempt, however often one knocks meanwhile.
    stage.clock.advance(WINDOW - 1)
    form = login_form(stage, browser)
    assert guess(browser, form, password=PASSWORD) == 429
    stage.clock.advance(1)
    assert guess(browser, form, password=PASSWORD) == 303


@on_sqlite
def test_LO6_a_locked_name_an_unknown_name_and_a_wrong_password_look_alike(stage: Stage) -> None:
    browser = stage.browser()
    form = login_form(stage, browser)
    seen: dict[str, list[tuple[int, str]]] = {}
    for name in (ALICE, NOBODY):
        pages = [browser.submit(form, username=name, password="wrong") for _ in range(PER_SOURCE + 1)]
        seen[name] = [(page.status_code, page.text.replace(name, "NAME")) for page in pages]
    assert seen[ALICE] == seen[NOBODY]
    statuses = [status for status, _ in seen[ALICE]]
    assert statuses == [400] * PER_SOURCE + [429]
    assert len({text for _, text in seen[ALICE]}) == 1
    assert "Wrong email or password." in seen[ALICE][-1][1]
    assert reasons(stage)["unknown user"] == reasons(stage)["wrong password"] == PER_SOURCE


def test_LO6_parallel_guesses_cannot_outrun_the_count(stage: Stage) -> None:
    browser = stage.browser()
    form = login_form(stage, browser)

    def one(number: int) -> int:
        return guess(browser, form, ALICE, f"guess {number}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(one, range(AT_ONCE)))
    assert statuses == {400: PER_SOURCE, 429: AT_ONCE - PER_SOURCE}
    assert reasons(stage) == {"wrong password": PER_SOURCE, "too many attempts": AT_ONCE - PER_SOURCE}
    counts = [row["attempts"] for row in stage.rows("SELECT attempts FROM login_attempts")]
    assert counts == [AT_ONCE, AT_ONCE]  # from here, and from anywhere: no increment was lost


@on_sqlite
def test_LO6_success_clears_the_count_of_this_source_alone(stage: Stage) -> None:
    browser = stage.browser()
    for _ in range(2):
        form = login_form(stage, browser)
        assert [guess(browser, form) for _ in range(PER_SOURCE - 1)] == [400] * (PER_SOURCE - 1)
        assert guess(browser, form, password=PASSWORD) == 303
    # The count from anywhere goes on, so that a guesser's own account or luck hides nothing.
    assert [row["attempts"] for row in stage.rows("SELECT attempts FROM login_attempts")] == [2 * PER_SOURCE]
    assert guess(browser, login_form(stage, browser), BOB, PASSWORD) == 303
    assert [row["attempts"] for row in stage.rows("SELECT attempts FROM login_attempts ORDER BY 1")] == [1, 20]


@on_sqlite
def test_LO14_strangers_lock_strangers_out_and_never_a_known_device(
    stage: Stage, from_elsewhere: Callable[..., Browser]
) -> None:
    alices, bobs = logged_in(stage), stage.browser()
    bobs.log_in(stage.authorize(bobs), BOB)
    stage.change("DELETE FROM login_attempts")
    assert [guess(far, login_form(stage, far)) for far in (from_elsewhere(3), from_elsewhere(4))] == [400, 400]
    # Strangers from many more addresses: the count from anywhere is the one that stands at two.
    stage.change("UPDATE login_attempts SET attempts = :all - 1 WHERE attempts = 2", all=PER_NAME)
    last = from_elsewhere(5)
    form = login_form(stage, last)
    assert [guess(last, form), guess(last, form), guess(last, form, password=PASSWORD)] == [400, 429, 429]

    # A browser that alice never used is a stranger, wherever it is, and so is one that only bob used.
    for stranger in (from_elsewhere(6), from_elsewhere(7, like=bobs), bobs):
        assert guess(stranger, login_form(stage, stranger), password=PASSWORD) == 429
    # Nor do names that nobody has behave otherwise.
    assert guess(last, form, NOBODY) == 400

    # Her own still works, here and on the road, also when its session is long over; it may guess no more than others.
    on_the_road = from_elsewhere(8, like=alices)
    stage.change("UPDATE login_sessions SET last_seen_at = 1, auth_time = 1")
    form = login_form(stage, on_the_road)
    assert [guess(on_the_road, form) for _ in range(PER_SOURCE)] == [400] * PER_SOURCE
    assert guess(on_the_road, form, password=PASSWORD) == 429
    before = alices.http.cookies[cookie(alices, "session")]
    assert guess(alices, login_form(stage, alices), password=PASSWORD) == 303
    assert alices.http.cookies[cookie(alices, "session")] != before

    # For everybody else it lets go after the window.
    stage.clock.advance(WINDOW)
    assert guess(last, login_form(stage, last), password=PASSWORD) == 303
