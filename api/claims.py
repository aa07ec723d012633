"""Claims: what a correctly signed token must say to be an access token for this API.

RFC 7519 section 4.1, RFC 9068 section 2.2 and 4, RFC 8725 section 3.8 to 3.12. Two kinds of token count:
`at+jwt`; and, because Auth0's access tokens and ID tokens share `typ: JWT`, a plain JWT that has `azp` and
neither `nonce` nor `at_hash`. `jti` and `client_id` are not demanded: nothing here depends on them.

No leeway for `exp` and `nbf`: RFC 7519 says "on or after", and the clocks of a rehearsal are one clock. `iat`
is not a gate in any RFC; a minute in the future is a wrong clock, more is a forged or broken token.
"""

import re
from dataclasses import dataclass
from typing import Any

from api.errors import InvalidTokenError

MAX_FUTURE_IAT = 60
MAX_NUMERIC_DATE = 253_402_300_799  # the end of the year 9999

# RFC 6749 section 3.3: scope-tokens separated by single spaces.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")


@dataclass(frozen=True)
class Rules:
    issuer: str
    audience: str
    require_at_jwt: bool


@dataclass(frozen=True)
class AccessToken:
    """A verified access token: who asks, through which client, and what was granted."""

    sub: str
    client_id: str | None
    scope: frozenset[str]
    # A client speaking for itself (client credentials): its `sub` is no person (RFC 9700 section 4.15).
    for_itself: bool


def check_claims(claims: dict[str, Any], rules: Rules, *, plain: bool, now: float) -> AccessToken:
    if claims.get("iss") != rules.issuer:
        raise InvalidTokenError("The access token is from another issuer", "issuer")
    if rules.audience not in _audiences(claims):
        raise InvalidTokenError("The access token is for another API", "audience")
    _check_times(claims, now)
    sub = _text(claims, "sub")
    client = "azp" if plain else "client_id"
    client_id = _text(claims, client) if client in claims else None
    if plain:
        _check_plain_token_is_an_access_token(claims, client_id, rules)
    if "cnf" in claims:
        raise InvalidTokenError("The access token is bound to a key and cannot be used as a bearer token", "bound")
    for_itself = claims.get("gty") == "client-credentials" or (
        client_id is not None and sub in (client_id, f"{client_id}@clients")
    )
    return AccessToken(sub, client_id, _scope(claims), for_itself)


def _check_plain_token_is_an_access_token(claims: dict[str, Any], azp: str | None, rules: Rules) -> None:
    if rules.require_at_jwt:
        raise InvalidTokenError("This API accepts only tokens of type at+jwt", "type")
    if azp is None or "nonce" in claims or "at_hash" in claims:
        raise InvalidTokenError("The token is not an access token", "type")


def _check_times(claims: dict[str, Any], now: float) -> None:
    expires, issued = _numeric_date(claims, "exp"), _numeric_date(claims, "iat")
    not_before = _numeric_date(claims, "nbf") if "nbf" in claims else now
    if now >= expires:
        raise InvalidTokenError("The access token has expired", "expired")
    if now < not_before:
        raise InvalidTokenError("The access token is not valid yet", "not_yet_valid")
    if issued > now + MAX_FUTURE_IAT:
        raise InvalidTokenError("The access token was issued in the future", "not_yet_valid")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # Printable: it becomes a database key and is sent back; neither may meet a NUL or half a surrogate pair.
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise InvalidTokenError("A claim of the access token is missing or of the wrong type", "claims")
    return value


def _numeric_date(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidTokenError("A time in the access token is missing or not a number", "claims")
    if not 0 <= value <= MAX_NUMERIC_DATE:  # also false for NaN and infinity
        raise InvalidTokenError("A time in the access token is out of range", "claims")
    return value


def _audiences(claims: dict[str, Any]) -> list[str]:
    value = claims.get("aud")
    audiences = [value] if isinstance(value, str) else value
    if not isinstance(audiences, list) or not all(isinstance(audience, str) for audience in audiences):
        raise InvalidTokenError("The audience of the access token is missing or of the wrong type", "claims")
    return audiences


def _scope(claims: dict[str, Any]) -> frozenset[str]:
    """Whole scope-tokens. A `scope` that is not a string of them, an array for instance, grants nothing."""
    value = claims.get("scope")
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        return frozenset()
    return frozenset(value.split(" "))
