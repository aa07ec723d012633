"""Patience: when a busy server is asked again, and after how long.

Done: RFC 9110 sections 9.2.2 (only what may be repeated is repeated: GET) and 10.2.3 (Retry-After, seconds or date);
row CL14: growing pauses with jitter, and bounds, because a person is waiting.
Left out: repeating POST. A refresh whose answer was lost may have been carried out, see session.py.
"""

import random
from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

TRIES = 4
LONGEST = 10.0
"""Seconds that one request may wait in all. A server that asks for more gets no second try now."""


def pauses() -> Iterator[float]:
    """Before each further try: half a second, one, two; each a little longer than the last caller's."""
    dice = random.SystemRandom()
    for number in range(TRIES - 1):
        yield 0.5 * 2**number * dice.uniform(1.0, 1.5)


def is_worth_waiting(method: str, status: int) -> bool:
    return method == "GET" and status in (429, 503)


def asked_for(retry_after: str, now: float) -> float:
    """The seconds that `Retry-After` asks for; 0 where it is absent or makes no sense."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now)
