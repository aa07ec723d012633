"""The authorization server as its users start it: `python -m authserver serve`, with its signals and its log."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass
class Served:
    """`log` is what it wrote to stderr."""

    process: subprocess.Popen[str]
    issuer: str
    log: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the signal and wait for the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


@contextmanager
def served(directory: Path, *options: str, **environment: str) -> Iterator[Served]:
    """A server on a free port, ready; killed at the end unless it was stopped."""
    log = directory / "authserver.log"
    ours = ("AUTHSERVER_", "PROMETHEUS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "authserver", "serve", "--port", "0", *options],
            env={**inherited, **environment},
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
