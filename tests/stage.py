"""The stage that the black-box tests play on: a live server on 127.0.0.1, a clock to turn, and people with browsers.

One uvicorn thread serves a whole worker; each test puts its own application, on its own database, behind it.
"""

import base64
import hashlib
import json
import re
import secrets
import shutil
import socket
import ssl
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import jwt
import uvicorn
from fastapi import FastAPI
from jwt.types import Options
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from authserver import keys
from authserver.app import create_app
from authserver.settings import Settings
from authserver.store.engine import Database
from authserver.store.outbox import Mail, mails
from authserver.store.sweep import sweep

CALLBACK = "http://127.0.0.1:8400/callback"
API = "https://notes.example/api"
SCOPE = "openid profile email offline_access read:notes write:notes"
PASSWORD = "understudy"
ALICE, BOB, MALLORY = "alice@example.com", "bob@example.com", "mallory@example.com"


_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Knows no authority, hence trusts nobody. All is plain http here, and reading the machine's own costs 30 ms each time."""


def http_client(**more: Any) -> httpx2.Client:
    """Without ambient proxies; keeps cookies, follows nothing."""
    return httpx2.Client(**{"trust_env": False, "timeout": 30, "verify": _NO_TLS, **more})


class Clock:
    """The server's time, in whole seconds, standing still until it is turned."""

    def __init__(self, now: int = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        self.now += seconds


class Theatre:
    """The worker's live server. `app` is whatever plays at the moment."""

    def __init__(self) -> None:
        self.app: FastAPI | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(512)
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(
            self._play,
            interface="asgi3",
            log_level="warning",
            lifespan="off",
            h11_max_incomplete_event_size=256 * 1024,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    async def _play(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@dataclass
class Pkce:
    """A verifier and its S256 challenge, computed here on purpose and not by the server's own code."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Browser:
    """A person's browser: keeps cookies, follows nothing by itself, and fills the forms that it is shown."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = http_client()

    def get(self, url: str, **params: str) -> httpx2.Response:
        return self.http.get(url, params=params or None)

    def submit(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        """Post the page's form back to the URL that it was asked at, with its hidden fields and `fields`."""
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        origin = {"Origin": self.issuer.removesuffix("/"), "Sec-Fetch-Site": "same-origin"}
        return self.http.post(page.url, data={**hidden, **fields}, headers=origin)

    def follow(self, response: httpx2.Response) -> httpx2.Response:
        """Through redirects on this server, to a page or to the redirect that leaves it."""
        while (location := response.headers.get("location", "")).startswith(self.issuer):
            response = self.http.get(location)
        return response

    def log_in(self, page: httpx2.Response, username: str = ALICE, password: str = PASSWORD) -> httpx2.Response:
        return self.follow(self.submit(self.follow(page), username=username, password=password, action="default"))

    def decide(self, page: httpx2.Response, action: str = "default") -> httpx2.Response:
        return self.follow(self.submit(page, action=action))


def answer(response: httpx2.Response) -> dict[str, str]:
    """The parameters with which a redirect goes back to the application."""
    location = response.headers["location"]
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs), f"repeated parameters in {location}"
    return dict(pairs)


def claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, unverified."""
    payload = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return decoded


def header(token: str) -> dict[str, Any]:
    """The header of a JWT, unverified."""
    encoded = token.split(".")[0]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return decoded


def verified(token: str, published: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The payload of a JWT, after another library has checked its signature with the one key that its `kid` names."""
    key = published[header(token)["kid"]]
    # The stage has a time of its own; audiences are the test's business.
    unchecked = Options(verify_exp=False, verify_iat=False, verify_aud=False)
    payload: dict[str, Any] = jwt.decode(token, jwt.PyJWK(key), algorithms=[key["alg"]], options=unchecked)
    return payload


def request_parameters(pkce: Pkce, **changed: str | None) -> dict[str, str]:
    """A good authorization request of the native app; None takes a parameter out."""
    good: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "native-app",
        "redirect_uri": CALLBACK,
        "scope": SCOPE,
        "audience": API,
        "state": "af0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


@dataclass
class Stage:
    """One test's authorization server."""

    theatre: Theatre
    settings: Settings
    clock: Clock
    secrets: dict[str, str]

    def __post_init__(self) -> None:
        self.issuer = self.settings.issuer
        self.dialect = self.settings.dialect
        self.http = http_client(base_url=self.issuer)
        self._browsers: list[Browser] = []
        self._app = create_app(self.settings, now=self.clock)
        self.theatre.app = self._app

    def restart(self) -> None:
        """The same database under a new process's eyes: nothing in memory survives."""
        self._app.state.tenant.database.close()
        self._app = create_app(self.settings, now=self.clock)
        self.theatre.app = self._app

    def browser(self) -> Browser:
        self._browsers.append(Browser(self.issuer))
        return self._browsers[-1]

    def parameters(self, pkce: Pkce | None = None, /, **changed: str | None) -> dict[str, str]:
        return request_parameters(pkce or Pkce(), **changed)

    def authorize(self, browser: Browser, pkce: Pkce | None = None, /, **changed: str | None) -> httpx2.Response:
        return browser.get(self.issuer + "authorize", **self.parameters(pkce, **changed))

    def code(self, pkce: Pkce, *, user: str = ALICE, browser: Browser | None = None, **changed: str | None) -> str:
        """An authorization code: log in if asked, allow if asked."""
        browser = browser or self.browser()
        response = browser.follow(self.authorize(browser, pkce, **changed))
        if "/u/login" in str(response.url):
            response = browser.log_in(response, user)
        if "/u/consent" in str(response.url):
            response = browser.decide(response)
        return answer(response)["code"]

    def token(self, **parameters: str) -> httpx2.Response:
        """A request to the token endpoint, by the native app unless it says otherwise."""
        return self.http.post("/oauth/token", data={"client_id": "native-app", **parameters})

    def redeem(self, code: str, pkce: Pkce, **changed: str) -> httpx2.Response:
        good = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": pkce.verifier,
            "redirect_uri": CALLBACK,
        }
        return self.token(**{**good, **changed})

    def tokens(self, *, user: str = ALICE, browser: Browser | None = None, **changed: str | None) -> dict[str, Any]:
        """Log in and redeem: the token response."""
        pkce = Pkce()
        response = self.redeem(self.code(pkce, user=user, browser=browser, **changed), pkce)
        assert response.status_code == 200, response.text
        answered: dict[str, Any] = response.json()
        return answered

    def refresh(self, refresh_token: str, **changed: str) -> httpx2.Response:
        return self.token(**{"grant_type": "refresh_token", "refresh_token": refresh_token, **changed})

    def userinfo(self, access_token: str) -> httpx2.Response:
        return self.http.get("/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def revoke(self, token: str, client_id: str = "native-app", **more: str) -> httpx2.Response:
        return self.http.post("/oauth/revoke", data={"client_id": client_id, "token": token, **more})

    def basic(self, client_id: str) -> tuple[str, str]:
        return client_id, self.secrets[client_id]

    def bad_grant(self, response: httpx2.Response) -> bool:
        """Whether this is `invalid_grant`, with this dialect's status."""
        status = 403 if self.dialect == "auth0" else 400
        return (response.status_code, response.json().get("error")) == (status, "invalid_grant")

    @cached_property
    def _onlooker(self) -> Database:
        return Database(self.settings.database_url)

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """What the database holds, for assertions that something did not change."""
        with self._onlooker.read() as db:
            return [dict(row) for row in db.execute(text(query), values).mappings()]

    def change(self, statement: str, **values: object) -> None:
        """What an operator would do to the rows."""
        database = Database(self.settings.database_url)
        try:
            with database.write() as db:
                db.execute(text(statement), values)
        finally:
            database.close()

    def configure_client(self, client_id: str, **settings: object) -> None:
        """What an administrator would set: `callbacks`, `grant_types`, `web_origins`, `refresh_token` and the like."""
        held = self.rows("SELECT settings FROM clients WHERE client_id = :of", of=client_id)[0]["settings"]
        merged = {**(json.loads(held) if isinstance(held, str) else held), **settings}
        self.change("UPDATE clients SET settings = :to WHERE client_id = :of", to=json.dumps(merged), of=client_id)

    def configure_api(self, **settings: object) -> None:
        """The same at the notes API: `enforce_policies`, `token_dialect` and the like."""
        held = self.rows("SELECT settings FROM resource_servers WHERE identifier = :of", of=API)[0]["settings"]
        merged = {**(json.loads(held) if isinstance(held, str) else held), **settings}
        self.change("UPDATE resource_servers SET settings = :to WHERE identifier = :of", to=json.dumps(merged), of=API)

    def sweep(self) -> dict[str, int]:
        """What `python -m authserver sweep` does, at the clock's time."""
        database = Database(self.settings.database_url)
        try:
            with database.write() as db:
                return {**sweep(db, self.clock(), self.settings), "signing keys": keys.forget(db, self.clock())}
        finally:
            database.close()

    def rotate_keys(self, lead: int = keys.LEAD) -> list[str]:
        """What `python -m authserver rotate-keys` does, at the clock's time. The new kids."""
        database = Database(self.settings.database_url)
        try:
            return keys.rotate(database, self.clock(), lead)
        finally:
            database.close()

    def jwks(self) -> dict[str, dict[str, Any]]:
        """The published keys by `kid`, newest first."""
        published = self.http.get("/.well-known/jwks.json").json()["keys"]
        assert len({key["kid"] for key in published}) == len(published)
        return {key["kid"]: key for key in published}

    def events(self) -> list[str]:
        return [row["type"] for row in self.rows("SELECT type FROM events ORDER BY id")]

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """Every row that decides anything; events and counters of attempts are left out."""
        tables = {
            "clients": "*",
            "users": "*",
            "grants": "*",
            "refresh_tokens": "*",
            "access_tokens": "*",
            "login_sessions": "*",
            "authorization_codes": "digest, used_at",
            "tickets": "*",
            "outbox": "*",
            "interactions": "*",
            "device_codes": "*",
        }
        return {name: self.rows(f"SELECT {columns} FROM {name} ORDER BY 1, 2") for name, columns in tables.items()}  # noqa: S608 - constants

    def mails(self, to: str | None = None) -> list[Mail]:
        """What lies in the outbox, oldest first."""
        with self._onlooker.read() as db:
            return mails(db, to)

    def close(self) -> None:
        self.http.close()
        for browser in self._browsers:
            browser.http.close()
        self._app.state.tenant.database.close()
        self._onlooker.close()


def copy_sqlite(template: Path, target: Path) -> None:
    """A database file with its marker."""
    shutil.copy(template, target)
    shutil.copy(template.with_name(template.name + ".installed"), target.with_name(target.name + ".installed"))


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)
