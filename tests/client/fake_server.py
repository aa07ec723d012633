"""A fake authorization server and a fake API that can lie in every way we can think of (security corpus P5).

Real sockets and real keys. What a test does not change, it says truthfully.
"""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID = "native-app"
SUBJECT = "auth0|0123456789abcdef01234567"


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterator[bytes] | None = None
    """Sent as they come, without a length, instead of the body."""


Route = Callable[[Request], Answer]


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Clients that hang up are part of the tests."""


class FakeServer:
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.routes: dict[str, Route] = {}
        self._server = _QuietServer(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def always(self, path: str, answer: Answer) -> None:
        self.routes[path] = lambda _request: answer

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (`self` is the handler's)
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(
                    self.command, parts.path, dict(parse_qsl(parts.query)), headers, self.rfile.read(length)
                )
                fake.requests.append(request)
                route = fake.routes.get(parts.path)
                self.send(route(request) if route else Answer(404, {"error": "not_found"}))

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the names are http.server's)

            def send(self, answer: Answer) -> None:
                self.send_response_only(answer.status)
                headers = {"Content-Type": "application/json"} | answer.headers
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                if answer.chunks is None:
                    headers["Content-Length"] = str(len(body))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for chunk in answer.chunks or [body]:
                        self.wfile.write(chunk)
                except OSError:
                    pass  # the client has had enough, which is often what the test is about

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler


@cache
def rsa_key(kid: str = "k1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"})


@cache
def ec_key(kid: str = "e1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "alg": "ES256", "use": "sig"})


class FakeIssuer(FakeServer):
    """Logs everybody in at once. Lies are told by changing the public attributes."""

    def __init__(self, now: Callable[[], float], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self._now = now
        self.issuer = f"{self.origin}/"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/oauth/token",
            "jwks_uri": f"{self.origin}/.well-known/jwks.json",
            "userinfo_endpoint": f"{self.origin}/userinfo",
            "revocation_endpoint": f"{self.origin}/oauth/revoke",
            "device_authorization_endpoint": f"{self.origin}/oauth/device/code",
            "code_challenge_methods_supported": ["S256"],
        }
        self.jwks: dict[str, Any] = {"keys": [rsa_key().as_dict(private=False)]}
        self.callback: dict[str, str] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] = lambda header, claims: jwt.encode(
            header, claims, rsa_key(), algorithms=["RS256"]
        )
        self.answer: dict[str, Any] = {}
        self.token_route: Route | None = None
        self.nonce = ""
        self.count = 0
        self.invitation: dict[str, Any] = {}
        self.polls: list[Answer] = []
        self.routes = {
            "/.well-known/openid-configuration": lambda _request: Answer(body=self.metadata),
            "/.well-known/jwks.json": lambda _request: Answer(body=self.jwks),
            "/authorize": self.authorize,
            "/oauth/token": lambda request: (self.token_route or self.token)(request),
            "/oauth/device/code": lambda _request: self.invite(),
            "/oauth/revoke": lambda _request: Answer(body=b""),
            "/userinfo": lambda _request: Answer(body={"sub": SUBJECT, "email": "alice@example.com"}),
        }

    def authorize(self, request: Request) -> Answer:
        self.nonce = request.query["nonce"]
        given = {"code": "the-secret-code", "state": request.query["state"], "iss": self.issuer} | self.callback
        query = urlencode({name: value for name, value in given.items() if value != "(left out)"})
        return Answer(302, headers={"Location": f"{request.query['redirect_uri']}?{query}"}, body=b"")

    def invite(self) -> Answer:
        """A device and its person, changed by `invitation`; None leaves a member out."""
        body = {
            "device_code": "the-secret-code",
            "user_code": "BCDF-GHJK",
            "verification_uri": f"{self.origin}/activate",
            "verification_uri_complete": f"{self.origin}/activate?user_code=BCDF-GHJK",
            "expires_in": 900,
            "interval": 5,
        } | self.invitation
        return Answer(body={name: value for name, value in body.items() if value is not None})

    def token(self, request: Request) -> Answer:
        """A truthful answer with rotation, changed by `claims`, `header` and `answer`; None leaves a member out.

        A device hears what is in `polls` before.
        """
        if "device_code" in request.form and self.polls:
            return self.polls.pop(0)
        self.count += 1
        from_browser = request.form["grant_type"] == "authorization_code"
        body = {
            "access_token": f"access-{self.count}",
            "refresh_token": f"refresh-{self.count}",
            "id_token": self.id_token(self.nonce if from_browser else None),
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "openid profile email offline_access read:notes write:notes",
        } | self.answer
        return Answer(body={name: value for name, value in body.items() if value is not None})

    def id_token(self, nonce: str | None) -> str:
        now = int(self._now())
        claims = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 36000,
            "nonce": nonce,
            "name": "Alice",
            "email": "alice@example.com",
        } | self.claims
        return self.sign(self.header, {name: value for name, value in claims.items() if value is not None})


class FakeApi(FakeServer):
    def __init__(self) -> None:
        super().__init__()
        self.routes = {"/notes": self.notes}
        self.takes: Callable[[str], bool] = lambda _token: True

    def notes(self, request: Request) -> Answer:
        if not self.takes(request.headers["authorization"].removeprefix("Bearer ")):
            return Answer(401, {"error": "invalid_token"}, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if request.method == "POST":
            return Answer(201, {"id": "n1", "text": json.loads(request.body)["text"], "created_at": 0})
        return Answer(body=[{"id": "n1", "text": "Buy milk", "created_at": 0}])
