"""The login: from "who are you" to stored tokens, with the person's own browser in between.

Done: RFC 8252 sections 4.1, 6 and 8.1; RFC 6749 section 4.1; RFC 7636; OpenID Connect Core 1.0 sections
3.1.2.1 (nonce) and 3.1.3.
Order: discovery → bind the listener → build the URL → browser → callback (state, iss, error or code) →
token request → ID token → save → final page → close.
Left out: the device flow, pushed requests, custom URL schemes, pasting the callback by hand (a person
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

from client import authorization_response, id_token, page
from client.discovery import Metadata
from client.errors import ClientError, MalformedError, StoreDamagedError, StoreError
from client.loopback import Listener, Pairs
from client.moments import AuthorizationRequest, AuthorizationResponse, IdentityVerified, Moment, unseen
from client.pkce import s256
from client.session import token_set
from client.settings import CALLBACK_PORTS, Settings
from client.store import Drawer, Store, TokenSet
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
        with store.lock():
            store.check()  # better to hear that the tokens cannot be kept before the password is typed than after
        self._settings = settings
        self._metadata = metadata
        self._endpoint = endpoint
        self._fetch_jwks = fetch_jwks
        self._store = store
        self._now = now
        self._on_moment = on_moment
        self._superseded: str | None = None
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
        if answer.id_token is None:
            raise MalformedError("The token endpoint sent no ID token, so nobody knows who logged in.")
        claims = id_token.verify(
            answer.id_token,
            jwks=self._fetch_jwks(),
            issuer=self._metadata.issuer,
            client_id=self._settings.client_id,
            access_token=answer.access_token,
            now=self._now(),
            nonce=self._nonce,
        )
        self._on_moment(IdentityVerified(claims, refreshed=False))
        tokens = token_set(
            answer,
            asked_at=asked_at,
            id_token=answer.id_token,
            identity=claims,
            scope=self._settings.scope,
            clock_difference=id_token.clock_difference(claims, asked_at),
        )
        self._keep(tokens)
        asked_for = Drawer().with_person(tokens).find(self._settings.account) is not None
        return LoggedIn(tokens, pairs, tokens.clock_difference, asked_for)

    def revoke_superseded(self) -> None:
        """After a login: the refresh token that the same person had here before, and nothing holds any more."""
        self._revoke(self._superseded)

    def _keep(self, tokens: TokenSet) -> None:
        with self._store.lock():
            superseded = self._refresh_token_of(str(tokens.identity["sub"]))
            self._superseded = superseded if superseded != tokens.refresh_token else None
            try:
                self._store.save(tokens, make_current=True)
            except StoreError:
                self._revoke(tokens.refresh_token)  # nobody will ever use it
                raise

    def _refresh_token_of(self, sub: str) -> str | None:
        with suppress(StoreError):
            old = self._store.load(account=sub)
            if old is not None and old.identity["sub"] == sub:
                return old.refresh_token
        return None

    def _revoke(self, refresh_token: str | None) -> None:
        """Best effort: a login that nothing here holds any more should not live on at the server."""
        if refresh_token is not None:
            with suppress(ClientError):
                self._endpoint.revoke(refresh_token)


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
