"""A tenant to be spoiled: an application, two people, an API, and a plain HTTP client that shows what arrives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from authserver.testing.handle import Authserver, Client, Control, Fault, User
from tests.harness.conftest import AUDIENCE
from tests.stage import http_client

SCOPE = "openid offline_access read:notes"

SetFault = Callable[..., Fault]

KINDS: dict[str, Callable[[Authserver], SetFault]] = {
    "answer": lambda of: lambda **match: of.faults.answer(418, {"short": "and stout"}, **match),
    "error": lambda of: lambda **match: of.faults.error("temporarily_unavailable", **match),
    "delay": lambda of: lambda **match: of.faults.delay(0.01, **match),
    "hang": lambda of: of.faults.hang,
    "cut": lambda of: of.faults.cut,
    "cut in the body": lambda of: lambda **match: of.faults.cut(after=7, **match),
    "html": lambda of: of.faults.html,
    "truncate": lambda of: of.faults.truncate,
    "rate_limit": lambda of: of.faults.rate_limit,
    "outage": lambda of: of.faults.outage,
    "rotate_keys": lambda of: lambda **match: of.faults.rotate_keys(withdraw=True, **match),
    "lose_answer": lambda of: of.faults.lose_answer,
    "skew": lambda of: lambda **match: of.faults.skew(-86400, **match),
    "id_token": lambda of: lambda **match: of.faults.id_token("wrong-nonce", **match),
}
"""Every kind of fault, to be set at an endpoint that is named."""


@dataclass
class World:
    """`authserver` with everything that a login needs; the same names in each, so that only the tenant differs."""

    authserver: Authserver
    alice: User = field(init=False)
    bob: User = field(init=False)
    app: Client = field(init=False)
    other_app: Client = field(init=False)

    def __post_init__(self) -> None:
        self.authserver.add_api(AUDIENCE, ["read:notes"])
        self.alice = self.authserver.add_user("alice@example.com", user_id="auth0|alice")
        self.bob = self.authserver.add_user("bob@example.com", user_id="auth0|bob")
        self.app = self.authserver.register_client("app", ask_consent=False)
        self.other_app = self.authserver.register_client("other-app", ask_consent=False)

    def tokens(self, user: User | None = None, client: Client | None = None) -> dict[str, Any]:
        """Of a login that nothing has spoiled."""
        login = self.authserver.login(user or self.alice, client or self.app, audience=AUDIENCE, scope=SCOPE)
        return login.tokens()

    def refresh(self, token: str, client_id: str = "app", timeout: float = 30) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        with http_client(timeout=timeout) as http:
            return http.post(self.authserver.issuer + "oauth/token", data=form)

    def get(self, path: str, token: str | None = None) -> httpx2.Response:
        with http_client() as http:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return http.get(self.authserver.issuer + path, headers=headers)

    def keys(self) -> httpx2.Response:
        return self.get(".well-known/jwks.json")

    def is_spoiled(self, response: httpx2.Response) -> bool:
        return "understudy-fault" in response.headers


def world(control: Control) -> World:
    """One with a tenant of its own."""
    return World(control.make_tenant())


def broken(request: Callable[[], httpx2.Response]) -> bool:
    """Whether the connection ended before the answer did."""
    try:
        request()
    except (httpx2.RemoteProtocolError, httpx2.ReadError):
        return True
    return False


@contextmanager
def in_hand(request: Callable[[], httpx2.Response], fault: Fault) -> Iterator[list[httpx2.Response | Exception]]:
    """While the server holds this request. What became of it is in the list at the end."""
    ended: list[httpx2.Response | Exception] = []

    def send() -> None:
        try:
            ended.append(request())
        except httpx2.HTTPError as problem:
            ended.append(problem)

    before = fault.hits
    thread = threading.Thread(target=send)
    thread.start()
    while fault.hits == before:
        assert thread.is_alive(), ended
    assert not ended
    yield ended
    thread.join(timeout=30)
    assert ended, "nothing has ended it"
