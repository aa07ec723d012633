"""What is registered entry by entry is what a tenant file with all of it would have made."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from authserver.registration import Passwords, register
from authserver.store.engine import Database
from authserver.store.tables import metadata
from authserver.tenant_file import Reading, TenantFile, TenantFileError

API = {
    "identifier": "https://notes.example/api",
    "name": "Notes",
    "signing_alg": "RS256",
    "scopes": [{"value": "read:notes"}],
}
ROLE_PERMISSION = {"resource_server_identifier": API["identifier"], "permission_name": "read:notes"}
CLIENT = {"client_id": "one", "name": "App", "app_type": "native", "token_endpoint_auth_method": "none"}
WHOLE: dict[str, Any] = {
    "clients": [CLIENT, {**CLIENT, "client_id": "two", "name": "Other"}],
    "resourceServers": [API],
    "clientGrants": [{"client_id": "one", "audience": API["identifier"], "scope": ["read:notes"]}],
    "databases": [{"name": "Staff", "strategy": "auth0", "enabled_clients": ["App"]}],
    "roles": [{"name": "reader", "permissions": [ROLE_PERMISSION]}],
    "users": [{"user_id": "auth0|a", "email": "a@example.com", "password": "long-enough-1", "roles": ["reader"]}],
}
ORDER = ("tenant", "clients", "resourceServers", "clientGrants", "databases", "roles", "users")
PASSWORDS = Passwords()


class Registered(Database):
    """A database of this test's own."""

    def bring(self, file: dict[str, Any], section: str | None = None) -> None:
        with self.write() as db:
            register(db, Reading(TenantFile.model_validate(file)), PASSWORDS, 1_900_000_000, section)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.read() as db:
            return {
                table.name: sorted((tuple(row) for row in db.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }


@pytest.fixture
def databases(tmp_path: Path) -> Iterator[tuple[Registered, Registered]]:
    with ExitStack() as stack:
        made = [Registered(f"sqlite:///{tmp_path}/{name}.db", throw_away=True) for name in ("whole", "parts")]
        for each in made:
            stack.callback(each.close)
            with each.write() as db:
                metadata.create_all(db)
        yield made[0], made[1]


def test_section_by_section_is_the_same_as_all_at_once(databases: tuple[Registered, Registered]) -> None:
    whole, parts = databases
    for each in databases:
        each.bring({})
    whole.bring(WHOLE)
    for number, section in enumerate(ORDER, 1):
        parts.bring({name: WHOLE[name] for name in ORDER[:number] if name in WHOLE}, section)
    assert parts.rows() == whole.rows()
    assert all(parts.rows()[name] for name in ("clients", "resource_servers", "client_grants", "roles", "user_roles"))


def test_a_connection_follows_the_application_whose_name_it_has(databases: tuple[Registered, Registered]) -> None:
    """`enabled_clients` may name it; the row has its client_id."""
    whole, parts = databases
    renamed = {**WHOLE, "clients": [{**CLIENT, "name": "Former"}, {**CLIENT, "client_id": "two"}]}
    for each, section in ((whole, None), (parts, "clients")):
        each.bring(WHOLE)
        each.bring(renamed, section)
    assert parts.rows() == whole.rows()
    assert "two" in repr(parts.rows()["connections"])


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("clients", {**CLIENT, "client_id": API["identifier"]}),
        ("resourceServers", {**API, "identifier": "one"}),
    ],
)
def test_what_is_confusable_with_a_row_is_refused_in_either_section(
    databases: tuple[Registered, Registered], section: str, entry: dict[str, Any]
) -> None:
    """The file does not name the other one any more; its row is there."""
    database, _ = databases
    database.bring({"clients": [CLIENT], "resourceServers": [API]})
    before = database.rows()
    with pytest.raises(TenantFileError, match="must not equal"):
        database.bring({section: [entry]}, section)
    assert database.rows() == before


def test_an_api_that_asks_for_es256_gets_its_key(databases: tuple[Registered, Registered]) -> None:
    database, _ = databases
    database.bring({})
    database.bring({"resourceServers": [{**API, "signing_alg": "ES256"}]}, "resourceServers")
    assert len(database.rows()["signing_keys"]) == 1
