"""A virtual person: walks through login and consent as a browser would, over HTTP in this process.

Done: OAuth 2.0 Form Post Response Mode §2 · RFC 8628 §3.3 (the page of a device).
Left out: sign-up, mailed links, upstream connections: the walk ends there and says which page it was.
"""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver.testing.line import Line

Decision = Literal["approve", "deny"]

MOST_STEPS = 20

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_NO_ANSWER = '<p id="error">The connection was closed before an answer was complete.</p>'
"""What a browser shows then is its own page."""
_VALUE = re.compile(r'<input id="user_code"[^>]* value="([^"]*)"')
_FORM_POST = re.compile(r'<form method="post" action="([^"]+)" id="form-post">')
_WEB_MESSAGE = re.compile(r'data-receiver="([^"]*)" data-response="([^"]*)"')
_ERROR = re.compile(r'id="error"[^>]*>(.*?)</', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Person:
    """Who is at the browser, and what they do when they are asked."""

    username: str
    password: str
    decision: Decision = "approve"


@dataclass(slots=True)
class Walk:
    """`location`: where the application is told `parameters`, by a redirect or as `response_mode` says.

    None when the walk ended on `page`, with the text in `error`.
    """

    location: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    response_mode: str | None = None
    page: str | None = None
    status: int = 0
    error: str | None = None
    asked: list[str] = field(default_factory=list)


async def walk(
    app: ASGIApp, issuer: str, url: str, person: Person, cookies: httpx2.Cookies, line: Line | None = None
) -> Walk:
    """Open `url` and go on until a redirect leaves the issuer, or a page stays. `cookies` are the browser's own.

    `line`: on which somebody waits for the person. Where a connection is cut or nobody answers, `status` is 0.
    """
    transport = _Transport(app, line)
    async with httpx2.AsyncClient(transport=transport, trust_env=False, cookies=cookies) as browser:
        walked, response = Walk(), await browser.get(url)
        for _ in range(MOST_STEPS):
            location = response.headers.get("location")
            if location is not None and not location.startswith(issuer):
                _redirected(walked, location)
                break
            if location is not None:
                response = await browser.get(location)
                continue
            hidden = {name: unescape(value) for name, value in _HIDDEN.findall(response.text)}
            if _delivered(walked, response.text, hidden):
                break
            page = response.url.path.removeprefix(urlsplit(issuer).path)
            fields = _fields(page, person, response.text)
            if fields is None or walked.asked[-1:] == [page] or response.status_code != 200:
                walked.page = page
                walked.error = _error(response.text)
                break
            walked.asked.append(page)
            parts = urlsplit(issuer)
            sent = {"Origin": f"{parts.scheme}://{parts.netloc}", "Sec-Fetch-Site": "same-origin"}
            response = await browser.post(response.url, data={**hidden, **fields}, headers=sent)
        walked.status = response.status_code
        cookies.update(browser.cookies)
        return walked


class _Transport(httpx2.ASGITransport):
    """The way into this process, which can be cut like a connection. Whoever is kept waiting here gives up at once."""

    def __init__(self, app: ASGIApp, line: Line | None) -> None:
        super().__init__(app=self._carry, raise_app_exceptions=False)
        self._app, self._let_go, self._is_cut = app, line.let_go if line else None, False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        return httpx2.Response(0, html=_NO_ANSWER) if self._is_cut else response

    async def _carry(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(Line(self._cut, self._let_go, is_patient=False).under(scope), receive, send)
        if self._is_cut:
            raise ConnectionError  # an answer that is not complete ends like this

    def _cut(self) -> None:
        self._is_cut = True


def _redirected(walked: Walk, location: str) -> None:
    parts = urlsplit(location)
    # A callback may have a query of its own, which says nothing about a login; a fragment is ours alone.
    walked.location, walked.response_mode = location, "fragment" if parts.fragment else "query"
    walked.parameters = dict(parse_qsl(parts.fragment or parts.query))


def _delivered(walked: Walk, html: str, hidden: dict[str, str]) -> bool:
    """Whether this page hands its answer to the application, as its script would."""
    if posted := _FORM_POST.search(html):
        walked.location, walked.response_mode, walked.parameters = unescape(posted[1]), "form_post", hidden
    elif told := _WEB_MESSAGE.search(html):
        walked.location, walked.response_mode = unescape(told[1]), "web_message"
        walked.parameters = json.loads(unescape(told[2]))
    return walked.location is not None


def _fields(page: str, person: Person, html: str) -> dict[str, str] | None:
    decided = {"action": "default" if person.decision == "approve" else "deny"}
    match page:
        case "u/login":
            return {"username": person.username, "password": person.password, "action": "default"}
        case "u/consent":
            return decided
        case "activate" if shown := _VALUE.search(html):
            return {"user_code": unescape(shown[1]), "action": "default"}
        case "activate/confirm" if 'id="consent-allow"' in html:
            return decided
    return None


def _error(html: str) -> str | None:
    found = _ERROR.search(html)
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else None
