"""The token store: one 0600 file per issuer, client and audience, or memory.

Done: RFC 8252 section 8.9 in spirit and security rows CL12 and CL18: the names are hashed, so no issuer
can steer the path; a file that is a symbolic link, somebody else's, or readable by others is refused
with the command that repairs it; a new file is written aside, fsynced and renamed, so that a reader
sees the old tokens or the new ones and never half of them.
Left out: encryption with a key that would lie beside the file, several accounts for one app.
"""

import hashlib
import json
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from client.errors import StoreDamagedError, StoreError, UnavailableError
from client.settings import Settings, TokenStore

LOCK_SECONDS = 60
MAX_FILE = 256 * 1024


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What one login brought, as later refreshes have changed it."""

    access_token: str = field(repr=False)
    expires_at: float
    scope: str
    refresh_token: str | None = field(repr=False)
    id_token: str = field(repr=False)
    identity: dict[str, Any]
    """The claims of the ID token, verified before they were stored."""
    browser: str | None = field(default=None, repr=False)
    """Who else may use them: digest of the cookie of the browser that logged in at the page of `serve`."""

    def is_valid(self, now: float) -> bool:
        """No margin: a token that dies on the way comes back as a 401, which is answered by one refresh."""
        return now < self.expires_at


class Store(Protocol):
    def lock(self) -> AbstractContextManager[None]: ...
    def load(self) -> TokenSet | None: ...
    def save(self, tokens: TokenSet) -> None: ...
    def delete(self) -> None: ...
    def describe(self) -> str: ...


def open_store(settings: Settings) -> Store:
    if settings.token_store == TokenStore.memory:
        return MemoryStore()
    directory = Path(settings.token_dir) if settings.token_dir else _user_directory()
    return FileStore(directory, key_for(settings))


def key_for(settings: Settings) -> str:
    """A file name that nobody can choose: JSON keeps the three parts apart, the hash takes their meaning."""
    context = json.dumps([settings.issuer, settings.client_id, settings.audience])
    return hashlib.sha256(context.encode()).hexdigest()[:32]


class MemoryStore:
    def __init__(self) -> None:
        self._tokens: TokenSet | None = None
        self._lock = threading.Lock()

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield

    def load(self) -> TokenSet | None:
        return self._tokens

    def save(self, tokens: TokenSet) -> None:
        self._tokens = tokens

    def delete(self) -> None:
        self._tokens = None

    def describe(self) -> str:
        return "the memory of this process (forgotten when it ends)"


class FileStore:
    def __init__(self, directory: Path, key: str) -> None:
        self._directory = directory
        self._path = directory / f"{key}.json"
        self._lock_path = directory / f"{key}.lock"

    def describe(self) -> str:
        return f"the file {self._path} (only this user can read it)"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held from reading to saving: one process refreshes, the others read what it got."""
        from filelock import FileLock, Timeout

        self._prepare_directory()
        try:
            with FileLock(self._lock_path, timeout=LOCK_SECONDS, mode=0o600):
                yield
        except Timeout as problem:
            raise UnavailableError(
                f"Another process has held {self._lock_path} for {LOCK_SECONDS} seconds."
            ) from problem

    def load(self) -> TokenSet | None:
        try:
            # O_NOFOLLOW: not through a symbolic link. O_NONBLOCK: a FIFO in its place must not hang us.
            descriptor = os.open(self._path, os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
        except FileNotFoundError:
            return None
        except OSError as problem:
            if self._path.is_symlink():
                raise StoreError(
                    f"{self._path} is a symbolic link, and tokens are not read through links.",
                    f"Look where it points, then remove it: rm {self._path}",
                ) from problem
            raise StoreError(f"{self._path} cannot be read: {problem.strerror}.") from problem
        try:
            self._check_file(os.fstat(descriptor))
            content = os.read(descriptor, MAX_FILE)
        finally:
            os.close(descriptor)
        return _decode(content, self._path)

    def save(self, tokens: TokenSet) -> None:
        self._prepare_directory()
        temporary = self._path.with_suffix(f".{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW", "O_CLOEXEC"), 0o600
            )
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(json.dumps(asdict(tokens)).encode())
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self._path)
            except BaseException:  # Ctrl-C included: leave no half-written secrets behind
                with suppress(OSError):
                    temporary.unlink()
                raise
        except OSError as problem:
            raise StoreError(f"The tokens could not be saved in {self._directory}: {problem.strerror}.") from problem

    def delete(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as problem:
            raise StoreError(f"{self._path} could not be deleted: {problem.strerror}.", f"rm {self._path}") from problem

    def _prepare_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._directory.stat()
        except OSError as problem:
            raise StoreError(
                f"The token directory {self._directory} cannot be used: {problem.strerror}.",
                "Choose another with CLIENT_TOKEN_DIR, or use CLIENT_TOKEN_STORE=memory.",
            ) from problem
        _check_owner(found, self._directory)
        if _open_to_others(found):
            raise StoreError(
                f"Others on this machine can look into {self._directory}.",
                f"Close it: chmod 700 {self._directory} (or choose another with CLIENT_TOKEN_DIR)",
            )

    def _check_file(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(f"{self._path} is not a regular file.", f"Remove it: rm {self._path}")
        _check_owner(found, self._path)
        if _open_to_others(found):
            raise StoreError(
                f"Others on this machine can read {self._path}, so its tokens may be known.",
                f"Close it and start afresh: chmod 600 {self._path} && python -m client logout",
            )


def _check_owner(found: os.stat_result, path: Path) -> None:
    if os.name == "posix" and found.st_uid != os.geteuid():
        raise StoreError(f"{path} belongs to another user.", "Choose another place with CLIENT_TOKEN_DIR.")


def _open_to_others(found: os.stat_result) -> bool:
    return os.name == "posix" and bool(found.st_mode & 0o077)


def _flags(*names: str) -> int:
    """Flags that not every system has (Windows)."""
    return sum(getattr(os, name, 0) for name in names)


def _decode(content: bytes, path: Path) -> TokenSet:
    try:
        members = json.loads(content)
        tokens = TokenSet(**{item.name: members[item.name] for item in fields(TokenSet) if item.name in members})
        tokens.is_valid(0.0)
        _ = tokens.identity["sub"]
    except (ValueError, KeyError, TypeError) as problem:
        raise StoreDamagedError(f"{path} is damaged.") from problem
    return tokens


def _user_directory() -> Path:
    from platformdirs import user_data_path

    return user_data_path("understudy", appauthor=False)
