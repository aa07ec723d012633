"""What is measured: five routes, told the same way to every server, and every answer looked at.

What a provider's answers must hold is checked in full before and after each cell; in between, what stands still is
compared byte for byte and what is new is looked at for its essential members, because our own work must stay small.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from tests.bench.http import Answer, Story, WrongAnswerError, get, post
from tests.bench.visitor import CALLBACK, Visitor

CLIENT, API = "bench", "https://notes.example/api"
SCOPE = "openid profile email read:notes write:notes"

Telling = Generator[bytes, Answer, None]


def same(request: bytes, expected: bytes) -> Story:
    """A request whose answer never changes."""

    def tell() -> Telling:
        answer = yield request
        answer.expect(200)
        if answer.body != expected:
            raise WrongAnswerError(f"another body than before: {answer.body[:200].decode('utf-8', 'replace')}")

    return tell


def both(first: Story, second: Story) -> Story:
    """One story after the other, counted as one."""

    def tell() -> Telling:
        yield from first()
        yield from second()

    return tell


@dataclass
class Tokens:
    """The last token response of a connection."""

    access_token: str = ""
    id_token: str = ""
    refresh_token: str = ""


def take(answer: Answer, tokens: Tokens, *, refresh: bool) -> None:
    """Look at a token response and keep it. Raises WrongAnswerError."""
    answer.expect(200)
    try:
        said: dict[str, Any] = json.loads(answer.body)
        new = Tokens(said["access_token"], said["id_token"], said["refresh_token"] if refresh else "")
        is_bearer = said["token_type"].lower() == "bearer" and said["expires_in"] > 0
        scope = set(said["scope"].split())
        are_jwts = new.access_token.count(".") == new.id_token.count(".") == 2
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WrongAnswerError(f"not a token response ({error!r}): {answer.body[:200]!r}") from None
    if not is_bearer or not scope.issuperset({"read:notes", "write:notes"}):
        raise WrongAnswerError(f"another token than was asked for: {answer.body[-200:]!r}")
    if not are_jwts:
        raise WrongAnswerError("a token is no signed JWT")
    if refresh and new.refresh_token in ("", tokens.refresh_token):
        raise WrongAnswerError("the refresh token was not rotated")
    tokens.access_token, tokens.id_token, tokens.refresh_token = new.access_token, new.id_token, new.refresh_token


class Provider:
    """An authorization server: ours or oidc-provider, known by what its discovery document says."""

    def __init__(self, url: str, *, asked: Mapping[str, str], exchanged: Mapping[str, str]) -> None:
        """`asked` and `exchanged` are what it wants besides, at the authorization and at the token endpoint."""
        self._asked, self._exchanged = asked, exchanged
        self._visitors: list[Visitor] = []
        self.discovery_url = f"{url}/.well-known/openid-configuration"
        with Visitor() as visitor:
            self.document = visitor.read(self.discovery_url)
            said: dict[str, Any] = json.loads(self.document)
            self.issuer: str = said["issuer"]
            if self.issuer.removesuffix("/") != url:
                raise WrongAnswerError(f"the issuer is {self.issuer} at {url}")
            self._authorize: str = said["authorization_endpoint"]
            self._token: str = said["token_endpoint"]
            self.jwks_url: str = said["jwks_uri"]
            self.jwks = visitor.read(self.jwks_url)
        self._keys = jwt.PyJWKSet.from_json(self.jwks.decode())

    def close(self) -> None:
        """Close every browser."""
        for visitor in self._visitors:
            visitor.close()

    def discovery(self) -> Story:
        """The metadata."""
        return same(get(self.discovery_url), self.document)

    def keys(self) -> Story:
        """The JWK Set."""
        return same(get(self.jwks_url), self.jwks)

    def refresh(self, number: int, tokens: Tokens) -> Story:
        """A rotating chain of its own: each request spends the refresh token of the answer before."""
        self.check(self._log_in(number, tokens))

        def tell() -> Telling:
            form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
            answer = yield post(self._token, {**form, "client_id": CLIENT, **self._exchanged})
            take(answer, tokens, refresh=True)

        return tell

    def code_flow(self, number: int, tokens: Tokens) -> Story:
        """Authorization request with a live session, code, token request: two requests, counted as one flow."""
        self.check(self._log_in(number, tokens))
        cookies = {"Cookie": self._visitor(number).cookies()}

        def tell() -> Telling:
            verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
            answer = yield get(f"{self._authorize}?{urlencode(self._request(verifier, state))}", cookies)
            if answer.status not in (302, 303) or not answer.location.startswith(f"{CALLBACK}?"):
                raise WrongAnswerError(f"no redirect to the callback: status {answer.status}: {answer.head!r}")
            said = parse_qs(urlsplit(answer.location).query)
            if said.get("state") != [state] or said.get("iss") != [self.issuer] or "code" not in said:
                raise WrongAnswerError(f"no code for this state: {answer.location}")
            answer = yield post(self._token, self._redemption(said["code"][0], verifier))
            take(answer, tokens, refresh=False)

        return tell

    def check(self, tokens: Tokens) -> None:
        """Verify both tokens with another library. Raises WrongAnswerError."""
        for token, audience in ((tokens.access_token, API), (tokens.id_token, CLIENT)):
            try:
                key = self._keys[jwt.get_unverified_header(token)["kid"]]
                jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=self.issuer)
            except (jwt.PyJWTError, KeyError) as error:
                raise WrongAnswerError(f"a token is not good: {error!r}") from None

    def log_in(self) -> Tokens:
        """Tokens for somebody who just logged in."""
        return self._log_in(0, Tokens())

    def _log_in(self, number: int, tokens: Tokens) -> Tokens:
        """By the browser of this number, which is logged in from the second time on."""
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        # With its refresh token, for which OpenID Connect Core §11 wants prompt=consent.
        asked = {**self._request(verifier, state), "scope": f"{SCOPE} offline_access", "prompt": "consent"}
        visitor = self._visitor(number)
        said = visitor.authorize(self._authorize, asked)
        if said.get("state") != state or "code" not in said:
            raise WrongAnswerError(f"login: {said}")
        take(visitor.post(self._token, self._redemption(said["code"], verifier)), tokens, refresh=True)
        return tokens

    def _request(self, verifier: str, state: str) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "scope": SCOPE,
            "state": state,
            "nonce": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **self._asked,
        }

    def _redemption(self, code: str, verifier: str) -> dict[str, str]:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK}
        return {**form, "client_id": CLIENT, **self._exchanged}

    def _visitor(self, number: int) -> Visitor:
        while len(self._visitors) <= number:
            self._visitors.append(Visitor())
        return self._visitors[number]
