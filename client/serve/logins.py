"""Logins that are under way: which browser started each, and what came of it.

Done: RFC 6749 section 10.12 and RFC 9700 section 4.7 (a `state` counts once, and only for the browser that it was made
for). A code is redeemed once; a browser that asks again, because its person was impatient, gets the same outcome.
In memory, at most MOST of them, ten minutes each. When there are too many the oldest goes, so that a flood ends with
the flood.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from client.errors import ClientError
from client.login import LoginAttempt
from client.loopback import Pairs
from client.serve.browser import digest
from client.serve.told import CAME_BACK, Step

LIFETIME = 10 * 60.0
MOST = 64


@dataclass(eq=False)
class OpenLogin:
    """`session`: the cookie that the browser gets when this ends well."""

    attempt: LoginAttempt
    redirect_uri: str
    browser: str
    session: str
    expires_at: float
    steps: list[Step]
    failure: ClientError | None = None
    _redeemed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """To speak of it in a URL. It tells nothing about `state`."""
        return digest(self.attempt.state)[:32]

    def finish(self, pairs: Pairs) -> bool:
        """Redeem the code, once; later callers wait for that. True for the first, who made the outcome what it is."""
        with self._lock:
            if self._redeemed:
                return False
            self._redeemed = True
            self.steps.append(CAME_BACK)
            try:
                self.attempt.redeem(pairs, self.redirect_uri)
                self.attempt.revoke_superseded()
            except ClientError as problem:
                self.failure = problem
            return True


class OpenLogins:
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open: dict[str, OpenLogin] = {}

    def add(self, login: OpenLogin) -> None:
        with self._lock:
            self._forget_old()
            while len(self._open) >= MOST:
                del self._open[next(iter(self._open))]
            self._open[login.name] = login

    def by_state(self, state: str, browser: str) -> OpenLogin | None:
        return self.by_name(digest(state)[:32], browser)

    def by_name(self, name: str, browser: str) -> OpenLogin | None:
        """The login of that name, if this browser started it."""
        with self._lock:
            self._forget_old()
            login = self._open.get(name)
        return login if login is not None and login.browser == browser else None

    def _forget_old(self) -> None:
        now = self._now()
        self._open = {name: login for name, login in self._open.items() if now < login.expires_at}
