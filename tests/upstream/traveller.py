"""A person whose browser goes from site to site, and what an operator does to connect two of them."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from tests.stage import ALICE, PASSWORD, Stage, http_client

CONNECTION = "acme"


class Traveller:
    """Keeps cookies; follows redirects, and pages that go on by themselves, on the sites that it was told of.

    `is_browser` sends what browsers tell of a navigation, which scripts do not.
    """

    def __init__(self, *sites: str, is_browser: bool = False) -> None:
        self.sites, self.is_browser = sites, is_browser
        self.http = http_client()
        self.trail: list[httpx2.Response] = []

    def get(self, url: str, **params: str) -> httpx2.Response:
        """One step, not followed."""
        headers = {"Sec-Fetch-Site": "cross-site"} if self.is_browser else {}
        self.trail.append(self.http.get(url, params=params or None, headers=headers))
        return self.trail[-1]

    def follow(self, response: httpx2.Response) -> httpx2.Response:
        """To a page that waits for the person, or to the redirect that leaves the sites."""
        while (url := onward(response)) and url.startswith(self.sites):
            response = self.get(url)
        return response

    def submit(self, page: httpx2.Response, form: int = 0, **fields: str) -> httpx2.Response:
        """The page's form of this number, with its hidden fields and `fields`; not followed."""
        attributes, inside = re.findall(r"<form([^>]*)>(.*?)</form>", page.text, re.S)[form]
        hidden = dict(re.findall(r'<input type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', inside))
        data = {**{name: html.unescape(value) for name, value in hidden.items()}, **fields}
        action = re.search(r'action="([^"]*)"', attributes)
        url = urljoin(str(page.url), html.unescape(action[1]) if action else "")
        parts = urlsplit(url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        if self.is_browser:
            headers["Sec-Fetch-Site"] = "same-origin"
        if 'method="get"' in attributes:
            return self.http.get(url, params=data)
        return self.http.post(url, data=data, headers=headers)

    def log_in(self, page: httpx2.Response, username: str = ALICE) -> httpx2.Response:
        """On a login page of ours, wherever it is; through to whatever comes then, consents allowed."""
        page = self.follow(self.submit(page, username=username, password=PASSWORD, action="default"))
        return self.allow(page)

    def allow(self, page: httpx2.Response) -> httpx2.Response:
        while "consent-allow" in page.text:
            page = self.follow(self.submit(page, action="default"))
        return page


def onward(response: httpx2.Response) -> str | None:
    """Where this answer goes by itself."""
    if location := response.headers.get("location"):
        return urljoin(str(response.url), location)
    refresh = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', response.text)
    return html.unescape(refresh[1]) if refresh else None


def answer(response: httpx2.Response) -> dict[str, str]:
    """The parameters with which a redirect leaves."""
    return dict(parse_qsl(urlsplit(onward(response) or "").query, keep_blank_values=True))


def connect(stage: Stage, name: str = CONNECTION, strategy: str = "oidc", **settings: Any) -> None:
    """Register a connection; `options` and the like are its settings."""
    values = {"name": name, "strategy": strategy, "settings": json.dumps(settings)}
    stage.change("INSERT INTO connections (name, strategy, settings) VALUES (:name, :strategy, :settings)", **values)


def start(stage: Stage, traveller: Traveller, **changed: str | None) -> httpx2.Response:
    """The native app's authorization request, followed."""
    return traveller.follow(traveller.get(stage.issuer + "authorize", **stage.parameters(**changed)))
