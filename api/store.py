"""Store: the notes and their database.

Core statements, built once at import. SQLite in WAL mode, where every transaction takes the write lock at its
beginning (a read that turns into a write is otherwise refused as "locked" at once); PostgreSQL through
psycopg. Reads use a connection that opens no transaction. Migrations are left out on purpose: there is one
table.
"""

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

metadata = MetaData()
notes = Table(
    "notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sub", String(255), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Index("notes_of_sub", "sub", "created_at"),
)

_LIST = (
    select(notes.c.id, notes.c.text, notes.c.created_at)
    .where(notes.c.sub == bindparam("of"))
    .order_by(notes.c.created_at, notes.c.id)
)
_INSERT = insert(notes)
# The owner is part of the condition: somebody else's note is not found, in one statement and without a race.
_DELETE = delete(notes).where(notes.c.id == bindparam("note_id"), notes.c.sub == bindparam("of"))
_PROBE = select(notes).limit(1)

# Any number: it names "somebody creates the tables" among PostgreSQL's advisory locks.
_SCHEMA_LOCK = text("SELECT pg_advisory_xact_lock(6750)")


class DamagedDatabaseError(Exception):
    """The database answers, but not with what was written."""


class Store:
    def __init__(self, read: Engine, write: Engine) -> None:
        self._read = read
        self._write = write

    def prepare(self) -> None:
        """Create what is missing and find out whether the database is sound and writable."""
        sqlite = self._write.dialect.name == "sqlite"
        with self._write.begin() as connection:
            if not sqlite:
                connection.execute(_SCHEMA_LOCK)
            metadata.create_all(connection)
            if sqlite and connection.scalar(text("PRAGMA quick_check(1)")) != "ok":
                raise DamagedDatabaseError("the database file is damaged")
        self.probe()

    def probe(self) -> None:
        with self._read.connect() as connection:
            connection.execute(_PROBE).all()

    def list(self, sub: str) -> Sequence[Row[str, str, int]]:
        with self._read.connect() as connection:
            return connection.execute(_LIST, {"of": sub}).all()

    def add(self, sub: str, note: str, now: float) -> dict[str, Any]:
        row = {"id": uuid.uuid4().hex, "sub": sub, "text": note, "created_at": int(now)}
        with self._write.begin() as connection:
            connection.execute(_INSERT, row)
        return row

    def remove(self, sub: str, note_id: str) -> bool:
        with self._write.begin() as connection:
            return connection.execute(_DELETE, {"note_id": note_id, "of": sub}).rowcount == 1

    def close(self) -> None:
        self._read.dispose()
        self._write.dispose()


def open_store(database_url: str) -> Store:
    url = make_url(database_url)
    options: dict[str, Any] = {"hide_parameters": True}  # in errors, which are logged: they are what people note
    if url.get_backend_name() != "sqlite":
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        return Store(create_engine(url, isolation_level="AUTOCOMMIT", **options), create_engine(url, **options))
    file = Path(url.database or "")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # what people note is nobody else's business
    read, write = create_engine(url, isolation_level="AUTOCOMMIT", **options), create_engine(url, **options)
    event.listen(read, "connect", _configure_sqlite)
    event.listen(write, "connect", _configure_sqlite)
    event.listen(write, "begin", _begin_immediate)
    return Store(read, write)


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin_immediate says, not where sqlite3 guesses
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
