"""The system keyring: where refresh tokens lie when the computer has one.

Only the refresh token goes there: Windows takes no more than 1,280 characters, and the rest is short-lived.
A keyring may ask for a password, or hang on a bus that nobody serves. So each call runs in a thread of its own with a
time limit, and whether there is a usable keyring at all is found out by storing, reading and deleting a trial entry.
Left out: backends that only keep a file of their own (priority below 1, such as keyrings.alt), except when
`CLIENT_TOKEN_STORE=keyring` asks for whatever is installed.
"""

import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from client.errors import StoreError, printable
from client.settings import TokenStore

PROBE_SECONDS = 2.0
ANSWER_SECONDS = 30.0
"""Enough for a person to type the keyring's password."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Probe:
    """The backend's name, or what is wrong with it."""

    name: str = ""
    problem: str = ""


class SilentError(Exception):
    def __str__(self) -> str:
        return "it does not answer"


def probe(mode: TokenStore) -> Probe:
    """Is there a keyring that this mode can use? Found out once per process."""
    if mode == TokenStore.keyring:
        return _probe(0.01, ANSWER_SECONDS)
    return _probe(1.0, PROBE_SECONDS)


def forget_probes() -> None:
    _probe.cache_clear()


@cache
def _probe(lowest_priority: float, seconds: float) -> Probe:
    try:
        return in_time(lambda: _try(lowest_priority), seconds)
    except Exception as problem:  # a backend may raise whatever its bus or system library raises
        return Probe(problem=_reason(problem))


def _try(lowest_priority: float) -> Probe:
    import keyring

    backend: Any = keyring.get_keyring()
    if backend.priority < lowest_priority:
        return Probe(problem="no backend is installed here")
    place = ("understudy:probe", secrets.token_hex(8))  # one's own: others may be probing at this moment
    secret = secrets.token_hex(16)
    backend.set_password(*place, secret)
    try:
        given = backend.get_password(*place)
    finally:
        backend.delete_password(*place)
    return Probe(name=printable(str(backend.name))) if given == secret else Probe(problem="it forgets")


class Entry:
    """The place of one person's refresh token in the keyring."""

    def __init__(self, service: str, user: str) -> None:
        self._place = (service, user)

    def read(self) -> str | None:
        found: str | None = _ask("be read", lambda backend: backend.get_password(*self._place))
        return found

    def write(self, refresh_token: str) -> None:
        _ask("be written to", lambda backend: backend.set_password(*self._place, refresh_token))

    def delete(self) -> None:
        def delete(backend: Any) -> None:
            if backend.get_password(*self._place) is not None:
                backend.delete_password(*self._place)

        _ask("delete the refresh token", delete)


def _ask(what: str, work: Callable[[Any], T]) -> T:
    def ask() -> T:
        import keyring

        return work(keyring.get_keyring())

    try:
        return in_time(ask, ANSWER_SECONDS)
    except Exception as problem:  # as above
        raise StoreError(
            f"The system keyring could not {what}: {_reason(problem)}.",
            "Unlock it and try again. To do without it: CLIENT_TOKEN_STORE=file and python -m client login",
        ) from problem


def in_time(work: Callable[[], T], seconds: float) -> T:
    """In a daemon thread, which cannot hold up the end of the program either."""
    answers: queue.SimpleQueue[tuple[T, None] | tuple[None, BaseException]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except BaseException as problem:  # handed over to whoever waits
            answers.put((None, problem))

    threading.Thread(target=run, daemon=True, name="keyring").start()
    try:
        value, problem = answers.get(timeout=seconds)
    except queue.Empty:
        raise SilentError from None
    if problem is not None:
        raise problem
    return value  # type: ignore[return-value]  # no problem, so this is what `work` gave


def _reason(problem: Exception) -> str:
    return printable(str(problem) or type(problem).__name__, 200).rstrip(".")
