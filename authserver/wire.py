"""Reading: HTTP into a `Request`, refusing what two readers could understand differently.

Done: RFC 6749 §3.2 and appendix B · RFC 8259 §4 (member names must be unique) · RFC 9110 §8.4 (no content codings).
"""

import json
from typing import Any
from urllib.parse import parse_qsl

import anyio
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

from authserver.dialects import Policy
from authserver.endpoints import Endpoint
from authserver.errors import InvalidRequest, TooLarge, UnsupportedMediaType
from authserver.messages import Params, Request

BODY_LIMIT = 256 * 1024
"""Bytes of a body; ten times what the largest honest request needs, even percent-encoded."""

BODY_SECONDS = 20.0
"""Seconds within which a body must have arrived."""

FIELD_LIMIT = 100

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


async def read_body(http: HttpRequest) -> bytes:
    """At most BODY_LIMIT bytes, counted while they arrive.

    Raises TooLarge, or InvalidRequest when the sender gave up.
    """
    if http.method == "GET" and "content-length" not in http.headers and "transfer-encoding" not in http.headers:
        return b""  # RFC 9112 §6.3: there is none, so no deadline has to be kept
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in http.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise TooLarge
    except ClientDisconnect:
        raise InvalidRequest from None
    except TimeoutError:
        raise InvalidRequest("The request body took too long.") from None
    return bytes(body)


def parse(http: HttpRequest, body: bytes, endpoint: Endpoint, policy: Policy) -> Request:
    """The request as rooms see it. Raises InvalidRequest and its kin."""
    if endpoint.surface == "person" and "prefetch" in _purpose(http):
        # RFC 9110 §9.2.1: nobody has asked for this yet, so no session is used and no code is made.
        raise InvalidRequest("This page is not loaded ahead of time.")
    query = _form(http.scope["query_string"])
    if query.pairs and not endpoint.query:
        raise InvalidRequest("Parameters belong into the request body, not into the URL.")
    params = _body(http, body, endpoint, policy) if http.method == "POST" else Params()
    if endpoint.surface != "person" and (query.repeated or params.repeated):
        raise InvalidRequest("A parameter was sent more than once.")
    return Request(
        method=http.method,
        query=query,
        body=params,
        authorization=tuple(http.headers.getlist("authorization")),
        cookies=http.cookies,
        origin=http.headers.get("origin"),
        fetch_site=http.headers.get("sec-fetch-site"),
        source=http.client.host if http.client else "",
        user_agent=http.headers.get("user-agent", "")[:512],
        language=http.headers.get("accept-language", "")[:128],
    )


def _purpose(http: HttpRequest) -> str:
    return " ".join(http.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-moz"))


def _body(http: HttpRequest, body: bytes, endpoint: Endpoint, policy: Policy) -> Params:
    content_types = http.headers.getlist("content-type")
    if not body and not content_types:
        return Params()
    if len(content_types) != 1 or "content-encoding" in http.headers:
        raise UnsupportedMediaType
    media_type, *parameters = (part.strip().lower() for part in content_types[0].split(";"))
    if any(parameter not in ("", "charset=utf-8", 'charset="utf-8"') for parameter in parameters):
        raise UnsupportedMediaType
    if media_type == _FORM:
        return _form(body)
    # No RFC speaks of the database API: JSON is its language in either dialect.
    if media_type == _JSON and (policy.json_bodies or endpoint.surface == "database"):
        return _json(body)
    raise UnsupportedMediaType


def _form(encoded: bytes) -> Params:
    try:
        text = encoded.decode("utf-8", "surrogateescape")
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=FIELD_LIMIT)
    except ValueError:
        raise InvalidRequest("The request has too many parameters.") from None
    return Params(pairs)


def _json(body: bytes) -> Params:
    try:
        # As a tuple of pairs an object keeps repeated names visible, where a dict would keep the last; an array stays
        # a list.
        members = json.loads(body.decode("utf-8"), object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        raise InvalidRequest("The request body is not well-formed JSON in UTF-8.") from None
    if not isinstance(members, tuple):
        raise InvalidRequest("The request body must be a JSON object.")
    if len(members) > FIELD_LIMIT:
        raise InvalidRequest("The request has too many parameters.")
    names = {name for name, _ in members}
    flat = _flat if len(names) == len(members) else _as_it_is
    pairs = [pair for name, value in members for pair in flat(name, value)]
    if len(pairs) > FIELD_LIMIT:
        raise InvalidRequest("The request has too many parameters.")
    return Params(pairs)


def _flat(name: str, value: Any) -> list[tuple[str, str | None]]:
    """A member as pairs. The one object that we read is written as forms would write it."""
    if name == "user_metadata" and isinstance(value, tuple):
        return [(f"{name}[{inner}]", _json_value(inner, each)) for inner, each in value]
    return _as_it_is(name, value)


def _as_it_is(name: str, value: Any) -> list[tuple[str, str | None]]:
    return [(name, _json_value(name, value))]


def _json_value(name: str, value: Any) -> str | None:
    if value is None:
        return ""  # null, "" and absent are the same
    if name == "scope" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    return value if isinstance(value, str) else None
