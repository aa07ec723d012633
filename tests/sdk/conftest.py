"""A freshly started server for other people's SDKs, and a person with a browser, in nothing but the standard library.

These tests run in an environment of their own (`make test-sdk`); the server runs in the project's.
"""

import base64
import hashlib
import http.cookiejar
import os
import re
import secrets
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("UNDERSTUDY_PYTHON", str(ROOT / ".venv/bin/python"))
CALLBACKS = {"native-app": "http://127.0.0.1:8400/callback", "web-app": "http://localhost:3001/callback"}
SCOPE = "openid profile email offline_access read:notes"


class _StopAtCallbacks(urllib.request.HTTPRedirectHandler):
    """Follows redirects on the server, as a browser does, and stops at those that leave it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return super().redirect_request(req, fp, code, msg, headers, newurl) if newurl.startswith(self.issuer) else None


@dataclass
class Server:
    issuer: str
    client_secrets: dict[str, str]
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def domain(self) -> str:
        return self.issuer.removeprefix("http://").removesuffix("/")

    def code(self, client_id: str, *, pkce: bool = True) -> str:
        """Log in as Alice, allow, and take the code from the callback."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACKS[client_id],
            "audience": "https://notes.example/api",
            "scope": SCOPE,
            "state": "xyz",
            "nonce": "n-1",
            **({"code_challenge": challenge, "code_challenge_method": "S256"} if pkce else {}),
        }
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, _StopAtCallbacks(self.issuer))
        page = browser.open(f"{self.issuer}authorize?{urllib.parse.urlencode(parameters)}")
        page = self._submit(browser, page, username="alice@example.com", password="understudy")
        if not isinstance(page, urllib.error.HTTPError):
            page = self._submit(browser, page)
        query = urllib.parse.urlsplit(page.headers["Location"]).query
        return urllib.parse.parse_qs(query)["code"][0]

    def _submit(self, browser, page, **fields):
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.read().decode()))
        body = urllib.parse.urlencode({**hidden, **fields, "action": "default"}).encode()
        try:
            return browser.open(page.url, body)
        except urllib.error.HTTPError as redirect:
            return redirect


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authserver")
    tenant = directory / "tenant.yaml"
    # A server-side app on auth0-python sends a secret or a verifier, never both: the registration says so.
    web_app = "    client_id: web-app\n"
    demo = (ROOT / "authserver/tenant.yaml").read_text()
    assert web_app in demo
    tenant.write_text(demo.replace(web_app, web_app + "    allow_insecure_missing_pkce: true\n"))
    environment = {
        **os.environ,
        "AUTHSERVER_DATABASE_URL": f"sqlite:///{directory / 'authserver.db'}",
        "AUTHSERVER_TENANT": str(tenant),
    }
    common = {"env": environment, "cwd": ROOT, "text": True, "stdout": subprocess.PIPE}
    seeded = subprocess.run([PYTHON, "-m", "authserver", "seed"], check=True, **common)
    made = dict(re.findall(r"client_id=(\S+) client_secret=(\S+)", seeded.stdout))
    process = subprocess.Popen([PYTHON, "-m", "authserver", "serve", "--port", "0"], **common)
    try:
        ready = process.stdout.readline().split()
        assert ready[:1] == ["READY"], ready
        yield Server(ready[1], made)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
