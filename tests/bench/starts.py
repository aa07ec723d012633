"""How long a start takes: importing the package, serving, the client's help; and one password check beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from authserver.passwords import hash_password, verify_password
from tests.bench.figures import spread
from tests.bench.servers import ROOT, python, running, throw_away

HEADER = ("What", "wall ms", "CPU ms")

Took = tuple[float, float]
"""Milliseconds by the wall clock, and of CPU."""


def measure(times: int) -> list[tuple[str, str, str]]:
    """A row for each thing that starts."""
    with throw_away() as directory:
        database = {"AUTHSERVER_DATABASE_URL": f"sqlite:///{directory / 'authserver.db'}"}
        notes = {"API_DATABASE_URL": f"sqlite:///{directory / 'notes.db'}"}
        rows: list[tuple[str, Callable[[], Took]]] = [
            ("`python -c pass`, for comparison", lambda: command([sys.executable, "-c", "pass"])),
            ("`import authserver`", lambda: command([sys.executable, "-c", "import authserver"])),
            (
                "`from authserver import create_app`",
                lambda: command([sys.executable, "-c", "from authserver import create_app"]),
            ),
            ("`python -m authserver serve`, first start to READY (makes tables and keys)", _first_start),
            (
                "the same on a prepared database",
                lambda: _service(python("authserver", "serve", "--port", "0"), database),
            ),
            ("`python -m api` to READY", lambda: _service(python("api", "--port", "0"), notes)),
            ("`python -m client --help`", lambda: command(python("client", "--help"))),
            ("one password check (argon2id), which no route above contains", _password_check),
        ]
        _service(python("authserver", "serve", "--port", "0"), database)  # prepares it, and warms the file cache
        took: dict[str, list[Took]] = {name: [] for name, _ in rows}
        for _ in range(times):
            for name, once in rows:
                took[name].append(once())
    return [(name, spread([wall for wall, _ in each]), spread([cpu for _, cpu in each])) for name, each in took.items()]


def command(line: Sequence[str], directory: Path = ROOT, environment: Mapping[str, str] | None = None) -> Took:
    """What a command took from its start to its end. Raises CalledProcessError."""
    before = time.perf_counter()
    process = subprocess.Popen(line, cwd=directory, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, line)
    return wall * 1000, (used.ru_utime + used.ru_stime) * 1000


def _service(command: Sequence[str], environment: dict[str, str]) -> Took:
    with running(command, environment) as server:
        return server.start_seconds * 1000, server.cpu() * 1000


def _first_start() -> Took:
    with throw_away() as directory:
        url = {"AUTHSERVER_DATABASE_URL": f"sqlite:///{Path(directory) / 'authserver.db'}"}
        return _service(python("authserver", "serve", "--port", "0"), url)


def _password_check() -> Took:
    kept = hash_password("understudy")
    before, cpu = time.perf_counter(), time.process_time()
    assert verify_password(kept, "understudy")
    return (time.perf_counter() - before) * 1000, (time.process_time() - cpu) * 1000
