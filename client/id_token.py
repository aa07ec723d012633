"""The ID token: who logged in, according to whom, for whom, and when.

Done: OpenID Connect Core 1.0 sections 3.1.3.7 (signature from the issuer's JWKS only, iss, aud, azp,
exp, iat, nonce, sub), 3.1.3.8 (at_hash when present) and 12.2 (a refreshed ID token speaks of the same
person); RFC 8725 sections 3.1, 3.11 and 3.12.
A clock that is wrong by ten minutes is forgiven: the token came straight from the issuer's token
endpoint and carries our nonce, so age is not what protects it. The caller is told how far the clocks
are apart.
Keys may change while we ask (section 10.1.1): who finds the key missing fetches the set once more.
Left out: encrypted ID tokens, HS256 (a public client has no secret), max_age and acr, trust in further
audiences.
"""

import base64
import hashlib
import json
from hmac import compare_digest
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from client.errors import MalformedError

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
CLOCK_LEEWAY = 11 * 60

Claims = dict[str, Any]


def verify(
    token: str,
    *,
    jwks: dict[str, Any],
    issuer: str,
    client_id: str,
    access_token: str,
    now: float,
    nonce: str | None = None,
    previous: Claims | None = None,
) -> Claims:
    """The claims, after every check. At login pass `nonce`; at a refresh pass the `previous` claims."""
    claims = _signed_claims(token, jwks)
    _require(claims.get("iss") == issuer, "iss is not the issuer we asked")
    _require(claims.get("aud") in (client_id, [client_id]), "aud is not this app alone")
    _require(claims.get("azp", client_id) == client_id, "azp is another app")
    subject = claims.get("sub")
    _require(isinstance(subject, str) and 0 < len(subject) <= 255, "sub is missing")
    registry = jwt.JWTClaimsRegistry(
        now=int(now), leeway=CLOCK_LEEWAY, exp={"essential": True}, iat={"essential": True}
    )
    try:
        registry.validate(claims)
    except JoseError as problem:
        raise _refused(f"its times do not fit this computer's clock ({problem})") from problem
    _check_nonce(claims, nonce, previous)
    if "at_hash" in claims:
        _require(claims["at_hash"] == at_hash(access_token), "at_hash belongs to another access token")
    if previous is not None:
        same = all(claims[name] == previous[name] for name in ("iss", "sub", "aud"))
        _require(same, "after the refresh it speaks of somebody else")
    return claims


def names_a_key_of(jwks: dict[str, Any], token: str) -> bool:
    """Whether the key that the token names is in this set. What cannot be read is for `verify` to refuse."""
    try:
        encoded = token.partition(".")[0]
        kid = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))["kid"]
        return any(key["kid"] == kid for key in jwks["keys"])
    except (ValueError, KeyError, TypeError):
        return True


def at_hash(access_token: str) -> str:
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def clock_difference(claims: Claims, now: float) -> int:
    """Seconds by which the server's clock is ahead of ours, judged by a token that was made just now."""
    return int(claims["iat"] - now)


def _check_nonce(claims: Claims, nonce: str | None, previous: Claims | None) -> None:
    if nonce is not None:
        stated = claims.get("nonce")
        ours = isinstance(stated, str) and compare_digest(stated.encode(), nonce.encode())
        _require(ours, "nonce is not the one we sent")
    elif "nonce" in claims:
        _require(claims["nonce"] == (previous or {}).get("nonce"), "nonce is from another login")


def _signed_claims(token: str, jwks: dict[str, Any]) -> Claims:
    try:
        return jwt.decode(token, lambda seen: _key(seen.headers(), jwks), algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise _refused(f"its signature does not hold ({problem})") from problem


def _key(header: dict[str, Any], jwks: dict[str, Any]) -> Key:
    """The one key of the issuer's JWKS that the header points at. Keys inside the header do not count."""
    algorithm = str(header.get("alg"))
    _require(algorithm in ALGORITHMS, "alg is neither RS256 nor ES256")
    _require("crit" not in header, "crit demands something we do not know")
    _require(str(header.get("typ", "JWT")).upper() == "JWT", "typ says it is no ID token")
    key_type = ALGORITHMS[algorithm]
    keys = jwks.get("keys")
    fitting = [
        key
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict)
        and key.get("kty") == key_type
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    _require(len(fitting) == 1, f"the issuer's key set has {len(fitting) or 'no'} keys that it could mean")
    return JWKRegistry.import_key(fitting[0])


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _refused(otherwise)


def _refused(reason: str) -> MalformedError:
    return MalformedError(f"The ID token was refused: {reason}.")
