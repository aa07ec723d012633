"""Problems of authorization requests: what they lack, where they want the answer, and what they say twice.

Done: RFC 9700 §2.1, §2.1.1, §2.1.2, §2.6, §4.7.1 · RFC 8252 §8.3 · RFC 6749 §3.3 · OpenID Connect Core §15.5.2.
Left out: request objects, whose parameters are nobody's to read here.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from authserver.errors import UntrustedRequest
from authserver.rules.redirects import LOOPBACK_HOSTS
from authserver.rules.scopes import OPENID
from authserver.testing.problems_known import Known, parameters
from authserver.testing.recorded import Recorded

PATH = "/authorize"

_INTERACTION = re.compile(r"[?&]state=(#[0-9a-f]+)")
_REUSED = {"code_challenge": "challenge-reused", "nonce": "nonce-reused", "state": "state-reused"}


def find(exchanges: list[Recorded], known: Known) -> Iterator[tuple[str, Recorded]]:
    """Names of rules, each with the exchange that breaks it."""
    requests = [each for each in exchanges if each.path == PATH and parameters(each).get("client_id")]
    for each in requests:
        asked = parameters(each)
        if not asked.get("request") and not asked.get("request_uri"):
            yield from ((rule, each) for rule in _lacking(asked))
        yield from ((rule, each) for rule in _misdirected(each, asked, known))
        scopes = known.scopes_of(asked.get("audience") or asked.get("resource"))
        # A fingerprint stands for a value that looked like a secret; nobody knows whether the API has it.
        if scopes is not None and any(not value.startswith("#") for value in _words(asked, "scope") - scopes):
            yield "unknown-scope", each
    yield from _repeated(requests, exchanges)


def _lacking(asked: dict[str, Any]) -> Iterator[str]:
    kinds = _words(asked, "response_type")
    if kinds & {"token", "id_token"}:
        yield "implicit-flow"
    if "code" in kinds and not asked.get("code_challenge"):
        yield "no-pkce"
        if not asked.get("state") and not asked.get("nonce"):
            yield "no-csrf-protection"
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        yield "pkce-plain"
    if OPENID in _words(asked, "scope") and not asked.get("nonce"):
        yield "no-nonce"


def _misdirected(request: Recorded, asked: dict[str, Any], known: Known) -> Iterator[str]:
    redirect_uri, client = asked.get("redirect_uri"), known.client(request.client_id)
    if not isinstance(redirect_uri, str) or not redirect_uri:
        return
    try:
        parts = urlsplit(redirect_uri)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        scheme, host = "", None
    if scheme == "http" and host not in LOOPBACK_HOSTS:
        yield "http-redirect"
    # Of a known client with one redirect_uri there is nothing else that could be wrong above the trust line.
    elif client and request.refusal == UntrustedRequest.__name__ and asked.get("response_mode") != "web_message":
        yield "unregistered-redirect"
    if client and client.app_type == "native" and host == "localhost":
        yield "localhost-redirect"


def _repeated(requests: list[Recorded], exchanges: list[Recorded]) -> Iterator[tuple[str, Recorded]]:
    """A request that is the same in all three is a page reloaded, as long as only one of them became tokens."""
    redeemed = {each.presented.get("code") for each in exchanges if each.endpoint == "token" and each.status == 200}
    codes = {_interaction(each): each.issued["code"] for each in exchanges if "code" in each.issued}
    logins, complete = set[tuple[Any, ...]](), set[tuple[Any, ...]]()
    values = set[tuple[Any, ...]]()
    for each in requests:
        asked = parameters(each)
        login = (each.client_id, *(str(asked.get(name, "")) for name in _REUSED))
        became = each.issued.get("code") or codes.get(_led_to(each))
        is_complete = became in redeemed and became is not None
        if login not in logins or (is_complete and login in complete):
            for name, rule in _REUSED.items():
                value = asked.get(name)
                is_covered = name == "state" and (asked.get("code_challenge") or asked.get("nonce"))
                if value and (each.client_id, name, str(value)) in values and not is_covered:
                    yield rule, each
                values.add((each.client_id, name, str(value)))
        logins.add(login)
        if is_complete:
            complete.add(login)


def _led_to(request: Recorded) -> str:
    """The interaction that the browser was sent to."""
    found = _INTERACTION.search(request.location or "")
    return found[1] if found else "none"


def _interaction(exchange: Recorded) -> str:
    """The interaction that this exchange went on with."""
    return str(parameters(exchange).get("state")) if exchange.path != PATH else ""


def _words(asked: dict[str, Any], name: str) -> frozenset[str]:
    value = asked.get(name)
    return frozenset(value.split()) if isinstance(value, str) else frozenset()
