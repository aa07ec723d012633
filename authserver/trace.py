"""One HTTP exchange, as its log lines tell of it.

Done: W3C Trace Context level 1 §3.2 (`traceparent`: exactly one, well-formed; else a new trace begins), §4.
Left out: `tracestate` and spans of our own; nothing here calls anybody while it answers.

Whatever works on a request finds its exchange in the context, on the threads of the door as well.
"""

import re
import secrets
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


@dataclass(slots=True)
class Exchange:
    """`route` is a template of ours, `client_id` a registered client's; `error` the code on the wire, `refusal` the
    name that it has here.
    """

    trace_id: str
    route: str | None = None
    client_id: str | None = None
    error: str | None = None
    refusal: str | None = None


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def begin(traceparent: Sequence[bytes]) -> Exchange:
    """The exchange from here on; `traceparent` is every header of this name."""
    exchange = Exchange(_trace_id(traceparent) or secrets.token_hex(16))
    _current.set(exchange)
    return exchange


def current() -> Exchange | None:
    """The exchange that is being worked on here, if any."""
    return _current.get()


def note_route(route: str) -> None:
    """The request has found its way."""
    if exchange := _current.get():
        exchange.route = route


def note_client(client_id: str) -> None:
    """This registered client is spoken of."""
    if exchange := _current.get():
        exchange.client_id = client_id


def note_refusal(error: str, refusal: Exception) -> None:
    """The answer is `error` on the wire, because of `refusal`."""
    if exchange := _current.get():
        exchange.error, exchange.refusal = error, type(refusal).__name__


def _trace_id(headers: Sequence[bytes]) -> str | None:
    match = _TRACEPARENT.fullmatch(headers[0]) if len(headers) == 1 else None
    if match is None:
        return None
    version, trace_id, parent_id, more = match.groups()
    # What later versions add stands behind a further dash; ff is no version, and zeros alone are no id.
    if version == b"ff" or (version == b"00" and more) or not trace_id.strip(b"0") or not parent_id.strip(b"0"):
        return None
    return trace_id.decode()
