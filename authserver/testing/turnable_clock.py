"""A tenant's own time: it runs with the machine's, ahead of it, behind it, or stands still."""

import threading

from authserver.clock import Clock, system_clock


class TurnableClock:
    """Answers epoch seconds like any `Clock`."""

    def __init__(self, source: Clock = system_clock) -> None:
        self._source, self._offset, self._frozen = source, 0, False
        self._standing, self._turn = 0, threading.Lock()

    def __call__(self) -> int:
        with self._turn:
            return self._now()

    def _now(self) -> int:
        return self._standing if self._frozen else self._source() + self._offset

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen

    def advance(self, seconds: int) -> None:
        """Forward, or back with a negative number; it goes on standing or running."""
        with self._turn:
            self._set(self._now() + seconds)

    def set(self, at: int) -> None:
        """To this time; it goes on standing or running."""
        with self._turn:
            self._set(at)

    def freeze(self, at: int | None = None) -> None:
        """Stand still, now or at the time that is given."""
        with self._turn:
            self._standing, self._frozen = self._now() if at is None else at, True

    def resume(self) -> None:
        """Run on from where it stands."""
        with self._turn:
            if self._frozen:
                self._offset, self._frozen = self._standing - self._source(), False

    def _set(self, at: int) -> None:
        if self._frozen:
            self._standing = at
        else:
            self._offset = at - self._source()
