"""The schema's history, by Alembic: for databases that last. Throw-away ones use `tables.metadata.create_all`.

Alembic itself is loaded for a migration alone, not at each start: it costs a tenth of a second and more.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).with_name("migrations")

_VERSION = "alembic_version"
"""Alembic's table: one row, the revision."""


def head_revision() -> str:
    """The newest revision that this code knows. Their files are numbered by it."""
    return max(file.stem.partition("_")[0] for file in MIGRATIONS.glob("versions/*.py"))


def current_revision(db: Connection) -> str | None:
    """The revision of this database; None when it has none."""
    if not inspect(db).has_table(_VERSION):
        return None
    revision: str | None = db.scalar(text(f"SELECT version_num FROM {_VERSION}"))  # noqa: S608 - a constant
    return revision


def upgrade(db: Connection, to: str = "head") -> None:
    """Bring the database to a revision, the newest unless another is named, in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    history = Config()
    history.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    history.set_main_option("path_separator", "os")
    history.attributes["connection"] = db
    command.upgrade(history, to)
