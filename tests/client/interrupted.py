"""`python -m tests.client.interrupted SIGNAL POINTS COMMAND …`: a command, stopped at many points of its life.

A point is a line of `client/` that the command comes to. First it runs undisturbed, to count them; then once for each
of POINTS points, spread over its life, it gets the signal there. The children are forked, so that a run is quick. What
became of each is printed as a line of JSON: the point, the exit status, what the terminal shows, and what is stored.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import filelock  # noqa: F401 (these are imported before the forks, so that no child need do it)

import client.__main__
import client.cli
import client.id_token
import client.login
import client.tokens
from client import wire
from client.settings import Settings
from client.store import open_store

DIRECTORY = Path(os.environ.get("CLIENT_TOKEN_DIR", ""))
FIRST = 6
"""Before this line our handlers are not installed yet."""
LAST = 6
"""Each of the last lines is tried: there is little left that could catch an exception."""
ROOMS = str(Path(client.__file__).parent) + os.sep


def main(number: signal.Signals, points: int, command: list[str]) -> None:
    wire.http_options(Settings())  # reads the system's authorities, once for all children
    before = {path: path.read_bytes() for path in DIRECTORY.glob("*.json")}
    total = int(run(command, 0, number)["lines"])
    assert total > points, "are these points at all?"
    spread = range(FIRST, total - LAST, (total - FIRST) // points)
    for point in (*spread, *range(total - LAST + 1, total + 1)):
        if command[0] != "refresh":
            restore(before)
        print(json.dumps(run(command, point, number)), flush=True)  # noqa: T201 (a program)


def restore(before: dict[Path, bytes]) -> None:
    for path in DIRECTORY.glob("*.json"):
        path.unlink()
    for path, content in before.items():
        path.touch(0o600)
        path.write_bytes(content)


def run(command: list[str], point: int, number: signal.Signals) -> dict[str, Any]:
    with tempfile.TemporaryFile() as screen, tempfile.TemporaryFile() as counted:
        child = os.fork()
        if child == 0:
            os.dup2(screen.fileno(), 1)
            os.dup2(screen.fileno(), 2)
            sys.argv = ["client", *command]
            watch(point, number, counted.fileno())
            client.__main__.run()  # ends by SystemExit, which goes on through here: the interpreter's end counts, too
            raise AssertionError
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        screen.seek(0)
        counted.seek(0)
        return {
            "point": point,
            "status": status,
            "screen": screen.read().decode(),
            "lines": len(lines := counted.read()),
            "signalled": b"!" in lines,
            "stored": stored(),
        }


def watch(point: int, number: signal.Signals, counted: int) -> None:
    left = point

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(ROOMS):
            return None
        if event == "line":
            left -= 1
            if point == 0:
                os.write(counted, b".")
            if left == 0:
                os.write(counted, b"!")
                os.kill(os.getpid(), number)
        return trace

    sys.settrace(trace)


def stored() -> list[str] | None:
    settings = Settings(
        issuer=os.environ["CLIENT_ISSUER"], token_dir=os.environ["CLIENT_TOKEN_DIR"], token_store="file"
    )
    tokens = open_store(settings).load()
    return None if tokens is None else [tokens.access_token, str(tokens.refresh_token)]


if __name__ == "__main__":
    main(signal.Signals[sys.argv[1]], int(sys.argv[2]), sys.argv[3:])
