"""Trace: the thread that ties the log lines of several services to one request.

W3C Trace Context level 1, section 3.2 (traceparent), 3.2.2.3 (all zeros are no ids), 4.3 (versions that are not
known yet are read as this one). Whatever is malformed or sent twice begins a new trace; it is never an error.

Left out on purpose: `tracestate`. Only one kind of request leaves this API, the fetch of the issuer's keys, which
serves many traces at once; what a stranger wrote is not handed on to the issuer.
"""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 0x01


@dataclass(frozen=True)
class Trace:
    """The part of a traceparent that stays the same from service to service."""

    trace_id: str
    sampled: bool

    def traceparent(self) -> str:
        """The header for one outgoing request, which gets a span id of its own."""
        return f"00-{self.trace_id}-{_fresh_id(8)}-{int(self.sampled):02x}"


current: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The trace of the request in hand; asyncio carries it along into the threads that work for that request."""


def trace_of(headers: list[tuple[bytes, bytes]]) -> Trace:
    """The caller's trace, or a new one."""
    sent = [value.decode("latin-1") for name, value in headers if name == b"traceparent"]
    parsed = _TRACEPARENT.fullmatch(sent[0]) if len(sent) == 1 else None
    if parsed is not None:
        version, trace_id, parent_id, flags, more = parsed.groups()
        if int(trace_id, 16) and int(parent_id, 16) and not (version == "00" and more):
            return Trace(trace_id, sampled=bool(int(flags, 16) & _SAMPLED))
    return Trace(_fresh_id(16), sampled=False)


def _fresh_id(size: int) -> str:
    while not int(fresh := secrets.token_hex(size), 16):
        """All zeros would be no id."""
    return fresh
