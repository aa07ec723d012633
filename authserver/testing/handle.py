"""The handle: what the fixture `authserver` hands to a test. A thin client of the control API, and nothing else.

Left out: `faults`, `exchanges`, `problems`.

It is synchronous and works in asyncio tests too: the server answers from a thread or a process of its own. Whatever the
server refuses is raised as `HarnessError`, with its sentence.
"""

import base64
import hashlib
import secrets
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

import httpx2

from authserver.testing.wrong_tokens import WrongToken, find

Json = dict[str, Any]


class HarnessError(AssertionError):
    """The control API refused: a mistake in the test, in words that say which."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who can log in. `user_id` is the `sub` of their tokens."""

    user_id: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Client:
    """An application. `client_secret` is None for a public one; `redirect_uri` its first callback, if it has any."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `log_type` is Auth0's code for it, `at` epoch seconds of the tenant's clock."""

    id: int
    at: int
    type: str
    log_type: str | None
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    reason: str | None
    connection: str | None


@dataclass(frozen=True, slots=True)
class Forged:
    """A wrong token, made: `token` is what to send, `wrong` what is wrong with it."""

    wrong: WrongToken
    token: str = field(repr=False)

    @property
    def statuses(self) -> tuple[int, ...]:
        """What a correct API may answer."""
        return self.wrong.statuses


@dataclass(frozen=True, slots=True)
class Login:
    """How a login ended: with a redirect to the application (`location`, `parameters`), or on `page` with `error`.

    `asked` are the pages that the person filled in, such as `u/login` and `u/consent`.
    """

    location: str | None
    parameters: dict[str, str]
    page: str | None
    status: int
    error: str | None
    asked: tuple[str, ...]
    _exchange: "_Exchange | None" = field(default=None, repr=False)

    @property
    def code(self) -> str:
        """The authorization code. Raises HarnessError when the login brought none."""
        if "code" not in self.parameters:
            raise HarnessError(f"no code: {self.parameters.get('error') or f'{self.page}: {self.error}'}")
        return self.parameters["code"]

    def exchange(self) -> httpx2.Response:
        """Redeem the code at the token endpoint, as the application would."""
        if self._exchange is None:
            raise HarnessError("the application that began this login has the verifier; it alone can redeem the code")
        return self._exchange.redeem(self.code)

    def tokens(self) -> Json:
        """The token response. Raises HarnessError for any other answer."""
        response = self.exchange()
        answered: Json = response.json()
        if response.status_code != 200:
            raise HarnessError(f"the code was refused: {response.status_code} {answered}")
        return answered


@dataclass(frozen=True, slots=True)
class _Exchange:
    control: "Control"
    client: Client
    redirect_uri: str
    verifier: str
    token_endpoint: str

    def redeem(self, code: str) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        if self.client.client_secret is not None:
            form["client_secret"] = self.client.client_secret
        return self.control.http.post(self.token_endpoint, data=form)


class Control:
    """One connection to a server whose harness is on, in this process or in a container."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/") + "/"
        # Reading the machine's authorities takes 30 ms and is needed for https alone.
        verify: ssl.SSLContext | bool = self.url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.http = httpx2.Client(trust_env=False, timeout=30, verify=verify)
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """The JSON of the answer. Raises HarnessError."""
        response = self.http.request(method, f"{self.url}_testing/{path}", json=body, headers=self._headers)
        if response.is_error:
            try:
                said = response.json()["error_description"]
            except (ValueError, KeyError, TypeError):
                said = response.text[:200]
            raise HarnessError(f"{method} {path}: {response.status_code} {said}")
        return response.json() if response.content else None

    def make_tenant(self, name: str | None = None, dialect: str | None = None) -> "Authserver":
        """A tenant with nothing in it."""
        asked = {"name": name, "dialect": dialect}
        made = self.call("POST", "tenants", {key: value for key, value in asked.items() if value is not None})
        return Authserver(self, made["name"], made["issuer"])

    def close(self) -> None:
        """Give the connection back."""
        self.http.close()


class Clock:
    """The tenant's time, in epoch seconds. Your own application's clock is yours to turn."""

    def __init__(self, authserver: "Authserver") -> None:
        self._authserver = authserver

    @property
    def now(self) -> int:
        """What it says."""
        now: int = self._authserver.call("GET", "clock")["now"]
        return now

    def advance(self, seconds: int) -> int:
        """Forward, or back with a negative number. Returns the new time."""
        return self._change(advance=seconds)

    def set(self, at: int) -> int:
        """To this time; a frozen clock stays frozen."""
        return self._change(set=at)

    def freeze(self, at: int | None = None) -> int:
        """Stand still, now or at `at`."""
        return self._change(freeze=True) if at is None else self._change(freeze=True, set=at)

    def resume(self) -> int:
        """Run on from where it stands."""
        return self._change(resume=True)

    def _change(self, **change: object) -> int:
        now: int = self._authserver.call("POST", "clock", change)["now"]
        return now


class Authserver:
    """A tenant of this test's own: an issuer with people, applications, APIs, keys, time and events."""

    def __init__(self, control: Control, name: str, issuer: str) -> None:
        self.control, self.name, self.issuer = control, name, issuer
        self.clock, self.is_dropped = Clock(self), False

    def __repr__(self) -> str:
        return f"<Authserver {self.issuer}>"

    @property
    def metadata_url(self) -> str:
        """Where discovery begins (OpenID Connect Discovery §4)."""
        return self.issuer + ".well-known/openid-configuration"

    @property
    def jwks_uri(self) -> str:
        """The public keys."""
        return self.issuer + ".well-known/jwks.json"

    def dial(self, url: str) -> str:
        """Where a URL of this tenant is reached from here: the issuer may be the name that others know it by."""
        return self.control.url + url.removeprefix(self.issuer.removesuffix(f"t/{self.name}/"))

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """The control API of this tenant, for what has no method here."""
        return self.control.call(method, f"tenants/{self.name}/{path}", body)

    def add_user(self, email: str | None = None, password: str | None = None, **members: Any) -> User:
        """A person. `members` are those of `users[]` in a tenant file: `name`, `blocked`, `email_verified` …"""
        given = {"email": email, "password": password, **members}
        return User(**self.call("POST", "users", {key: value for key, value in given.items() if value is not None}))

    def register_client(
        self, client_id: str | None = None, *, confidential: bool = False, ask_consent: bool = True, **members: Any
    ) -> Client:
        """An application: native with PKCE, or with `confidential` a web application with a secret.

        `ask_consent=False`: as first party whose callback needs no confirmation. `members` are those of `clients[]` in
        a tenant file: `callbacks`, `grant_types`, `web_origins`, `refresh_token` …
        """
        given: Json = {} if client_id is None else {"client_id": client_id}
        if confidential:
            given |= {"app_type": "regular_web", "token_endpoint_auth_method": "client_secret_post"}
        given["is_first_party"] = not ask_consent
        given["skip_non_verifiable_callback_uri_confirmation_prompt"] = not ask_consent
        made = self.call("POST", "clients", {**given, **members})
        return Client(made["client_id"], made["client_secret"], next(iter(made["callbacks"]), None))

    def add_api(self, audience: str, scopes: Sequence[str] = (), **members: Any) -> str:
        """An API with these scopes. `members` are those of `resourceServers[]` in a tenant file. Returns `audience`."""
        listed = [{"value": scope} for scope in scopes]
        self.call("POST", "apis", {"identifier": audience, "scopes": listed, **members})
        return audience

    def grant(self, client: Client | str, audience: str, scope: str) -> None:
        """Let a confidential client have `scope` (space-separated) in its own name (RFC 6749 §4.4)."""
        body = {"client_id": _client_id(client), "audience": audience, "scope": scope.split()}
        self.call("POST", "client-grants", body)

    def issue_token(
        self,
        subject: User | str,
        audience: str,
        scope: str = "",
        *,
        client: Client | str | None = None,
        expires_in: int | None = None,
        **claims: Any,
    ) -> str:
        """A good access token for an API, without a login. `scope` is space-separated, `expires_in` in seconds.

        `claims` are added; those of the protocol stay what they are: `wrong_tokens` are the ones that lie.
        """
        order: Json = {"subject": _subject(subject), "audience": audience, "scope": scope, "claims": claims}
        if client is not None:
            order["client_id"] = _client_id(client)
        if expires_in is not None:
            order["expires_in"] = expires_in
        token: str = self.call("POST", "tokens", order)["access_token"]
        return token

    def login(
        self,
        user: User,
        client: Client,
        *,
        audience: str | None = None,
        scope: str = "openid profile email",
        decision: Literal["approve", "deny"] = "approve",
        password: str | None = None,
        browser: str | None = None,
        **parameters: str,
    ) -> Login:
        """A virtual person logs in to `client` and decides. `.tokens()` of what comes back redeems the code.

        `password`: another than the right one. `browser`: a name; whoever logs in with it again has its cookies.
        `parameters` are added to the authorization request, or replace what is in it: `prompt`, `redirect_uri` …
        """
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        request = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri or "",
            "scope": scope,
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"audience": audience} if audience else {}),
            **parameters,
        }
        url = f"{self.issuer}authorize?{urlencode(request)}"
        walked = self._visit(url, user, decision, password, browser)
        exchange = _Exchange(
            self.control, client, request["redirect_uri"], verifier, self.dial(self.issuer + "oauth/token")
        )
        return Login(**walked, _exchange=exchange)

    def visit(
        self,
        url: str,
        user: User,
        *,
        decision: Literal["approve", "deny"] = "approve",
        password: str | None = None,
        browser: str | None = None,
    ) -> Login:
        """The same for an authorization request that your application made: `url` is where it sends the browser.

        Open `.location` of what comes back at your application.
        """
        return Login(**self._visit(url, user, decision, password, browser))

    def rotate_keys(self, lead: int = 0) -> str:
        """A new signing key, signing `lead` seconds from now; the old one stays published. Returns its `kid`."""
        kid: str = self.call("POST", "keys/rotate", {"lead": lead})["kid"]
        return kid

    @property
    def events(self) -> list[Event]:
        """What happened in this tenant, oldest first."""
        return [Event(**each) for each in self.call("GET", "events")]

    def wrong_tokens(self, audience: str, scope: str, subject: User | str = "auth0|somebody") -> list[Forged]:
        """Every wrong token of the catalogue, for an API that demands `audience` and `scope`."""
        order = {"audience": audience, "scope": scope, "subject": _subject(subject)}
        return [Forged(find(made["name"]), made["token"]) for made in self.call("POST", "wrong-tokens", order)]

    def wrong_token(
        self, wrong: WrongToken | str, audience: str, scope: str, subject: User | str = "auth0|somebody"
    ) -> str:
        """One of them."""
        order = {"audience": audience, "scope": scope, "subject": _subject(subject)}
        token: str = self.call("POST", f"wrong-tokens/{wrong}", order)["token"]
        return token

    def drop(self) -> None:
        """End this tenant; the fixture does that for you, unless the test did."""
        self.control.call("DELETE", f"tenants/{self.name}")
        self.is_dropped = True

    def _visit(self, url: str, user: User, decision: str, password: str | None, browser: str | None) -> Json:
        body = {"url": url, "username": user.email, "password": password or user.password, "decision": decision}
        walked: Json = self.call("POST", "login", {**body, **({"browser": browser} if browser else {})})
        return {**walked, "asked": tuple(walked["asked"])}


def _client_id(client: Client | str) -> str:
    return client if isinstance(client, str) else client.client_id


def _subject(subject: User | str) -> str:
    return subject if isinstance(subject, str) else subject.user_id
