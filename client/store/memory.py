"""A store that forgets: for tests and for `CLIENT_TOKEN_STORE=memory`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from client.store.drawer import Drawer
from client.store.token_set import TokenSet


class MemoryStore:
    def __init__(self, account: str = "") -> None:
        self._account = account
        self._drawer = Drawer()
        self._lock = threading.Lock()

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield

    def check(self) -> None:
        """Nothing can be wrong."""

    def load(self, *, account: str = "", with_refresh_token: bool = True) -> TokenSet | None:  # noqa: ARG002 (it costs nothing here)
        return self._drawer.people.get(self._drawer.find(account or self._account) or "")

    def save(self, tokens: TokenSet, *, make_current: bool = False) -> None:
        self._drawer = self._drawer.with_person(tokens, make_current=make_current)

    def delete(self, *, account: str = "") -> None:
        self._drawer = self._drawer.without_person(self._drawer.find(account or self._account) or "")

    def drawer(self) -> Drawer:
        return self._drawer

    def use(self, sub: str) -> None:
        self._drawer = Drawer(self._drawer.people, sub)

    def describe(self) -> str:
        return self.place()

    def place(self) -> str:
        return "the memory of this process (forgotten when it ends)"
