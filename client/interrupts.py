"""Interrupts: Ctrl-C and SIGTERM at any moment, with nothing half-done left behind.

Both become an exception, so that every `with` on the way out closes what it opened. While a refresh token is being
traded they wait: the old one is spent, the new one is not saved yet, and stopping there would end the login. A second
signal does not wait. While Python is still importing us, nothing has been done, and the process simply ends.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(KeyboardInterrupt):
    """SIGTERM, as an exception that ends things like Ctrl-C does."""


def end_at_once() -> None:
    """For the time before there is anything to clean up, and after it."""
    for number in NUMBERS:
        signal.signal(number, lambda number, _frame: os._exit(128 + number))


def raise_exceptions() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _stop)


def status_of(problem: KeyboardInterrupt) -> int:
    """The exit status that shells expect after this signal."""
    return 128 + (signal.SIGTERM if isinstance(problem, StoppedError) else signal.SIGINT)


@contextmanager
def held_back() -> Iterator[None]:
    """A first signal is delivered at the end of the block. Only the main thread hears signals at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: handler for number in NUMBERS if callable(handler := signal.getsignal(number))}
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        handler = before[signal.Signals(number)]
        if len(heard) > 1 and callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if len(heard) == 1:
            signal.raise_signal(heard[0])


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise StoppedError
