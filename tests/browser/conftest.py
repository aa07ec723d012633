"""A real Chromium before a real server. One database is enough here: what differs between them is tested elsewhere."""

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visitor import LOOKS, Listener, Look, Visitor, find_chromium, launch, listening


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture
def dialect() -> str:
    """The one that lets a native application listen on whatever port is free (RFC 8252 §7.3)."""
    return "rfc"


# Not for the whole session: Playwright's synchronous API keeps an event loop running in this thread, and a test
# elsewhere that wants to run its own could not.
@pytest.fixture(scope="package")
def chromium(missing: Callable[[str], NoReturn]) -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        missing("browser: no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture(
    params=[
        *LOOKS[:1],
        *(pytest.param(look, marks=pytest.mark.thorough("one more look")) for look in LOOKS[1:3]),
        LOOKS[3],
    ],
    ids=str,
)
def look(request: pytest.FixtureRequest) -> Look:
    """Parametrize it to look in one way only."""
    chosen: Look = request.param
    return chosen


@pytest.fixture
def visitor(chromium: Browser, look: Look) -> Iterator[Visitor]:
    visitor = Visitor(chromium, look)
    yield visitor
    visitor.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener
