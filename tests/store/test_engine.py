"""The database's two ways in: many read, one at a time writes."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from authserver.store.engine import Database


def test_B24_what_reads_cannot_write(tmp_path: Path) -> None:
    """On SQLite writers take turns; a write past the turn would meet them in SQLite's busy handler."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.write() as db:
        db.execute(text("CREATE TABLE kept (id INTEGER)"))
    with database.read() as db, pytest.raises(DBAPIError, match="readonly"):
        db.execute(text("INSERT INTO kept VALUES (1)"))
    with database.read() as db:
        assert db.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
    database.close()


def test_a_reader_sees_what_was_committed_since_it_came(tmp_path: Path) -> None:
    """Reads begin no transaction: nothing holds an old snapshot, however long the connection is kept."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    count = text("SELECT count(*) FROM kept")
    with database.write() as db:
        db.execute(text("CREATE TABLE kept (id INTEGER)"))
    with database.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with database.write() as db:
            db.execute(text("INSERT INTO kept VALUES (1)"))
        assert reader.execute(count).scalar_one() == 1
    database.close()
