"""The tenant's clock, as a test turns it."""

from collections.abc import Callable
from typing import Any


class Clock:
    """The tenant's time, in epoch seconds. Your own application's clock is yours to turn."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    @property
    def now(self) -> int:
        """What it says."""
        now: int = self._call("GET", "clock")["now"]
        return now

    def advance(self, seconds: int) -> int:
        """Forward, or back with a negative number. Returns the new time."""
        return self._change(advance=seconds)

    def set(self, at: int) -> int:
        """To this time; a frozen clock stays frozen."""
        return self._change(set=at)

    def freeze(self, at: int | None = None) -> int:
        """Stand still, now or at `at`."""
        return self._change(freeze=True) if at is None else self._change(freeze=True, set=at)

    def resume(self) -> int:
        """Run on from where it stands."""
        return self._change(resume=True)

    def _change(self, **change: object) -> int:
        now: int = self._call("POST", "clock", change)["now"]
        return now
