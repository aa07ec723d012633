"""A real HTTP issuer that can be told to misbehave, and a signer that depends on no JOSE library."""

import base64
import functools
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

AUDIENCE = "https://notes.example/api"
METADATA = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"
START = 1_700_000_000.0
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Json = dict[str, Any]


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


@functools.cache
def rsa_key(name: str = "", bits: int = 2048) -> rsa.RSAPrivateKey:  # noqa: ARG001 - one key per name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def ec_key(name: str = "") -> ec.EllipticCurvePrivateKey:  # noqa: ARG001 - one key per name
    return ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signature(key: PrivateKey, signed: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(key: PrivateKey, header: Json | bytes, claims: Json | bytes) -> str:
    """A correctly signed compact JWS of exactly these bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signed = ".".join(map(b64, parts))
    return f"{signed}.{b64(signature(key, signed.encode()))}"


def jwk(kid: str, key: PrivateKey, **members: object) -> Json:
    public = key.public_key().public_numbers()
    if isinstance(public, rsa.RSAPublicNumbers):
        own = {"kty": "RSA", "alg": "RS256", "n": _number(public.n), "e": _number(public.e)}
    else:
        x, y = (b64(number.to_bytes(32, "big")) for number in (public.x, public.y))
        own = {"kty": "EC", "alg": "ES256", "crv": "P-256", "x": x, "y": y}
    return {"kid": kid, "use": "sig", **own, **members}


def _number(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class FakeIssuer:
    """Serves metadata and keys at `url`; `answers` replaces what a path answers by anything at all."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests.append(self.path)
                issuer.answers.get(self.path, issuer.answer)(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.origin}/"
        self.requests: list[str] = []
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.metadata: Json = {"issuer": self.url, "jwks_uri": self.origin + JWKS}
        self.jwks: Any = {"keys": [jwk("rsa", rsa_key()), jwk("ec", ec_key())]}
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        documents = {METADATA: self.metadata, JWKS: self.jwks}
        body = json.dumps(documents.get(handler.path)).encode()
        reply(handler, body, status=200 if handler.path in documents else 404)

    @property
    def fetches(self) -> int:
        return self.requests.count(METADATA)

    def claims(self, **changes: object) -> Json:
        """Claims of Auth0's kind; a change to None removes the claim."""
        claims = {
            "iss": self.url,
            "sub": "auth0|alice",
            "aud": AUDIENCE,
            "azp": "native-app",
            "iat": int(START),
            "exp": int(START) + 86400,
            "scope": "openid read:notes write:notes delete:notes",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, typ: str = "JWT", *, header: Json | None = None, **changes: object) -> str:
        return sign(rsa_key(), {"alg": "RS256", "typ": typ, "kid": "rsa", **(header or {})}, self.claims(**changes))

    def ec_token(self, **changes: object) -> str:
        return sign(ec_key(), {"alg": "ES256", "typ": "at+jwt", "kid": "ec"}, self.claims(**changes))


def reply(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> None:
    handler.send_response(status)
    for name, value in {"content-type": kind, "content-length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
