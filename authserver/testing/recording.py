"""The recording: what came in and went out in one tenant, in the order in which it began, without its secrets.

Left out: what virtual people click is recorded like everybody's; static files, and requests to no tenant, are not.

It is kept in memory and is bounded: after MOST exchanges the oldest are forgotten.
"""

import itertools
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authserver import trace
from authserver.events import Event
from authserver.rules import pkce
from authserver.store.issued import digest
from authserver.testing.exchange import Answered, Asked
from authserver.testing.redaction import Redaction
from authserver.testing.turnable_clock import TurnableClock

MOST = 1000
"""Exchanges of one tenant that are remembered."""

ARTEFACTS = ("code", "access_token", "refresh_token", "id_token", "device_code", "user_code")
"""What an answer may bring that can be used later, by its name on the wire."""

VERIFIER_MALFORMED, CLOCK_FROZEN = "code_verifier malformed", "clock frozen"

_PRESENTED = {"code": "code", "refresh_token": "refresh_token", "device_code": "device_code", "token": "token"}
_ERROR = re.compile(r'id="error"[^>]*>(.*?)</', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange. `status` is 0 when no answer began, and `is_complete` says whether it came to its end.

    `presented` and `issued` are fingerprints by kind; `refusal` is our name for the reason, where `error` is the code
    on the wire. `events` are what happened in the course of it, `facts` what redaction would hide from `problems`.
    """

    number: int
    at: int
    method: str
    path: str
    endpoint: str | None
    query: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any]
    status: int
    is_complete: bool
    answer_headers: dict[str, str]
    answer: Any
    location: str | None
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    error: str | None
    error_description: str | None
    refusal: str | None
    fault: str | None
    facts: tuple[str, ...]
    presented: dict[str, str]
    issued: dict[str, str]
    events: tuple[dict[str, str | None], ...]


_events: ContextVar[list[Event] | None] = ContextVar("events", default=None)


def note_event(event: Event) -> None:
    """This happened in the course of the exchange that is being played here, if one is."""
    if (happened := _events.get()) is not None:
        happened.append(event)


@dataclass(slots=True)
class Taking:
    """An exchange that is being recorded. `fault` is the name of what spoils it, once something does."""

    asked: Asked
    answered: Answered
    number: int
    fault: str | None = None
    events: list[Event] = field(default_factory=list)


class Recording:
    """Of one tenant. `known` finds the database's digest of a secret by its fingerprint."""

    def __init__(self, now: TurnableClock) -> None:
        self.redaction, self.known = Redaction(), dict[str, bytes]()
        self._now, self._numbers = now, itertools.count(1)
        self._kept: deque[Recorded] = deque(maxlen=MOST)

    @contextmanager
    def taking(self, asked: Asked, answered: Answered) -> Iterator[Taking]:
        """Record the exchange that is played inside, however it ends."""
        taking = Taking(asked, answered, next(self._numbers))
        before = _events.set(taking.events)
        try:
            yield taking
        finally:
            _events.reset(before)
            self._kept.append(self._recorded(taking))

    def all(self) -> list[Recorded]:
        """Oldest first."""
        return sorted(self._kept, key=lambda each: each.number)

    def remember(self, secret: str) -> str:
        """Its fingerprint; what it is can be looked up from now on."""
        fingerprint = self.redaction.fingerprint(secret)
        self.known[fingerprint] = digest(secret)
        return fingerprint

    def _recorded(self, taking: Taking) -> Recorded:
        asked, answered, redaction, said = taking.asked, taking.answered, self.redaction, trace.current()
        json, location = answered.json, answered.headers.get("location")
        redirected = redirect_parameters(location)
        words = {**redirected, **(json if isinstance(json, dict) else {})}
        page = _ERROR.search(answered.body.decode("utf-8", "replace")) if answered.body and json is None else None
        description = words.get("error_description") or (unescape(re.sub("<[^>]+>", "", page[1])) if page else None)
        ids = [asked.client_id, said.client_id if said else None, *(each.client_id for each in taking.events)]
        return Recorded(
            number=taking.number,
            at=self._now(),
            method=asked.method,
            path=redaction.text(asked.path),
            endpoint=asked.endpoint,
            query=redaction.pairs(asked.query),
            headers=redaction.headers(asked.headers),
            body=redaction.pairs(asked.form),
            status=answered.status,
            is_complete=answered.is_complete,
            answer_headers=redaction.headers(answered.headers),
            answer=redaction.json(asked.endpoint, "", json),
            location=redaction.url(location) if location else None,
            client_id=_last([redaction.text(each) for each in ids if each]),
            user_id=_last([each.user_id for each in taking.events]),
            grant_id=_last([each.grant_id for each in taking.events]),
            error=redaction.text(str(words["error"])) if "error" in words else None,
            error_description=redaction.text(str(description).strip()) if description else None,
            refusal=said.refusal if said else None,
            fault=taking.fault,
            facts=self._facts(asked),
            presented=self._presented(asked),
            issued={name: self.remember(str(words[name])) for name in ARTEFACTS if words.get(name)},
            events=tuple({"type": type(each).__name__, "reason": each.reason} for each in taking.events),
        )

    def _facts(self, asked: Asked) -> tuple[str, ...]:
        verifier = asked.parameters.get("code_verifier") if asked.endpoint == "token" else None
        malformed = (VERIFIER_MALFORMED,) if verifier and not pkce.is_wellformed(verifier) else ()
        return (*malformed, *((CLOCK_FROZEN,) if self._now.is_frozen else ()))

    def _presented(self, asked: Asked) -> dict[str, str]:
        given = asked.parameters
        found = {kind: self.remember(given[name]) for name, kind in _PRESENTED.items() if given.get(name)}
        return {**found, **({"access_token": self.remember(asked.bearer)} if asked.bearer else {})}


def redirect_parameters(location: str | None) -> dict[str, str]:
    """What a redirect tells the application, in the query or in the fragment."""
    if not location:
        return {}
    try:
        parts = urlsplit(location)
        return {**dict(parse_qsl(parts.query)), **dict(parse_qsl(parts.fragment))}
    except ValueError:
        return {}


def _last(values: list[str | None]) -> str | None:
    known = [each for each in values if each]
    return known[-1] if known else None
