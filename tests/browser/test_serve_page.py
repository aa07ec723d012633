"""The native app's page in a real Chromium, before a real authorization server and a real API.

Rooms: client/serve/door.py, client/serve/login.py, client/serve/notes.py, client/serve/session.py
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from client.demo.services import running
from tests.browser.visitor import PHONE, Listener, Visitor
from tests.stage import Stage, Theatre

on_a_phone = pytest.mark.parametrize("look", [PHONE], ids=str, indirect=True)
LONG_NOTE = (
    "A note with averyveryveryverylongwordthatnobodywouldwritebutsomebodydoes" + "e" * 60 + "\nand a second line"
)


class Served:
    """`python -m client serve` and the API, as processes of their own."""

    def __init__(self, stage: Stage, directory: Path, stack: ExitStack) -> None:
        stage.clock.now = int(time.time())  # the API goes by the machine's clock
        database = f"sqlite:///{directory / 'api.db'}"
        environment = {"API_ISSUER": stage.issuer, "API_DATABASE_URL": database}
        api = ExitStack()
        self.api = api.enter_context(running("api", environment=environment, directory=directory))
        self.stop_api = stack.enter_context(api).close
        environment = {
            "CLIENT_ISSUER": stage.issuer,
            "CLIENT_API_URL": self.api,
            "CLIENT_TOKEN_DIR": str(directory / "tokens"),
        }
        self.origin = stack.enter_context(running("client", "serve", environment=environment, directory=directory))


@pytest.fixture
def served(raise_stage: Callable[..., Stage], theatre: Theatre, tmp_path: Path) -> Iterator[Served]:
    """As it is usually met: to a browser, the issuer at localhost and the page at 127.0.0.1 are two sites."""
    with ExitStack() as stack:
        yield Served(raise_stage(issuer=f"http://localhost:{theatre.port}/"), tmp_path, stack)


def shoot(visitor: Visitor, name: str) -> None:
    """For the eyes of whoever sets SCREENSHOTS to a directory."""
    if directory := os.environ.get("SCREENSHOTS"):
        visitor.page.screenshot(path=Path(directory) / f"{name}-{visitor.look}.png", full_page=True, caret="initial")


def arrive(visitor: Visitor) -> None:
    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.page.click("#consent-allow")
    visitor.sees("Your notes")


def test_a_day_at_the_page(served: Served, visitor: Visitor) -> None:
    page = visitor.page
    page.goto(served.origin)
    visitor.sees("Log in to see your notes")
    shoot(visitor, "login")
    visitor.finds_nothing_wrong()

    page.click("#login")
    visitor.sees("Log in")
    arrive(visitor)
    assert page.url == served.origin + "/", "no code stays in the address bar"
    expect(page.locator("#person")).to_have_text("Alice Liddell <alice@example.com>")
    expect(page.locator("#access")).to_contain_text("valid for another")
    expect(page.locator("#none")).to_be_visible()
    shoot(visitor, "empty")
    visitor.finds_nothing_wrong()

    page.fill("#text", "Buy milk")
    page.click("#add")
    visitor.sees("Your notes")
    page.fill("#text", LONG_NOTE)
    page.click("#add")
    visitor.sees("Your notes")
    expect(page.locator(".notes li")).to_have_count(2)
    expect(page.locator(".notes p").get_by_text("Buy milk", exact=True)).to_be_visible()
    shoot(visitor, "notes")
    visitor.finds_nothing_wrong()

    page.click("#refresh")
    visitor.sees("Your notes")
    expect(page.locator(".steps")).to_contain_text("grant_type=refresh_token")

    page.click("#try-delete")
    visitor.sees("403 insufficient_scope")
    shoot(visitor, "insufficient-scope")
    visitor.finds_nothing_wrong()
    page.click("text=Back to the notes")
    visitor.sees("Your notes")

    page.click("text=Ask for delete:notes")
    visitor.sees("Allow access?")
    page.click("#consent-deny")
    visitor.sees("The login did not work")
    expect(page.locator("#error")).to_contain_text("declined")
    assert "?" not in page.url
    shoot(visitor, "declined")
    visitor.finds_nothing_wrong()
    page.click("text=To the start")
    visitor.sees("Your notes")

    page.click("text=Ask for delete:notes")
    visitor.sees("Allow access?")
    page.click("#consent-allow")
    visitor.sees("Your notes")
    shoot(visitor, "may-delete")
    page.get_by_role("button", name="Delete: Buy milk").click()
    visitor.sees("Your notes")
    expect(page.locator(".notes li")).to_have_count(1)
    visitor.finds_nothing_wrong()

    page.click("#logout")
    visitor.sees("Logged out")
    shoot(visitor, "logged-out")
    visitor.finds_nothing_wrong()
    page.go_back()
    visitor.sees("Log in to see your notes")
    page.go_forward()
    visitor.sees("Logged out")
    page.click("#end-session")
    visitor.sees("Log out?")
    page.click("#logout-yes")
    visitor.sees("Logged out")
    visitor.has_no_complaints()


@on_a_phone
def test_a_login_that_begins_at_localhost(served: Served, visitor: Visitor) -> None:
    """Cookies of localhost would be missing when the answer comes back to 127.0.0.1."""
    visitor.page.goto(served.origin.replace("127.0.0.1", "localhost"))
    visitor.sees("Log in to see your notes")
    assert visitor.page.url == served.origin + "/"
    visitor.page.click("#login")
    visitor.sees("Log in")
    arrive(visitor)
    visitor.has_no_complaints()


@on_a_phone
def test_somebody_elses_browser(served: Served, visitor: Visitor, chromium: Browser) -> None:
    visitor.page.goto(served.origin)
    visitor.page.click("#login")
    arrive(visitor)
    other = Visitor(chromium, visitor.look)
    try:
        other.page.goto(served.origin)
        other.sees("Log in to see your notes")
        expect(other.page.locator("#reason")).to_contain_text("Somebody is logged in already")
        shoot(other, "elsewhere")
        other.finds_nothing_wrong()
    finally:
        other.close()


@on_a_phone
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_port_cannot_act(served: Served, visitor: Visitor, listener: Listener, host: str) -> None:
    """To the browser it is the same site or another one; it is another origin, and knows no form token."""
    page = visitor.page
    page.goto(served.origin)
    page.click("#login")
    arrive(visitor)
    page.goto(listener.url.replace("127.0.0.1", host))
    visitor.sees("Back in the application")
    form = f"<form method=post action={served.origin}/logout><button id=go>Win a prize</button></form>"
    page.evaluate("form => document.body.innerHTML = form", form)
    page.click("#go")
    visitor.sees("Not obeyed")
    page.goto(served.origin)
    visitor.sees("Your notes")


@on_a_phone
def test_the_servers_are_away(served: Served, visitor: Visitor) -> None:
    served.stop_api()
    page = visitor.page
    page.goto(served.origin)
    page.click("#login")
    visitor.log_in()
    visitor.sees("Allow access?")
    page.click("#consent-allow")
    visitor.sees("Your notes")
    assert visitor.status == 503
    expect(page.locator("#error")).to_contain_text("cannot be reached")
    shoot(visitor, "api-away")
    visitor.finds_nothing_wrong()
    page.fill("#text", "A thought worth keeping")
    page.click("#add")
    visitor.sees("Not available now")
    expect(page.locator("#text")).to_have_value("A thought worth keeping")
    shoot(visitor, "draft")
    visitor.finds_nothing_wrong()
