"""The faults of one tenant, in the order in which they were set, and how often each has come true."""

import secrets
import threading
from collections.abc import Iterable

from authserver.testing.ending import Ending
from authserver.testing.faults.kinds import Order

MOST = 200
"""Faults of one tenant, spent ones included: those stay until they are removed, so that a test can ask for `hits`."""


class NoSuchFault(LookupError):
    """There is none with this id in this tenant, or it was removed."""


class TooManyFaults(RuntimeError):
    """Some have to be removed first."""


class Fault:
    """An order that stands. `removed` comes when it is taken back."""

    def __init__(self, order: Order) -> None:
        self.id, self.order, self.removed = secrets.token_hex(8), order, Ending()
        self.hits = self.passed = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has come true as often as it should."""
        return self.order.times is not None and self.hits >= self.order.times


class Faults:
    """Set and removed by threads of the control API, taken on the loop."""

    def __init__(self) -> None:
        self._kept: dict[str, Fault] = {}
        self._turn, self.is_closed = threading.Lock(), False

    def __bool__(self) -> bool:
        return bool(self._kept)

    def all(self) -> list[Fault]:
        """As they were set."""
        with self._turn:
            return list(self._kept.values())

    def find(self, id_: str) -> Fault:
        """The one with this id. Raises NoSuchFault."""
        try:
            return self._kept[id_]
        except KeyError:
            raise NoSuchFault(id_) from None

    def add(self, order: Order) -> Fault:
        """From now on. Raises TooManyFaults."""
        fault = Fault(order)
        with self._turn:
            if len(self._kept) >= MOST or self.is_closed:
                raise TooManyFaults
            self._kept[fault.id] = fault
        return fault

    def remove(self, id_: str) -> None:
        """Take it back; whom it holds goes on. Raises NoSuchFault."""
        with self._turn:
            fault = self._kept.pop(id_, None)
        if fault is None:
            raise NoSuchFault(id_)
        fault.removed.come()

    def clear(self) -> None:
        """Take all back."""
        with self._turn:
            gone = list(self._kept.values())
            self._kept.clear()
        for fault in gone:
            fault.removed.come()

    def close(self) -> None:
        """The tenant ends, and nothing is held any longer."""
        self.is_closed = True
        self.clear()

    def take(self, matching: Iterable[Fault]) -> Fault | None:
        """The first of these that is due now: one request has it, however many ask at once."""
        with self._turn:
            for fault in matching:
                if fault.is_spent or fault.id not in self._kept:
                    continue
                if fault.passed < fault.order.skip:
                    fault.passed += 1
                    continue
                fault.hits += 1
                return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """It had nothing to spoil."""
        with self._turn:
            fault.hits -= 1
