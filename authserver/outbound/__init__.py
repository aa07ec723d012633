"""Outbound: the only place from which this server calls anybody.

Done: RFC 9110 §15.4 (no redirect is followed) · RFC 8725 §2.9 (key sets come from where the operator said) ·
RFC 8414 §3.3.
Left out: proxies, retries, connections that are kept for the next call.

A call has one deadline for everything that happens in it. Whom it may reach is said by a `Reach`: the origins that the
tenant file names, wherever they lie, and beyond them only public addresses under https. Documents are remembered for a
while; those who have to wait for others find out at once when too many already do.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # serving costs nothing of this before somebody comes from elsewhere
    from authserver.outbound.transport import Call

TOTAL = 8.5
"""Seconds for everything that is asked elsewhere on behalf of one request of ours."""

AT_ONCE = 6
"""Calls at the same time in a process. The threads beyond them serve everybody else."""

FRESH = 600
"""Seconds for which a document counts as it was."""

COOLDOWN = 30
"""Seconds between two fetches of a document that seemed outdated."""

MOST_DOCUMENTS = 64


class OutboundError(Exception):
    """A call came to nothing. The text is ours, for the log; nothing that was received stands in it."""


class Unavailable(OutboundError):
    """Down, slow, or overloaded: the same call may succeed later."""


class Unusable(OutboundError):
    """An answer came that cannot be used, or the place may not be called."""


@dataclass(frozen=True, slots=True)
class Reach:
    """`trusted` are origins that the tenant file itself names. `plain_loopback` allows http for those among them that
    lie on loopback; `ca_file` holds authorities besides the machine's.
    """

    trusted: frozenset[str]
    plain_loopback: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Document:
    body: dict[str, Any]
    fetched_at: int


@dataclass
class Outbound:
    """What one tenant remembers of others."""

    _slots: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))
    _documents: dict[str, _Document] = field(default_factory=dict)

    @contextmanager
    def call(self, reach: Reach) -> Iterator["Call"]:
        """A call within `reach`, for as long as the block lasts. Raises Unavailable when too many are under way."""
        from authserver.outbound.transport import Call, trust

        if not self._slots.acquire(blocking=False):
            raise Unavailable("too many calls are under way")
        try:
            with Call(reach, trust(reach.ca_file), time.monotonic() + TOTAL) as call:
                yield call
        finally:
            self._slots.release()

    def document(self, call: "Call", url: str, what: str, now: int, *, outdated: bool = False) -> dict[str, Any]:
        """The JSON object at `url`, called `what` in the log, fetched or remembered. `outdated` says that what is
        remembered did not help: it is fetched again, once in COOLDOWN seconds. Raises OutboundError.
        """
        known = self._documents.get(url)
        if known and 0 <= now - known.fetched_at < (COOLDOWN if outdated else FRESH):
            return known.body
        body = call.get_object(url, what)
        if len(self._documents) >= MOST_DOCUMENTS:
            self._documents.clear()
        self._documents[url] = _Document(body, now)
        return body


__all__ = ["Outbound", "OutboundError", "Reach", "Unavailable", "Unusable"]
