"""The page of `serve` as a test meets it: a live server on a free port, and people with browsers."""

import re
import socket
import threading
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx2

from client.serve.address import Address
from client.serve.app import create_app
from client.serve.server import Server
from client.serve.site import Site
from client.settings import Settings
from client.store import open_store
from tests.stage import http_client


class Served:
    """The page in a thread of this process, on the test's clock."""

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.store = open_store(settings)
        self.site = Site(settings, self.store, Address(self.port), now)
        self.origin = self.site.address.origin
        self._server = Server(create_app(self.site), self.origin)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()
        self._browsers: list[Browser] = []

    def browser(self) -> "Browser":
        self._browsers.append(Browser(self.origin))
        return self._browsers[-1]

    def close(self) -> None:
        for browser in self._browsers:
            browser.http.close()
        self._server.should_exit = True
        self._thread.join()


class Browser:
    """A person's browser: keeps cookies for the page, tells the truth about origins, follows what it is told to."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.http = http_client(base_url=origin)

    def get(self, path: str = "/", **more: Any) -> httpx2.Response:
        return self.http.get(path, **more)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx2.Response:
        """A form of the page that is shown now."""
        sent = {"form_token": self.form_token(), **(fields or {})}
        return self.raw_post(path, sent, Origin=self.origin, **{"Sec-Fetch-Site": "same-origin"}, **headers)

    def raw_post(self, path: str, fields: Any, **headers: str) -> httpx2.Response:
        return self.http.post(path, data=fields, headers=headers)

    def form_token(self) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get().text)
        assert found, "the page has no form"
        return found[1]

    def start(self, **fields: str) -> str:
        """Press the button; the address at the issuer."""
        answer = self.post("/login", fields)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def at_issuer(self, url: str) -> str:
        """Log in there; the address of the callback. The page's cookies are not for the issuer."""
        with http_client() as elsewhere:
            return elsewhere.get(url).headers["location"]

    def log_in(self, **fields: str) -> httpx2.Response:
        """All the way; the page at the end."""
        return self.follow(self.get(self.at_issuer(self.start(**fields))))

    def follow(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect:
            answer = self.get(answer.headers["location"])
        return answer

    def cookie(self, which: str) -> str | None:
        port = httpx2.URL(self.origin).port
        return self.http.cookies.get(f"understudy-notes-{port}-{which}")


def words(answer: httpx2.Response) -> str:
    """What is written on the page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def token_file(settings: Settings) -> Path:
    (file,) = Path(settings.token_dir).glob("*.json")
    return file
