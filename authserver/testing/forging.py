"""Forging: makes the tokens of the catalogue, with the tenant's own key where the sentence says so.

Left out: APIs whose tokens are signed with ES256; what is forged for them is RS256 of the same tenant.

No JOSE library signs most of these, hence by hand. That is all this room is for: nothing here verifies anything.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import RSAKey

from authserver import keys
from authserver.tenant import Tenant

HOUR = 3600
LENGTH = 1024 * 1024

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Good:
    """What a good token would be made of. `claims` of an access token; `key` and `kid` of its issuer."""

    key: RSAKey
    kid: str
    claims: Claims

    @property
    def header(self) -> Claims:
        """In Auth0's manner."""
        return {"alg": keys.RS256, "typ": "JWT", "kid": self.kid}

    def signed(self, header: Claims | None = None, /, **changed: Any) -> str:
        """With the issuer's key; a claim that is None is left out."""
        claims = {name: value for name, value in {**self.claims, **changed}.items() if value is not None}
        return _signed(self.key, {**self.header, **(header or {})}, json.dumps(claims).encode())


def good(tenant: Tenant, subject: str, audience: str, scope: str, client_id: str) -> Good:
    """The token that the wrong ones are made from: in everything as `issue_token` would make it."""
    now = tenant.now()
    with tenant.database.read() as db:
        row = tenant.keyring.signer(db, now).current(keys.RS256)
    key = tenant.keyring.parsed(row)
    assert isinstance(key, RSAKey)  # noqa: S101 - what RS256 means
    claims = {"iss": tenant.issuer, "sub": subject, "aud": audience, "azp": client_id, "scope": scope}
    return Good(key, row.kid, {**claims, "iat": now, "exp": now + HOUR})


def forge(name: str, of: Good) -> str:
    """The wrong token of this name. Raises LookupError for a name that is not in the catalogue."""
    if name not in _FORGERS:
        raise LookupError(name)
    return _FORGERS[name](of)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _input(header: Claims, payload: bytes) -> str:
    return f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"


def _signed(key: RSAKey, header: Claims, payload: bytes) -> str:
    private, signing_input = key.private_key, _input(header, payload)
    assert isinstance(private, rsa.RSAPrivateKey)  # noqa: S101 - every key here is a whole one
    return f"{signing_input}.{_b64(private.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@cache
def _strangers_key() -> RSAKey:
    """Of an issuer that nobody trusts; made once in a process."""
    return RSAKey.generate_key(keys.RSA_BITS, private=True)


def _by_stranger(of: Good, **header: Any) -> str:
    return _signed(_strangers_key(), {**of.header, **header}, json.dumps(of.claims).encode())


def _bad_signature(of: Good) -> str:
    signing_input, _, signature = of.signed().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    return f"{signing_input}.{_b64(bytes([raw[0] ^ 1]) + raw[1:])}"


def _changed_claims(of: Good) -> str:
    header, _, signature = of.signed().split(".")
    return f"{header}.{_b64(json.dumps({**of.claims, 'sub': 'somebody-else'}).encode())}.{signature}"


def _no_signature(of: Good) -> str:
    return of.signed().rpartition(".")[0] + "."


def _alg_none(of: Good) -> str:
    return _input({**of.header, "alg": "none"}, json.dumps(of.claims).encode()) + "."


def _hmac(of: Good) -> str:
    secret = of.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = _input({**of.header, "alg": "HS256"}, json.dumps(of.claims).encode())
    return f"{signing_input}.{_b64(hmac.new(secret, signing_input.encode(), hashlib.sha256).digest())}"


def _embedded_jwk(of: Good) -> str:
    jwk = _strangers_key().as_dict(private=False)
    return _by_stranger(of, kid=_strangers_key().thumbprint(), jwk=jwk)


def _id_token(of: Good) -> str:
    client_id = of.claims["azp"]
    return of.signed(aud=client_id, azp=None, scope=None, nonce="n-0S6_WzA2Mj", sid="a-session")


def _duplicated(of: Good) -> str:
    rest = json.dumps({name: value for name, value in of.claims.items() if name != "aud"})
    audiences = f'"aud": "https://other.example/api", "aud": {json.dumps(of.claims["aud"])}'
    return _signed(of.key, of.header, f"{{{audiences}, {rest[1:]}".encode())


def _jwe(of: Good) -> str:
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "typ": "JWT", "cty": "JWT", "kid": of.kid}
    public = RSAKey.import_key(of.key.as_dict(private=False))
    return jwe.encrypt_compact(header, of.signed().encode(), public, algorithms=["RSA-OAEP-256", "A256GCM"])


_FORGERS: dict[str, Callable[[Good], str]] = {
    "bad-signature": _bad_signature,
    "changed-claims": _changed_claims,
    "no-signature": _no_signature,
    "unknown-kid": lambda of: _by_stranger(of, kid=_strangers_key().thumbprint()),
    "other-issuers-key": _by_stranger,
    "alg-none": _alg_none,
    "hs256-with-public-key": _hmac,
    "embedded-jwk": _embedded_jwk,
    "crit": lambda of: of.signed({"crit": ["https://example.com/ext"], "https://example.com/ext": True}),
    "wrong-typ": lambda of: of.signed({"typ": "logout+jwt"}),
    "id-token": _id_token,
    "wrong-issuer": lambda of: of.signed(iss="https://other.example/"),
    "issuer-prefix": lambda of: of.signed(iss=of.claims["iss"] + "evil/"),
    "issuer-without-slash": lambda of: of.signed(iss=of.claims["iss"][:-1]),
    "no-issuer": lambda of: of.signed(iss=None),
    "wrong-audience": lambda of: of.signed(aud="https://other.example/api"),
    "audience-prefix": lambda of: of.signed(aud=of.claims["aud"] + "/evil"),
    "no-audience": lambda of: of.signed(aud=None),
    "expired": lambda of: of.signed(iat=of.claims["iat"] - 2 * HOUR, exp=of.claims["iat"] - HOUR),
    "not-yet-valid": lambda of: of.signed(nbf=of.claims["iat"] + HOUR, exp=of.claims["iat"] + 2 * HOUR),
    "no-expiry": lambda of: of.signed(exp=None),
    "string-expiry": lambda of: of.signed(exp=str(of.claims["exp"])),
    "no-subject": lambda of: of.signed(sub=None),
    "duplicated-claims": _duplicated,
    "scope-array": lambda of: of.signed(scope=of.claims["scope"].split()),
    "scope-substring": lambda of: of.signed(scope=" ".join(f"x{each}x" for each in of.claims["scope"].split())),
    "no-scope": lambda of: of.signed(scope=None),
    "jwe": _jwe,
    "garbage": lambda _: "bm90LmE.dG9rZW4.YXQtYWxs",
    "one-megabyte": lambda of: of.signed(padding="x" * LENGTH),
}
