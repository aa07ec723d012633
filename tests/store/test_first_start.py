"""A first start makes everything; a database that was here once and is gone or damaged is refused (security case
B15).
"""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver import seed
from authserver.clock import system_clock
from authserver.settings import Settings
from authserver.store.engine import Database, StoreError
from authserver.tenant_file import read_tenant

ROOT = Path(__file__).parents[2]


def prepare(file: Path) -> seed.Seeded:
    settings = Settings(database_url=f"sqlite:///{file}", issuer="http://127.0.0.1:9/")
    database = Database(settings.database_url)
    try:
        return seed.prepare(database, settings, read_tenant(settings.tenant), system_clock)
    finally:
        database.close()


def count_keys(file: Path) -> int:
    with sqlite3.connect(file) as db:
        number: int = db.execute("SELECT count(*) FROM signing_keys").fetchone()[0]
    db.close()
    return number


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "authserver.db"


def test_first_start_makes_keys_and_secrets_for_the_owner_alone(file: Path) -> None:
    seeded = prepare(file)
    assert seeded.is_new
    assert set(seeded.secrets) == {"web-app", "backend"}
    assert file.stat().st_mode & 0o077 == 0
    assert count_keys(file) == 1


def test_second_start_changes_nothing(file: Path) -> None:
    prepare(file)
    before = file.read_bytes()
    assert prepare(file) == seed.Seeded(is_new=False, secrets={})
    assert file.read_bytes() == before


def delete(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(b"")


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def scribble(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 400)


def steal_the_keys(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("DELETE FROM signing_keys")
    db.close()


def replace(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE recipes (id)")
    db.close()


@pytest.mark.parametrize("damage", [delete, cut, halve, scribble, steal_the_keys, replace])
def test_B15_a_lost_or_damaged_database_is_refused(file: Path, damage: Callable[[Path], None]) -> None:
    prepare(file)
    for leftover in (file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
        leftover.unlink(missing_ok=True)
    damage(file)
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(StoreError):
        prepare(file)
    assert (file.read_bytes() if file.exists() else None) == before


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/x.db", "mysql://x/y", "::", "postgresql://nobody@127.0.0.1:1/x"]
)
def test_a_useless_url_is_refused_in_one_line(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "authserver", "serve", "--port", "0", "--database-url", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("authserver: database_url: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_demo_tenant_is_not_served_beyond_loopback(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.db'}", issuer="https://login.example.com/")
    database = Database(settings.database_url)
    with pytest.raises(StoreError, match="passwords are public"):
        seed.prepare(database, settings, read_tenant(settings.tenant), system_clock)
    database.close()
