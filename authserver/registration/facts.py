"""Clients, APIs, grants, connections, roles and settings of a tenant file as rows."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from authserver import keys
from authserver.registration.changes import Change, Changes, as_json, bring
from authserver.registration.people import Passwords, permission_row, register_people
from authserver.store.issued import digest
from authserver.store.tables import (
    client_grants,
    clients,
    connections,
    resource_servers,
    role_permissions,
    roles,
    signing_keys,
    tenant_settings,
)
from authserver.tenant_file import (
    ClientModel,
    DatabaseModel,
    Reading,
    ResourceServerModel,
    SourceModel,
    TenantFile,
    TenantFileError,
)

SEEDED = "seeded"
"""The tenant setting that remembers what the file said of secrets and people: only what it says anew is written."""

_REMEMBERED = select(tenant_settings.c.value).where(tenant_settings.c.name == SEEDED)


def register(db: Connection, reading: Reading, passwords: Passwords, now: int, section: str | None = None) -> Changes:
    """Make the rows agree with the file. Raises TenantFileError where the file and the database contradict.

    `section`: the only one that differs from what was registered before. Only what hangs on it is looked at.
    """
    file, changes = reading.file, Changes()
    before = _seeded(db)
    after: dict[str, dict[str, Any]] = {
        "clients": dict(before.get("clients", {})),
        "users": dict(before.get("users", {})),
    }
    grants = [
        {"client_id": grant.client_id, "audience": grant.audience, "scope": " ".join(grant.scope)}
        for grant in file.clientGrants
    ]
    apis, sources = map(_api_row, file.resourceServers), ("clients", "databases", "connections")
    steps: tuple[tuple[tuple[str, ...], Callable[[], None]], ...] = (
        (("clients", "resourceServers"), lambda: _refuse_confusable(db, file)),
        (("clients",), lambda: _clients(db, file, changes, after["clients"])),
        (
            ("resourceServers",),
            lambda: bring(db, resource_servers, apis, _named("resourceServers", "identifier"), changes),
        ),
        (
            ("clientGrants",),
            lambda: bring(db, client_grants, grants, _named("clientGrants", "client_id", "audience"), changes),
        ),
        (("tenant",), lambda: _settings(db, file, changes)),
        # They name clients by what these are called.
        (sources, lambda: bring(db, connections, _sources(db, file), _named("connections", "name"), changes)),
        (("roles",), lambda: _roles(db, file, changes)),
        (("databases", "users"), lambda: register_people(db, reading, passwords, changes, after["users"], now)),
        (("clients", "databases", "users"), lambda: _remember(db, before, after)),
        (("resourceServers",), lambda: _signing_key(db, file, now)),
    )
    for hanging_on, step in steps:
        if section is None or section in hanging_on:
            step()
    return changes


def _seeded(db: Connection) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] | None = db.scalar(_REMEMBERED)
    return found or {}


def seeded_people(db: Connection) -> dict[str, Any]:
    """What was remembered of people."""
    return _seeded(db).get("users", {})


def _remember(db: Connection, before: object, after: object) -> None:
    if before == after:
        return
    if before:
        db.execute(update(tenant_settings).where(tenant_settings.c.name == SEEDED).values(value=after))
    else:
        db.execute(insert(tenant_settings), {"name": SEEDED, "value": after})


def _refuse_confusable(db: Connection, file: TenantFile) -> None:
    """An ID token's audience is a client_id, an access token's an identifier: never the same, old ones included."""
    ids = {client.client_id for client in file.clients} | set(db.scalars(select(clients.c.client_id)))
    apis = {api.identifier for api in file.resourceServers} | set(db.scalars(select(resource_servers.c.identifier)))
    if both := ids & apis:
        raise TenantFileError(
            f"a client_id must not equal an API identifier: {', '.join(sorted(both))} is the one in the file"
            " and the other in the database"
        )


def _named(section: str, *columns: str) -> Any:
    return lambda row: f"{section} {' at '.join(str(row[column]) for column in columns)}"


def _clients(db: Connection, file: TenantFile, changes: Changes, remembered: dict[str, Any]) -> None:
    there: dict[str, bytes | None] = {
        row.client_id: row.secret_digest for row in db.execute(select(clients.c.client_id, clients.c.secret_digest))
    }
    rows = []
    for client in file.clients:
        row = _client_row(client)
        row["secret_digest"] = _secret_digest(client, there.get(client.client_id), changes, remembered)
        rows.append(row)
    bring(db, clients, rows, lambda row: f"clients {row['name']} ({row['client_id']})", changes)


def _secret_digest(
    client: ClientModel, before: bytes | None, changes: Changes, remembered: dict[str, Any]
) -> bytes | None:
    """The one that is there, unless the file says another than last time; generated where there is none."""
    if client.token_endpoint_auth_method == "none":
        remembered.pop(client.client_id, None)
        return None
    if client.client_secret is not None:
        given = digest(client.client_secret)
        said_before = remembered.get(client.client_id)
        remembered[client.client_id] = given.hex()
        return before if before is not None and said_before == given.hex() else given
    remembered.pop(client.client_id, None)
    if before is not None:
        return before
    made = secrets.token_urlsafe(48)
    changes.secrets[client.client_id] = made
    return digest(made)


def _client_row(client: ClientModel) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "app_type": client.app_type,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
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
                    "client_metadata",
                    "refresh_token",
                }
            ),
            "id_token_lifetime": client.jwt_configuration.lifetime_in_seconds,
        },
    }


def _api_row(api: ResourceServerModel) -> dict[str, Any]:
    settings = api.model_dump(exclude={"identifier", "name", "scopes"})
    settings["scopes"] = {scope.value: scope.description or "" for scope in api.scopes}
    return {"identifier": api.identifier, "name": api.name, "settings": settings}


def _settings(db: Connection, file: TenantFile, changes: Changes) -> None:
    """The tenant's own; settings that the file cannot name are nobody's business here."""
    there = {row.name: row.value for row in db.execute(select(tenant_settings))}
    for name, value in file.tenant.model_dump().items():
        if name not in there:
            db.execute(insert(tenant_settings), {"name": name, "value": value})
        elif there[name] != as_json(value):
            db.execute(update(tenant_settings).where(tenant_settings.c.name == name).values(value=value))
            changes.found.append(Change("changed", f"tenant: {name}"))


def _sources(db: Connection, file: TenantFile) -> list[dict[str, Any]]:
    ids = {client.name: client.client_id for client in file.clients}
    sources: list[SourceModel] = [*file.databases, *file.connections]
    rows = [
        {
            "name": each.name,
            "strategy": each.strategy,
            "settings": {
                "display_name": each.display_name,
                "enabled_clients": each.enabled_clients and [ids.get(name, name) for name in each.enabled_clients],
                "options": each.model_dump(mode="json")["options"],
            },
        }
        for each in sources
    ]
    if file.databases:
        return rows
    # A file without databases means the one that always is. Where there is one already, it is as it is.
    databases = db.execute(select(connections).where(connections.c.strategy == DatabaseModel().strategy)).mappings()
    there: list[dict[str, Any]] = [dict(row) for row in databases]
    return [*(there or [_always()]), *rows]


def _always() -> dict[str, Any]:
    database = DatabaseModel()
    settings: dict[str, Any] = {"display_name": None, "enabled_clients": None, "options": {}}
    return {"name": database.name, "strategy": database.strategy, "settings": settings}


def _roles(db: Connection, file: TenantFile, changes: Changes) -> None:
    rows = [{"name": role.name, "description": role.description or ""} for role in file.roles]
    bring(db, roles, rows, _named("roles", "name"), changes)
    for role in file.roles:
        wanted = [{"role": role.name, **permission_row(each)} for each in role.permissions]
        if agree(db, role_permissions, {"role": role.name}, wanted):
            changed = Change("changed", f"roles {role.name}", "permissions")
            if Change("new", changed.what) not in changes.found:
                changes.found.append(changed)


def agree(db: Connection, table: Table, of: Mapping[str, str], wanted: list[dict[str, Any]]) -> bool:
    """Make the rows of this owner those that are wanted; whether anything had to change."""
    mine = [table.c[name] == value for name, value in of.items()]
    there = [dict(row) for row in db.execute(select(table).where(*mine)).mappings()]
    missing = [row for number, row in enumerate(wanted) if row not in there and row not in wanted[:number]]
    surplus = [row for row in there if row not in wanted]
    for row in surplus:
        db.execute(delete(table).where(*(table.c[name] == value for name, value in row.items())))
    for row in missing:
        db.execute(insert(table), row)
    return bool(missing or surplus)


def _signing_key(db: Connection, file: TenantFile, now: int) -> None:
    """Not before an API asks for it: one EC key in the JWKS makes auth0-python refuse the whole set."""
    if any(api.signing_alg == keys.ES256 for api in file.resourceServers):
        if not db.scalar(select(signing_keys.c.kid).where(signing_keys.c.alg == keys.ES256).limit(1)):
            keys.generate(db, now, keys.ES256, activates_at=now)
