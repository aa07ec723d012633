"""Time as an argument.

Every decision that depends on time asks its tenant's clock, so that a test can skew one party and not the other.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Answers the present as whole seconds since 1970-01-01T00:00:00Z (the NumericDate of RFC 7519 §2, without fraction).
"""


def system_clock() -> int:
    """The machine's clock."""
    return int(time.time())
