"""The database: reads without transaction, short writes in one.

SQLite: WAL, so that readers never wait; writes take the lock at once (`BEGIN IMMEDIATE`), because a transaction that
starts as a reader and upgrades fails with "database is locked" however long it would wait. A lock in the process
keeps our own threads from meeting in SQLite's busy handler, which is unfair and slow; so one connection writes, and
those for reading can do nothing else. `synchronous=NORMAL`: what was
committed survives a crash of the process; a power cut may lose the last moments, never the integrity. PostgreSQL:
READ COMMITTED; what must happen once is decided by a single conditional statement (see `once`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from authserver.events import Event

BUSY_TIMEOUT = 5.0
"""Seconds that a writer waits for another process."""

POOL_SIZE = 20

HAPPENED = "happened"
"""Under this name a connection carries the events of its transaction."""


class StoreError(Exception):
    """The database cannot be used; the text says why and what to do. Shown at start, never on the wire."""


class Database:
    """One tenant's database. Raises StoreError for a URL that it does not understand.

    `throw_away`: nobody needs it after this process, so SQLite does not wait for the disk.
    """

    def __init__(self, url: str, *, throw_away: bool = False) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise StoreError("database_url: expected sqlite:///FILE or postgresql://USER@HOST/NAME") from None
        self.dialect = self.url.get_backend_name()
        self._turn: AbstractContextManager[object] = nullcontext()
        if self.dialect == "sqlite":
            self._turn = threading.Lock()
            sync = "synchronous=OFF" if throw_away else "synchronous=NORMAL"
            self._writer, self._reader = _sqlite_writer(self.url, sync), _sqlite_reader(self.url, sync)
        elif self.dialect == "postgresql":
            self._writer = _postgresql(self.url)
            self._reader = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        else:
            raise StoreError(f"database_url: {self.dialect} is not supported; use sqlite or postgresql")
        self.announce: Callable[[Event], None] = lambda _: None

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(self.url.database) if self.dialect == "sqlite" and self.url.database else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; every statement sees what was committed before it."""
        with self._reader.connect() as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one short write transaction: commits at the end, rolls back on any exception.

        What `journal` has recorded in it is announced once it is true.
        """
        with self._turn, self._writer.begin() as db:
            happened: list[Event] = []
            db.info[HAPPENED] = happened
            yield db
        for each in happened:
            self.announce(each)

    def close(self) -> None:
        """Give back every connection."""
        self._reader.dispose()
        self._writer.dispose()


def is_busy(error: DBAPIError) -> bool:
    """True when the same request may succeed later: lock not obtained, disk full, connection lost."""
    return error.connection_invalidated or type(error).__name__ == "OperationalError"


def _sqlite_writer(url: URL, sync: str) -> Engine:
    engine = _sqlite(url, sync, "foreign_keys=ON", pool_size=1, max_overflow=0)

    @event.listens_for(engine, "begin")
    def begin(db: Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _sqlite_reader(url: URL, sync: str) -> Engine:
    # Nothing is begun, so nothing has to be rolled back: that was half the price of looking up a row.
    no_transaction = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return _sqlite(url, sync, "query_only=ON", pool_size=POOL_SIZE, max_overflow=POOL_SIZE, **no_transaction)


def _sqlite(url: URL, *pragmas: str, **options: Any) -> Engine:
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
        hide_parameters=True,  # an error would carry them into the log: keys, digests, profiles
        **options,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: it would begin them as a reader.
        connection.isolation_level = None
        for each in ("journal_mode=WAL", *pragmas):
            connection.execute(f"PRAGMA {each}")

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"), pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True
        )
    except ModuleNotFoundError:
        raise StoreError("PostgreSQL needs the driver: pip install 'understudy[postgres]'") from None
