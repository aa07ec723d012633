"""Forging: makes the tokens of the catalogue, with the tenant's own key where the sentence says so.

Done: RFC 7518 §3.3, §3.4 (RS256; ES256 as r and s side by side): each API is lied to in its own algorithm.

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
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from authserver import keys
from authserver.store.registered import find_resource_server
from authserver.tenant import Tenant

HOUR = 3600
LENGTH = 1024 * 1024

Claims = dict[str, Any]
Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class Good:
    """What a good token would be made of. `claims` of an access token; `key`, `kid` and `alg` of its issuer."""

    key: Key
    kid: str
    alg: str
    claims: Claims

    @property
    def header(self) -> Claims:
        """In Auth0's manner."""
        return {"alg": self.alg, "typ": "JWT", "kid": self.kid}

    def signed(self, header: Claims | None = None, /, **changed: Any) -> str:
        """With the issuer's key; a claim that is None is left out."""
        claims = {name: value for name, value in {**self.claims, **changed}.items() if value is not None}
        return _signed(self.key, {**self.header, **(header or {})}, json.dumps(claims).encode())


def good(tenant: Tenant, subject: str, audience: str, scope: str, client_id: str) -> Good:
    """The token that the wrong ones are made from: in everything as `issue_token` would make it."""
    now = tenant.now()
    with tenant.database.read() as db:
        api = find_resource_server(db, audience)
        row = tenant.keyring.signer(db, now).current(api.signing_alg if api else keys.RS256)
    claims = {"iss": tenant.issuer, "sub": subject, "aud": audience, "azp": client_id, "scope": scope}
    return Good(tenant.keyring.parsed(row), row.kid, row.alg, {**claims, "iat": now, "exp": now + HOUR})


def forge(name: str, of: Good) -> str:
    """The wrong token of this name. Raises LookupError for a name that is not in the catalogue."""
    if name not in _FORGERS:
        raise LookupError(name)
    return _FORGERS[name](of)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _input(header: Claims, payload: bytes) -> str:
    return f"{_b64(json.dumps(header).encode())}.{_b64(payload)}"


def _signature(key: Key, signing_input: str) -> bytes:
    private, data = key.private_key, signing_input.encode()
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(data, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(private, ec.EllipticCurvePrivateKey)  # noqa: S101 - every key here is a whole one
    r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def _signed(key: Key, header: Claims, payload: bytes) -> str:
    signing_input = _input(header, payload)
    return f"{signing_input}.{_b64(_signature(key, signing_input))}"


@cache
def _strangers_key(alg: str) -> Key:
    """Of an issuer that nobody trusts; made once in a process."""
    return RSAKey.generate_key(keys.RSA_BITS, private=True) if alg == keys.RS256 else ECKey.generate_key(private=True)


def _by_stranger(of: Good, **header: Any) -> str:
    return _signed(_strangers_key(of.alg), {**of.header, **header}, json.dumps(of.claims).encode())


def _bad_signature(of: Good) -> str:
    signing_input, _, signature = of.signed().rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    return f"{signing_input}.{_b64(bytes([raw[0] ^ 1]) + raw[1:])}"


def _changed_claims(of: Good) -> str:
    header, _, signature = of.signed().split(".")
    return f"{header}.{_b64(json.dumps({**of.claims, 'sub': 'somebody-else'}).encode())}.{signature}"


def _zero_signature(of: Good) -> str:
    signing_input, _, signature = of.signed().rpartition(".")
    return f"{signing_input}.{_b64(bytes(len(base64.urlsafe_b64decode(signature + '=='))))}"


def _no_signature(of: Good) -> str:
    return of.signed().rpartition(".")[0] + "."


def _alg_none(of: Good) -> str:
    return _input({**of.header, "alg": "none"}, json.dumps(of.claims).encode()) + "."


def _hmac(of: Good) -> str:
    secret = of.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = _input({**of.header, "alg": "HS256"}, json.dumps(of.claims).encode())
    return f"{signing_input}.{_b64(hmac.new(secret, signing_input.encode(), hashlib.sha256).digest())}"


def _other_algorithm(of: Good) -> str:
    """Signed as the header says, with a key of that kind, under the kid of a key of another kind."""
    alg = keys.ES256 if of.alg == keys.RS256 else keys.RS256
    return _signed(_strangers_key(alg), {**of.header, "alg": alg}, json.dumps(of.claims).encode())


def _no_algorithm(of: Good) -> str:
    return _signed(of.key, {"typ": "JWT", "kid": of.kid}, json.dumps(of.claims).encode())


def _padded(of: Good) -> str:
    """With the padding that base64 has and base64url in a JWS has not."""
    return ".".join(part + "=" * (-len(part) % 4) for part in of.signed(padding=_length_that_needs(of)).split("."))


def _length_that_needs(of: Good) -> str:
    """A claim's value that makes the payload one whose encoding would be padded."""
    return next(fill for fill in ("x", "xx", "xxx") if len(of.signed(padding=fill).split(".")[1]) % 4)


def _kid_of_stranger(of: Good) -> str:
    return _strangers_key(of.alg).thumbprint()


def _embedded_jwk(of: Good) -> str:
    return _by_stranger(of, kid=_kid_of_stranger(of), jwk=_strangers_key(of.alg).as_dict(private=False))


def _jku(of: Good) -> str:
    return _by_stranger(of, kid=_kid_of_stranger(of), jku="https://other.example/.well-known/jwks.json")


def _id_token(of: Good) -> str:
    client_id = of.claims["azp"]
    return of.signed(aud=client_id, azp=None, scope=None, nonce="n-0S6_WzA2Mj", sid="a-session")


def _duplicated(of: Good) -> str:
    rest = json.dumps({name: value for name, value in of.claims.items() if name != "aud"})
    audiences = f'"aud": "https://other.example/api", "aud": {json.dumps(of.claims["aud"])}'
    return _signed(of.key, of.header, f"{{{audiences}, {rest[1:]}".encode())


def _jwe(of: Good) -> str:
    alg = "RSA-OAEP-256" if of.alg == keys.RS256 else "ECDH-ES"
    header = {"alg": alg, "enc": "A256GCM", "typ": "JWT", "cty": "JWT", "kid": of.kid}
    public = type(of.key).import_key(of.key.as_dict(private=False))
    return jwe.encrypt_compact(header, of.signed().encode(), public, algorithms=[alg, "A256GCM"])


def _not_a_number(of: Good) -> str:
    claims = json.dumps({**of.claims, "exp": float("nan")})  # which Python writes, and reads
    return _signed(of.key, of.header, claims.encode())


def _array(of: Good) -> str:
    return _signed(of.key, of.header, json.dumps([of.claims]).encode())


_FORGERS: dict[str, Callable[[Good], str]] = {
    "bad-signature": _bad_signature,
    "changed-claims": _changed_claims,
    "no-signature": _no_signature,
    "zero-signature": _zero_signature,
    "padded": _padded,
    "unknown-kid": lambda of: _by_stranger(of, kid=_kid_of_stranger(of)),
    "other-issuers-key": _by_stranger,
    "alg-none": _alg_none,
    "no-algorithm": _no_algorithm,
    "other-algorithm": _other_algorithm,
    "hs256-with-public-key": _hmac,
    "embedded-jwk": _embedded_jwk,
    "jku": _jku,
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
    "empty-audience": lambda of: of.signed(aud=[]),
    "expired": lambda of: of.signed(iat=of.claims["iat"] - 2 * HOUR, exp=of.claims["iat"] - HOUR),
    "not-yet-valid": lambda of: of.signed(nbf=of.claims["iat"] + HOUR, exp=of.claims["iat"] + 2 * HOUR),
    "no-expiry": lambda of: of.signed(exp=None),
    "string-expiry": lambda of: of.signed(exp=str(of.claims["exp"])),
    "expiry-not-a-number": _not_a_number,
    "string-not-before": lambda of: of.signed(nbf=str(of.claims["iat"])),
    "no-subject": lambda of: of.signed(sub=None),
    "number-subject": lambda of: of.signed(sub=42),
    "array": _array,
    "duplicated-claims": _duplicated,
    "scope-array": lambda of: of.signed(scope=of.claims["scope"].split()),
    "scope-substring": lambda of: of.signed(scope=" ".join(f"x{each}x" for each in of.claims["scope"].split())),
    "no-scope": lambda of: of.signed(scope=None),
    "jwe": _jwe,
    "garbage": lambda _: "bm90LmE.dG9rZW4.YXQtYWxs",
    "one-megabyte": lambda of: of.signed(padding="x" * LENGTH),
}
