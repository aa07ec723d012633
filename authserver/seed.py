"""Seeding: registered facts from the tenant file into rows, and the first signing key.

A first start creates tables, key and tenant in one go. A database that once was here and is gone or damaged is
refused: new keys over old data would look like a working server that nobody trusts.
"""

import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DBAPIError

from authserver import keys
from authserver.clock import Clock
from authserver.connections.options import obstacle
from authserver.registration import Changes, Passwords, register, seeded_people
from authserver.settings import DEMO_TENANT, Settings, is_loopback
from authserver.store.connections import all_connections
from authserver.store.engine import BUSY_TIMEOUT, Database, StoreError
from authserver.store.issued import digest
from authserver.store.schema import current_revision, head_revision, upgrade
from authserver.store.tables import clients, signing_keys, users
from authserver.tenant_file import Reading, TenantFile, read_tenant_file

_LOCK = 0x756E6465727374  # "underst", for pg_advisory_lock: one replica prepares, the others wait


@dataclass(frozen=True, slots=True)
class Seeded:
    """`secrets` maps client_id to the generated secret: the only moment at which anybody can read it."""

    is_new: bool
    secrets: dict[str, str]
    changes: Changes | None = None


class _Rehearsed(Exception):
    """Nothing shall be kept."""


def prepare(database: Database, settings: Settings, reading: Reading, now: Clock) -> Seeded:
    """Make the database usable: first start, upgrade, or nothing to do.

    Raises StoreError with the reason and the way out.
    """
    seeded = _prepare(database, settings, reading, now, is_update=False)
    return Seeded(seeded.is_new, seeded.secrets)


def update(database: Database, settings: Settings, reading: Reading, now: Clock) -> Seeded:
    """The same; and where the tenant is here already, make it agree with the file. All of it, or nothing.

    Raises StoreError and TenantFileError.
    """
    return _prepare(database, settings, reading, now, is_update=True)


def rehearse(database: Database, settings: Settings, reading: Reading, now: Clock) -> Seeded:
    """What `update` would do; nothing is kept, and no file is made. Raises StoreError and TenantFileError."""
    if database.file and not database.file.exists():
        with tempfile.TemporaryDirectory() as directory:
            elsewhere = Database(f"sqlite:///{Path(directory, 'rehearsal.db')}")
            try:
                return _prepare(elsewhere, settings, reading, now, is_update=True)
            finally:
                elsewhere.close()
    found: list[Seeded] = []
    try:
        _refuse_damaged(database.file)
        with _one_transaction(database) as db:
            found.append(_in_transaction(db, reading, _hashed_ahead(database, reading), now(), is_update=True))
            _refuse_public_demo(db, settings)
            _refuse_unusable_connections(db)
            raise _Rehearsed
    except _Rehearsed:
        return found[0]


def _prepare(database: Database, settings: Settings, reading: Reading, now: Clock, *, is_update: bool) -> Seeded:
    marker = _marker(database)
    _refuse_lost(database, marker)
    _refuse_damaged(database.file)
    passwords = _hashed_ahead(database, reading) if is_update else Passwords()
    with _one_transaction(database) as db:
        seeded = _in_transaction(db, reading, passwords, now(), is_update=is_update)
        _refuse_public_demo(db, settings)
        _refuse_unusable_connections(db)
    if marker:
        marker.touch(mode=0o600)
    return seeded


@contextmanager
def _one_transaction(database: Database) -> Iterator[Connection]:
    try:
        with database.write() as db:
            if database.dialect == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield db
    except DBAPIError as error:
        raise StoreError(f"database_url: the database cannot be used: {error.orig}") from None


def _hashed_ahead(database: Database, reading: Reading) -> Passwords:
    """Nobody waits while passwords are hashed (law 4)."""
    passwords = Passwords()
    try:
        with database.read() as db:
            is_here = inspect(db).has_table(users.name)
            remembered = seeded_people(db) if is_here else {}
    except DBAPIError as error:
        raise StoreError(f"database_url: the database cannot be used: {error.orig}") from None
    passwords.ahead(reading, remembered)
    return passwords


def _in_transaction(db: Connection, reading: Reading, passwords: Passwords, now: int, *, is_update: bool) -> Seeded:
    revision, is_new = current_revision(db), not inspect(db).get_table_names()
    if revision is None and not is_new:
        raise StoreError("database_url: this database belongs to something else; name an empty one")
    if revision != head_revision():
        upgrade(db)
    if not is_new:
        if not db.scalar(select(func.count()).select_from(signing_keys)):
            raise StoreError(
                "the signing keys are gone from the database; restore a backup, or start with an empty one"
            )
        if not is_update:
            return Seeded(is_new=False, secrets={})
    else:
        keys.generate(db, now, keys.RS256, activates_at=now)
    changes = register(db, reading, passwords, now)
    return Seeded(is_new, changes.secrets, changes)


def _refuse_public_demo(db: Connection, settings: Settings) -> None:
    """The demo tenant's passwords stand in its file for everybody to read, whatever this database was seeded from
    since.
    """
    if is_loopback(settings.issuer_host) or settings.allow_insecure_demo_tenant:
        return
    known = [user.user_id for user in read_tenant_file(DEMO_TENANT).users]
    if db.execute(select(users.c.user_id).where(users.c.user_id.in_(known))).first():
        raise StoreError(
            f"tenant: the demo tenant's passwords are public, so it is not served as {settings.issuer};"
            " name a tenant file of your own, or use a loopback issuer"
        )


def _refuse_unusable_connections(db: Connection) -> None:
    for connection in all_connections(db):
        if reason := obstacle(connection):
            raise StoreError(f"connections: {connection.name}: {reason}")


def renew_secrets(database: Database, tenant_file: TenantFile) -> dict[str, str]:
    """New secrets for the confidential clients of the file; the old ones stop working."""
    made = {}
    with database.write() as db:
        for client in tenant_file.clients:
            if client.token_endpoint_auth_method != "none":
                made[client.client_id] = secrets.token_urlsafe(48)
                db.execute(
                    clients.update()
                    .where(clients.c.client_id == client.client_id)
                    .values(secret_digest=digest(made[client.client_id]))
                )
    return made


def _marker(database: Database) -> Path | None:
    """Beside a SQLite file: that a database was made here once. So a lost file is told apart from a first start."""
    return database.file.with_name(database.file.name + ".installed") if database.file else None


def _refuse_lost(database: Database, marker: Path | None) -> None:
    file = database.file
    if file is None or marker is None:
        return
    if not file.parent.is_dir():
        if file.parent.name != ".understudy":
            raise StoreError(f"database_url: the directory {file.parent} does not exist; make it, or name another")
        file.parent.mkdir(mode=0o700)
    if file.exists() and file.stat().st_size == 0:
        raise StoreError(f"database_url: {file} is empty, so something cut it; restore a backup, or delete it")
    if not file.exists():
        if marker.exists():
            raise StoreError(
                f"database_url: {file} is missing, but was made here before; restore it,"
                f" or delete {marker} to begin anew with new keys"
            )
        try:
            file.touch(mode=0o600)  # keys live in it: readable for the owner alone, from the first byte on
        except OSError as error:
            raise StoreError(f"database_url: {file} cannot be made: {error.strerror}") from None


def _refuse_damaged(file: Path | None) -> None:
    """Before our engine opens the file, which would already change its journal mode."""
    if file is None or file.stat().st_size == 0:
        return
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_TIMEOUT)) as db:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
            ours = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
    except sqlite3.DatabaseError as error:
        verdict, ours = str(error), True
    if verdict != "ok":
        raise StoreError(f"database_url: {file} is damaged ({verdict}); restore a backup")
    if not ours:
        raise StoreError(f"database_url: {file} belongs to something else; name another")
