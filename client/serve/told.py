"""What just happened: the last exchanges, one line each, for people who want to learn from them.

Names and not values: no code, token, state or verifier is in a line, whoever reads it later.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from client import urls
from client.errors import printable
from client.wire import Exchange

MOST = 8


class Step(NamedTuple):
    what: str
    why: str
    section: str


LEFT = Step(
    "browser → the issuer's /authorize (state, nonce, code_challenge)",
    "You log in there. The password is typed at the issuer, this app never sees it.",
    "RFC 6749 §4.1.1, RFC 7636 §4.3",
)
CAME_BACK = Step(
    "browser → /callback (code, state, iss)",
    "state is the one that was made for this browser, and iss is the issuer that it was sent to.",
    "RFC 6749 §10.12, RFC 9207 §2.4",
)
_TOKEN_REQUESTS = {
    "authorization_code": (
        "The app trades the code for tokens. The verifier proves that it is the app that asked.",
        "RFC 6749 §4.1.3, RFC 7636 §4.5",
    ),
    "refresh_token": ("The refresh token brings new tokens, and is spent by that.", "RFC 6749 §6"),
}
_API_ANSWERS = {
    401: ("The API does not take this access token: one refresh, then one more try.", "RFC 6750 §3.1"),
    403: ("The token is good, but not for this: its scope is too small.", "RFC 6750 §3.1"),
}


class Recent:
    """The last steps, newest last. One that happens again moves to the end."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=MOST)

    def add(self, step: Step) -> None:
        self.begin([*(each for each in self if each != step), step])

    def begin(self, steps: Iterable[Step]) -> None:
        self._steps = deque(steps, maxlen=MOST)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.copy())


def step_of(exchange: Exchange, api_url: str) -> Step:
    sent, (why, section) = _meaning(exchange, api_url)
    path = printable(urlsplit(exchange.url).path, 60)
    return Step(f"app → {exchange.method} {path}{sent and f' ({sent})'} → {exchange.status}", why, section)


def _meaning(exchange: Exchange, api_url: str) -> tuple[str, tuple[str, str]]:
    """What was sent, and what for."""
    form = dict(parse_qsl(exchange.request_body.decode(errors="replace")))
    if (grant_type := form.get("grant_type")) in _TOKEN_REQUESTS:
        return f"grant_type={grant_type}", _TOKEN_REQUESTS[grant_type]
    if "token_type_hint" in form:
        return "token", ("The issuer is told that the refresh token must not work any more.", "RFC 7009 §2.1")
    if urls.origin(exchange.url) == urls.origin(api_url):
        usual = ("The access token goes to the API in a header, and nowhere else.", "RFC 6750 §2.1")
        return "Authorization: Bearer …", _API_ANSWERS.get(exchange.status, usual)
    if exchange.url.endswith("/.well-known/openid-configuration"):
        return "", ("The app asks the issuer where its endpoints are.", "OpenID Connect Discovery 1.0 §4")
    return "", (
        "The issuer's public keys: the app checks the signature of the ID token.",
        "OpenID Connect Core §3.1.3.7",
    )
