"""A scripted person: fills in the server's plain HTML forms as somebody with a browser would.

No JavaScript, cookies kept, redirects followed one by one so that each can be shown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from client.wire import Exchange, Wire

MAX_PAGES = 20
USER_AGENT = "a scripted person"


class PersonStuckError(Exception):
    pass


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Page(HTMLParser):
    """The forms of a page, and the words on it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._words: list[str] = []
        self._silent = False
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._silent = tag in ("style", "script")
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").upper()))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons[given.get("id", "")] = (given.get("name", ""), given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    def handle_endtag(self, _tag: str) -> None:
        self._silent = False


class Person:
    def __init__(self, username: str, password: str, on_exchange: Callable[[Exchange], None] | None = None) -> None:
        self._answers = {"username": username, "password": password}
        self._browser = httpx2.Client(
            transport=Wire(httpx2.HTTPTransport(trust_env=False), {}, on_exchange),
            trust_env=False,
            headers={"Accept": "text/html", "Accept-Encoding": "identity", "User-Agent": USER_AGENT},
            timeout=30,
        )

    def close(self) -> None:
        self._browser.close()

    def log_in(self, url: str) -> str:
        """From the authorization URL to the app's final page; gives what is written there."""
        answer = self._browser.get(url)
        for _ in range(MAX_PAGES):
            if answer.is_redirect:
                answer = self._browser.get(urljoin(str(answer.url), answer.headers["location"]))
                continue
            page = Page(answer.text)
            if answer.status_code != 200:
                raise PersonStuckError(f"The page at {answer.url.copy_with(query=None)} says: {page.text[:300]}")
            form = next((form for form in page.forms if form.method == "POST"), None)
            if form is None:
                return page.text
            answer = self._submit(str(answer.url), form)
        raise PersonStuckError("The pages go round in circles.")

    def _submit(self, url: str, form: Form) -> httpx2.Response:
        pressed = form.buttons.get("consent-allow") or form.buttons.get("login-submit")
        if pressed is None:
            raise PersonStuckError(f"There is no button to press among {', '.join(form.buttons) or 'none'}.")
        filled = {name: self._answers.get(name, value) for name, value in form.fields.items()}
        return self._browser.post(urljoin(url, form.action), data=filled | dict([pressed]))
