"""The system keyring: where refresh tokens go when there is one, and what happens when it does not play along."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keyring
import pytest

from client.app import NativeApp
from client.errors import StoreDamagedError, StoreError
from client.settings import Settings
from client.store import FileStore, TokenSet, open_store, system_keyring
from tests.client.conftest import Cli, Clock, log_in
from tests.client.fake_server import FakeIssuer
from tests.client.keyring_backend import Keyring, LowKeyring

TOKENS = TokenSet("access", 1.5, "openid", "the-refresh-token", "id", {"iss": "i", "sub": "s", "aud": "c"})


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    (tmp_path / "keyring").mkdir()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring"))
    yield from using(Keyring())


def using(backend: Keyring) -> Iterator[Keyring]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    system_keyring.forget_probes()
    yield backend
    keyring.set_keyring(before)
    system_keyring.forget_probes()


def store_in(settings: Settings, mode: str) -> FileStore:
    store = open_store(replace(settings, token_store=mode))
    assert isinstance(store, FileStore)
    return store


def entries(tmp_path: Path) -> list[str]:
    return [path.read_text() for path in (tmp_path / "keyring").iterdir()]


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("mode", ["auto", "keyring"])
def test_the_refresh_token_goes_to_the_keyring_alone(settings: Settings, tmp_path: Path, mode: str) -> None:
    store = store_in(settings, mode)
    assert "the system keyring (Test keyring)" in store.describe()
    with store.lock():
        store.check()
        store.save(TOKENS)
    assert store.load() == TOKENS
    assert entries(tmp_path) == ["the-refresh-token"], "the trial entry is gone"
    assert "the-refresh-token" not in store.path.read_text()
    assert store.path.stat().st_mode & 0o777 == 0o600
    store.delete()
    assert not entries(tmp_path)
    assert not store.path.exists()


@pytest.mark.usefixtures("backend")
def test_commands_say_where_it_is(cli: Cli, app: NativeApp) -> None:
    log_in(app)
    assert cli("status", "--json").document["refresh_token"] == "file"
    assert cli("refresh", "--json", CLIENT_TOKEN_STORE="auto").document["refresh_token"] == "keyring"
    assert cli("status", "--json").document["refresh_token"] == "keyring"
    assert cli("accounts", "--json").document[0]["refresh_token"] == "keyring"
    assert "in the system keyring" in cli("status").out


@pytest.mark.usefixtures("backend")
def test_CL18_entries_are_kept_apart(settings: Settings, tmp_path: Path) -> None:
    """By server, client, audience, person, and the directory of the rest."""
    here = replace(settings, token_store="keyring")
    others = [
        replace(here, issuer="http://localhost:1/"),
        replace(here, client_id="x"),
        replace(here, audience="x"),
        replace(here, token_dir=str(tmp_path / "elsewhere")),
    ]
    for number, one in enumerate(others):
        open_store(one).save(replace(TOKENS, refresh_token=f"refresh {number}"))
    open_store(others[0]).save(replace(TOKENS, refresh_token="bob's", identity=TOKENS.identity | {"sub": "bob"}))
    assert len(entries(tmp_path)) == 5
    for number, one in enumerate(others):
        assert open_store(one).load() == replace(TOKENS, refresh_token=f"refresh {number}")


def test_a_valid_access_token_does_not_need_the_keyring(
    settings: Settings, clock: Clock, backend: Keyring, issuer: FakeIssuer
) -> None:
    """It may be locked, as it is when somebody comes in over ssh."""
    app = NativeApp(replace(settings, token_store="auto"), store_in(settings, "auto"), now=clock, ports=(0,))
    log_in(app)
    backend.mood = "locked"
    assert app.tokens().access_token == "access-1"
    clock.time += 3600
    with pytest.raises(StoreError, match="could not be read: the person said no") as caught:
        app.tokens()
    assert "\x1b" not in str(caught.value)
    assert "Unlock it" in caught.value.hint
    assert len(issuer.asked("/oauth/token")) == 1, "nothing was spent"
    backend.mood = ""
    assert app.tokens().access_token == "access-2"
    assert store_in(settings, "auto").load() == replace(app.tokens(), refresh_token="refresh-2")


@pytest.mark.parametrize("mood", ["locked", "no set", "no get", "no delete", "forgetful"])
def test_auto_falls_back_to_the_file_and_says_so(
    settings: Settings, backend: Keyring, tmp_path: Path, mood: str
) -> None:
    backend.mood = mood
    store = store_in(settings, "auto")
    assert "no system keyring can be used" in store.describe()
    store.save(TOKENS)
    assert store.load() == TOKENS
    assert "the-refresh-token" not in entries(tmp_path)
    with pytest.raises(StoreError, match="cannot be used") as caught:
        store_in(settings, "keyring").check()
    assert "CLIENT_TOKEN_STORE=file" in caught.value.hint


def test_a_silent_keyring_holds_nobody_up(
    settings: Settings, backend: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(system_keyring, "ANSWER_SECONDS", 0.05)
    store_in(settings, "auto").save(TOKENS)
    backend.mood = "silent"

    def ask() -> None:
        with pytest.raises(StoreError, match="it does not answer"):
            store_in(settings, "auto").load()
        system_keyring.forget_probes()
        assert "it does not answer" in store_in(settings, "auto").describe()
        with pytest.raises(StoreError, match="it does not answer"):
            store_in(settings, "keyring").check()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask).result(timeout=30)


@pytest.mark.parametrize(("mode", "taken"), [("auto", False), ("keyring", True)])
def test_backends_that_are_only_a_file_are_not_taken_unasked(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, *, taken: bool
) -> None:
    (tmp_path / "keyring").mkdir()
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path / "keyring"))
    for _ in using(LowKeyring()):
        assert store_in(settings, mode).describe().startswith("the system keyring") is taken


@pytest.mark.usefixtures("backend")
def test_moving_in_and_out_of_the_keyring(settings: Settings, tmp_path: Path) -> None:
    newer = replace(TOKENS, refresh_token="newer")
    store_in(settings, "file").save(TOKENS)
    store_in(settings, "auto").save(newer)
    assert entries(tmp_path) == ["newer"]
    assert "the-refresh-token" not in store_in(settings, "file").path.read_text()
    assert store_in(settings, "file").load() == newer, "found where it is, whatever is wanted now"
    store_in(settings, "file").save(TOKENS)
    assert not entries(tmp_path)
    assert store_in(settings, "keyring").load() == TOKENS


def test_a_keyring_that_refuses_the_login(settings: Settings, backend: Keyring, issuer: FakeIssuer) -> None:
    """It let itself be tried, and then says no: nothing is stored, and the server hears that nobody has the token."""
    store = store_in(settings, "keyring")
    store.check()
    backend.mood = "no set"
    with pytest.raises(StoreError, match="could not be written to"):
        log_in(NativeApp(settings, store, ports=(0,)))
    assert store.load() is None
    assert [request.form["token"] for request in issuer.asked("/oauth/revoke")] == ["refresh-1"]


@pytest.mark.usefixtures("backend")
def test_an_entry_that_somebody_deleted(settings: Settings, clock: Clock, tmp_path: Path) -> None:
    app = NativeApp(settings, store_in(settings, "keyring"), now=clock, ports=(0,))
    log_in(app)
    for path in (tmp_path / "keyring").iterdir():
        path.unlink()
    assert app.tokens().access_token == "access-1"
    with pytest.raises(StoreDamagedError, match="is not there"):
        app.refresh()
    log_in(app)
    assert app.refresh().refresh_token == "refresh-3"


def test_a_keyring_that_is_locked_at_logout(settings: Settings, backend: Keyring) -> None:
    """Half a logout would be worse than none: the entry would stay, and nobody would know of it."""
    app = NativeApp(settings, store_in(settings, "keyring"), ports=(0,))
    log_in(app)
    backend.mood = "locked"
    with pytest.raises(StoreError, match="person said no"):
        app.logout()
    assert app.store.load(with_refresh_token=False) is not None
    backend.mood = ""
    assert app.logout().problem is None
