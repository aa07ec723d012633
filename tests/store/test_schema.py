"""Alembic and the tables say the same."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from authserver.store.engine import Database
from authserver.store.schema import current_revision, head_revision
from authserver.store.tables import metadata
from tests.conftest import Prepared


def test_the_migrations_end_in_the_tables(prepared: Prepared, tmp_path: Path) -> None:
    database = Database(prepared.copy(tmp_path))
    try:
        with database.read() as db:
            assert current_revision(db) == head_revision()
            context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
            assert compare_metadata(context, metadata) == []
    finally:
        database.close()
