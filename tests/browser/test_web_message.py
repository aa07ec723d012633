"""The message as a browser delivers it: to the window of the registered origin, and to nobody else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.visitor import TIMEOUT, Listener
from tests.stage import Stage

_LISTEN = """() => {
  window.heard = [];
  addEventListener("message", (event) => heard.push([event.origin, event.data]));
}"""
_FRAME = """(url) => {
  const frame = document.createElement("iframe");
  frame.src = url;
  document.body.append(frame);
}"""
_POPUP = "(url) => { window.open(url) }"


@dataclass
class Applications:
    """`home` is the origin that the client registered; `stranger` another one. Windows write down what they are told."""

    home: str
    stranger: str
    window: Callable[[str], Page]


@pytest.fixture
def applications(chromium: Browser, listener: Listener) -> Iterator[Applications]:
    context = chromium.new_context()
    context.set_default_timeout(TIMEOUT)

    def window(origin: str) -> Page:
        page = context.new_page()
        page.goto(f"{origin}/")
        page.evaluate(_LISTEN)
        return page

    port = urlsplit(listener.url).port
    yield Applications(f"http://127.0.0.1:{port}", f"http://localhost:{port}", window)
    context.close()


def silent(stage: Stage, applications: Applications) -> str:
    stage.configure_client("spa", callbacks=[applications.home], web_origins=[applications.home])
    asked = {"client_id": "spa", "redirect_uri": applications.home, "response_mode": "web_message", "prompt": "none"}
    return f"{stage.issuer}authorize?{urlencode(stage.parameters(**asked))}"


def is_told(page: Page, stage: Stage) -> None:
    page.wait_for_function("() => heard.length > 0")
    ((origin, data),) = page.evaluate("() => heard")
    response = data.pop("response")
    assert origin == stage.issuer.removesuffix("/")
    assert data == {"type": "authorization_response"}
    assert (response["error"], response["state"]) == ("login_required", "af0ifjsldkj")


def test_the_page_around_the_frame_is_told(stage: Stage, applications: Applications) -> None:
    page = applications.window(applications.home)
    page.evaluate(_FRAME, silent(stage, applications))
    is_told(page, stage)


def test_the_opener_of_the_popup_is_told(stage: Stage, applications: Applications) -> None:
    page = applications.window(applications.home)
    with page.expect_popup() as popup:
        page.evaluate(_POPUP, silent(stage, applications))
    is_told(page, stage)
    assert popup.value.get_by_role("heading", level=1).inner_text() == "Done"


def test_AZ2_a_stranger_hears_nothing(stage: Stage, applications: Applications) -> None:
    page = applications.window(applications.stranger)
    with page.expect_popup() as popup:
        page.evaluate(_POPUP, silent(stage, applications))
    assert popup.value.get_by_role("heading", level=1).inner_text() == "Done"
    popup.value.wait_for_load_state("load")  # with the script, which has posted by now
    # What is posted from here arrives after it, had anything been on the way.
    popup.value.evaluate("() => opener.postMessage('the end', '*')")
    page.wait_for_function("() => heard.length > 0")
    assert [data for _, data in page.evaluate("() => heard")] == ["the end"]


def test_LO3_a_stranger_frames_nothing(stage: Stage, applications: Applications) -> None:
    page = applications.window(applications.stranger)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(_FRAME, silent(stage, applications))
    assert page.evaluate("() => heard") == []
