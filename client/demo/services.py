"""The two servers as child processes: started, waited for, and never left behind."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import client

READY_SECONDS = 60
STOP_SECONDS = 10


class ServiceFailedError(Exception):
    pass


@contextmanager
def running(module: str, *arguments: str, environment: Mapping[str, str], directory: Path) -> Iterator[str]:
    """Run `python -m module … --port 0` for as long as the block lasts; gives the URL it is ready at."""
    log = directory / f"{module}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 (our own modules, and no shell)
            [sys.executable, "-m", module, *arguments, "--port", "0"],
            cwd=Path(client.__file__).parent.parent,
            env=_clean_environment() | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,  # Ctrl-C is for us alone: we stop the children, in order, and their children
        )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # as in loopback: Ctrl-C leaves no lock locked
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reader.start()
    try:
        yield _ready_url(module, lines, log)
    finally:
        _stop(process)
        reader.join()


def _clean_environment() -> dict[str, str]:
    """Without settings that somebody's shell has for these programs: the demo is the same for everybody."""
    ours = ("AUTHSERVER_", "API_", "CLIENT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _read(stdout: IO[str] | None, lines: "queue.SimpleQueue[str | None]") -> None:
    """Until the end, also after READY: a full pipe would stop the server."""
    if stdout:
        with stdout:
            for line in stdout:
                lines.put(line.rstrip("\n"))
    lines.put(None)


def _ready_url(module: str, lines: "queue.SimpleQueue[str | None]", log: Path) -> str:
    while True:
        try:
            line = lines.get(timeout=READY_SECONDS)
        except queue.Empty:
            line = None
        if line is None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise ServiceFailedError(f"{module} did not become ready. Its last words:\n{tail or '(none)'}")
        if line.startswith("READY "):
            return line.removeprefix("READY ").strip()


def _stop(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever is left of the group
        process.wait()
