"""The device flow: this machine shows a code, a browser anywhere takes it, and polling brings the tokens.

Done: RFC 8628 sections 3.1 to 3.5: slow_down adds five seconds for good, an answer that does not come doubles the
pause, and everything else ends the login; OpenID Connect Core 1.0 section 3.1.3.7 for the ID token (no nonce was sent,
so it has none).
Left out: section 3.3.1's shortened addresses on other hosts: the page must be the issuer's own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from client import urls
from client.answers import busy, read_object, unavailable
from client.arrival import Arrival
from client.errors import ClientError, LoginFailedError, MalformedError, RefusedError, UnavailableError
from client.interrupts import held_back
from client.store import TokenSet
from client.tokens import SLOW_DOWN, TokenEndpoint, refusal

WHAT = "The device authorization endpoint"
PENDING = "authorization_pending"
EXPIRED = "The code has expired before anybody confirmed it."
AGAIN = "Nothing was stored. Start again: python -m client login --device"
SLOWER = 5.0
"""Seconds, RFC 8628 section 3.5."""
LONGEST_PAUSE = 60.0
LONGEST_LIFE = 3600.0
"""Nobody shows a code for longer, whatever the server says."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """RFC 8628 section 3.2, checked. Lifetime and interval in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_in: float
    interval: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Before the next question: `left` seconds until the code expires; `problem` is why the last one got no answer."""

    seconds: float
    left: float
    problem: ClientError | None = None


class DeviceLogin:
    """One login of this kind, from the invitation to stored tokens."""

    def __init__(
        self,
        invitation: Invitation,
        endpoint: TokenEndpoint,
        arrival: Arrival,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.invitation = invitation
        self._endpoint = endpoint
        self._arrival = arrival
        self._now = now
        self._sleep = sleep
        self._began = now()

    def finish(self, on_pause: Callable[[Pause], None]) -> tuple[TokenSet, bool]:
        """Wait for the person. Gives the stored tokens, and whether they are of whoever was asked for."""
        interval = pause = self.invitation.interval
        problem: ClientError | None = None
        while (left := self._began + self.invitation.expires_in - self._now()) > 0:
            on_pause(Pause(pause, left, problem))
            self._sleep(min(pause, left))
            problem, asked_at = None, self._now()
            with held_back():  # the code may be spent from here on, and only what is saved makes up for it
                try:
                    answer = self._endpoint.poll(self.invitation.device_code)
                except RefusedError as refused:
                    if refused.error == SLOW_DOWN:
                        interval += SLOWER
                    elif refused.error != PENDING:
                        raise _ended(refused) from refused
                    pause = interval
                except UnavailableError as silence:
                    pause, problem = min(2 * pause, LONGEST_PAUSE), silence
                else:
                    kept = self._arrival.keep(answer, asked_at, nonce=None)
                    self._arrival.revoke_superseded()
                    return kept
        raise LoginFailedError(EXPIRED, AGAIN)


def ask(http: httpx2.Client, url: str, form: dict[str, str], issuer: str) -> Invitation:
    """The device authorization request (RFC 8628 section 3.1)."""
    try:
        answer = http.post(url, data=form)
    except httpx2.HTTPError as problem:
        raise unavailable(WHAT, url, problem) from problem
    if answer.status_code == 429 or answer.status_code >= 500:
        raise busy(WHAT, answer)
    body = read_object(answer, WHAT)
    if answer.status_code != 200 or "error" in body:
        raise refusal(body, answer.status_code, WHAT)
    uri = _page(body, "verification_uri", issuer)
    if uri is None:
        raise _unusable("there is no verification_uri")
    return Invitation(
        device_code=_text(body, "device_code", 2048),
        user_code=_text(body, "user_code", 64),
        verification_uri=uri,
        verification_uri_complete=_page(body, "verification_uri_complete", issuer),
        expires_in=min(_seconds(body, "expires_in"), LONGEST_LIFE),
        interval=_seconds(body, "interval", default=5),
    )


def _ended(answer: RefusedError) -> ClientError:
    if answer.error == "access_denied":
        return LoginFailedError("The login was declined in the browser, or is not allowed to this person.", AGAIN)
    if answer.error == "expired_token":
        return LoginFailedError(EXPIRED, AGAIN)
    if answer.error == "invalid_grant":
        return LoginFailedError("The server does not know this login any more (invalid_grant).", AGAIN)
    return answer


def _page(body: dict[str, Any], name: str, issuer: str) -> str | None:
    """An address that a person will be sent to, and type a password at."""
    if body.get(name) is None:
        return None
    url = _text(body, name, 2048)
    if flaw := urls.flaw(url):
        raise _unusable(f"{name} is not usable: {flaw}")
    if urls.origin(url) != urls.origin(issuer):
        raise _unusable(f"{name} leads elsewhere: {url}")
    return url


def _text(body: dict[str, Any], name: str, limit: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not 0 < len(value) <= limit:
        raise _unusable(f"{name} is not plain text")
    return value


def _seconds(body: dict[str, Any], name: str, default: int | None = None) -> float:
    value = body.get(name, default)
    if type(value) is not int or not 0 < value <= 366 * 86400:  # `is not`: in Python, true is an int
        raise _unusable(f"{name} is not a sensible number of seconds")
    return float(value)


def _unusable(reason: str) -> MalformedError:
    return MalformedError(f"{WHAT} gave an answer that cannot be used: {reason}.")
