"""The servers under measurement: real processes, each on a directory of its own, all on one core.

Left out: systems without Linux' CPU clocks of other processes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE = Path(__file__).with_name("node")
OURS = ("AUTHSERVER_", "API_", "CLIENT_")
STOP_SECONDS = 20


class ServerFailedError(Exception):
    """A server did not start; the text holds its last words."""


class Server:
    """A running server. `url` is what its READY line says, without the trailing slash."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], directory: Path) -> None:
        """Starts it and waits for READY. Raises ServerFailedError."""
        # Settings that somebody's shell has for these programs count for nothing here.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        before = time.perf_counter()
        log = directory / "stderr"
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**inherited, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self._process.stdout
        line = ""
        for line in self._process.stdout:
            if line.startswith("READY "):
                break
        else:
            self.stop()
            raise ServerFailedError(f"{' '.join(command)}: {line}{log.read_text(errors='replace')[-1000:]}")
        self.start_seconds = time.perf_counter() - before
        self.url = line.removeprefix("READY ").strip().removesuffix("/")

    def cpu(self) -> float:
        """Seconds of CPU, user and system, that the process and its descendants have used so far."""
        return sum(_cpu(pid) for pid in _tree(self._process.pid))

    def stop(self) -> None:
        """End it, gently if it lets us."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _tree(int(child)))]


def _cpu(pid: int) -> float:
    # clock_getcpuclockid(3), which Python has not: nanoseconds, where /proc/PID/stat counts hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def throw_away() -> Iterator[Path]:
    """A directory for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as directory:
        yield Path(directory)


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], directory: Path | None = None) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    with throw_away() as log:
        server = Server(command, environment, directory or log)
        try:
            yield server
        finally:
            server.stop()


def python(*arguments: str) -> list[str]:
    """The command line of one of our modules."""
    return [sys.executable, "-m", *arguments]


def why_no_node(package: str = "oidc-provider") -> str | None:
    """What is missing for this package of npm's, by name; None when nothing is."""
    if shutil.which("node") is None:
        return "Node is not on this machine"
    if not (NODE / "node_modules" / package).is_dir():
        return "it is not installed (`make bench` does that where npm can reach its registry)"
    return None


def take_cores() -> tuple[set[int], set[int]]:
    """Cores for the servers and for ourselves: one each where the machine has two."""
    mine = sorted(os.sched_getaffinity(0))
    return {mine[0]}, {mine[-1]}


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """What is started within the block runs on these cores, as we do meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
