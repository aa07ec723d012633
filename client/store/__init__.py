"""The token store: who is logged in on this computer, and with which tokens.

Done: security rows CL12 and CL18. One drawer for each issuer, client and audience; in a drawer, one token set for each
person. Names are hashed, so no issuer can steer a path.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from client.settings import Settings, TokenStore
from client.store.drawer import Context, Drawer
from client.store.file import FileStore
from client.store.memory import MemoryStore
from client.store.token_set import TokenSet

__all__ = [
    "Account",
    "Context",
    "Drawer",
    "FileStore",
    "MemoryStore",
    "Store",
    "TokenSet",
    "accounts",
    "drawers",
    "open_store",
]


class Store(Protocol):
    """The tokens of one person, for whoever holds the lock from reading to saving."""

    def lock(self) -> AbstractContextManager[None]: ...
    def check(self) -> None: ...
    def load(self, *, account: str = "", with_refresh_token: bool = True) -> TokenSet | None: ...
    def save(self, tokens: TokenSet, *, make_current: bool = False) -> None: ...
    def delete(self, *, account: str = "") -> None: ...
    def describe(self) -> str: ...
    def place(self) -> str: ...
    def drawer(self) -> Drawer: ...
    def use(self, sub: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Account:
    """One person in one drawer, whose file is called `key`."""

    context: Context
    key: str
    tokens: TokenSet
    drawer: Drawer

    @property
    def is_current(self) -> bool:
        return str(self.tokens.identity["sub"]) == self.drawer.current

    def store(self, settings: Settings) -> FileStore:
        """The store of this person, wherever `settings` point."""
        sub = str(self.tokens.identity["sub"])
        return FileStore(directory(settings), self.context, sub, mode=TokenStore(settings.token_store), key=self.key)


def open_store(settings: Settings) -> Store:
    if settings.token_store == TokenStore.memory:
        return MemoryStore(settings.account)
    mode = TokenStore(settings.token_store)
    return FileStore(directory(settings), Context.of(settings), settings.account, mode=mode)


def drawers(settings: Settings) -> list[FileStore]:
    """One store for each issuer, client and audience that somebody is logged in to on this computer."""
    paths = sorted(directory(settings).glob("*.json"))
    return [
        FileStore(path.parent, Context("", "", ""), key=path.stem)
        for path in paths
        if re.fullmatch(r"[0-9a-f]{32}", path.stem)
    ]


def accounts(store: FileStore, settings: Settings) -> list[Account]:
    """The people in one of these drawers."""
    drawer, context = store.contents()
    mine = Context.of(settings)
    return [
        Account(mine if store.path.stem == mine.key else context, store.path.stem, tokens, drawer)
        for tokens in drawer.people.values()
    ]


def directory(settings: Settings) -> Path:
    if settings.token_dir:
        return Path(settings.token_dir)
    from platformdirs import user_data_path

    return user_data_path("understudy", appauthor=False)
