"""A visitor with a real browser, who notices everything that a page does wrong."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response, expect

from tests.stage import ALICE, PASSWORD, Pkce, Stage

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT = 20_000

# Whatever a page does against its own policy becomes a console error, also where Chromium itself would stay silent.
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy violated: " + event.violatedDirective + " " + event.blockedURI));
"""

_LOOK_AROUND = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (element) => element.tagName.toLowerCase() + (element.id ? "#" + element.id : "");
  const root = document.documentElement, faults = [];
  const fault = (what, elements) => elements.length && faults.push(what + ": " + elements.map(name).join(", "));
  const inputs = "input:not([type=hidden])";

  if (root.scrollWidth > root.clientWidth) faults.push(`scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}`);
  fault("sticks out", all("body *").filter((e) => {
    const box = e.getBoundingClientRect();
    return box.left < 0 || box.right > root.clientWidth + 0.5;
  }));
  fault("without label", all(inputs).filter((e) => ![...e.labels].some((label) => label.innerText.trim())));
  fault("too low for a finger", all("a[href], button, " + inputs).filter(
    (e) => e.getBoundingClientRect().height < 40));
  fault("error outside the view", all("#error").filter((e) => {
    const box = e.getBoundingClientRect();
    return box.height === 0 || box.top < 0 || box.bottom > innerHeight;
  }));
  fault("inline style or script", all("[style], style, script:not([src])"));
  if (!document.title || root.lang !== "en") faults.push("title or language missing");

  const rgba = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const c = [r, g, b][i] / 255;
    return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  const ground = (e) => {
    const colour = rgba(getComputedStyle(e).backgroundColor);
    return colour.length === 4 && colour[3] === 0 && e.parentElement ? ground(e.parentElement) : colour;
  };
  const contrast = (e) => {
    const [dark, light] = [rgba(getComputedStyle(e).color), ground(e)].map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const written = (e) => e.matches(inputs) || [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  fault("too little contrast", all("body, body *").filter((e) => written(e) && contrast(e) < 4.5));
  return {faults, ground: luminance(ground(document.body))};
}"""


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    width: int
    scheme: Literal["light", "dark"]
    script: bool = True

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}{'' if self.script else '-noscript'}"


PHONE = Look(375, "light")
LOOKS = (PHONE, Look(375, "dark", script=False), Look(1280, "light", script=False), Look(1280, "dark"))


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright, executable: str) -> Browser:
    return playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)


class Listener:
    """The native application's loopback receiver, on a port of its own: what a redirect really brought there."""

    def __init__(self, server: ThreadingHTTPServer, heard: "Queue[str]") -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/callback"
        self._heard = heard

    def answer(self) -> dict[str, str]:
        """The parameters that came back, in the URL or posted; waits for them."""
        sent = self._heard.get(timeout=TIMEOUT / 1000)
        return dict(parse_qsl(sent, keep_blank_values=True, strict_parsing=True))

    def heard_nothing(self) -> bool:
        return self._heard.empty()


@contextmanager
def listening() -> Iterator[Listener]:
    heard: Queue[str] = Queue()

    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # a connection that the browser opens on suspicion must not keep its thread

        def do_GET(self) -> None:
            if self.path.startswith("/callback"):
                heard.put(urlsplit(self.path).query)
            self._welcome()

        def do_POST(self) -> None:
            heard.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._welcome()

        def _welcome(self) -> None:
            body = b"<!doctype html><title>Back</title><link rel=icon href='data:,'><h1>Back in the application</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield Listener(server, heard)
        server.shutdown()
        thread.join()


class Visitor:
    """One person's browser window."""

    def __init__(self, browser: Browser, look: Look) -> None:
        self.look = look
        self._context = browser.new_context(
            viewport={"width": look.width, "height": 667 if look.width < 700 else 800},
            color_scheme=look.scheme,
            java_script_enabled=look.script,
        )
        self._context.set_default_timeout(TIMEOUT)
        self._context.add_init_script(_TELL_VIOLATIONS)
        self.page: Page = self._context.new_page()
        self.failed: list[str] = []
        self._complaints: list[str] = []
        self._documents: list[tuple[str, int]] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self._complaints.append(f"exception: {error}"))
        self.page.on("requestfailed", self._request_failed)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complaints.append(f"{message.text} @ {message.location.get('url')}")

    def _request_failed(self, request: Request) -> None:
        if request.is_navigation_request() or request.failure != "net::ERR_ABORTED":
            # An aborted image only means that the visitor went on before it was there.
            self.failed.append(f"{request.method} {request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._documents.append((response.url, response.status))
        elif response.status >= 400:
            self._complaints.append(f"{response.status} {response.url}")

    @property
    def complaints(self) -> list[str]:
        """What the browser complained about; that an error page has an error status is no complaint."""
        told = tuple(
            (f"Failed to load resource: the server responded with a status of {status} ", f" @ {url}")
            for url, status in self._documents
        )
        return [
            complaint
            for complaint in self._complaints
            if not any(complaint.startswith(start) and complaint.endswith(end) for start, end in told)
        ]

    @property
    def status(self) -> int:
        """The HTTP status of the page that is shown."""
        return self._documents[-1][1]

    def open(self, stage: Stage, listener: Listener | None = None, pkce: Pkce | None = None, **changed: str) -> None:
        """What an application does: send the browser to the authorization endpoint."""
        if listener:
            changed = {"redirect_uri": listener.url, **changed}
        self.page.goto(f"{stage.issuer}authorize?{urlencode(stage.parameters(pkce, **changed))}")

    def log_in(self, username: str = ALICE, password: str = PASSWORD) -> None:
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.page.click("#login-submit")

    def sees(self, heading: str) -> None:
        """Wait for the page with this heading, and all that belongs to it."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading, timeout=TIMEOUT)
        self.page.wait_for_load_state("load")

    def has_focus(self, selector: str) -> None:
        expect(self.page.locator(selector)).to_be_focused(timeout=TIMEOUT)

    def look_around(self) -> dict[str, Any]:
        """Faults of the page that is shown, and how light its ground is, from 0 to 1."""
        seen: dict[str, Any] = self.page.evaluate(_LOOK_AROUND)
        return seen

    def finds_nothing_wrong(self) -> None:
        seen = self.look_around()
        assert seen["faults"] == [], seen["faults"]
        assert (seen["ground"] < 0.2) == (self.look.scheme == "dark")
        self.has_no_complaints()

    def has_no_complaints(self) -> None:
        assert self.complaints == [], self.complaints
        assert self.failed == [], self.failed

    def close(self) -> None:
        self._context.close()
