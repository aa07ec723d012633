"""The store on both databases, and what callers see when a database goes away."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from starlette.testclient import TestClient

from api.store import Store, open_store
from tests.api.conftest import StartApi
from tests.api.fake_issuer import START, FakeIssuer
from tests.postgres import Postgres


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """A new, empty database of this worker's PostgreSQL."""
    name = f"notes_{uuid.uuid4().hex}"
    yield postgres.make(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/notes.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = open_store(database_url)
    store.prepare()
    yield store
    store.close()


def test_keep_list_and_remove(store: Store) -> None:
    first = store.add("alice", "one 🥛", START)
    store.add("alice", "two", START + 1)
    store.add("bob", "three", START)
    assert [note.text for note in store.list("alice")] == ["one 🥛", "two"]
    assert not store.remove("bob", first["id"])
    assert store.remove("alice", first["id"])
    assert not store.remove("alice", first["id"])
    assert [note.text for note in store.list("alice")] == ["two"]
    assert [note.text for note in store.list("bob")] == ["three"]


def test_a_note_is_removed_once_however_many_try(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            note = store.add("alice", "x", START)["id"]
            assert sum(threads.map(store.remove, ["alice"] * 8, [note] * 8)) == 1


def test_several_processes_may_prepare_one_database_at_once(database_url: str) -> None:
    stores = [open_store(database_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda store: store.prepare(), stores))
    stores[0].add("alice", "x", START)
    assert len(stores[-1].list("alice")) == 1
    for store in stores:
        store.close()


def test_what_postgresql_cannot_store_is_no_server_error(
    start_api: StartApi, issuer: FakeIssuer, postgres_url: str
) -> None:
    api = start_api(database_url=postgres_url)
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert api.post("/notes", headers=headers, json={"text": "fine"}).status_code == 201
    assert api.post("/notes", headers=headers, json={"text": "a\0b"}).status_code == 422
    assert api.delete("/notes/%00", headers=headers).status_code == 404
    assert [note["text"] for note in api.get("/notes", headers=headers).json()] == ["fine"]


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/notes.db")
    store.prepare()
    store.add("alice", "x", START)
    with store._write.begin():  # holds SQLite's only write lock
        assert len(store.list("alice")) == 1
        store.probe()
    store.close()


def test_a_database_that_goes_away_is_503_and_comes_back(api: TestClient, issuer: FakeIssuer, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert api.get("/notes", headers=headers).status_code == 200
    engine = create_engine(f"sqlite:///{tmp_path}/notes.db", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ALTER TABLE notes RENAME TO elsewhere"))
        for response in (api.get("/notes", headers=headers), api.get("/readyz")):
            assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
            assert response.headers["retry-after"] == "1"
            assert "elsewhere" not in response.text
            assert "SELECT" not in response.text
        assert api.get("/healthz").status_code == 200
        connection.execute(text("ALTER TABLE elsewhere RENAME TO notes"))
    engine.dispose()
    assert api.get("/notes", headers=headers).status_code == 200
