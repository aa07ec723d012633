"""A mistake in the tenant file is answered with its line and with what was expected there."""

from pathlib import Path

import pytest

from authserver.settings import DEMO_TENANT
from authserver.tenant_file import TenantFileError, read_tenant_file

DEMO = DEMO_TENANT.read_text()


def test_the_demo_tenant_is_good() -> None:
    assert [client.client_id for client in read_tenant_file(DEMO_TENANT).clients][:2] == ["native-app", "spa"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("app_type: native", "app_typ: native", "clients[0].app_typ: is not known here"),
        ("app_type: spa", "app_type: sap", "clients[1].app_type: Input should be 'native'"),
        (
            "leeway: 0\n      token",
            "leeway: soon\n      token",
            "clients[0].refresh_token.leeway: Input should be a valid integer",
        ),
        (
            "http://127.0.0.1:8401/callback",
            "http://example.com/callback",
            "clients[0].callbacks[1]: must be an absolute URI",
        ),
        (
            "http://127.0.0.1:8401/callback",
            "https://example.com/callback#x",
            "clients[0].callbacks[1]: must be an absolute URI",
        ),
        ("http://127.0.0.1:8401/callback", "javascript:alert(1)", "clients[0].callbacks[1]: must be an absolute URI"),
        ("client_id: spa", "client_id: native-app", "file: client_id must be unique: native-app stands twice"),
        (
            "client_id: spa",
            "client_id: https://notes.example/api",
            "file: a client_id must not equal an API identifier",
        ),
        ("    email: bob@example.com", "    emial: bob@example.com", "users[1].email: is missing here"),
        ("    email: bob@example.com", "    email: bob", "users[1].email: String should match pattern"),
        ("    email: bob@example.com", "    email: ALICE@example.com", "file: email must be unique"),
        (
            "idle_token_lifetime: 1296000",
            "idle_token_lifetime: 9999999",
            "idle_token_lifetime must not exceed token_lifetime",
        ),
        ("clients:\n", "clients:\n  - [\n", "not YAML"),
        ("    blocked: true", "    blocked: true\n    blocked: false", "blocked stands twice"),
        ("tenant:\n", "tenants:\n", "tenants: is not known here"),
        (
            "      - value: read:notes",
            '      - value: "read notes"',
            "resourceServers[0].scopes[0].value: String should match",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in DEMO
    file = tmp_path / "tenant.yaml"
    file.write_text(DEMO.replace(old, new, 1))
    with pytest.raises(TenantFileError) as caught:
        read_tenant_file(file)
    lines = str(caught.value).splitlines()
    named = [line for line in lines if expected in line]
    assert named, lines
    number = int(named[0].removeprefix(f"{file}:").split(":")[0])
    assert 1 <= number <= len(file.read_text().splitlines())
    if "[" in expected and "is missing" not in expected:
        key = new.strip().split(":")[0].removeprefix("- ")
        context = file.read_text().splitlines()[number - 3 : number + 3]
        assert any(key in line or new.strip() in line for line in context), (number, context)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("passwordPolicy: best", "databases[0].options.passwordPolicy: Input should be 'none', 'low'"),
        ("password_policy: good", "databases[0].options.password_policy: is not known here"),
        ("password_complexity_options: {min_length: 0}", "databases[0].options.password_complexity_options.min_length"),
        ("}, enabled_clients: [nobody], connection_id: {", "databases[0].connection_id: is not known here"),
    ],
)
def test_what_a_database_cannot_do_is_refused(tmp_path: Path, options: str, expected: str) -> None:
    """An option that is read and not obeyed would show a protection that is not there."""
    file = tmp_path / "tenant.yaml"
    file.write_text(DEMO + f"databases:\n  - {{name: Staff, options: {{{options}}}}}\n")
    with pytest.raises(TenantFileError) as caught:
        read_tenant_file(file)
    assert f"{file}:{len(DEMO.splitlines()) + 2}: {expected}" in str(caught.value)


def test_a_user_is_in_a_database_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tenant.yaml"
    in_one = DEMO.replace("    email: bob@", "    connection: Staff\n    email: bob@")
    file.write_text(in_one)
    with pytest.raises(TenantFileError, match=r"users\[1\]\.connection names no entry of databases"):
        read_tenant_file(file)
    file.write_text(in_one + "databases: [{name: Customers}, {name: Staff}]\n")
    found = read_tenant_file(file)
    assert [found.database_of(user) for user in found.users] == ["Customers", "Staff", "Customers"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"just text", b"\xff\xfe", b"a: &x [*x]", b"{a: {b: {c: 1}}}", b"? [a]\n: b"]
)
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "tenant.yaml"
    file.write_bytes(content)
    with pytest.raises(TenantFileError, match=r"tenant\.yaml"):
        read_tenant_file(file)


@pytest.mark.parametrize(
    "device_flow",
    [
        "{mask: '***-***'}",
        "{charset: digits, mask: '****-****'}",
        "{mask: 'XXXX-XXXX'}",
        "{mask: '*********************'}",
        "{charset: base64}",
        "{masc: x}",
    ],
)
def test_user_codes_that_would_be_easy_to_guess_are_no_codes(tmp_path: Path, device_flow: str) -> None:
    file = tmp_path / "tenant.yaml"
    file.write_text(f"tenant:\n  device_flow: {device_flow}\n")
    with pytest.raises(TenantFileError, match=r"tenant.yaml:2: tenant.device_flow"):
        read_tenant_file(file)
