"""The tenant of one test, as the test sees it."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

from authserver.testing.handle.clock import Clock
from authserver.testing.handle.connection import Connection
from authserver.testing.handle.exchanges import Exchange
from authserver.testing.handle.faults import Faults
from authserver.testing.handle.login import Login, Redemption
from authserver.testing.handle.problems import Problem, left, told
from authserver.testing.handle.values import Client, Event, Forged, User
from authserver.testing.tampering import Tamper
from authserver.testing.wrong_tokens import WrongToken, find

Json = dict[str, Any]


class Authserver:
    """A tenant of this test's own: an issuer with people, applications, APIs, keys, time, events and faults."""

    def __init__(self, control: Connection, name: str, issuer: str) -> None:
        self.control, self.name, self.issuer, self.is_dropped = control, name, issuer, False
        self.clock, self.faults = Clock(self.call), Faults(self.call)

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
        redemption = Redemption(
            self.control.http, client, request["redirect_uri"], verifier, self.dial(self.issuer + "oauth/token")
        )
        return Login(**walked, _redemption=redemption)

    def visit(
        self,
        url: str,
        user: User,
        *,
        decision: Literal["approve", "deny"] = "approve",
        password: str | None = None,
        browser: str | None = None,
        tamper: Tamper | None = None,
    ) -> Login:
        """The same for an authorization request that your application made: `url` is where it sends the browser.

        Open `.location` of what comes back at your application. A device's `verification_uri_complete` is visited, too;
        that walk ends on the page `activate/confirm`, and the device hears of it when it asks again.

        With `tamper` the callback is spoiled, and an application that redeems its code all the same is listed in
        `problems`.
        """
        return Login(**self._visit(url, user, decision, password, browser, tamper))

    def rotate_keys(self, lead: int = 0) -> str:
        """A new signing key, signing `lead` seconds from now; the old one stays published. Returns its `kid`."""
        kid: str = self.call("POST", "keys/rotate", {"lead": lead})["kid"]
        return kid

    @property
    def events(self) -> list[Event]:
        """What happened in this tenant, oldest first."""
        return [Event(**each) for each in self.call("GET", "events")]

    @property
    def exchanges(self) -> list[Exchange]:
        """What came in and went out in this tenant, oldest first; the last thousand."""
        return [Exchange(**each) for each in self.call("GET", "exchanges")]

    @property
    def problems(self) -> list[Problem]:
        """Mistakes that your client made in this tenant, each once, in the order in which they were seen."""
        listed = self.call("GET", "problems")
        return [Problem(rule=each["name"], **{name: each[name] for name in each if name != "name"}) for each in listed]

    def assert_no_problems(self, client: Client | str | None = None, *, ignore: Sequence[str] = ()) -> None:
        """Raises AssertionError with each mistake, of `client` alone if one is named, but for rules to `ignore`."""
        of = None if client is None else _client_id(client)
        found = [each for each in left(self.problems, ignore) if of in (None, each.client_id)]
        if found:
            raise AssertionError(told(found))

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

    def _visit(
        self,
        url: str,
        user: User,
        decision: str,
        password: str | None,
        browser: str | None,
        tamper: Tamper | None = None,
    ) -> Json:
        body = {"url": url, "username": user.email, "password": password or user.password, "decision": decision}
        given = {name: value for name, value in (("browser", browser), ("tamper", tamper)) if value is not None}
        walked: Json = self.call("POST", "login", {**body, **given})
        return {**walked, "asked": tuple(walked["asked"])}


def _client_id(client: Client | str) -> str:
    return client if isinstance(client, str) else client.client_id


def _subject(subject: User | str) -> str:
    return subject if isinstance(subject, str) else subject.user_id
