"""An application under test, and a device: what the tests of recording and lineage play with."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx2

from authserver.testing.handle import Authserver, Client, Login, User
from tests.devices import DEVICE_GRANT, approves
from tests.harness.conftest import AUDIENCE
from tests.stage import Browser, http_client

SCOPE = "openid profile offline_access read:notes"


class Application:
    """Registered at `of`, with a person who uses it."""

    def __init__(self, of: Authserver, client_id: str = "app", **members: Any) -> None:
        self.of = of
        of.add_api(AUDIENCE, ["read:notes"])
        self.alice: User = of.add_user("alice@example.com", "hunter2-of-alice", user_id="auth0|alice")
        self.client: Client = of.register_client(client_id, **members)

    def login(self, audience: str | None = AUDIENCE, scope: str = SCOPE, **more: Any) -> Login:
        return self.of.login(self.alice, self.client, audience=audience, scope=scope, **more)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        with http_client() as http:
            return http.get(self.of.issuer + path, **more)

    def post(self, path: str, **form: str) -> httpx2.Response:
        secret = {"client_secret": self.client.client_secret} if self.client.client_secret else {}
        with http_client() as http:
            return http.post(self.of.issuer + path, data={"client_id": self.client.client_id, **secret, **form})

    def refresh(self, token: str, **form: str) -> httpx2.Response:
        return self.post("oauth/token", **{"grant_type": "refresh_token", "refresh_token": token, **form})

    def userinfo(self, token: str) -> httpx2.Response:
        return self.get("userinfo", headers={"Authorization": f"Bearer {token}"})

    def device(self) -> dict[str, str]:
        told: dict[str, str] = self.post("oauth/device/code", scope=SCOPE, audience=AUDIENCE).json()
        return told

    def poll(self, device_code: str, **form: str) -> httpx2.Response:
        return self.post("oauth/token", **{"grant_type": DEVICE_GRANT, "device_code": device_code, **form})

    def approve(self, user_code: str) -> None:
        browser = _Browser(self.of.issuer, self.alice.password)
        approves(browser, user_code, self.alice.email)
        browser.http.close()


class _Browser(Browser):
    """At an issuer with a path, whose origin has none."""

    def __init__(self, issuer: str, password: str) -> None:
        super().__init__(issuer)
        self._password, self._origin = password, "{0.scheme}://{0.netloc}".format(urlsplit(issuer))

    def submit(self, page: httpx2.Response, **fields: str) -> httpx2.Response:
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return self.http.post(page.url, data={**hidden, **fields}, headers={"Origin": self._origin})

    def log_in(self, page: httpx2.Response, username: str = "", password: str = "") -> httpx2.Response:
        return super().log_in(page, username, password or self._password)


DEVICE_MEMBERS: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token", DEVICE_GRANT]}
