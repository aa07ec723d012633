"""The file store: a drawer in a private file, its refresh tokens in the system keyring where there is one.

Done: security rows CL10 (one lock over file and keyring), CL11 and B27: at every moment the file and the keyring
together are the old state or the new one. A refresh token goes to the keyring first and its access token to the file
afterwards: killed in between, the newer refresh token is the one that is found. One that moves from the file to the
keyring, or back, is for a moment in both, never in neither.
Left out: encryption with a key that would lie beside the file.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from client.errors import StoreDamagedError, StoreError, UnavailableError
from client.settings import TokenStore
from client.store import private_file, system_keyring
from client.store.drawer import Context, Drawer, decoded
from client.store.token_set import TokenSet

LOCK_SECONDS = 60


class FileStore:
    def __init__(
        self,
        directory: Path,
        context: Context,
        account: str = "",
        *,
        mode: TokenStore = TokenStore.file,
        key: str = "",
    ) -> None:
        """`account` picks a person; nobody named means the current one. `key` is for files whose context is unknown."""
        self._directory = directory
        self._context = context
        self._account = account
        self._mode = mode
        self.path = directory / f"{key or context.key}.json"
        self.lock_path = self.path.with_suffix(".lock")

    def describe(self) -> str:
        """Where a login would be kept. May take a moment: the keyring is tried."""
        file = self.place()
        if self._mode == TokenStore.file:
            return file
        found = system_keyring.probe(self._mode)
        if found.name:
            return f"the system keyring ({found.name}), and what is short-lived in {file}"
        self._check_probe(found)
        return f"{file}, because no system keyring can be used ({found.problem})"

    def place(self) -> str:
        """Where everything but a refresh token in the keyring lies."""
        return f"the file {self.path} (only this user can read it)"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held from reading to saving: one process refreshes, the others read what it got."""
        from filelock import FileLock, Timeout

        private_file.prepare_directory(self._directory)
        try:
            with FileLock(self.lock_path, timeout=LOCK_SECONDS, mode=0o600):
                yield
        except Timeout as problem:
            raise UnavailableError(
                f"Another process has held {self.lock_path} for {LOCK_SECONDS} seconds."
            ) from problem

    def check(self) -> None:
        """Raise if a login could not be kept. What is damaged may be overwritten."""
        private_file.prepare_directory(self._directory)
        self._readable_drawer()
        if self._mode == TokenStore.keyring:
            self._check_probe(system_keyring.probe(self._mode))

    def load(self, *, account: str = "", with_refresh_token: bool = True) -> TokenSet | None:
        """Without the refresh token, the keyring is left alone; it may be locked."""
        drawer = self.drawer()
        sub = drawer.find(account or self._account)
        if sub is None or sub not in drawer.people:
            return None
        tokens = drawer.people[sub]
        if not with_refresh_token or sub not in drawer.in_keyring:
            return tokens
        refresh_token = self._entry(sub).read()
        if refresh_token is None:
            raise StoreDamagedError(
                "The refresh token should lie in the system keyring, and is not there.",
                "Log in: python -m client login",
            )
        return replace(tokens, refresh_token=refresh_token)

    def save(self, tokens: TokenSet, *, make_current: bool = False) -> None:
        """`make_current`: from now on, whoever names nobody means this person."""
        sub = str(tokens.identity["sub"])
        before = self._readable_drawer()
        after = before.with_person(tokens, make_current=make_current)
        was_there = sub in before.in_keyring
        if tokens.refresh_token is not None and self._wants_keyring(was_there):
            if sub in before.people and not was_there:
                self._write(after)  # an older refresh token in the file must not outlive the newer one in the keyring
            self._entry(sub).write(tokens.refresh_token)
            self._write(after.with_keyring(sub))
            return
        self._write(after)
        if was_there:
            self._entry(sub).delete()

    def delete(self, *, account: str = "") -> None:
        try:
            drawer = self.drawer()
        except StoreDamagedError:
            private_file.remove(self.path)
            return
        sub = drawer.find(account or self._account)
        if sub is None or sub not in drawer.people:
            return
        if sub in drawer.in_keyring:
            self._entry(sub).delete()
        self._write(drawer.without_person(sub))

    def use(self, sub: str) -> None:
        """Make this person the current one."""
        self._write(replace(self.drawer(), current=sub))

    def drawer(self) -> Drawer:
        """Everybody here; refresh tokens that lie in the keyring are left out."""
        return self.contents()[0]

    def contents(self) -> tuple[Drawer, Context]:
        """Everybody here, and what the file itself says it is for."""
        content = private_file.read(self.path)
        if content is None:
            return Drawer(), self._context
        remedy = f"Log in again: python -m client login (or throw it away: rm {self.path})"
        try:
            drawer, context = decoded(content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
            raise StoreDamagedError(f"{self.path} is damaged.", remedy) from problem
        if context.audience and context.key != self.path.stem:
            raise StoreDamagedError(f"{self.path} was made for another server, client or audience.", remedy)
        return drawer, context

    def _readable_drawer(self) -> Drawer:
        try:
            return self.drawer()
        except StoreDamagedError:
            return Drawer()

    def _write(self, drawer: Drawer) -> None:
        if drawer.people:
            private_file.replace(self.path, drawer.encoded(self._context))
        else:
            private_file.remove(self.path)

    def _wants_keyring(self, was_there: bool) -> bool:
        if self._mode == TokenStore.file or was_there:
            return was_there and self._mode != TokenStore.file
        found = system_keyring.probe(self._mode)
        self._check_probe(found)
        return bool(found.name)

    def _check_probe(self, found: system_keyring.Probe) -> None:
        if found.problem and self._mode == TokenStore.keyring:
            raise StoreError(
                f"The system keyring cannot be used: {found.problem}.",
                "Set it up, or use CLIENT_TOKEN_STORE=file: a file that only you can read.",
            )

    def _entry(self, sub: str) -> system_keyring.Entry:
        """Readable for the person who looks into the keyring; the hash keeps apart what the readable part cannot."""
        parts = [str(self._directory.resolve()), self._context.issuer, self._context.client_id, self._context.audience]
        digest = hashlib.sha256(json.dumps([*parts, sub]).encode()).hexdigest()[:16]
        return system_keyring.Entry(f"understudy:{self._context.issuer}", f"{self._context.client_id}:{sub}:{digest}")
