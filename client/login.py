"""The login: from "who are you" to stored tokens, with the person's own browser in between.

Done: RFC 8252 sections 4.1, 6 and 8.1; RFC 6749 section 4.1; RFC 7636; OpenID Connect Core 1.0 sections
3.1.2.1 (nonce) and 3.1.3.
Order: discovery → bind the listener → build the URL → browser → callback (state, iss, error or code) →
token request → ID token → save → final page → close.
Left out: pushed requests, custom URL schemes, pasting the callback by hand (a person
who is asked for it once will give it to a thief too, row CL17).
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from client import authorization_response, page
from client.arrival import Arrival, check_before_asking
from client.discovery import Metadata
from client.errors import ClientError, StoreDamagedError
from client.loopback import Listener, Pairs
from client.moments import AuthorizationRequest, AuthorizationResponse, Moment, unseen
from client.pkce import s256
from client.settings import CALLBACK_PORTS, Settings
from client.store import Store, TokenSet
from client.tokens import TokenEndpoint

LOGIN_SECONDS = 5 * 60.0


@dataclass(frozen=True, slots=True)
class LoggedIn:
    tokens: TokenSet
    callback: Pairs
    clock_difference: int
    is_who_was_asked_for: bool = True
    """False if an account was named, and somebody else logged in."""


class LoginAttempt:
    """One login's secrets and its two requests, wherever the browser brings the answer: to the loopback listener
    below, or to the page of `serve`.
    """

    def __init__(
        self,
        settings: Settings,
        metadata: Metadata,
        endpoint: TokenEndpoint,
        fetch_jwks: Callable[[], dict[str, Any]],
        store: Store,
        *,
        now: Callable[[], float],
        random: Callable[[], str] = secrets.token_urlsafe,
        on_moment: Callable[[Moment], None] = unseen,
    ) -> None:
        check_before_asking(store)
        self._settings = settings
        self._metadata = metadata
        self._endpoint = endpoint
        self._now = now
        self._on_moment = on_moment
        self._arrival = Arrival(settings, metadata, endpoint, fetch_jwks, store, now, on_moment)
        self._nonce = random()
        self._verifier = random()
        self._hint = _login_hint(store, settings.account)
        self.state = random()

    def parameters(self, redirect_uri: str) -> dict[str, str]:
        """The authorization request (RFC 6749 section 4.1.1)."""
        return {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._settings.scope,
            "audience": self._settings.audience,
            "state": self.state,
            "nonce": self._nonce,
            "code_challenge": s256(self._verifier),
            "code_challenge_method": "S256",
        } | self._hint

    def url(self, redirect_uri: str) -> str:
        """Where the browser has to go."""
        endpoint, parameters = self._metadata.authorization_endpoint, self.parameters(redirect_uri)
        self._on_moment(AuthorizationRequest(endpoint, parameters))
        return endpoint + ("&" if "?" in endpoint else "?") + urlencode(parameters, quote_via=quote)

    def redeem(self, pairs: Pairs, redirect_uri: str) -> LoggedIn:
        """From the answer, whose `state` the caller has matched, to stored tokens."""
        code = authorization_response.code_from(pairs, self._metadata.issuer)
        self._on_moment(AuthorizationResponse(dict(pairs)))
        asked_at = self._now()
        answer = self._endpoint.exchange(code, self._verifier, redirect_uri)
        tokens, is_who = self._arrival.keep(answer, asked_at, nonce=self._nonce)
        return LoggedIn(tokens, pairs, tokens.clock_difference, is_who)

    def revoke_superseded(self) -> None:
        """After a login: the refresh token that the same person had here before, and nothing holds any more."""
        self._arrival.revoke_superseded()


class PendingLogin:
    """A login that waits for its person. As a context manager it closes its listener whatever happens."""

    def __init__(self, attempt: LoginAttempt, ports: Sequence[int] = CALLBACK_PORTS) -> None:
        self._attempt = attempt
        self._listener = Listener(attempt.state, ports)
        self.redirect_uri = self._listener.redirect_uri
        self.parameters = attempt.parameters(self.redirect_uri)
        self.url = attempt.url(self.redirect_uri)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._listener.close()

    def give_up(self) -> None:
        """Wake up whoever waits in `finish`."""
        self._listener.give_up()

    def finish(self, timeout: float = LOGIN_SECONDS) -> LoggedIn:
        pairs = self._listener.wait(timeout)
        try:
            done = self._attempt.redeem(pairs, self.redirect_uri)
        except ClientError as problem:
            self._listener.show(page.failed(str(problem)))
            raise
        identity = done.tokens.identity
        self._listener.show(page.logged_in(str(identity.get("name") or identity["sub"])))
        self._attempt.revoke_superseded()
        return done


def _login_hint(store: Store, account: str) -> dict[str, str]:
    """OpenID Connect Core 1.0 section 3.1.2.1: whom the server should expect, in words that it knows."""
    if not account:
        return {}
    with suppress(StoreDamagedError):
        drawer = store.drawer()
        sub = drawer.find(account)
        if sub is not None:
            return {"login_hint": str(drawer.people[sub].identity.get("email") or account)}
    return {"login_hint": account}


def open_in_background(browser: Callable[[str], object], url: str) -> None:
    """In a thread: a text browser or a BROWSER script may run until the login is over."""
    threading.Thread(target=browser, args=(url,), daemon=True).start()
