"""Lineage: of every code and token its family, its state by the tenant's clock, and why it was refused."""

import re
from collections.abc import Iterator

import pytest

from authserver.testing.handle import Authserver, Control, HarnessError
from tests.harness.application import DEVICE_MEMBERS, Application
from tests.harness.conftest import AUDIENCE

NOW = 1_900_000_000


@pytest.fixture(params=["auth0", "rfc"])
def tenant(authserver_host: Control, request: pytest.FixtureRequest) -> Iterator[Authserver]:
    made = authserver_host.make_tenant(dialect=request.param)
    made.clock.freeze(NOW)
    yield made
    made.drop()


@pytest.fixture
def app(tenant: Authserver) -> Application:
    return Application(tenant, ask_consent=False, **DEVICE_MEMBERS)


def test_a_family_descends_from_its_code(app: Application, tenant: Authserver) -> None:
    login = app.login()
    first = login.tokens()
    tenant.clock.advance(60)
    second = app.refresh(first["refresh_token"]).json()
    code = tenant.lineage(login.code)
    parents = {login.code: [first[kind] for kind in ("access_token", "refresh_token", "id_token")]}
    parents[first["refresh_token"]] = [second[kind] for kind in ("access_token", "refresh_token", "id_token")]
    for parent, children in parents.items():
        of = tenant.lineage(parent)
        told = [tenant.lineage(child) for child in children]
        assert [each.kind for each in told] == ["access_token", "refresh_token", "id_token"]
        assert {each.parent for each in told} == {of.fingerprint}
        assert set(of.children) == {each.fingerprint for each in told}
        assert of.state == "spent"
        assert of.why == f"spent in #{told[0].issued_in}"
    assert len(code.family) == 7
    access, refresh, id_token = (tenant.lineage(second[kind]) for kind in ("access_token", "refresh_token", "id_token"))
    assert {(each.state, each.why, each.refused) for each in (access, refresh, id_token)} == {("active", "", ())}
    assert {each.issued_at for each in (access, refresh, id_token)} == {NOW + 60}
    assert (access.client_id, access.user_id, access.scope) == ("app", app.alice.user_id, second["scope"])
    assert access.audience == (AUDIENCE, tenant.issuer + "userinfo")
    assert access.expires_at == NOW + 60 + second["expires_in"]
    assert (id_token.audience, id_token.expires_at) == (("app",), NOW + 60 + 36000)
    (grant,) = {each.grant_id for each in code.family}
    assert grant == tenant.exchanges.one(number=code.issued_in or 0).grant_id


def test_a_refresh_token_that_comes_again_ends_its_family(app: Application, tenant: Authserver) -> None:
    first = app.login().tokens()
    second = app.refresh(first["refresh_token"]).json()
    tenant.clock.advance(7)
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.userinfo(second["access_token"]).status_code == 401
    spent_in, reused_in, tried_in = (each.number for each in tenant.exchanges[-4:-1])
    reused = tenant.lineage(first["refresh_token"])
    assert (reused.state, reused.why) == ("spent", f"spent in #{spent_in}")
    (refusal,) = reused.refused
    assert (refusal.number, refusal.error) == (reused_in, "invalid_grant")
    again = f"spent in #{spent_in}, came again 7 s later: reuse, so the whole family was revoked"
    assert refusal.reason == again
    because = f"revoked in #{reused_in} with its whole family: a spent refresh token came again"
    for token in (second["refresh_token"], second["access_token"], first["access_token"]):
        assert (tenant.lineage(token).state, tenant.lineage(token).why) == ("revoked", because)
    assert [each.reason for each in tenant.lineage(second["refresh_token"]).refused] == [because]
    assert [each.number for each in tenant.lineage(second["refresh_token"]).refused] == [tried_in]
    assert [each.reason for each in tenant.lineage(second["access_token"]).refused] == [because]


def test_a_code_that_comes_again_ends_what_it_gave(app: Application, tenant: Authserver) -> None:
    login = app.login()
    tokens = login.tokens()
    login.exchange()
    code = tenant.lineage(login.code)
    assert re.fullmatch(
        r"spent in #\d+, came again at once: reuse, so the whole family was revoked", code.refused[0].reason
    )
    assert "a used code came again" in tenant.lineage(tokens["refresh_token"]).why


def test_within_the_leeway_a_spent_token_may_come_again(tenant: Authserver) -> None:
    app = Application(tenant, ask_consent=False, refresh_token={"rotation_type": "rotating", "leeway": 30})
    first = app.login().tokens()["refresh_token"]
    assert [app.refresh(first).status_code for _ in range(2)] == [200, 200]
    token = tenant.lineage(first)
    refresh_tokens = [each for each in token.family if each.parent == first or each.kind == "refresh_token"]
    assert (token.state, len(token.children), len(refresh_tokens)) == ("spent", len(set(token.children)), 3)
    assert "may come again until 2030-03-17 17:47:10 (leeway)" in token.why
    assert token.refused == ()
    tenant.clock.advance(31)
    assert "leeway" not in tenant.lineage(first).why


def test_time_and_revocation_end_a_token(app: Application, tenant: Authserver) -> None:
    tokens = app.login().tokens()
    tenant.clock.advance(1)  # in one second both would get one access token
    other = app.login().tokens()
    app.post("oauth/revoke", token=tokens["refresh_token"])
    number = tenant.exchanges[-1].number
    for kind in ("refresh_token", "access_token"):
        assert tenant.lineage(tokens[kind]).state == "revoked"
        assert (
            tenant.lineage(tokens[kind]).why
            == f"revoked in #{number} with its whole family: its client revoked the grant"
        )
        assert tenant.lineage(other[kind]).state == "active"
    late = app.login()
    tenant.clock.advance(other["expires_in"])
    assert tenant.lineage(other["access_token"]).state == "expired"
    assert tenant.lineage(other["refresh_token"]).state == "active"
    assert app.userinfo(other["access_token"]).status_code == 401
    assert re.fullmatch(r"expired at .*, and came at once", tenant.lineage(other["access_token"]).refused[0].reason)
    assert late.exchange().status_code in (400, 403)
    assert tenant.lineage(late.code).state == "expired"
    assert tenant.lineage(late.code).refused[0].reason.startswith("expired at ")


def test_wrong_uses_are_told_apart(app: Application, tenant: Authserver) -> None:
    tokens = app.login().tokens()
    tenant.register_client("other", ask_consent=False)
    app.refresh(tokens["refresh_token"], client_id="other")
    app.userinfo(tokens["refresh_token"])
    code = app.login().code
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": str(app.client.redirect_uri)}
    app.post("oauth/token", **form, code_verifier="x" * 43)
    app.post("oauth/token", **{**form, "redirect_uri": "https://elsewhere.example/"}, code_verifier="x" * 43)
    tenant.add_user(app.alice.email, user_id=app.alice.user_id, blocked=True)
    app.refresh(tokens["refresh_token"])
    assert [each.reason for each in tenant.lineage(tokens["refresh_token"]).refused] == [
        "it belongs to app, and other brought it",
        "it is a refresh token and was sent as access token",
        "its user is blocked",
    ]
    assert [each.reason for each in tenant.lineage(code).refused] == [
        "the code_verifier does not match the code_challenge of the authorization request (PKCE)",
        "the redirect_uri is not the one of the authorization request",
    ]
    assert tenant.lineage(code).state == "active"


def test_a_device_code_is_the_root_of_what_it_brings(app: Application, tenant: Authserver) -> None:
    told = app.device()
    of = tenant.lineage(told["device_code"])
    assert (of.kind, of.state, of.why, of.user_id) == ("device_code", "active", "nobody has decided yet", None)
    app.poll(told["device_code"])
    app.poll(told["device_code"])
    app.approve(told["user_code"])
    tenant.clock.advance(60)
    tokens = app.poll(told["device_code"]).json()
    of = tenant.lineage(told["device_code"])
    assert (of.state, of.user_id, of.parent) == ("spent", app.alice.user_id, None)
    assert [each.reason for each in of.refused] == [
        "nobody has decided yet: the device polls again after the interval",
        "the device polls faster than the interval",
    ]
    assert {tenant.lineage(tokens[kind]).parent for kind in ("access_token", "refresh_token", "id_token")} == {
        of.fingerprint
    }
    expired = app.device()["device_code"]
    tenant.clock.advance(900)
    assert tenant.lineage(expired).state == "expired"


def test_opaque_access_tokens_too(app: Application, tenant: Authserver) -> None:
    token = app.login(audience=None, scope="openid").tokens()["access_token"]
    assert (tenant.lineage(token).kind, tenant.lineage(token).state) == ("access_token", "active")
    assert tenant.lineage(token).audience == (tenant.issuer + "userinfo",)


def test_a_token_that_a_test_ordered_has_no_family(app: Application, tenant: Authserver) -> None:
    ordered = tenant.lineage(tenant.issue_token(app.alice, AUDIENCE, "read:notes", client=app.client, expires_in=60))
    assert (ordered.kind, ordered.state, ordered.grant_id, ordered.parent) == ("access_token", "active", None, None)
    assert (ordered.client_id, ordered.user_id, ordered.scope) == ("app", app.alice.user_id, "read:notes")
    assert ordered.audience == (AUDIENCE,)
    assert len(ordered.family) == 1
    tenant.clock.advance(60)
    assert tenant.lineage(ordered.fingerprint).state == "expired"


def test_a_fingerprint_or_its_beginning_is_enough(app: Application, tenant: Authserver) -> None:
    token = tenant.lineage(app.login().code)
    assert tenant.lineage(token.fingerprint) == tenant.lineage(token.fingerprint[:9]) == token
    for nobodys in ("nonsense", "#", "#000000000000", "#12", token.fingerprint[:9] + "zz", "\x00", "é" * 100):
        with pytest.raises(HarnessError, match="404 no code or token of this tenant"):
            tenant.lineage(nobodys)
    app.refresh("a-token-of-somebody-else")
    number = tenant.exchanges[-1].number
    with pytest.raises(HarnessError, match=f"it was presented in #{number}"):
        tenant.lineage("a-token-of-somebody-else")
    for bad in ({}, {"token": ""}, {"token": 7}, {"token": "x" * 70_000}, {"token": "x", "more": 1}):
        with pytest.raises(HarnessError, match="422"):
            tenant.call("POST", "lineage", bad)


def test_a_tree_is_printed_by_descent(app: Application, tenant: Authserver) -> None:
    login = app.login()
    first = login.tokens()
    app.refresh(first["refresh_token"])
    app.refresh(first["refresh_token"])
    app.login()
    told = str(tenant.lineage(login.code))
    lines = told.splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith(f"app for {app.alice.user_id}, grant ")
    depths = [(len(line) - len(line.lstrip()), line.split()[0]) for line in lines[1:] if "#" in line]
    assert depths[0] == (2, "code")
    assert (4, "refresh_token") in depths
    assert (6, "access_token") in depths
    assert "SPENT in #" in told
    assert "REVOKED in #" in told
    assert "✗ #" in told
    assert [len(each) for each in tenant.families] == [7, 1]


def test_nothing_is_known_of_a_tenant_in_which_nothing_happened(tenant: Authserver) -> None:
    assert tenant.families == []
