"""An export of auth0-deploy-cli is read as it means, and what is not played is named: never dropped in silence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from authserver.registration import report
from authserver.tenant_file import Besides, Finding, Reading, TenantFileError, credentials, read_tenant
from tests.tenants import CALLBACKS, ENVIRONMENT, EXPORTED, USERS, read_export

TEXT = EXPORTED.read_text()
LAUGHS = "\n".join(
    [
        f"{one}: &{one} [{', '.join(8 * [each])}]"
        for one, each in zip("abcdefg", ["x", *["*a", "*b", "*c", "*d", "*e", "*f"]], strict=True)
    ]
)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return read_export(users=USERS)


def said(reading: Reading, verdict: str) -> list[str]:
    return [each.what for each in reading.findings if each.verdict == verdict]


def variant(directory: Path, old: str, new: str) -> Path:
    assert TEXT.count(old) >= 1, old
    file = directory / "tenant.yaml"
    file.write_text(TEXT.replace(old, new, 1))
    return file


def client(reading: Reading, name: str) -> Any:
    return next(each for each in reading.file.clients if each.name == name)


def test_every_section_is_taken_or_named(reading: Reading) -> None:
    sections = re.findall(r"^(\w+):", TEXT, re.MULTILINE)
    assert len(sections) > 30
    told = {
        each.what.partition(":")[0].partition(".")[0].partition("[")[0].partition(" ")[0] for each in reading.findings
    }
    taken = reading.file.model_fields_set
    assert [section for section in sections if section not in told | taken] == []


def test_clients_keep_what_is_played(reading: Reading) -> None:
    shop = client(reading, "Shop (browser)")
    assert shop.grant_types == ("authorization_code", "refresh_token")
    assert list(shop.callbacks) == CALLBACKS
    assert shop.web_origins == ("http://localhost:3000",)
    assert shop.refresh_token.leeway == 3
    assert shop.client_metadata == {"team": "storefront"}
    phone = client(reading, "Shop (phone)")
    assert phone.token_endpoint_auth_method == "none"
    assert "client_credentials" not in phone.grant_types
    assert [uri.partition(":")[0] for uri in phone.callbacks] == ["test.harbour-books.shop"]
    office = client(reading, "Back office")
    assert office.callbacks == ("https://office.harbour-books.test/callback",)
    assert office.jwt_configuration.lifetime_in_seconds == 3600
    stock = client(reading, "Stock keeper")
    assert (stock.token_endpoint_auth_method, stock.grant_types) == ("client_secret_post", ("client_credentials",))
    default = client(reading, "The Default App")
    assert (default.app_type, default.grant_types) == ("regular_web", ("refresh_token", "client_credentials"))


def test_what_is_not_in_the_file_is_left_out_of_what_names_it(reading: Reading) -> None:
    file = reading.file
    assert [api.identifier for api in file.resourceServers] == [
        "https://orders.harbour-books.test",
        "urn:harbour:stock",
    ]
    assert [grant.audience for grant in file.clientGrants] == ["urn:harbour:stock", "https://orders.harbour-books.test"]
    assert [each.permission_name for each in file.roles[0].permissions] == ["read:orders", "write:orders"]
    assert file.databases[0].enabled_clients == ("Shop (browser)", "Shop (phone)")
    assert file.connections == ()
    assert file.actions == ()
    assert file.triggers == {"post-login": (), "credentials-exchange": ()}


def test_a_connection_that_names_no_client_serves_nobody(reading: Reading) -> None:
    assert reading.file.databases[1].enabled_clients == ()
    assert "databases staff: enabled_clients" in said(reading, "adapted")


def test_the_same_name_is_always_the_same_client(reading: Reading) -> None:
    ids = [each.client_id for each in reading.file.clients]
    assert ids == [each.client_id for each in read_export().file.clients]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-z]{32}", each) for each in ids)


PROTECTIONS = [
    "clients Back office: require_pushed_authorization_requests",
    "clients Back office: organization_usage",
    "clients Back office: oidc_logout",
    "clients Shop (browser): sso_disabled",
    "clients Shop (phone): require_proof_of_possession",
    "clients Shop (phone): token_endpoint_auth_method",
    "clients Stock keeper: client_authentication_methods",
    "clients Stock keeper: signed_request_object",
    "clients Stock keeper: token_quota",
    "resourceServers Orders: proof_of_possession",
    "resourceServers Orders: subject_type_authorization",
    "databases customers: mfa",
    "databases customers: password_history",
    "databases customers: customScripts",
    "databases customers: enabledDatabaseCustomization",
    "tenant.session_lifetime",
    "tenant.idle_session_lifetime",
    "organizations",
    "attackProtection",
    "guardianFactors",
    "guardianPolicies",
    "networkACLs",
    "rules: Enrich profile",
    "hooks: Before registration",
    "actions: Only verified addresses",
    "users.json: user ines@harbour-books.test: mfa_factors",
]


def test_whoever_is_not_protected_here_is_warned(reading: Reading) -> None:
    """Each, and nothing else: a warning too many hides the others."""
    assert sorted(said(reading, "not protected")) == sorted(PROTECTIONS)


def test_what_runs_javascript_is_said_not_to_run(reading: Reading) -> None:
    assert said(reading, "not run") == [
        "rules: Enrich profile",
        "rules: Old",
        "hooks: Before registration",
        "actions: Only verified addresses",
        "actions: Draft",
        "triggers.post-login: Only verified addresses",
    ]


def test_every_ignored_name_has_its_line(reading: Reading) -> None:
    lines = TEXT.splitlines()
    names = [each for each in reading.findings if each.verdict == "ignored" and " " not in each.what]
    assert len(names) > 80
    for each in names:
        # A list or mapping begins on the line below its name.
        near = lines[each.line - 2 : each.line]
        assert any(each.what.rpartition(".")[2] in line for line in near) or "secret_encoded" in each.what, each


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("require_proof_of_possession: true", "require_proof_of_posession: true", "clients[1].require_proof_of_posession: is not known"),
        ("    leeway: 3", "    leway: 3", "leway: is not known here"),
        ("attackProtection:", "atackProtection:", "atackProtection: is not known here"),
        ("  session_lifetime: 24", "  session_lifetim: 24", "tenant.session_lifetim: is not known here"),
        ("    enable_sso: true", "    enable_ssso: true", "tenant.flags.enable_ssso: is not known here"),
        ("      passwordPolicy: good", "      passwordPolice: good", "databases[0].options.passwordPolice: is not known here"),
        ("    enforce_policies: true", "    enforce_policy: true", "enforce_policy: is not known here"),
        ("- implicit", "- implizit", "grant_types[1]: Input should be 'authorization_code'"),
        ("strategy: waad", "strategy: wad", "connections[0].strategy: Input should be"),
        ("app_type: sso_integration", "app_type: sso", "app_type: Input should be 'native'"),
        ("  pre-user-registration: []", "  pre-user-registrations: []", "triggers.pre-user-registrations"),
        ("  - client_id: Stock keeper\n", "  - client: Stock keeper\n", "clientGrants[0].client: is not known here"),
        ("  - name: The Default App", "  - name: Back office", "two clients are called Back office"),
        ("token_lifetime: 3600", "token_lifetime: soon", "token_lifetime: Input should be a valid integer"),
        ("      - read:stock\n    subject_type", "      - read:shelves\n    subject_type", "the API does not define read:shelves"),
        ("  picture_url: https", "  picture_url: !include https", "values of the kind !include are not read here"),
        ("friendly_name: Harbour", "friendly_name: ##NO_SUCH_THING## Harbour", "the keyword NO_SUCH_THING has no value"),
        ("@@SHOP_CALLBACKS@@", "@@NO_SUCH_LIST@@", "the keyword NO_SUCH_LIST has no value"),
        ("      - https://office.harbour-books.test\n", "      - ##NO_SUCH_URL##\n", "the keyword NO_SUCH_URL has no value"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_export_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    file = variant(tmp_path, old, new)
    with pytest.raises(TenantFileError) as caught:
        read_export(file)
    named = [line for line in str(caught.value).splitlines() if expected in line]
    assert named, str(caught.value)
    number = int(named[0].removeprefix(f"{file}:").split(":")[0])
    near = file.read_text().splitlines()[max(0, number - 2) : number + 1]
    assert new.strip().splitlines()[0].strip() in "\n".join(near) or expected.startswith("the API"), (number, near)


def test_a_keyword_without_value_hurts_only_where_it_is_read(reading: Reading) -> None:
    assert "##MAIL_KEY##" in TEXT
    assert reading.file.tenant.friendly_name == "Harbour Books staging"


def test_keywords_come_from_the_mappings_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "tenant.yaml"
    file.write_text(
        "# ##NOT_READ## stands in a comment\n"
        'tenant: {friendly_name: "##NAME## ##NUMBER##", allowed_logout_urls: "@@URLS@@"}\n'
    )
    mappings = json.dumps({"NAME": "mapped", "NUMBER": 7, "URLS": ["https://a.test/"]})
    environment = {"NAME": "environment", "AUTH0_KEYWORD_REPLACE_MAPPINGS": mappings}
    tenant = read_tenant(file, Besides(environment=environment)).file.tenant
    assert (tenant.friendly_name, tenant.allowed_logout_urls) == ("mapped 7", ("https://a.test/",))
    del environment["AUTH0_KEYWORD_REPLACE_MAPPINGS"]
    with pytest.raises(TenantFileError, match=r"tenant\.yaml:2: the keyword NUMBER has no value"):
        read_tenant(file, Besides(environment=environment))
    with pytest.raises(TenantFileError, match="expected a JSON object"):
        read_tenant(file, Besides(environment={"AUTH0_KEYWORD_REPLACE_MAPPINGS": "[1]"}))


def test_an_app_keeps_its_client_id(tmp_path: Path) -> None:
    secret = "s" * 64
    given = tmp_path / "ids.yaml"
    given.write_text(f"Back office: {{client_id: ReAlOfFiCe, client_secret: {secret}}}\nShop (phone): ReAlPhOnE\n")
    besides = Besides(credentials({"Shop (browser)": "ReAlShOp"}, given), ENVIRONMENT)
    reading = read_tenant(EXPORTED, besides)
    assert client(reading, "Shop (browser)").client_id == "ReAlShOp"
    assert client(reading, "Shop (phone)").client_id == "ReAlPhOnE"
    office = client(reading, "Back office")
    assert (office.client_id, office.client_secret) == ("ReAlOfFiCe", secret)
    assert [grant.client_id for grant in reading.file.clientGrants][1] == "ReAlOfFiCe"
    assert sum("derived" in each.why for each in reading.findings) == 2


@pytest.mark.parametrize(
    ("named", "content", "expected"),
    [
        ({"Nobody": "x"}, "", "has no client that is called Nobody"),
        ({}, "Back office: {client_secret: short}", "client_secret: String should have at least 32 characters"),
        ({}, "Back office: {clientid: x}", "ids.yaml:1"),
        ({}, "[a]", "ids.yaml:1"),
        ({}, "a: [", "not YAML"),
        ({"Back office": "Shop"}, "Shop (browser): Shop", "client_id must be unique"),
        ({"Back office": "urn:harbour:stock"}, "", "must not equal an API identifier"),
    ],
)
def test_a_mistake_in_the_ids_is_named(tmp_path: Path, named: dict[str, str], content: str, expected: str) -> None:
    given = tmp_path / "ids.yaml"
    given.write_text(content)
    with pytest.raises(TenantFileError, match=re.escape(expected)):
        read_tenant(EXPORTED, Besides(credentials(named, given), ENVIRONMENT))


def test_a_grant_for_peoples_tokens_is_none_for_the_client(tmp_path: Path) -> None:
    reading = read_export(variant(tmp_path, "subject_type: client", "subject_type: user"))
    assert [grant.audience for grant in reading.file.clientGrants] == ["https://orders.harbour-books.test"]


def test_auth0s_global_client_is_none(tmp_path: Path) -> None:
    reading = read_export(variant(tmp_path, "    sso: false", "    global: true"))
    assert "The Default App" not in [each.name for each in reading.file.clients]


def test_a_browser_app_that_does_not_rotate_gets_no_refresh_tokens(tmp_path: Path) -> None:
    reading = read_export(variant(tmp_path, "rotation_type: rotating", "rotation_type: non-rotating"))
    assert client(reading, "Shop (browser)").grant_types == ("authorization_code",)
    assert "clients Shop (browser): grant type refresh_token" in said(reading, "ignored")


def test_python_actions_are_ours(tmp_path: Path) -> None:
    code = "code: ./actions/Only verified addresses/code.js"
    reading = read_export(variant(tmp_path, code, "code: actions/verified.py"))
    (action,) = reading.file.actions
    assert action.code == "actions/verified.py"
    assert action.secrets == (), "an export does not hold them"
    assert [each.action_name for each in reading.file.triggers["post-login"]] == ["Only verified addresses"]
    told = report.as_text(tmp_path, reading, None, is_rehearsal=False)
    assert any("start the server with this file" in line for line in told), "nobody shall believe that it runs"


def test_what_only_exports_have_is_forgiven_in_exports_alone(tmp_path: Path) -> None:
    file = tmp_path / "tenant.yaml"
    ours = (
        "clients:\n- name: A\n  client_id: a\n  app_type: spa\n  token_endpoint_auth_method: none\n"
        "  grant_types: [authorization_code, implicit]\n  callbacks: ['https://*.example.test', 'https://a.test']\n"
    )
    file.write_text(ours)
    with pytest.raises(TenantFileError) as caught:
        read_tenant(file)
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["6", "7"]
    file.write_text(ours + "  oidc_conformant: true\n")
    assert read_tenant(file).file.clients[0].callbacks == ("https://a.test",)
    assert (
        Finding("ignored", "clients[].oidc_conformant", "Auth0's older ways are not played", 8)
        in read_tenant(file).findings
    )


def test_nothing_of_a_file_speaks_to_the_terminal(tmp_path: Path) -> None:
    loud = variant(tmp_path, "name: Ledger (single sign-on)", r'name: "\e[31mLedger\e]0;x\a\r"')
    lines = list(report.as_text(loud, read_export(loud), None, is_rehearsal=False))
    assert any("[31mLedger" in line for line in lines)
    assert not [line for line in lines if not line.isprintable()]


def test_the_directory_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    with pytest.raises(TenantFileError, match="directory format; export with --format=yaml"):
        read_tenant(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "a: &x {<<: *x}",
        "tenant: {<<: [1]}",
        "tenant: {friendly_name: !!python/name:os.system ''}",
        "tenant: {friendly_name: !!binary xx}",
        "tenant: !!set {a}",
        'tenant: {friendly_name: "\\0"}',
        'tenant: {friendly_name: "\\ud800"}',
        "users: [{user_metadata: {a: .nan}}]",
        "tenant: {friendly_name: !!int x}",
        "- " * 2000 + "a",
        "[" * 2000 + "]" * 2000,
        "--- a\n--- b",
        LAUGHS,
    ],
)
def test_yaml_that_nobody_exports_is_refused_with_a_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tenant.yaml"
    file.write_text(content)
    with pytest.raises(TenantFileError, match=r"tenant\.yaml:\d+: "):
        read_tenant(file)
