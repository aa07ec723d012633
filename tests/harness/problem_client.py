"""A client under test: faultless, unless a test tells it which mistake to make."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2

from authserver.testing.handle import Authserver, Client, Login, User
from tests.harness.conftest import AUDIENCE
from tests.stage import http_client

SCOPE = "openid profile offline_access read:notes"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Player:
    """An application at one tenant, with a person who uses it."""

    tenant: Authserver
    app: Client
    alice: User
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def url(self, **changed: str | None) -> str:
        """An authorization request; None takes a parameter out."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.app.redirect_uri,
            "scope": SCOPE,
            "audience": AUDIENCE,
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return f"{self.tenant.issuer}authorize?{urlencode(given)}"

    def log_in(self, **changed: str | None) -> Login:
        return self.tenant.visit(self.url(**changed), self.alice)

    def redeem(self, code: str, **changed: str | None) -> httpx2.Response:
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.app.redirect_uri,
                "code_verifier": self.verifier,
                **changed,
            }
        )

    def tokens(self, **changed: str | None) -> dict[str, Any]:
        answer: dict[str, Any] = self.redeem(self.log_in(**changed).code).json()
        return answer

    def refresh(self, token: str) -> httpx2.Response:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def token(self, **form: str | None) -> httpx2.Response:
        form = {"client_id": self.app.client_id, "client_secret": self.app.client_secret, **form}
        return self.post("oauth/token", data={name: value for name, value in form.items() if value is not None})

    def post(self, path: str, **request: Any) -> httpx2.Response:
        with http_client() as http:
            return http.post(self.tenant.issuer + path, **request)

    def get(self, path: str, **request: Any) -> httpx2.Response:
        with http_client() as http:
            return http.get(self.tenant.issuer + path, **request)

    def userinfo(self, token: str) -> httpx2.Response:
        return self.get("userinfo", headers={"Authorization": f"Bearer {token}"})

    def new_verifier(self) -> None:
        self.verifier = secrets.token_urlsafe(32)


def player(tenant: Authserver, **registered: Any) -> Player:
    """Whatever is `registered` replaces what a native app would be."""
    tenant.add_api(AUDIENCE, ["read:notes"])
    given: dict[str, Any] = {"ask_consent": False, **registered}
    return Player(tenant, tenant.register_client(**given), tenant.add_user())
