"""The recording: what came in and went out in one tenant, in the order in which it began, without its secrets.

Left out: what virtual people click is recorded like everybody's; static files, and requests to no tenant, are not.

It is kept in memory and is bounded: after MOST exchanges the oldest are forgotten.
"""

import base64
import itertools
import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from authserver import trace
from authserver.events import Event
from authserver.rules import pkce
from authserver.testing.exchange import Answered, Asked
from authserver.testing.recorded import Recorded
from authserver.testing.redaction import Redaction
from authserver.testing.told import Told
from authserver.testing.turnable_clock import TurnableClock

MOST = 1000
"""Exchanges of one tenant that are remembered."""

ARTEFACTS = ("code", "access_token", "refresh_token", "id_token", "device_code", "user_code")
"""What an answer may bring that can be used later, by its name on the wire."""

VERIFIER_MALFORMED, CLOCK_FROZEN = "code_verifier malformed", "clock frozen"
_PRESENTED = {each: each for each in (*ARTEFACTS[:3], *ARTEFACTS[4:], "token")} | {"id_token_hint": "id_token"}


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
    at: int
    fault: str | None = None
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unrooted:
    """A token of which the database knows nothing: an ID token, or an access token that a test ordered.

    `scope` is space-separated; times in epoch seconds.
    """

    kind: str
    fingerprint: str
    client_id: str
    user_id: str
    audience: tuple[str, ...]
    scope: str
    issued_at: int
    expires_at: int


class Recording:
    """Of one tenant. `unrooted` are the tokens that are known from here alone."""

    def __init__(self, now: TurnableClock) -> None:
        self.redaction = Redaction()
        self.unrooted: deque[Unrooted] = deque(maxlen=MOST)
        self._now, self._numbers = now, itertools.count(1)
        self._kept: deque[Recorded] = deque(maxlen=MOST)

    @contextmanager
    def taking(self, asked: Asked, answered: Answered) -> Iterator[Taking]:
        """Record the exchange that is played inside, however it ends."""
        taking = Taking(asked, answered, next(self._numbers), self._now())
        before = _events.set(taking.events)
        try:
            yield taking
        finally:
            _events.reset(before)
            self._kept.append(self._recorded(taking))

    def all(self) -> list[Recorded]:
        """Oldest first."""
        return sorted(self._kept.copy(), key=lambda each: each.number)

    def remember(self, secret: str) -> str:
        """Its fingerprint; from now on the secret is known wherever it turns up."""
        return self.redaction.secret(secret) if secret else ""

    def remember_token(self, kind: str, token: str) -> None:
        """A JWT of this tenant that has no row: what it says of itself is all that is known of it."""
        claims = _claims(token)
        audience = claims.get("aud", [])
        self.unrooted.append(
            Unrooted(
                kind,
                self.remember(token),
                client_id=str(claims.get("client_id") or claims.get("azp") or audience),
                user_id=str(claims.get("sub")),
                audience=tuple(audience) if isinstance(audience, list) else (str(audience),),
                scope=str(claims.get("scope", "")),
                issued_at=int(claims.get("iat", 0)),
                expires_at=int(claims.get("exp", 0)),
            )
        )

    def _recorded(self, taking: Taking) -> Recorded:
        asked, answered, redaction, said = taking.asked, taking.answered, self.redaction, trace.current()
        told = Told(answered)
        presented = self._presented(asked)
        issued = {name: redaction.value(name, str(told.words[name])) for name in ARTEFACTS if told.words.get(name)}
        if "id_token" in issued and asked.endpoint == "token" and answered.status == 200:
            self.remember_token("id_token", str(told.words["id_token"]))
        ids = [asked.client_id, said.client_id if said else None, *(each.client_id for each in taking.events)]
        error = told.words.get("error")
        return Recorded(
            number=taking.number,
            at=taking.at,
            method=redaction.text(asked.method),
            path=redaction.text(asked.path),
            endpoint=asked.endpoint,
            query=redaction.pairs(asked.query),
            headers=redaction.headers(asked.headers),
            body=redaction.pairs(asked.form),
            status=answered.status,
            is_complete=answered.is_complete,
            answer_headers=redaction.headers(answered.headers),
            answer=redaction.json(asked.endpoint, "", told.json),
            location=redaction.url(told.location) if told.location else None,
            client_id=_last([redaction.text(each) for each in ids if each]),
            user_id=_last([each.user_id for each in taking.events]),
            grant_id=_last([each.grant_id for each in taking.events]),
            error=redaction.text(str(error)) if error is not None else None,
            error_description=redaction.text(told.description) if told.description else None,
            refusal=said.refusal if said else None,
            fault=taking.fault,
            facts=self._facts(asked),
            presented=presented,
            issued=issued,
            events=tuple({"type": type(each).__name__, "reason": each.reason} for each in taking.events),
        )

    def _facts(self, asked: Asked) -> tuple[str, ...]:
        verifier = asked.parameters.get("code_verifier") if asked.endpoint == "token" else None
        malformed = (VERIFIER_MALFORMED,) if verifier and not pkce.is_wellformed(verifier) else ()
        return (*malformed, *((CLOCK_FROZEN,) if self._now.is_frozen else ()))

    def _presented(self, asked: Asked) -> dict[str, str]:
        given = asked.parameters
        found = {kind: self.redaction.value(name, given[name]) for name, kind in _PRESENTED.items() if given.get(name)}
        return {**found, **({"access_token": self.remember(asked.bearer)} if asked.bearer else {})}


def _claims(token: str) -> dict[str, Any]:
    """What a JWT of ours says; nothing of what a fault made of it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        int(claims.get("iat", 0)), int(claims.get("exp", 0))
    except (ValueError, IndexError, AttributeError, TypeError, RecursionError, OverflowError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _last(values: list[str | None]) -> str | None:
    known = [each for each in values if each]
    return known[-1] if known else None
