"""The native app as a whole: settings, store, clock and wire, put together once.

The command line, the page and the demo use it. Nothing here talks to a terminal; each network object is made when it
is first needed, and what only a login or a refresh needs is imported then: most commands find a valid access token.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx2

from client import discovery
from client.answers import fetch_document
from client.api_calls import Caller, same_person
from client.errors import ClientError, LoginFailedError, StoreDamagedError, UnavailableError
from client.moments import IdentityVerified, Moment, unseen
from client.session import Session, not_logged_in, token_set
from client.settings import CALLBACK_PORTS, Settings
from client.store import Store, TokenSet
from client.wire import Exchange, http_options

if TYPE_CHECKING:
    from client.device import DeviceLogin
    from client.login import LoginAttempt, PendingLogin
    from client.tokens import TokenEndpoint


@dataclass(frozen=True, slots=True)
class LoggedOut:
    was_logged_in: bool
    problem: ClientError | None
    """Why the server could not be told, if it could not. The local tokens are gone either way."""
    identity: dict[str, Any] | None = None
    """Who it was."""


class NativeApp:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        now: Callable[[], float] = time.time,
        random: Callable[[], str] = secrets.token_urlsafe,
        sleep: Callable[[float], None] = time.sleep,
        on_exchange: Callable[[Exchange], None] | None = None,
        on_moment: Callable[[Moment], None] = unseen,
        ports: Sequence[int] = CALLBACK_PORTS,
    ) -> None:
        self.settings = settings
        self.store = store
        self._now = now
        self._random = random
        self._sleep = sleep
        self._on_exchange = on_exchange
        self._on_moment = on_moment
        self._trace_id = secrets.token_hex(16)
        self._ports = ports
        self._session = Session(store, self._refreshed, now, settings.account)

    @cached_property
    def metadata(self) -> discovery.Metadata:
        with self._http() as http:
            return discovery.discover(http, self.settings.issuer)

    @cached_property
    def token_endpoint(self) -> "TokenEndpoint":
        from client.tokens import TokenEndpoint

        return TokenEndpoint(self.settings.client_id, self.metadata, self._http_options)

    def begin_login(self) -> "PendingLogin":
        from client.login import PendingLogin

        return PendingLogin(self.attempt_login(), self._ports)

    def attempt_login(self) -> "LoginAttempt":
        """For whoever receives the answer in a way of their own."""
        from client.login import LoginAttempt

        return LoginAttempt(
            self.settings,
            self.metadata,
            self.token_endpoint,
            self._fetch_jwks,
            self.store,
            now=self._now,
            random=self._random,
            on_moment=self._on_moment,
        )

    def begin_device_login(self) -> "DeviceLogin":
        """For a person whose browser is elsewhere (RFC 8628)."""
        from client import device
        from client.arrival import Arrival, check_before_asking

        url = self.metadata.device_authorization_endpoint
        if url is None:
            raise LoginFailedError(
                "The authorization server offers no login for devices.", "Without --device it is tried with a browser."
            )
        check_before_asking(self.store)
        keys = self._fetch_jwks()  # first: the code must not be spent on an answer that cannot be checked

        def fetch_jwks() -> dict[str, Any]:
            try:
                return self._fetch_jwks()
            except UnavailableError:
                return keys

        settings, endpoint = self.settings, self.token_endpoint
        form = {"client_id": settings.client_id, "scope": settings.scope, "audience": settings.audience}
        with self._http() as http:
            invitation = device.ask(http, url, form, self.metadata.issuer)
        arrival = Arrival(settings, self.metadata, endpoint, fetch_jwks, self.store, self._now, self._on_moment)
        return device.DeviceLogin(invitation, endpoint, arrival, now=self._now, sleep=self._sleep)

    def tokens(self) -> TokenSet:
        return self._session.tokens()

    def refresh(self) -> TokenSet:
        """Refresh although the access token still works (unless another process has just done so)."""
        with self.store.lock():
            held = self.store.load(with_refresh_token=False)
        if held is None:
            raise not_logged_in(self.store, self.settings.account)
        return self._session.tokens(rejected=held.access_token)

    def call_api(self, method: str, path: str, json: dict[str, str] | None = None) -> Any:
        api = self.settings.api_url
        with self._http() as http:
            return Caller(http, api, "The API", self._session.tokens).call(method, api.rstrip("/") + path, json)[0]

    def userinfo(self) -> dict[str, Any]:
        url = self.metadata.userinfo_endpoint
        if url is None:
            raise UnavailableError("The authorization server has no userinfo endpoint.")
        with self._http() as http:
            claims, tokens = Caller(http, url, "Userinfo", self._session.tokens).call("GET", url)
        return same_person(claims, tokens)

    def logout(self) -> LoggedOut:
        """Tell the server, and forget locally whether or not it could be told."""
        with self.store.lock():
            try:
                tokens = self.store.load()
            except StoreDamagedError:
                tokens = None
            try:
                return LoggedOut(tokens is not None, self._revoke(tokens), tokens.identity if tokens else None)
            finally:
                self.store.delete()

    def _revoke(self, tokens: TokenSet | None) -> ClientError | None:
        if tokens is None or tokens.refresh_token is None:
            return None
        try:
            self.token_endpoint.revoke(tokens.refresh_token)
        except ClientError as problem:
            return problem
        return None

    def _refreshed(self, old: TokenSet) -> TokenSet:
        from client import id_token

        jwks = self._fetch_jwks()  # first: a refresh token must not be spent on an answer that cannot be checked
        asked_at = self._now()
        answer = self.token_endpoint.refresh(str(old.refresh_token))
        token, claims, difference = old.id_token, old.identity, old.clock_difference
        if answer.id_token is not None:
            token = answer.id_token
            if not id_token.names_a_key_of(jwks, token):
                jwks = self._fetch_jwks()  # the keys changed in between, and the old refresh token is spent
            claims = id_token.verify(
                token,
                jwks=jwks,
                issuer=self.metadata.issuer,
                client_id=self.settings.client_id,
                access_token=answer.access_token,
                now=self._now(),
                previous=old.identity,
            )
            difference = id_token.clock_difference(claims, asked_at)
            self._on_moment(IdentityVerified(claims, refreshed=True))
        return token_set(
            answer,
            asked_at=asked_at,
            id_token=token,
            identity=claims,
            scope=old.scope,
            refresh_token=old.refresh_token,
            clock_difference=difference,
            browser=old.browser,
        )

    def _fetch_jwks(self) -> dict[str, Any]:
        with self._http() as http:
            return fetch_document(http, self.metadata.jwks_uri, "The issuer's key set")

    def _http(self) -> httpx2.Client:
        return httpx2.Client(**self._http_options())

    def _http_options(self) -> dict[str, Any]:
        return http_options(
            self.settings, self._on_exchange, trace_id=self._trace_id, on_moment=self._on_moment, sleep=self._sleep
        )
