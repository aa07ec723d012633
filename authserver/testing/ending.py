"""An ending: comes once, from any thread, and can be waited for on any loop."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress


class Ending:
    """Something that will be over."""

    def __init__(self) -> None:
        self._future = Future[None]()
        self._future.set_running_or_notify_cancel()  # so that nobody who stops waiting cancels it for the others

    @property
    def has_come(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    def come(self) -> None:
        """It is over from now on."""
        with suppress(InvalidStateError):
            self._future.set_result(None)

    async def wait(self) -> None:
        """Until it is over."""
        await asyncio.wrap_future(self._future)


async def first_of(*waits: Awaitable[None], seconds: float | None = None) -> None:
    """Until one of them has come, or the time has passed."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
