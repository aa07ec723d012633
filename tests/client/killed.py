"""`python -m tests.client.killed SCENARIO DIRECTORY`: kill -9 between any two steps of saving (rows CL11 and B27).

A step is a line of `client/store/`. For n = 1, 2, …: a child process does the work and is killed at its n-th step;
then whoever comes next has to find the old state or the new one, and has to be able to go on. Ends when a child gets
through. The children are forked, so that a step costs milliseconds.
"""

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import filelock  # noqa: F401 (imported before the forks, so that each of them need not)
import keyring

from client.errors import StoreDamagedError
from client.settings import TokenStore
from client.store import Context, FileStore, TokenSet
from tests.client.keyring_backend import Keyring

HERE = str(Path("client", "store")) + os.sep
CONTEXT = Context("https://i/", "c", "https://api/")
State = tuple[Any, ...]


def person(name: str, generation: int) -> TokenSet:
    claims = {"iss": "https://i/", "sub": name, "aud": "c"}
    return TokenSet(f"access {name} {generation}", 1.5, "openid", f"refresh {name} {generation}", "i", claims)


OLD, NEW, BOB = person("alice", 1), person("alice", 2), person("bob", 1)
MIXED = replace(OLD, refresh_token=NEW.refresh_token)
"""Killed between keyring and file: the newer refresh token counts."""


class Scenario:
    """`before`, `work`, and what `look` may see afterwards."""

    def __init__(
        self,
        work: Callable[[FileStore], None],
        *seen: State,
        before: tuple[TokenSet, ...] = (),
        mode: TokenStore = TokenStore.file,
        mode_before: TokenStore | None = None,
    ) -> None:
        self.work = work
        self.seen = seen
        self.before = before
        self.mode = mode
        self.mode_before = mode_before or mode


RING = TokenStore.keyring
SCENARIOS = {
    "first": Scenario(lambda store: store.save(OLD), (None, None), (OLD, None)),
    "replacing": Scenario(lambda store: store.save(NEW), (OLD, None), (NEW, None), before=(OLD,)),
    "another": Scenario(
        lambda store: store.save(BOB, make_current=True), (OLD, None), (BOB, OLD), before=(OLD,)
    ),
    "switching": Scenario(lambda store: store.use("bob"), (OLD, BOB), (BOB, OLD), before=(OLD, BOB)),
    "leaving": Scenario(lambda store: store.delete(), (OLD, BOB), (None, BOB), before=(OLD, BOB)),
    "last": Scenario(lambda store: store.delete(), (OLD, None), (None, None), before=(OLD,)),
    "keyring-first": Scenario(lambda store: store.save(OLD), (None, None), (OLD, None), mode=RING),
    "keyring-replacing": Scenario(
        lambda store: store.save(NEW), (OLD, None), (MIXED, None), (NEW, None), before=(OLD,), mode=RING
    ),
    "keyring-switching": Scenario(lambda store: store.use("bob"), (OLD, BOB), (BOB, OLD), before=(OLD, BOB), mode=RING),
    "keyring-leaving": Scenario(
        lambda store: store.delete(), (OLD, BOB), ("log in", BOB), (None, BOB), before=(OLD, BOB), mode=RING
    ),
    "into-the-keyring": Scenario(
        lambda store: store.save(NEW), (OLD, None), (NEW, None), before=(OLD,), mode=RING, mode_before=TokenStore.file
    ),
    "out-of-the-keyring": Scenario(
        lambda store: store.save(NEW), (OLD, None), (NEW, None), before=(OLD,), mode_before=RING
    ),
}  # fmt: skip


def main(name: str, directory: Path) -> None:
    scenario = SCENARIOS[name]
    os.environ["TEST_KEYRING"] = str(directory / "keyring")
    keyring.set_keyring(Keyring())
    seen: list[State] = []
    for step in count(1):
        prepare(scenario, directory)
        survived = killed_at(step, lambda: work(scenario, directory))
        state = look(directory)
        assert state in scenario.seen, f"step {step}: {state}"
        if NEW.refresh_token in [path.read_text() for path in (directory / "keyring").iterdir()]:
            assert state[0].refresh_token == NEW.refresh_token, f"step {step}: a spent refresh token is found"
        seen += [state] if state not in seen else []
        go_on(scenario, directory, step)
        if survived:
            break
    assert step > 20, "are these steps at all?"
    assert tuple(seen) == scenario.seen, f"not every state was met, or not in this order: {seen}"
    print(f"{name}: killed at each of {step - 1} steps")  # noqa: T201 (a program)


def prepare(scenario: Scenario, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "keyring").mkdir(parents=True)
    store = FileStore(directory / "tokens", CONTEXT, mode=scenario.mode_before)
    for tokens in scenario.before:
        with store.lock():
            store.save(tokens)


def work(scenario: Scenario, directory: Path) -> None:
    store = FileStore(directory / "tokens", CONTEXT, mode=scenario.mode)
    with store.lock():
        scenario.work(store)


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Did the child get through before its `step`-th step?"""
    child = os.fork()
    if child == 0:
        left = step

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal left
            if HERE not in frame.f_code.co_filename:
                return None
            if event == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        threading.settrace(trace)
        sys.settrace(trace)
        work()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"step {step}: status {status}"
    return status == 0


def look(directory: Path) -> State:
    """Whoever is current, and who else is there."""
    store = FileStore(directory / "tokens", CONTEXT)
    drawer = store.drawer()
    try:
        current: object = store.load()
    except StoreDamagedError:
        current = "log in"
    others = [sub for sub in drawer.people if sub != drawer.current]
    assert len(others) <= 1
    return current, store.load(account=others[0]) if others else None


def go_on(scenario: Scenario, directory: Path, step: int) -> None:
    """The lock is free, the next save works, and nothing is left lying about."""
    work(scenario, directory)
    assert look(directory) == scenario.seen[-1], f"step {step}"
    store = FileStore(directory / "tokens", CONTEXT, mode=scenario.mode)
    with store.lock():
        store.save(BOB)
    assert {path.suffix for path in (directory / "tokens").iterdir()} == {".json", ".lock"}, f"step {step}: litter"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
