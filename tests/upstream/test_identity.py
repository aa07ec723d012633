"""LO10, TK20: who comes from elsewhere is called like nobody else; and what a tenant file may say of elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from authserver.connections.identity import Identity
from authserver.connections.options import OidcOptions, check
from authserver.passwords import verify_password
from authserver.settings import DEMO_TENANT
from authserver.store.connections import find_connection
from authserver.store.engine import Database, StoreError
from authserver.store.registered import username_key
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import is_error_page, on_sqlite
from tests.client.fake_server import FakeIssuer
from tests.stage import PASSWORD, Stage
from tests.upstream.traveller import CONNECTION, Traveller, start

subjects = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255)


@given(subjects, subjects)
def test_LO10_two_subjects_are_two_users(one: str, other: str) -> None:
    ids = {Identity(CONNECTION, each, {}).user_id for each in (one, other)}
    assert len(ids) == len({one, other})
    for each in ids:
        assert len(each) <= 255
        assert each.isascii()
        assert each.isprintable()
        assert " " not in each


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "A"),
        ("a@clients", "a%40clients"),
        ("\u00e9", "e\u0301"),
        ("x" * 255, "x" * 254 + "y"),
        ("x" * 255, "*2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ("a b", "a%20b"),
        ("a|b", "a%7Cb"),
    ],
)
def test_LO10_look_alikes_are_two_users(one: str, other: str) -> None:
    assert Identity(CONNECTION, one, {}).user_id != Identity(CONNECTION, other, {}).user_id


@given(subjects)
def test_TK20_nobody_is_called_like_a_client(subject: str) -> None:
    for each in (subject, subject + "@clients"):
        assert not Identity(CONNECTION, each, {}).user_id.endswith("@clients")


@pytest.mark.parametrize("name", ["auth0", "AUTH0", "a|b", "a b", "", "-a", "a-", "a" * 129, "a/b", "a\n", "ä", "a&b"])
def test_LO10_a_connection_is_named_so_that_its_people_are_its_own(name: str) -> None:
    with pytest.raises(ValueError, match="name must be"):
        check(name, "oidc", {"issuer": "https://idp.example/", "client_id": "c"})
    check("google-oauth2", "oidc", {"issuer": "https://idp.example/", "client_id": "c"})


@on_sqlite
def test_LO10_no_password_opens_an_account_from_elsewhere(
    stage: Stage, liar: FakeIssuer, travel: Callable[..., Traveller]
) -> None:
    start(stage, travel(liar.origin), connection=CONNECTION)
    row = stage.rows("SELECT user_id, username_key, password_hash FROM users WHERE connection = :of", of=CONNECTION)[0]
    assert username_key(row["username_key"]) != row["username_key"]  # so nobody can type it
    assert not verify_password(row["password_hash"], "!")
    traveller = travel()
    page = start(stage, traveller)
    for name in row.values():
        for password in ("!", "", PASSWORD):
            assert is_error_page(traveller.submit(page, username=str(name), password=password, action="default"))


def tenant_file(directory: Path, **connection: Any) -> Path:
    content = yaml.safe_load(DEMO_TENANT.read_text("utf-8"))
    content["connections"] = [{"name": "acme", "strategy": "oidc", **connection}]
    file = directory / "tenant.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    return file


OPTIONS = {"issuer": "https://idp.example/", "client_id": "c"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "issuer or discovery_url is missing"),
        ({**OPTIONS, "issuer": "http://idp.example/"}, "must be an https URL"),
        ({**OPTIONS, "issuer": "ftp://idp.example/"}, "must be an https URL"),
        ({**OPTIONS, "discovery_url": "https://idp.example/metadata"}, "discovery_url must end in"),
        ({**OPTIONS, "scope": "email"}, "scope must contain openid"),
        ({**OPTIONS, "type": "front_channel"}, "options.type"),
        ({**OPTIONS, "client_sceret": "x"}, "options.client_sceret"),
        ({**OPTIONS, "client_secret": ""}, "options.client_secret"),
        ({**OPTIONS, "client_secret": ["top-secret"]}, "options.client_secret"),
        ({"issuer": "https://idp.example/"}, "options.client_id"),
    ],
)
def test_DR4_a_mistake_in_the_options_is_said(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(TenantFileError, match="connections\\[0\\]") as refused:
        read_tenant_file(tenant_file(tmp_path, options={"client_id": "c", **options} if options == {} else options))
    assert said in str(refused.value)
    assert "top-secret" not in str(refused.value)


def test_an_exported_connection_is_read(tmp_path: Path) -> None:
    """What Auth0's export holds besides, and what changes nothing here."""
    exported = {
        "type": "back_channel",
        "discovery_url": "https://idp.example/.well-known/openid-configuration",
        "scopes": ["openid", "email"],
        "client_id": "c",
        "client_secret": "${ACME_SECRET}",
        "schema_version": "oidc-V4",
        "oidc_metadata": {"issuer": "https://idp.example/"},
        "attribute_map": {"mapping_mode": "basic_profile"},
        "connection_settings": {"pkce": "auto"},
        "icon_url": "https://idp.example/icon.png",
        "tenant_domain": "idp.example",
    }
    read = read_tenant_file(tenant_file(tmp_path, options=exported)).connections[0]
    options = OidcOptions.model_validate(read.options)
    assert options.scope == "openid email"
    assert options.is_issuer("https://idp.example/")
    assert options.is_issuer("https://idp.example")
    assert not options.is_issuer("https://idp.example/x")
    assert not options.is_issuer(None)
    assert "ACME_SECRET" not in repr(options)


@on_sqlite
def test_a_secret_can_stay_in_the_environment(
    raise_stage: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tenant_file(tmp_path, options={**OPTIONS, "client_secret": "${ACME_SECRET}"})
    monkeypatch.delenv("ACME_SECRET", raising=False)
    with pytest.raises(StoreError, match="acme: client_secret names the environment variable ACME_SECRET"):
        raise_stage(tenant=file, database_url=f"sqlite:///{tmp_path / 'one.db'}")
    monkeypatch.setenv("ACME_SECRET", "only-in-the-environment")
    url = f"sqlite:///{tmp_path / 'two.db'}"
    raise_stage(tenant=file, database_url=url)
    database = Database(url)
    try:
        with database.read() as db:
            connection = find_connection(db, "acme")
    finally:
        database.close()
    assert connection is not None
    assert connection.options["client_secret"] == "${ACME_SECRET}"
    assert OidcOptions.model_validate(connection.options).secret == "only-in-the-environment"
    assert b"only-in-the-environment" not in (tmp_path / "two.db").read_bytes()
