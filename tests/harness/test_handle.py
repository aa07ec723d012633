"""The handle: people, applications, APIs, logins, time, keys and events of a tenant, over HTTP."""

import asyncio
from typing import Any

import httpx2
import pytest

from authserver.testing.handle import Authserver, Control, HarnessError
from tests.harness.conftest import AUDIENCE
from tests.stage import claims, header, http_client


@pytest.fixture
def tenant(authserver: Authserver) -> Authserver:
    authserver.add_api(AUDIENCE, ["read:notes", "write:notes"])
    return authserver


def test_a_person_logs_in_and_the_application_gets_what_it_asked_for(tenant: Authserver) -> None:
    alice, app = tenant.add_user("alice@example.com", name="Alice"), tenant.register_client()
    login = tenant.login(alice, app, audience=AUDIENCE, scope="openid profile offline_access read:notes")
    tokens = login.tokens()
    assert login.asked == ("u/login", "u/consent")
    assert login.parameters["iss"] == tenant.issuer
    assert tokens["scope"] == "openid profile offline_access read:notes"
    assert claims(tokens["access_token"])["sub"] == claims(tokens["id_token"])["sub"] == alice.user_id
    assert claims(tokens["id_token"])["name"] == "Alice"
    assert login.exchange().status_code == 403  # a code works once


def test_denied_wrong_password_and_blocked_are_told_apart(tenant: Authserver) -> None:
    alice, app = tenant.add_user(), tenant.register_client()
    mallory = tenant.add_user(blocked=True)
    denied = tenant.login(alice, app, decision="deny")
    assert (denied.parameters["error"], denied.page) == ("access_denied", None)
    wrong = tenant.login(alice, app, password="not this one")
    assert (wrong.location, wrong.page, wrong.error) == (None, "u/login", "Wrong email or password.")
    blocked = tenant.login(mallory, app)
    assert (blocked.parameters["error"], blocked.asked) == ("access_denied", ("u/login",))
    for login in (denied, wrong, blocked):
        with pytest.raises(HarnessError, match="no code"):
            login.tokens()
    assert {event.reason for event in tenant.events if event.type == "LoginFailed"} >= {"wrong password"}


def test_consent_is_asked_or_not(tenant: Authserver) -> None:
    alice = tenant.add_user()
    silent = tenant.login(alice, tenant.register_client(ask_consent=False), audience=AUDIENCE)
    assert (silent.asked, "code" in silent.parameters) == (("u/login",), True)
    assert tenant.login(alice, tenant.register_client()).asked == ("u/login", "u/consent")


def test_a_browser_keeps_its_session(tenant: Authserver) -> None:
    alice, app = tenant.add_user(), tenant.register_client(ask_consent=False)
    first, again = (tenant.login(alice, app, browser="laptop") for _ in range(2))
    assert (first.asked, again.asked) == (("u/login",), ())
    assert tenant.login(alice, app, browser="phone", prompt="none").parameters["error"] == "login_required"


def test_a_bad_request_ends_on_a_page_that_says_so(tenant: Authserver) -> None:
    login = tenant.login(tenant.add_user(), tenant.register_client(), redirect_uri="https://evil.example/")
    assert (login.location, login.page, login.status) == (None, "authorize", 400)


def test_an_application_with_a_secret(tenant: Authserver) -> None:
    app = tenant.register_client(confidential=True, grant_types=["authorization_code", "client_credentials"])
    assert tenant.login(tenant.add_user(), app).exchange().status_code == 200
    tenant.grant(app, AUDIENCE, "read:notes")
    form = {"grant_type": "client_credentials", "client_id": app.client_id, "audience": AUDIENCE}
    with http_client() as http:
        refused = http.post(tenant.issuer + "oauth/token", data={**form, "client_secret": "x" * 40})
        given = http.post(tenant.issuer + "oauth/token", data={**form, "client_secret": app.client_secret})
    assert refused.status_code == 401
    assert claims(given.json()["access_token"])["sub"] == f"{app.client_id}@clients"


def test_time_is_the_tenants_own(tenant: Authserver, authserver_host: Control) -> None:
    other = authserver_host.make_tenant()
    assert tenant.clock.freeze(2_000_000_000) == 2_000_000_000
    assert tenant.clock.advance(60) == tenant.clock.now == 2_000_000_060
    assert other.clock.now < 2_000_000_000
    token = tenant.issue_token("auth0|alice", AUDIENCE, "read:notes", expires_in=300)
    assert (claims(token)["iat"], claims(token)["exp"]) == (2_000_000_060, 2_000_000_360)
    assert tenant.clock.set(1_000_000_000) == tenant.clock.now == 1_000_000_000  # and it can sign there, too
    assert claims(tenant.issue_token("auth0|alice", AUDIENCE))["iat"] == 1_000_000_000
    assert tenant.clock.resume() - 1_000_000_000 in range(60)
    other.drop()


def test_a_code_expires_when_the_clock_says_so(tenant: Authserver) -> None:
    alice, app = tenant.add_user(), tenant.register_client()
    tenant.clock.freeze()
    login = tenant.login(alice, app)
    tenant.clock.advance(61)
    assert login.exchange().json()["error"] == "invalid_grant"


def test_keys_are_rotated(tenant: Authserver) -> None:
    before = tenant.issue_token("auth0|alice", AUDIENCE)
    kid = tenant.rotate_keys()
    assert header(tenant.issue_token("auth0|alice", AUDIENCE))["kid"] == kid != header(before)["kid"]
    published = {key["kid"] for key in httpx2.get(tenant.jwks_uri, trust_env=False).json()["keys"]}
    assert published == {kid, header(before)["kid"]}
    later = tenant.rotate_keys(lead=600)
    assert header(tenant.issue_token("auth0|alice", AUDIENCE))["kid"] == kid
    tenant.clock.advance(600)
    assert header(tenant.issue_token("auth0|alice", AUDIENCE))["kid"] == later


def test_what_an_issued_token_may_say(tenant: Authserver) -> None:
    alice, app = tenant.add_user(), tenant.register_client()
    token = tenant.issue_token(alice, AUDIENCE, "read:notes", client=app, iss="https://evil.example/", color="blue")
    said = claims(token)
    assert (said["iss"], said["sub"], said["azp"]) == (tenant.issuer, alice.user_id, app.client_id)
    assert (said["scope"], said["color"]) == ("read:notes", "blue")


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"audience": "https://unknown.example/"}, "audience: the tenant has no such API"),
        ({"scope": "read:notes fly"}, "scope: the API defines 1"),
        ({"client": "nobody"}, "client_id: the tenant has no such client"),
    ],
)
def test_a_token_that_no_login_could_bring_is_not_issued(tenant: Authserver, order: dict[str, Any], why: str) -> None:
    with pytest.raises(HarnessError, match=why):
        tenant.issue_token(**{"subject": "auth0|alice", "audience": AUDIENCE, **order})


@pytest.mark.parametrize(
    "members", [{"callbacks": ["http://evil.example/cb"]}, {"grant_types": ["password"]}, {"no_such_member": 1}]
)
def test_what_a_tenant_file_refuses_is_refused_here(tenant: Authserver, members: dict[str, Any]) -> None:
    with pytest.raises(HarnessError, match="422"):
        tenant.register_client(**members)


def test_who_is_added_again_is_replaced(tenant: Authserver) -> None:
    alice = tenant.add_user("alice@example.com")
    tenant.add_user("alice@example.com", user_id=alice.user_id, blocked=True)
    assert tenant.login(alice, tenant.register_client()).parameters["error"] == "access_denied"
    with pytest.raises(HarnessError, match="email must be unique"):
        tenant.add_user("alice@example.com")


def test_it_works_within_asyncio(tenant: Authserver) -> None:
    async def play() -> str:
        login = tenant.login(tenant.add_user(), tenant.register_client())
        async with httpx2.AsyncClient(trust_env=False) as http:
            return str((await http.get(tenant.metadata_url)).json()["issuer"]) + login.code[:0]

    assert asyncio.run(play()) == tenant.issuer


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_a_tenant_has_a_dialect(authserver_host: Control, dialect: str) -> None:
    tenant = authserver_host.make_tenant(dialect=dialect)
    login = tenant.login(tenant.add_user(), tenant.register_client())
    login.tokens()
    assert login.exchange().status_code == (403 if dialect == "auth0" else 400)
    tenant.drop()


def test_a_server_may_be_dialled_at_another_address_than_its_name() -> None:
    """In a container's network: the issuer stays what it is, and requests go where `--authserver-url` says."""
    control = Control("http://authserver:9000", "token")
    tenant = Authserver(control, "mine", "http://localhost:9000/t/mine/")
    assert tenant.dial(tenant.issuer + "oauth/token") == "http://authserver:9000/t/mine/oauth/token"
    control.close()


def test_names_are_taken_once(authserver_host: Control) -> None:
    mine = authserver_host.make_tenant("mine")
    with pytest.raises(HarnessError, match="409"):
        authserver_host.make_tenant("mine")
    assert mine.issuer.endswith("/t/mine/")
    mine.drop()
    with pytest.raises(HarnessError, match="404"):
        mine.drop()
    with http_client() as http:
        assert http.get(mine.metadata_url).status_code == 404


def test_metadata_of_an_issuer_with_a_path_is_found_both_ways(authserver: Authserver, authserver_host: Control) -> None:
    """RFC 8414 §3.1 inserts the well-known path before the issuer's; OpenID Connect Discovery §4 appends it."""
    root = authserver_host.url
    with http_client() as http:
        for url in (
            authserver.metadata_url,
            f"{authserver.issuer}.well-known/oauth-authorization-server",
            f"{root}.well-known/oauth-authorization-server/t/{authserver.name}",
            f"{root}.well-known/oauth-authorization-server/t/{authserver.name}/",
            f"{root}.well-known/openid-configuration/t/{authserver.name}",
        ):
            document = http.get(url).json()
            assert document["issuer"] == authserver.issuer, url
            endpoints = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
            assert all(value.startswith(authserver.issuer) for value in endpoints.values()), endpoints
        assert http.get(f"{root}.well-known/openid-configuration").json()["issuer"] == root


def test_the_pages_of_a_tenant_lead_to_its_own(authserver: Authserver) -> None:
    """Links and forms of a tenant under a path stay under that path."""
    app, path = authserver.register_client(), f"/t/{authserver.name}/"
    with http_client(follow_redirects=True) as http:
        query = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "response_type": "code"}
        challenge = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
        page = http.get(authserver.issuer + "authorize", params={**query, **challenge})
        assert page.url.path == f"{path}u/login"
        assert f'href="{path}u/reset-password/request?' in page.text
        assert 'href="/u/' not in page.text
        assert http.get(httpx2.URL(authserver.issuer).join("/static/understudy.css")).status_code == 200
