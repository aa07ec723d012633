"""Calls with the access token: to the notes API, and to userinfo.

Done: RFC 6750 sections 2.1, 3 and 3.1; OpenID Connect Core 1.0 section 5.3.2 (userinfo must speak of
the same `sub`).
The token goes to the API's own origin (or the issuer's own userinfo endpoint) and nowhere else:
redirects are not followed (CL15). A 401 is answered by one refresh and one more try; a 403 says which
scope would help.
Left out: RFC 9728 resource metadata, DPoP.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote
from typing import Any

import httpx2

from client import urls
from client.answers import busy, read_json, unavailable
from client.errors import InsufficientScopeError, MalformedError, RefusedError
from client.store import TokenSet


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one server, at home's origin, with whatever tokens the session has."""

    http: httpx2.Client
    home: str
    what: str
    tokens: Callable[[str | None], TokenSet]

    def call(self, method: str, url: str, json: dict[str, str] | None = None) -> tuple[Any, TokenSet]:
        """The answer and the tokens it was got with."""
        tokens = self.tokens(None)
        answer = self._send(method, url, json, tokens)
        if answer.status_code == 401:
            tokens = self.tokens(tokens.access_token)
            answer = self._send(method, url, json, tokens)
        self._check(answer, tokens)
        return (None if answer.status_code == 204 else read_json(answer, self.what)), tokens

    def _send(self, method: str, url: str, json: dict[str, str] | None, tokens: TokenSet) -> httpx2.Response:
        if urls.flaw(url) or urls.origin(url) != urls.origin(self.home):
            raise MalformedError(f"{url} is not at {self.home}: the token was not sent.")
        try:
            return self.http.request(method, url, json=json, headers={"Authorization": f"Bearer {tokens.access_token}"})
        except httpx2.HTTPError as problem:
            raise unavailable(self.what, url, problem) from problem

    def _check(self, answer: httpx2.Response, tokens: TokenSet) -> None:
        status = answer.status_code
        if status in (200, 201, 204):
            return
        challenge = answer.headers.get("www-authenticate", "")
        error = _parameter(challenge, "error")
        if 300 <= status < 400:
            raise MalformedError(
                f"{self.what} redirects to {answer.headers.get('location', 'nowhere')}.",
                "The token was not sent there. The address in use must be the final one: see CLIENT_API_URL.",
            )
        if status == 401:
            raise RefusedError(
                f"{self.what} refuses even a fresh token ({_reason(answer) or error or status}).",
                "Do it and this app mean the same issuer and audience? Compare: python -m client status",
                error=error,
                status=status,
            )
        if status == 403 and error == "insufficient_scope":
            raise _insufficient(self.what, _parameter(challenge, "scope"), tokens.scope)
        if status == 429 or status >= 500:
            raise busy(self.what, answer)
        reason = _reason(answer)
        raise RefusedError(f"{self.what} said no ({status}{reason and ': ' + reason}).", error=error, status=status)


def same_person(userinfo: Any, tokens: TokenSet) -> dict[str, Any]:
    if not isinstance(userinfo, dict) or userinfo.get("sub") != tokens.identity["sub"]:
        raise MalformedError("Userinfo speaks of somebody else than the one who logged in: the answer was thrown away.")
    return userinfo


def _insufficient(what: str, needed: str, granted: str) -> InsufficientScopeError:
    missing = [scope for scope in needed.split() if scope not in granted.split()]
    wanted = " ".join(missing or needed.split())
    return InsufficientScopeError(
        f"{what} wants the scope {wanted or '(it does not say which)'}, and this login does not have it.",
        f"Log in with it: python -m client login --scope {quote(' '.join([*granted.split(), *missing]))}",
        scope=needed,
    )


def _reason(answer: httpx2.Response) -> str:
    """The server's own words, if it has some that can be read."""
    try:
        return str(answer.json()["error_description"])
    except (ValueError, TypeError, KeyError):
        return _parameter(answer.headers.get("www-authenticate", ""), "error_description")


def _parameter(challenge: str, name: str) -> str:
    """One parameter of `WWW-Authenticate: Bearer a="b", c="d"`."""
    found = re.search(rf'(?:^|[\s,]){name}="([^"]*)"', challenge)
    return found.group(1) if found else ""
