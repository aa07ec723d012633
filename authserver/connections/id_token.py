"""The ID token of an upstream provider: who logged in there, for us, just now.

Done: OpenID Connect Core §3.1.3.7 (signature by the provider's published keys alone, iss, aud, azp, exp, iat, nonce,
auth_time), §3.1.3.8 (at_hash when present) · RFC 8725 §3.1, §3.2, §3.5, §3.11.
Left out: encrypted ID tokens, HS256, keys inside a token's header, acr.
"""

import base64
import hashlib
import math
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from authserver.outbound import Unusable

ALGORITHMS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
}
LEEWAY = 60
"""Seconds by which clocks may differ."""

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_LEAST_RSA_BITS = 2048


class UnknownKey(Unusable):
    """No published key fits. Those that we remember may be outdated."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say. `logged_in_since` is the earliest acceptable `auth_time`; None asks for none."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    now: int
    logged_in_since: int | None = None


def verify(token: str, jwks: dict[str, Any], expected: Expected) -> dict[str, Any]:
    """The claims, after every check. Raises UnknownKey, or Unusable with the reason."""
    header, claims = _signed(token, jwks)
    _require(claims.get("iss") == expected.issuer, "iss is not the provider that was asked")
    _check_audience(claims, expected.client_id)
    _require(_number(claims, "exp") + LEEWAY > expected.now, "it has expired")
    _require(_number(claims, "iat") - LEEWAY <= expected.now, "it is from the future")
    nonce = claims.get("nonce")
    is_ours = isinstance(nonce, str) and compare_digest(nonce.encode("utf-8", "replace"), expected.nonce.encode())
    _require(is_ours, "nonce is not the one that was sent")
    if "at_hash" in claims:
        _require(claims["at_hash"] == _at_hash(expected.access_token, str(header["alg"])), "at_hash does not fit")
    subject = claims.get("sub")
    _require(isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable(), "sub is no usable name")
    if expected.logged_in_since is not None:
        is_recent = _number(claims, "auth_time") + LEEWAY >= expected.logged_in_since
        _require(is_recent, "the login there is older than was asked for")
    return claims


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    _require(client_id in audiences, "aud is somebody else")
    if len(audiences) > 1 or "azp" in claims:
        _require(claims.get("azp") == client_id, "azp is somebody else")


def _number(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _refused(f"{name} is no time")
    return value


def _at_hash(access_token: str, algorithm: str) -> str:
    whole = _HASHES[algorithm[2:]](access_token.encode()).digest()
    return base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()


class _Registry(jws.JWSRegistry):
    max_header_length = 8192  # some providers put certificates into it


def _signed(token: str, jwks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    registry = _Registry(algorithms=list(ALGORITHMS), strict_check_header=False)
    try:
        decoded = jwt.decode(token, lambda seen: _key(seen.headers(), jwks), list(ALGORITHMS), registry)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise _refused(f"its signature does not hold ({type(error).__name__})") from None
    return dict(decoded.header), dict(decoded.claims)


def _key(header: dict[str, Any], jwks: dict[str, Any]) -> Key:
    """The one published key that the header points at."""
    algorithm = header.get("alg")
    _require(isinstance(algorithm, str) and algorithm in ALGORITHMS, "alg is not accepted")
    _require("crit" not in header, "crit demands something unknown")
    keys = jwks.get("keys")
    fitting = [
        key
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict)
        and key.get("kty") == ALGORITHMS[str(algorithm)]
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    if len(fitting) != 1:
        raise UnknownKey(f"the ID token was refused: {len(fitting) or 'no'} published keys fit")
    if fitting[0]["kty"] == "RSA":
        _require(_bits(fitting[0].get("n")) >= _LEAST_RSA_BITS, "its key is too short")
    return JWKRegistry.import_key(fitting[0])


def _bits(modulus: object) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{modulus}==")).bit_length()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _refused(otherwise)


def _refused(reason: str) -> Unusable:
    return Unusable(f"the ID token was refused: {reason}")
