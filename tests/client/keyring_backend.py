"""A keyring for the tests: a directory that several processes share. It can be locked, forgetful or silent.

Chosen by PYTHON_KEYRING_BACKEND=tests.client.keyring_backend.Keyring; TEST_KEYRING names the directory,
TEST_KEYRING_MOOD what is wrong with it.
"""

import hashlib
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class Keyring(KeyringBackend):
    priority = 5

    def __init__(self) -> None:
        self.mood = os.environ.get("TEST_KEYRING_MOOD", "")

    @property
    def name(self) -> str:
        return "Test keyring"

    def set_password(self, service: str, username: str, password: str) -> None:
        self._feel("set")
        aside = self._path(service, username).with_suffix(f".{os.getpid()}")
        aside.write_text(password)
        aside.replace(self._path(service, username))

    def get_password(self, service: str, username: str) -> str | None:
        self._feel("get")
        if self.mood == "forgetful":
            return None
        path = self._path(service, username)
        return path.read_text() if path.exists() else None

    def delete_password(self, service: str, username: str) -> None:
        self._feel("delete")
        try:
            self._path(service, username).unlink()
        except FileNotFoundError:
            raise PasswordDeleteError("not found") from None

    def _feel(self, operation: str) -> None:
        if self.mood == "silent":
            threading.Event().wait()
        if self.mood in ("locked", f"no {operation}"):
            raise KeyringLocked("the person said no\x1b[2J")

    def _path(self, service: str, username: str) -> Path:
        name = hashlib.sha256(f"{service}\0{username}".encode()).hexdigest()
        return Path(os.environ["TEST_KEYRING"]) / name


class LowKeyring(Keyring):
    """Like those that only keep a file of their own."""

    priority = 0.5  # type: ignore[assignment]  # likewise
