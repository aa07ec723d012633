"""The native app's page in a real Chromium, before a real authorization server and a real API.

Rooms: client/serve/door.py, client/serve/login.py, client/serve/notes.py, client/serve/session.py
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from client.demo.services import running
from tests.browser.visitor import Visitor
from tests.stage import Stage

LONG_NOTE = (
    "A note with averyveryveryverylongwordthatnobodywouldwritebutsomebodydoes" + "e" * 60 + "\nand a second line"
)


class Served:
    """`python -m client serve` and the API, as processes of their own."""

    def __init__(self, stage: Stage, directory: Path, stack: ExitStack) -> None:
        stage.clock.now = int(time.time())  # the API goes by the machine's clock
        database = f"sqlite:///{directory / 'api.db'}"
        environment = {"API_ISSUER": stage.issuer, "API_DATABASE_URL": database}
        self.api = stack.enter_context(running("api", environment=environment, directory=directory))
        environment = {
            "CLIENT_ISSUER": stage.issuer,
            "CLIENT_API_URL": self.api,
            "CLIENT_TOKEN_DIR": str(directory / "tokens"),
        }
        self.origin = stack.enter_context(running("client", "serve", environment=environment, directory=directory))


@pytest.fixture
def served(stage: Stage, tmp_path: Path) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(stage, tmp_path, stack)


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
