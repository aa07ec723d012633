"""Alembic and the tables say the same."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from authserver.store.connections import find_connection
from authserver.store.engine import Database
from authserver.store.registered import DATABASE
from authserver.store.schema import current_revision, head_revision, upgrade
from authserver.store.tables import metadata
from tests.conftest import Prepared
from tests.postgres import Postgres


def test_the_migrations_end_in_the_tables(prepared: Prepared, tmp_path: Path) -> None:
    database = Database(prepared.copy(tmp_path))
    try:
        with database.read() as db:
            assert current_revision(db) == head_revision()
            context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
            assert compare_metadata(context, metadata) == []
            assert context.get_current_revision() == current_revision(db)
    finally:
        database.close()


def test_people_of_an_older_database_still_have_a_connection(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Before there were connections, everybody was in the one; a new database has those that its tenant file names."""
    if backend == "sqlite":
        urls = [f"sqlite:///{tmp_path / name}.db" for name in ("old", "new")]
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = [postgres.make(f"upgraded_{name}") for name in ("old", "new")]
    for url, is_old in zip(urls, (True, False), strict=True):
        database = Database(url)
        with database.write() as db:
            upgrade(db, "0002")
            if is_old:
                db.execute(text("INSERT INTO clients VALUES ('app', 'App', 'native', 'none', NULL, true, '{}')"))
            upgrade(db)
        with database.read() as db:
            found = find_connection(db, DATABASE)
            assert (found is not None) == is_old
            assert found is None or (found.strategy, found.serves("app"), found.options) == ("auth0", True, {})
        database.close()
