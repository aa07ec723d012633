"""The token file: row CL12, and what a crash or a full disk may leave behind (CL11, as far as one process shows it)."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from client.errors import SettingsError, StoreDamagedError, StoreError
from client.settings import Settings
from client.store import FileStore, MemoryStore, TokenSet, key_for, open_store

TOKENS = TokenSet("a", 1.5, "openid", "r", "i", {"iss": "https://i/", "sub": "s", "aud": "c"})


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path / "tokens", "key")
    store.save(TOKENS)
    return store


def test_what_is_saved_is_loaded(store: FileStore) -> None:
    assert store.load() == TOKENS
    store.delete()
    assert store.load() is None
    store.delete()


def test_CL12_modes(store: FileStore) -> None:
    assert store._directory.stat().st_mode & 0o777 == 0o700
    assert store._path.stat().st_mode & 0o777 == 0o600
    with store.lock():
        assert store._lock_path.stat().st_mode & 0o777 == 0o600


def test_CL12_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "tokens", "key")
        store.save(TOKENS)
    finally:
        os.umask(before)
    test_CL12_modes(store)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_CL12_a_file_that_others_can_open(store: FileStore, mode: int) -> None:
    store._path.chmod(mode)
    with pytest.raises(StoreError, match="Others") as caught:
        store.load()
    assert f"chmod 600 {store._path}" in caught.value.hint


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o777])
def test_CL12_a_directory_that_others_can_enter(store: FileStore, mode: int) -> None:
    store._directory.chmod(mode)
    with pytest.raises(StoreError, match="Others") as caught, store.lock():
        pass
    assert "chmod 700" in caught.value.hint
    with pytest.raises(StoreError, match="Others"):
        store.save(TOKENS)


def test_CL12_a_symbolic_link(store: FileStore) -> None:
    real = store._path.rename(store._directory / "elsewhere")
    store._path.symlink_to(real)
    with pytest.raises(StoreError, match="symbolic link") as caught:
        store.load()
    assert f"rm {store._path}" in caught.value.hint


def test_CL12_saving_replaces_a_link_and_spares_its_target(store: FileStore, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("untouched")
    store._path.unlink()
    store._path.symlink_to(target)
    store.save(TOKENS)
    assert target.read_text() == "untouched"
    assert not store._path.is_symlink()


def test_CL12_somebody_elses_file(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(StoreError, match="another user"):
        store.load()
    with pytest.raises(StoreError, match="another user"), store.lock():
        pass


def test_CL12_what_is_no_file(store: FileStore) -> None:
    store._path.unlink()
    os.mkfifo(store._path, 0o600)
    with pytest.raises(StoreError, match="regular"):
        store.load()
    store._path.unlink()
    store._path.mkdir(0o700)
    with pytest.raises(StoreError):
        store.load()


@pytest.mark.parametrize(
    "issuer", ["http://localhost/../../../etc/passwd", "http://localhost/%2e%2e/x", "http://localhost/a\x00b"]
)
def test_CL12_hostile_names_cannot_steer_the_path(issuer: str, tmp_path: Path) -> None:
    try:
        settings = Settings(issuer=issuer, client_id="../../x", audience="/etc/passwd", token_dir=str(tmp_path))
    except SettingsError:
        return
    assert key_for(settings).isalnum()
    assert len(key_for(settings)) == 32


def test_CL18_the_parts_of_a_name_cannot_run_into_each_other() -> None:
    one = Settings(client_id="a", audience='b", "c')
    other = Settings(client_id='a", "b', audience="c")
    assert key_for(one) != key_for(other)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"access_token": 1}', b"\xff" * 9, b"x" * 400_000]
)
def test_damaged_files_say_so(store: FileStore, content: bytes) -> None:
    store._path.write_bytes(content)
    with pytest.raises(StoreDamagedError, match="damaged"):
        store.load()
    store.save(TOKENS)
    assert store.load() == TOKENS


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_CL11_a_save_that_fails_leaves_the_old_tokens_and_no_litter(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, step: str, problem: BaseException
) -> None:
    def fail(*_arguments: Any) -> None:
        raise problem

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises((StoreError, KeyboardInterrupt)):
        store.save(TokenSet("new", 2, "openid", "new", "new", {"sub": "s"}))
    monkeypatch.undo()
    assert store.load() == TOKENS
    assert [path.name for path in store._directory.iterdir()] == ["key.json"]


def test_CL11_written_aside_then_renamed(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment does the name point at something half-written, and the bytes are on disk before the name moves."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        assert store.load() == TOKENS
        assert os.fstat(descriptor).st_mode & 0o777 == 0o600
        steps.append("fsync")
        fsync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    store.save(TokenSet("new", 2, "openid", "new", "new", {"sub": "s"}))
    assert steps == ["fsync", "replace"]


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"), FileStore(tmp_path / "file" / "x", "key").lock():
        pass


def test_memory_keeps_nothing_on_disk(tmp_path: Path) -> None:
    store = open_store(Settings(token_store="memory", token_dir=str(tmp_path / "x")))
    assert isinstance(store, MemoryStore)
    with store.lock():
        store.save(TOKENS)
    assert store.load() == TOKENS
    assert not (tmp_path / "x").exists()
    store.delete()
    assert store.load() is None


def test_keyring_is_not_offered_yet() -> None:
    with pytest.raises(SettingsError, match="keyring"):
        Settings(token_store="keyring")
