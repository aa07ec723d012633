"""Worker processes: several on one listening socket; one that dies is replaced.

Left out: watching whether a worker that lives does anything; its connections have deadlines of their own.

Signals are put into a queue and looked at one after the other. Ctrl-C reaches the whole group, so workers are deaf to
it and listen to their parent alone; when it is gone, they stop by themselves (see `server`).
"""

import logging
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue

Start = Callable[[], SpawnProcess]

PAUSE = 1.0
"""Seconds before another attempt, when a worker could not begin."""

log = logging.getLogger("authserver")


def supervise(count: int, start: Start, has_served: Callable[[], bool], listener: socket.socket) -> int:
    """Keep `count` workers running until SIGTERM or SIGINT, then close our side too. Returns the exit status.

    Before one `has_served` a failure is everybody's; later on it may be a database that comes back.
    """
    caught = SimpleQueue[int]()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda number, _: caught.put(number))
    workers = [_started(start) for _ in range(count)]
    failed = _watch(workers, start, has_served, caught)
    for worker in workers:
        worker.terminate()
    listener.close()  # the workers have theirs, and close it when nobody waits there any more
    return _reap(workers, caught) or failed


def _started(start: Start) -> SpawnProcess:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which the new process inherits
    try:
        return start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _watch(workers: list[SpawnProcess], start: Start, has_served: Callable[[], bool], caught: SimpleQueue[int]) -> int:
    while caught.get() == signal.SIGCHLD:
        for place, worker in enumerate(workers):
            if worker.exitcode is None:
                continue
            if worker.exitcode > 0 and not has_served():
                return worker.exitcode
            log.warning("worker %s ended (%s), another takes its place", worker.pid, worker.exitcode)
            if worker.exitcode > 0:
                time.sleep(PAUSE)
            workers[place] = _started(start)
    return 0


def _reap(workers: list[SpawnProcess], caught: SimpleQueue[int]) -> int:
    """Wait for all. Who signals once more does not want to."""
    while any(worker.exitcode is None for worker in workers):
        number = caught.get()
        if number != signal.SIGCHLD:
            for worker in workers:
                worker.kill()
            return 128 + number
    return 0
