"""Seeding: registered facts from the tenant file into rows, and the first signing key.

A first start creates tables, key and tenant in one go. A database that once was here and is gone or damaged is
refused: new keys over old data would look like a working server that nobody trusts.
"""

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from authserver import keys
from authserver.clock import Clock
from authserver.connections.options import obstacle
from authserver.passwords import hash_password
from authserver.settings import DEMO_TENANT, Settings, is_loopback
from authserver.store.connections import all_connections
from authserver.store.engine import BUSY_TIMEOUT, Database, StoreError
from authserver.store.issued import digest
from authserver.store.registered import username_key
from authserver.store.schema import current_revision, head_revision, upgrade
from authserver.store.tables import (
    client_grants,
    clients,
    connections,
    resource_servers,
    role_permissions,
    roles,
    signing_keys,
    tenant_settings,
    user_permissions,
    user_roles,
    users,
)
from authserver.tenant_file import (
    ClientModel,
    DatabaseModel,
    PermissionModel,
    ResourceServerModel,
    SourceModel,
    TenantFile,
    UserModel,
    read_tenant_file,
)

_NO_CLAIMS = {"user_id", "password", "blocked", "user_metadata", "app_metadata", "roles", "permissions"}

_LOCK = 0x756E6465727374  # "underst", for pg_advisory_lock: one replica prepares, the others wait


@dataclass(frozen=True, slots=True)
class Seeded:
    """`secrets` maps client_id to the generated secret: the only moment at which anybody can read it."""

    is_new: bool
    secrets: dict[str, str]


def prepare(database: Database, settings: Settings, now: Clock) -> Seeded:
    """Make the database usable: first start, upgrade, or nothing to do.

    Raises StoreError with the reason and the way out, and TenantFileError.
    """
    tenant_file = read_tenant_file(settings.tenant)
    marker = _marker(database)
    _refuse_lost(database, marker)
    _refuse_damaged(database.file)
    try:
        with database.write() as db:
            if database.dialect == "postgresql":
                db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            seeded = _prepare(db, tenant_file, now())
            _refuse_public_demo(db, settings)
            _refuse_unusable_connections(db)
    except DBAPIError as error:
        raise StoreError(f"database_url: the database cannot be used: {error.orig}") from None
    if marker:
        marker.touch(mode=0o600)
    return seeded


def _prepare(db: Connection, tenant_file: TenantFile, now: int) -> Seeded:
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
        return Seeded(is_new=False, secrets={})
    keys.generate(db, now, keys.RS256, activates_at=now)
    if any(api.signing_alg == keys.ES256 for api in tenant_file.resourceServers):
        # Not before an API asks for it: one EC key in the JWKS makes auth0-python refuse the whole set.
        keys.generate(db, now, keys.ES256, activates_at=now)
    return Seeded(is_new=True, secrets=insert_tenant(db, tenant_file, now))


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


def insert_tenant(db: Connection, tenant_file: TenantFile, now: int) -> dict[str, str]:
    """Rows for everything in the file. Returns the secrets generated for confidential clients."""
    made = {}
    for client in tenant_file.clients:
        secret = secrets.token_urlsafe(48) if client.token_endpoint_auth_method != "none" else None
        db.execute(insert(clients), _client_row(client, secret))
        if secret:
            made[client.client_id] = secret
    for api in tenant_file.resourceServers:
        db.execute(insert(resource_servers), _api_row(api))
    for grant in tenant_file.clientGrants:
        row = {"client_id": grant.client_id, "audience": grant.audience, "scope": " ".join(grant.scope)}
        db.execute(insert(client_grants), row)
    for name, value in tenant_file.tenant.model_dump().items():
        db.execute(insert(tenant_settings), {"name": name, "value": value})
    _insert_connections(db, tenant_file)
    _insert_roles(db, tenant_file)
    _insert_users(db, tenant_file, now)
    return made


def _insert_connections(db: Connection, tenant_file: TenantFile) -> None:
    ids = {client.name: client.client_id for client in tenant_file.clients}
    sources: tuple[SourceModel, ...] = (*(tenant_file.databases or (DatabaseModel(),)), *tenant_file.connections)
    for each in sources:
        settings = {
            "display_name": each.display_name,
            "enabled_clients": each.enabled_clients and [ids.get(name, name) for name in each.enabled_clients],
            "options": each.options,
        }
        db.execute(insert(connections), {"name": each.name, "strategy": each.strategy, "settings": settings})


def _insert_roles(db: Connection, tenant_file: TenantFile) -> None:
    for role in tenant_file.roles:
        db.execute(insert(roles), {"name": role.name, "description": role.description or ""})
        for each in role.permissions:
            db.execute(insert(role_permissions), {"role": role.name, **_permission_row(each)})


def _insert_users(db: Connection, tenant_file: TenantFile, now: int) -> None:
    hashes: dict[str, str] = {}
    for user in tenant_file.users:
        if user.password not in hashes:
            hashes[user.password] = hash_password(user.password)
        db.execute(insert(users), _user_row(user, hashes[user.password], now))
        for name in user.roles:
            db.execute(insert(user_roles), {"user_id": user.user_id, "role": name})
        for each in user.permissions:
            db.execute(insert(user_permissions), {"user_id": user.user_id, **_permission_row(each)})


def _permission_row(permission: PermissionModel) -> dict[str, object]:
    return {"audience": permission.resource_server_identifier, "permission": permission.permission_name}


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


def _client_row(client: ClientModel, secret: str | None) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "app_type": client.app_type,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "secret_digest": digest(secret) if secret else None,
        "is_first_party": client.is_first_party,
        "settings": {
            **client.model_dump(
                include={
                    "grant_types",
                    "callbacks",
                    "allowed_logout_urls",
                    "web_origins",
                    "skip_non_verifiable_callback_uri_confirmation_prompt",
                    "allow_insecure_missing_pkce",
                    "refresh_token",
                }
            ),
            "id_token_lifetime": client.jwt_configuration.lifetime_in_seconds,
        },
    }


def _api_row(api: ResourceServerModel) -> dict[str, object]:
    settings = api.model_dump(exclude={"identifier", "name", "scopes"})
    settings["scopes"] = {scope.value: scope.description or "" for scope in api.scopes}
    return {"identifier": api.identifier, "name": api.name, "settings": settings}


def _user_row(user: UserModel, password_hash: str, now: int) -> dict[str, object]:
    return {
        "user_id": user.user_id,
        "username_key": username_key(user.email),
        "password_hash": password_hash,
        "profile": user.model_dump(exclude=_NO_CLAIMS, exclude_none=True),
        "user_metadata": user.user_metadata,
        "app_metadata": user.app_metadata,
        "blocked": user.blocked,
        "created_at": now,
        "updated_at": now,
    }


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
