"""Problems of token requests: what is redeemed, how often, and how the client says who it is.

Done: RFC 6749 §2.3, §3.2, §4.1.2, §4.1.3, §6 · RFC 7636 §4.1 · RFC 8252 §8.5 · RFC 8628 §3.5 · RFC 9700 §2.4 ·
RFC 6749 §10.12 and RFC 9207 §2.4, by codes that were bait.
"""

from collections.abc import Iterator

from authserver.errors import BadRedirectUri, SlowDown, UnsupportedMediaType
from authserver.events import RefreshTokenReused
from authserver.testing.problems_known import Known, has_arrived, parameters
from authserver.testing.recorded import Recorded
from authserver.testing.recording import CLOCK_FROZEN, VERIFIER_MALFORMED

_AUTHENTICATING = ("token", "revoke", "device_authorization")
_PASSWORD = ("password", "http://auth0.com/oauth/grant-type/password-realm")


def find(exchanges: list[Recorded], known: Known) -> Iterator[tuple[str, Recorded]]:
    """Names of rules, each with the exchange that breaks it."""
    for each in exchanges:
        if each.endpoint in _AUTHENTICATING:
            yield from ((rule, each) for rule in _authenticating(each, known))
        if each.endpoint == "token":
            yield from ((rule, each) for rule in _asking(each, known))
    yield from _codes_reused(exchanges)
    yield from _refresh_tokens_reused(exchanges)


def _authenticating(exchange: Recorded, known: Known) -> Iterator[str]:
    client = known.client(exchange.client_id)
    in_header = exchange.headers.get("authorization", "").lower().startswith("basic ")
    in_body = bool(exchange.body.get("client_secret"))
    if client and client.token_endpoint_auth_method == "none" and (in_header or in_body):
        yield "public-client-secret"
    if in_header and in_body:
        yield "two-credentials"
    if exchange.refusal == UnsupportedMediaType.__name__ and "json" in exchange.headers.get("content-type", ""):
        yield "json-body"


def _asking(exchange: Recorded, known: Known) -> Iterator[str]:
    if bait := known.baits.get(exchange.presented.get("code", "")):
        yield bait
    if exchange.method == "GET" and parameters(exchange).get("grant_type"):
        yield "token-request-by-get"
    if parameters(exchange).get("grant_type") in _PASSWORD:
        yield "password-grant"
    if VERIFIER_MALFORMED in exchange.facts:
        yield "malformed-verifier"
    if exchange.refusal == BadRedirectUri.__name__:
        yield "other-redirect-uri"
    # Under a clock that stands still nobody can wait long enough.
    if exchange.refusal == SlowDown.__name__ and CLOCK_FROZEN not in exchange.facts:
        yield "polling-too-fast"


def _codes_reused(exchanges: list[Recorded]) -> Iterator[tuple[str, Recorded]]:
    done = set[tuple[str | None, str]]()
    for each in exchanges:
        if each.endpoint == "token" and "code" in each.presented:
            key = (each.client_id, each.presented["code"])
            if key in done:
                yield "code-reused", each
            if each.status == 200 and has_arrived(each):
                done.add(key)


def _refresh_tokens_reused(exchanges: list[Recorded]) -> Iterator[tuple[str, Recorded]]:
    """Whoever sends a token again because the answer was lost knows no better."""
    done, lost = set[str](), set[str]()
    for each in exchanges:
        token = each.presented.get("refresh_token")
        if each.endpoint != "token" or token is None:
            continue
        if any(event["type"] == RefreshTokenReused.__name__ for event in each.events) and token in done - lost:
            yield "refresh-token-reused", each
        if not has_arrived(each):
            lost.add(token)
        elif each.status == 200:
            done.add(token)
