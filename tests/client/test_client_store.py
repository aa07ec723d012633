"""The token file: row CL12, and what a crash or a full disk may leave behind (CL11, as far as one process shows it)."""

import errno
import json
import os
import stat
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from client.errors import SettingsError, StoreDamagedError, StoreError
from client.settings import Settings
from client.store import Context, FileStore, MemoryStore, TokenSet, accounts, drawers, open_store

TOKENS = TokenSet("a", 1.5, "openid", "r", "i", {"iss": "https://i/", "sub": "s", "aud": "c"})
CONTEXT = Context("https://i/", "c", "https://api/")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path / "tokens", CONTEXT)
    store.save(TOKENS)
    return store


def test_what_is_saved_is_loaded(store: FileStore) -> None:
    assert store.load() == TOKENS
    store.delete()
    assert store.load() is None
    store.delete()


def test_CL12_modes(store: FileStore) -> None:
    assert store.path.parent.stat().st_mode & 0o777 == 0o700
    assert store.path.stat().st_mode & 0o777 == 0o600
    with store.lock():
        assert store.lock_path.stat().st_mode & 0o777 == 0o600


def test_CL12_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileStore(tmp_path / "tokens", CONTEXT)
        store.save(TOKENS)
    finally:
        os.umask(before)
    test_CL12_modes(store)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_CL12_a_file_that_others_can_open(store: FileStore, mode: int) -> None:
    store.path.chmod(mode)
    with pytest.raises(StoreError, match="Others") as caught:
        store.load()
    assert f"chmod 600 {store.path}" in caught.value.hint


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o777])
def test_CL12_a_directory_that_others_can_enter(store: FileStore, mode: int) -> None:
    store.path.parent.chmod(mode)
    with pytest.raises(StoreError, match="Others") as caught, store.lock():
        pass
    assert "chmod 700" in caught.value.hint
    with pytest.raises(StoreError, match="Others"):
        store.save(TOKENS)


def test_CL12_a_symbolic_link(store: FileStore) -> None:
    real = store.path.rename(store.path.parent / "elsewhere")
    store.path.symlink_to(real)
    with pytest.raises(StoreError, match="symbolic link") as caught:
        store.load()
    assert f"rm {store.path}" in caught.value.hint


def test_CL12_saving_does_not_follow_a_link(store: FileStore, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("untouched")
    store.path.unlink()
    store.path.symlink_to(target)
    with pytest.raises(StoreError, match="symbolic link"):
        store.save(TOKENS)
    assert target.read_text() == "untouched"


def test_CL12_somebody_elses_file(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(StoreError, match="another user"):
        store.load()
    with pytest.raises(StoreError, match="another user"), store.lock():
        pass


def test_CL12_what_is_no_file(store: FileStore) -> None:
    store.path.unlink()
    os.mkfifo(store.path, 0o600)
    with pytest.raises(StoreError, match="regular"):
        store.load()
    store.path.unlink()
    store.path.mkdir(0o700)
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
    assert Context.of(settings).key.isalnum()
    assert len(Context.of(settings).key) == 32


def test_CL18_the_parts_of_a_name_cannot_run_into_each_other() -> None:
    one = Settings(client_id="a", audience='b", "c')
    other = Settings(client_id='a", "b', audience="c")
    assert Context.of(one).key != Context.of(other).key


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"access_token": 1}', b"\xff" * 9, b"x" * 1_400_000, b"[" * 100_000]
)
def test_damaged_files_say_so(store: FileStore, content: bytes) -> None:
    store.path.write_bytes(content)
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
    assert list(store.path.parent.iterdir()) == [store.path]


def test_CL11_written_aside_then_renamed(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment does the name point at something half-written, and the bytes are on disk before the name moves."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            steps.append("fsync of the directory")
        else:
            assert store.load() == TOKENS
            assert found.st_mode & 0o777 == 0o600
            steps.append("fsync")
        fsync(descriptor)

    def watched_replace(self: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    store.save(TokenSet("new", 2, "openid", "new", "new", {"sub": "s"}))
    assert steps == ["fsync", "replace", "fsync of the directory"]


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"), FileStore(tmp_path / "file" / "x", CONTEXT).lock():
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


def person(name: str) -> TokenSet:
    claims = {"iss": "https://i/", "sub": f"auth0|{name}", "aud": "c", "email": f"{name}@example.com", "name": "Same"}
    return TokenSet(f"access of {name}", 1.5, "openid", "r", "i", claims)


def as_(store: FileStore, account: str) -> FileStore:
    return FileStore(store.path.parent, CONTEXT, account)


def test_CL18_people_do_not_get_each_others_tokens(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens", CONTEXT)
    alice, bob = person("alice"), person("bob")
    store.save(alice)
    store.save(bob)
    assert store.load() == alice, "saving what a refresh brought does not switch"
    assert as_(store, "bob@example.com").load() == bob
    assert as_(store, "BOB@Example.COM").load() == bob
    assert as_(store, "auth0|bob").load() == bob
    assert as_(store, "bob").load() is None, "half a name is nobody"
    with pytest.raises(SettingsError, match="any of 2 people"):
        as_(store, "Same").load()
    store.save(bob, make_current=True)
    assert store.load() == bob
    as_(store, "alice@example.com").delete()
    assert store.load() == bob
    assert as_(store, "auth0|alice").load() is None


def test_CL18_nobody_moves_up_when_the_current_person_leaves(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "tokens", CONTEXT)
    store.save(person("alice"))
    store.save(person("bob"))
    store.delete()
    assert store.load() is None
    store.use("auth0|bob")
    assert store.load() == person("bob")
    store.delete()
    assert not store.path.exists()


def test_a_name_is_first_an_id_then_an_email_then_a_name(tmp_path: Path) -> None:
    """Whoever calls themselves by somebody's id or email does not get in between."""
    store = FileStore(tmp_path / "tokens", CONTEXT)
    store.save(person("alice"))
    for claims in ({"email": "auth0|alice"}, {"name": "alice@example.com"}, {"name": "auth0|alice"}, {"name": 7}):
        store.save(TokenSet("m", 1.5, "openid", "m", "m", {"sub": "mallory"} | claims))
        for account in ("auth0|alice", "alice@example.com"):
            assert as_(store, account).load() == person("alice")


def test_a_file_of_the_time_when_there_was_one_account(store: FileStore) -> None:
    old = asdict(TOKENS)
    del old["clock_difference"]
    store.path.write_text(json.dumps(old))
    assert store.load() == TOKENS
    assert as_(store, "s").load() == TOKENS
    store.save(person("alice"))
    assert store.load() == TOKENS, "the login that was there is still the current one"
    assert as_(store, "auth0|alice").load() == person("alice")


def test_CL18_a_file_under_another_name(store: FileStore) -> None:
    other = FileStore(store.path.parent, Context("https://other/", "c", "https://api/"))
    store.path.rename(other.path)
    with pytest.raises(StoreDamagedError, match="another server"):
        other.load()


def test_tokens_under_another_persons_name(store: FileStore) -> None:
    store.path.write_text(store.path.read_text().replace('"accounts": {"s"', '"accounts": {"t"'))
    with pytest.raises(StoreDamagedError):
        store.load()


def test_more_than_a_file_holds_is_refused_before_it_is_written(store: FileStore) -> None:
    with pytest.raises(StoreError, match="nothing was saved"):
        store.save(TokenSet("a" * 1_100_000, 1.5, "openid", "r", "i", {"sub": "large"}))
    assert store.load() == TOKENS


def test_CL11_litter_of_a_killed_process_goes_with_the_next_save(store: FileStore) -> None:
    litter = store.path.with_suffix(".0123456789abcdef.tmp")
    litter.write_text("half")
    others = store.path.with_name("another.0123456789abcdef.tmp")
    others.write_text("half")
    store.save(TOKENS)
    assert not litter.exists()
    assert others.exists(), "somebody else's lock guards that one"


def test_everybody_here(store: FileStore, tmp_path: Path) -> None:
    settings = Settings(token_dir=str(tmp_path / "tokens"), token_store="file")
    open_store(settings).save(person("alice"))
    store.save(person("bob"))
    (tmp_path / "tokens" / "notes.json").write_text("not ours")
    found = [account for drawer in drawers(settings) for account in accounts(drawer, settings)]
    assert {(one.context.issuer, one.tokens.identity["sub"], one.is_current) for one in found} == {
        ("http://localhost:9000/", "auth0|alice", True),
        ("https://i/", "s", True),
        ("https://i/", "auth0|bob", False),
    }
    for one in found:
        assert one.store(settings).load() == one.tokens
