"""`seed` brings a tenant up to date: the same file twice changes nothing, a changed one what changed, all or nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select, update

from authserver import seed
from authserver.passwords import hash_password, verify_password
from authserver.settings import DEMO_TENANT, Settings
from authserver.store.engine import Database, StoreError
from authserver.store.issued import digest
from authserver.store.tables import client_grants, clients, connections, metadata, role_permissions, signing_keys, users
from authserver.tenant_file import Reading, TenantFileError, read_tenant, with_users
from tests.conftest import Prepared
from tests.tenants import EXPORTED, USERS, read_export

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000
SECRET, OTHER = "s" * 40, "t" * 40

OURS: dict[str, Any] = {
    "clients": [
        {
            "name": "Web",
            "client_id": "web",
            "app_type": "regular_web",
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code"],
            "callbacks": ["https://web.test/callback"],
        },
        {
            "name": "Batch",
            "client_id": "batch",
            "app_type": "non_interactive",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["client_credentials"],
        },
    ],
    "resourceServers": [{"name": "Stock", "identifier": "urn:stock", "scopes": [{"value": "read"}, {"value": "write"}]}],
    "clientGrants": [{"client_id": "batch", "audience": "urn:stock", "scope": ["read"]}],
    "roles": [{"name": "clerk", "permissions": [{"permission_name": "read", "resource_server_identifier": "urn:stock"}]}],
    "users": [
        {"user_id": "auth0|1", "email": "ana@web.test", "password": "first", "roles": ["clerk"]},
        {"user_id": "auth0|2", "email": "ben@web.test", "password": "first"},
    ],
}  # fmt: skip


@pytest.fixture
def database(prepared: Prepared, tmp_path: Path) -> Iterator[Database]:
    """On which the demo tenant is installed."""
    database = Database(prepared.copy(tmp_path))
    yield database
    database.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[dict[str, Any]], Reading]:
    def write(content: dict[str, Any]) -> Reading:
        file = tmp_path / "tenant.yaml"
        file.write_text(yaml.safe_dump(content))
        return read_tenant(file)

    return write


def changed(**sections: Any) -> dict[str, Any]:
    """Our file with other sections."""
    return {**json.loads(json.dumps(OURS)), **sections}


def settings_for(database: Database) -> Settings:
    return Settings(database_url=database.url.render_as_string(hide_password=False), issuer="http://127.0.0.1:9/")


def update_with(database: Database, reading: Reading, now: int = NOW) -> seed.Seeded:
    return seed.update(database, settings_for(database), reading, lambda: now)


def snapshot(database: Database) -> dict[str, list[str]]:
    """Every row of every table."""
    with database.read() as db:
        return {
            table.name: sorted(repr(tuple(row)) for row in db.execute(select(table)))
            for table in metadata.sorted_tables
        }


def told(seeded: seed.Seeded) -> list[tuple[str, str]]:
    assert seeded.changes is not None
    return [(each.kind, each.what) for each in seeded.changes.found if each.kind != "only here"]


@pytest.mark.parametrize("kind", ["export", "ours", "demo"])
def test_the_same_file_twice_changes_nothing(
    kind: str, database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    def read() -> Reading:
        if kind == "export":
            return read_export(users=USERS)
        return written(OURS) if kind == "ours" else read_tenant(DEMO_TENANT)

    first = update_with(database, read())
    before = snapshot(database)
    second = update_with(database, read(), NOW + 1000)
    assert snapshot(database) == before
    assert (told(second), second.secrets) == ([], {})
    assert (told(first) == []) == (kind == "demo")


def test_a_first_start_and_an_update_write_the_same(prepared: Prepared, database: Database) -> None:
    """What differs is what is made anew each time."""
    before = snapshot(database)
    update_with(database, read_tenant(DEMO_TENANT))
    assert snapshot(database) == before
    assert set(prepared.secrets) == {"web-app", "backend"}


def test_a_changed_file_changes_what_changed(database: Database, written: Callable[[dict[str, Any]], Reading]) -> None:
    update_with(database, written(OURS))
    before = snapshot(database)
    other = changed()
    other["clients"][0]["callbacks"] = ["https://web.test/elsewhere"]
    other["resourceServers"][0]["token_lifetime"] = 60
    other["clientGrants"][0]["scope"] = ["read", "write"]
    other["roles"][0]["permissions"] = [{"permission_name": "write", "resource_server_identifier": "urn:stock"}]
    other["users"][0]["blocked"] = True
    other["tenant"] = {"friendly_name": "Other"}
    seeded = update_with(database, written(other), NOW + 1)
    assert told(seeded) == [
        ("changed", "clients Web (web)"),
        ("changed", "resourceServers urn:stock"),
        ("changed", "clientGrants batch at urn:stock"),
        ("changed", "tenant: friendly_name"),
        ("changed", "roles clerk"),
        ("changed", "users ana@web.test"),
    ]
    after = snapshot(database)
    different = {name: set(after[name]) ^ set(before[name]) for name in after if after[name] != before[name]}
    assert {name: len(rows) for name, rows in different.items()} == {
        "clients": 2,
        "resource_servers": 2,
        "client_grants": 2,
        "tenant_settings": 4,
        "role_permissions": 2,
        "users": 2,
    }
    assert seeded.secrets == {}


def test_what_the_file_no_longer_names_stays_and_is_told(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    update_with(database, written(OURS))
    before = snapshot(database)
    fewer = changed(clients=OURS["clients"][:1], clientGrants=[], roles=[], users=[], resourceServers=[])
    seeded = update_with(database, written(fewer))
    assert snapshot(database) == before
    assert seeded.changes
    gone = [each.what for each in seeded.changes.found if each.kind == "only here"]
    for what in (
        "clients Batch (batch)",
        "resourceServers urn:stock",
        "clientGrants batch at urn:stock",
        "roles clerk",
    ):
        assert what in gone
    assert any(each.startswith("users: 5") for each in gone)


def test_a_mistake_anywhere_changes_nothing(database: Database, written: Callable[[dict[str, Any]], Reading]) -> None:
    """The last thing that is written is refused; what came before it must not stay."""
    before = snapshot(database)
    taken = changed()
    taken["users"][1]["email"] = "ALICE@example.com"  # the demo's alice, under another id
    with pytest.raises(TenantFileError, match=r"belongs to auth0\|65f0a11ce000000000000001"):
        update_with(database, written(taken))
    assert snapshot(database) == before
    with pytest.raises(TenantFileError, match="must not equal an API identifier"):
        update_with(database, written(changed(resourceServers=[{"name": "x", "identifier": "spa"}], clientGrants=[], roles=[], users=[])))  # fmt: skip
    assert snapshot(database) == before


def test_an_error_in_the_middle_changes_nothing(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    before = snapshot(database)
    reading = written(OURS)
    too_late = [*reading.file.users, reading.file.users[0]]  # the database refuses the second of the same id
    twice = Reading(reading.file.model_copy(update={"users": tuple(too_late)}))
    with pytest.raises(StoreError):
        update_with(database, twice)
    assert snapshot(database) == before


def secret_of(database: Database, client_id: str) -> bytes | None:
    with database.read() as db:
        return db.scalar(select(clients.c.secret_digest).where(clients.c.client_id == client_id))


def test_secrets_are_made_once(database: Database, written: Callable[[dict[str, Any]], Reading]) -> None:
    seeded = update_with(database, written(OURS))
    assert set(seeded.secrets) == {"web", "batch"}
    assert secret_of(database, "web") == digest(seeded.secrets["web"])
    other = changed()
    other["clients"][0]["name"] = "Renamed"
    assert update_with(database, written(other)).secrets == {}
    assert secret_of(database, "web") == digest(seeded.secrets["web"])
    renewed = seed.renew_secrets(database, written(other).file)
    assert update_with(database, written(other)).secrets == {}
    assert secret_of(database, "web") == digest(renewed["web"])


def test_a_secret_of_the_file_is_set_when_the_file_changes_it(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    given = changed()
    given["clients"][0]["client_secret"] = SECRET
    assert set(update_with(database, written(given)).secrets) == {"batch"}
    assert secret_of(database, "web") == digest(SECRET)
    renewed = seed.renew_secrets(database, written(given).file)["web"]
    update_with(database, written(given))
    assert secret_of(database, "web") == digest(renewed), "renewed here since, and the file says nothing new"
    given["clients"][0]["client_secret"] = OTHER
    update_with(database, written(given))
    assert secret_of(database, "web") == digest(OTHER)
    given["clients"][0].pop("client_secret")
    update_with(database, written(given))
    assert secret_of(database, "web") == digest(OTHER)


def hash_of(database: Database, user_id: str) -> str:
    with database.read() as db:
        return str(db.scalar(select(users.c.password_hash).where(users.c.user_id == user_id)))


def test_a_password_is_that_of_the_person_until_the_file_changes_it(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    update_with(database, written(OURS))
    assert verify_password(hash_of(database, "auth0|1"), "first")
    with database.write() as db:
        db.execute(update(users).where(users.c.user_id == "auth0|1").values(password_hash=hash_password("mine")))
    update_with(database, written(OURS))
    assert verify_password(hash_of(database, "auth0|1"), "mine")
    other = changed()
    other["users"][0]["password"] = "second"
    assert told(update_with(database, written(other))) == [("changed", "users ana@web.test")]
    assert verify_password(hash_of(database, "auth0|1"), "second")


def test_what_people_changed_here_is_not_taken_back(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    update_with(database, written(OURS))
    with database.write() as db:
        mine = {"user_metadata": {"theme": "dark"}, "username_key": "ana@home.test"}
        db.execute(update(users).where(users.c.user_id == "auth0|1").values(**mine))
    before = snapshot(database)
    update_with(database, written(OURS))
    assert snapshot(database) == before


def test_two_people_may_exchange_their_addresses(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    update_with(database, written(OURS))
    other = changed()
    first, second = other["users"]
    first["email"], second["email"] = second["email"], first["email"]
    update_with(database, written(other))
    with database.read() as db:
        assert db.scalar(select(users.c.username_key).where(users.c.user_id == "auth0|1")) == "ben@web.test"


def test_an_api_that_asks_for_es256_gets_a_key(
    database: Database, written: Callable[[dict[str, Any]], Reading]
) -> None:
    other = changed()
    other["resourceServers"][0]["signing_alg"] = "ES256"
    for _ in range(2):
        update_with(database, written(other))
        with database.read() as db:
            assert db.scalar(select(func.count()).where(signing_keys.c.alg == "ES256")) == 1


def test_an_export_is_in_the_database_as_it_is_read(database: Database) -> None:
    reading = read_export(users=USERS)
    update_with(database, reading)
    names = {client.client_id: client.name for client in reading.file.clients}
    with database.read() as db:
        grants = {names.get(row.client_id, ""): row.audience for row in db.execute(select(client_grants))}
        assert grants["Stock keeper"] == "urn:harbour:stock"
        served = {row.name: row.settings["enabled_clients"] for row in db.execute(select(connections))}
        assert [names[each] for each in served["customers"]] == ["Shop (browser)", "Shop (phone)"]
        assert served["staff"] == []
        theirs = select(role_permissions).where(role_permissions.c.role.not_in(["editor", "reader"]))
        assert {row.permission for row in db.execute(theirs)} == {"read:orders", "write:orders"}
        people = {
            row.profile["email"]: row for row in db.execute(select(users).where(users.c.connection == "customers"))
        }
    ines, joao, kim = (people[f"{name}@harbour-books.test"] for name in ("ines", "joao", "kim"))
    assert ines.user_id == "auth0|65f0a11ce0000000000000a1"
    assert ines.password_hash == json.loads(USERS.read_text())[0]["password_hash"], "as it is"
    assert (ines.app_metadata, ines.profile["name"]) == ({"plan": "gold", "since": 2019}, "Inês Moreira 📚")
    assert verify_password(joao.password_hash, "paper boats")
    assert joao.profile["phone_number_verified"] is True
    assert kim.blocked
    assert not verify_password(kim.password_hash, "")
    assert not verify_password(kim.password_hash, kim.password_hash)


def test_an_imported_person_keeps_roles_given_here(database: Database, tmp_path: Path) -> None:
    """A bulk-import file says nothing of roles."""
    from authserver.store.tables import user_roles

    update_with(database, read_export(users=USERS))
    with database.write() as db:
        db.execute(user_roles.insert(), {"user_id": "auth0|65f0a11ce0000000000000a1", "role": "bookseller"})
    file = tmp_path / "users.json"
    people = json.loads(USERS.read_text())
    people[0]["nickname"] = "nessie"
    file.write_text(json.dumps(people))
    seeded = update_with(database, with_users(read_export(), file))
    assert told(seeded) == [("changed", "users ines@harbour-books.test")]
    with database.read() as db:
        held = db.scalars(select(user_roles.c.role).where(user_roles.c.user_id == "auth0|65f0a11ce0000000000000a1"))
        assert held.all() == ["bookseller"]


def test_a_rehearsal_changes_nothing(database: Database) -> None:
    before = snapshot(database)
    seeded = seed.rehearse(database, settings_for(database), read_export(users=USERS), lambda: NOW)
    assert ("new", "roles bookseller") in told(seeded)
    assert snapshot(database) == before


def test_a_rehearsal_of_a_first_start_makes_no_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    seeded = seed.rehearse(database, settings_for(database), read_export(), lambda: NOW)
    assert seeded.is_new
    assert list(tmp_path.iterdir()) == []


def test_a_demo_tenant_is_not_brought_beyond_loopback(database: Database) -> None:
    before = snapshot(database)
    settings = replace_issuer(settings_for(database))
    with pytest.raises(StoreError, match="passwords are public"):
        seed.update(database, settings, read_export(), lambda: NOW)
    assert snapshot(database) == before


def replace_issuer(settings: Settings) -> Settings:
    return settings.model_copy(update={"issuer": "https://login.example.com/"})


# The command ------------------------------------------------------------------------------------------------------


def run(directory: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "authserver", "seed", *arguments, "--database-url", f"sqlite:///{directory / 'x.db'}"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_says_it_in_a_table_and_the_second_time_that_nothing_changed(tmp_path: Path) -> None:
    from tests.tenants import ENVIRONMENT

    arguments = (str(EXPORTED), "--users", str(USERS))
    first = run(tmp_path, *arguments, **ENVIRONMENT)
    assert (first.returncode, first.stderr) == (0, "")
    lines = first.stdout.splitlines()
    table = lines[: next(number for number, line in enumerate(lines) if line.startswith("client_id="))]
    assert max(map(len, table)) <= 100
    assert not any(ch < " " or ch == "\x7f" for ch in first.stdout.replace("\n", "")), "plain text"
    for heading in ("Taken from", "Ignored", "Not run", "WARNING: protected in Auth0, and not protected here"):
        assert any(line.startswith(heading) for line in table)
    assert first.stdout.count("client_secret=") == 3
    second = run(tmp_path, *arguments, **ENVIRONMENT)
    assert "In the database: 16 unchanged" in second.stdout
    assert "client_secret=" not in second.stdout
    told = json.loads(run(tmp_path, *arguments, "--json", "--dry-run", **ENVIRONMENT).stdout)
    assert (told["changes"], told["dry_run"], told["secrets"]) == ([], True, {})
    assert told["client_ids"]["Shop (browser)"] in first.stdout


def test_the_command_keeps_an_apps_client_id(tmp_path: Path) -> None:
    from tests.tenants import ENVIRONMENT

    done = run(tmp_path, str(EXPORTED), "--client-id", "Stock keeper=ReAlOnE", "--json", **ENVIRONMENT)
    told = json.loads(done.stdout)
    assert told["client_ids"]["Stock keeper"] == "ReAlOnE"
    assert len(told["secrets"]["ReAlOnE"]) >= 64


def test_a_mistake_ends_the_command_with_its_line_and_makes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, str(EXPORTED))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"authserver: {EXPORTED}:3: the keyword ENVIRONMENT has no value")
    assert list(tmp_path.iterdir()) == []


def test_without_a_named_file_a_tenant_stays_as_it_is(tmp_path: Path) -> None:
    """The demo tenant, with its public passwords, never comes over somebody's own by itself."""
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(OURS))
    run(tmp_path, str(own))
    done = run(tmp_path)
    assert "stay as they are" in done.stdout
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with database.read() as db:
        assert set(db.scalars(select(clients.c.client_id))) == {"web", "batch"}
    database.close()
