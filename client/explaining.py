"""`--explain`: each exchange in sentences as it happens, with the sections of the standards that say so.

On stderr, so that what a command answers can still be piped. The sentences are in lessons.py.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from client import lessons
from client.moments import AuthorizationRequest, AuthorizationResponse, IdentityVerified, Moment, Waiting
from client.telling import Screen, show
from client.wire import Exchange


class Explainer(Screen):
    """Its `exchange_happened` and `moment` are what a `NativeApp` reports to."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._endpoints: dict[str, str] = {}
        self._last: lessons.Lesson | None = None

    def exchange_happened(self, exchange: Exchange) -> None:
        lesson = self._lesson_on(exchange)
        if lesson is lessons.DEVICE_POLL and self._last is lesson and exchange.status != 200:
            self.line(exchange)  # the same question again, a few seconds later
            return
        self._last = lesson
        self._heading(lesson)
        self.exchange(exchange, headers=("traceparent",), only=lesson.only)
        for remark in lessons.remarks(lesson, exchange):
            self.say(remark)

    def moment(self, moment: Moment) -> None:
        match moment:
            case AuthorizationRequest(endpoint, parameters):
                self._heading(lessons.AUTHORIZATION_REQUEST)
                self._console.print(Padding(Text.assemble(("→ ", "bold magenta"), (endpoint, "bold")), (0, 0, 0, 2)))
                self._purposes(parameters)
            case AuthorizationResponse(parameters):
                self._heading(lessons.AUTHORIZATION_RESPONSE)
                self._grid({name: show(name, value) for name, value in parameters.items()})
                for check in lessons.CALLBACK_CHECKS:
                    self.good(check)
            case IdentityVerified(claims, refreshed, with_nonce):
                self._heading(lessons.ID_TOKEN)
                self._grid({name: show(name, claims[name]) for name in lessons.SHOWN_CLAIMS if name in claims})
                fresh = lessons.ID_TOKEN_CHECKS if with_nonce else lessons.DEVICE_CHECKS
                for check in lessons.REFRESHED_CHECKS if refreshed else fresh:
                    self.good(check)
            case Waiting(_, status, seconds):
                self.say(f"Status {status}: the server is busy. The same request follows in {seconds:.1f} s.")

    def _lesson_on(self, exchange: Exchange) -> lessons.Lesson:
        if exchange.url.endswith("/.well-known/openid-configuration"):
            self._endpoints = _endpoints(exchange.body)
            return lessons.DISCOVERY
        name = self._endpoints.get(exchange.url, "")
        if name == "token_endpoint":
            grant_type = dict(parse_qsl(exchange.request_body.decode(errors="replace"))).get("grant_type")
            return lessons.AT_TOKEN_ENDPOINT.get(grant_type or "", lessons.CODE_EXCHANGE)
        return lessons.AT_ENDPOINT.get(name, lessons.API_CALL)

    def _heading(self, lesson: lessons.Lesson) -> None:
        self._console.print()
        self._console.print(Text(lesson.title, "bold cyan"))
        self.say(lesson.why)
        self._console.print(Text(lesson.standards, "dim italic"))

    def _purposes(self, parameters: Mapping[str, str]) -> None:
        for name, value in parameters.items():
            line = Text.assemble((f"{name} ", "blue"), show(name, value))
            self._console.print(Padding(line, (0, 0, 0, 6)))
            if purpose := lessons.PURPOSES.get(name):
                self._console.print(Padding(Text(purpose, "dim"), (0, 0, 0, 8)))


def _endpoints(body: bytes) -> dict[str, str]:
    """By URL, what the metadata call it. Checked elsewhere; here it is for the eyes only."""
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    members = document.items() if isinstance(document, dict) else ()
    return {url: name for name, url in members if isinstance(url, str) and name in lessons.NAMED_ENDPOINTS}
