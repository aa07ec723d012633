"""Verification: what makes a string an access token for this API.

RFC 7515 section 5.2, RFC 7519 section 7.2, RFC 8725 (JWT best practices) and RFC 9068 section 4, in one fixed
order: size → three canonical base64url parts → header → `crit` → `alg` → `typ` → `kid` → key → signature →
claim types → `iss` → `aud` → `exp`, `nbf`, `iat` → token kind → binding. `read` does what needs no key and
believes nothing; `verify` does the rest with the key that the issuer publishes under that `kid`. Scopes are
checked in `access`.

Left out on purpose: encrypted tokens (a fifth part is refused unread), the JSON serialisations, keys named by
the token itself (`jwk`, `jku`, `x5u`, `x5c`: refused, never fetched), sender-constrained tokens (RFC 9449,
RFC 8705: this API checks no proof, so a token with `cnf` is refused rather than taken as a bearer token),
introspection: a revoked token lives here until its `exp`. Nothing is keyed on the token's text, of which
ECDSA allows a second spelling.
"""

import base64
import re
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from api.claims import AccessToken, Rules, check_claims
from api.errors import InvalidTokenError
from api.keys import PublicKey
from api.strict_json import decode_object

MAX_TOKEN_LENGTH = 8192
ALGORITHMS = ("RS256", "ES256")
ACCESS_TOKEN_TYPES = ("at+jwt", "application/at+jwt")
PLAIN_TYPES = ("jwt", "application/jwt")

_KID = re.compile(r"[\x20-\x7e]{1,255}")
# With these a token would choose its own key, or change what the signature covers (RFC 7797).
_REFUSED_HEADERS = ("crit", "b64", "jwk", "jku", "x5u", "x5c")


class _Registry(jws.JWSRegistry):
    max_header_length = MAX_TOKEN_LENGTH  # our own limit has been checked before; 512 would refuse long `kid`s


# `strict_check_header=False`: unknown header parameters must be ignored (RFC 7515 section 4).
_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True)
class UnverifiedToken:
    """A well-formed token, about which nothing is known yet."""

    compact: str
    alg: str
    typ: str
    kid: str


def read(compact: str) -> UnverifiedToken:
    if len(compact) > MAX_TOKEN_LENGTH:
        raise InvalidTokenError("The access token is too long", "malformed")
    try:
        protected, _, _ = map(_decode_part, compact.split("."))  # three parts: an encrypted token has five
        header = decode_object(protected)
    except ValueError as error:
        raise InvalidTokenError("The access token is not a signed JWT in compact form", "malformed") from error
    if any(name in header for name in _REFUSED_HEADERS):
        raise InvalidTokenError("The access token has a header parameter that this API refuses", "header")
    alg, typ, kid = header.get("alg"), header.get("typ"), header.get("kid")
    if alg not in ALGORITHMS:
        raise InvalidTokenError(
            "The access token is signed with an algorithm that this API does not accept", "algorithm"
        )
    # Media types are compared without regard to case (RFC 7515 section 4.1.9).
    if not isinstance(typ, str) or typ.lower() not in ACCESS_TOKEN_TYPES + PLAIN_TYPES:
        raise InvalidTokenError("The token is not of a type that this API accepts", "type")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidTokenError("The access token does not name its key", "header")
    return UnverifiedToken(compact, alg, typ.lower(), kid)


def verify(token: UnverifiedToken, key: PublicKey, rules: Rules, now: float) -> AccessToken:
    if token.alg != key.alg:
        raise InvalidTokenError("The access token is signed with another algorithm than its key is for", "algorithm")
    try:
        payload = jws.deserialize_compact(token.compact, key.key, registry=_REGISTRY).payload
    except (JoseError, ValueError) as error:
        raise InvalidTokenError("The signature of the access token is wrong", "signature") from error
    try:
        claims: dict[str, Any] = decode_object(payload)
    except ValueError as error:
        raise InvalidTokenError("The claims of the access token are not a JSON object", "claims") from error
    return check_claims(claims, rules, plain=token.typ in PLAIN_TYPES, now=now)


def _decode_part(part: str) -> bytes:
    """Base64url in its one right spelling: alphabet, padding and spare bits as encoding would write them."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != part:
        raise ValueError("not canonical base64url")
    return data
