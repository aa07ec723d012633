"""The schema's history, by Alembic: for databases that last. Throw-away ones use `tables.metadata.create_all`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def config() -> Config:
    """Where the history lies."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    return found


def head_revision() -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(config()).get_current_head()


def current_revision(db: Connection) -> str | None:
    """The revision of this database; None when it has none."""
    return MigrationContext.configure(db).get_current_revision()


def upgrade(db: Connection) -> None:
    """Bring the database to the newest revision, in the caller's transaction."""
    history = config()
    history.attributes["connection"] = db
    command.upgrade(history, "head")
