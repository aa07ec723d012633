"""The servers as their users start them, with their signals and their logs."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("AUTHSERVER_", "API_", "CLIENT_", "PROMETHEUS_")


@dataclass
class Served:
    """`url` is what READY said; `log` is what was written to stderr."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def issuer(self) -> str:
        """The authorization server's name for itself."""
        return self.url

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def said(self) -> str:
        """After the stop: what came on stdout behind READY."""
        assert self.process.stdout
        return self.process.stdout.read()


def environment(**variables: str) -> dict[str, str]:
    """The machine's, without settings that somebody's shell has for our programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | variables


def served(directory: Path, *options: str, **variables: str) -> AbstractContextManager[Served]:
    """`python -m authserver serve` on a free port, ready; killed at the end unless it was stopped."""
    return started(directory, "authserver", "serve", *options, **variables)


@contextmanager
def started(directory: Path, module: str, *arguments: str, **variables: str) -> Iterator[Served]:
    """`python -m module … --port 0`, likewise."""
    log = directory / f"{module}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--port", "0"],
            env=environment(**variables),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        line = process.stdout.readline() if ready else "not ready within a minute"
        assert line.startswith("READY "), line + log.read_text()
        yield Served(process, line.split()[1], log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()
