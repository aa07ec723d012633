"""Problems: whoever makes a mistake is told the rule."""

from collections.abc import Callable

import pytest

from authserver.testing.handle import Authserver, Control, HarnessError
from authserver.testing.problem_rules import CATALOGUE
from tests.harness.conftest import AUDIENCE
from tests.harness.problem_client import Player, player

Mistake = Callable[[Authserver], Player]
MISTAKES: dict[str, list[Mistake]] = {}


def makes(rule: str) -> Callable[[Mistake], Mistake]:
    def note(mistake: Mistake) -> Mistake:
        MISTAKES.setdefault(rule, []).append(mistake)
        return mistake

    return note


@makes("no-pkce")
def _no_challenge(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(code_challenge=None, code_challenge_method=None)
    return mine


@makes("no-pkce")
def _no_challenge_with_a_secret_where_it_is_waived(tenant: Authserver) -> Player:
    mine = player(tenant, confidential=True, allow_insecure_missing_pkce=True)
    login = mine.log_in(code_challenge=None, code_challenge_method=None)
    assert mine.redeem(login.code, code_verifier=None).status_code == 200
    return mine


@makes("pkce-plain")
def _plain(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(code_challenge=mine.verifier, code_challenge_method="plain")
    return mine


@makes("pkce-plain")
def _no_method(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(code_challenge_method=None)
    return mine


@makes("challenge-reused")
def _one_verifier_for_all(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.tokens()
    mine.tokens()
    return mine


@makes("nonce-reused")
def _one_nonce_for_all(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.tokens(nonce="always-this-one")
    mine.new_verifier()
    mine.tokens(nonce="always-this-one")
    return mine


@makes("state-reused")
def _one_state_for_all(tenant: Authserver) -> Player:
    mine = player(tenant, confidential=True, allow_insecure_missing_pkce=True)
    for _ in range(2):
        asked = {"code_challenge": None, "code_challenge_method": None, "nonce": None, "scope": "read:notes"}
        login = mine.log_in(state="always-this-one", **asked)
        assert mine.redeem(login.code, code_verifier=None).status_code == 200
    return mine


@makes("challenge-reused")
def _everything_is_always_the_same(tenant: Authserver) -> Player:
    mine = player(tenant)
    for _ in range(2):
        assert "access_token" in mine.tokens(state="always-this-one", nonce="always-this-one")
    return mine


@makes("no-csrf-protection")
def _nothing_protects_the_callback(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(state=None, nonce=None, code_challenge=None, code_challenge_method=None)
    return mine


@makes("no-nonce")
def _no_nonce(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.tokens(nonce=None)
    return mine


@makes("implicit-flow")
def _implicit(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(response_type="id_token token", code_challenge=None, code_challenge_method=None)
    return mine


@makes("implicit-flow")
def _hybrid(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(response_type="code id_token")
    return mine


@makes("http-redirect")
def _plain_http(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(redirect_uri="http://app.example/callback")
    return mine


@makes("localhost-redirect")
def _localhost(tenant: Authserver) -> Player:
    mine = player(tenant, callbacks=["http://localhost:8400/callback"])
    mine.tokens()
    return mine


@makes("unregistered-redirect")
def _unregistered(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(redirect_uri="https://app.example/callback?next=/")
    return mine


@makes("unknown-scope")
def _unknown_scope(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.log_in(scope="openid read:notes fly:kites")
    return mine


@makes("malformed-verifier")
def _short_verifier(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.verifier = "too-short"
    mine.tokens()
    return mine


@makes("malformed-verifier")
def _odd_verifier(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.verifier = "+/" * 25
    mine.tokens()
    return mine


@makes("code-reused")
def _a_code_twice(tenant: Authserver) -> Player:
    mine = player(tenant)
    code = mine.log_in().code
    mine.redeem(code)
    mine.redeem(code)
    return mine


@makes("other-redirect-uri")
def _another_redirect_uri(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.redeem(mine.log_in().code, redirect_uri="https://app.example/")
    return mine


@makes("refresh-token-reused")
def _a_refresh_token_twice(tenant: Authserver) -> Player:
    mine = player(tenant)
    token = mine.tokens()["refresh_token"]
    mine.refresh(token)
    mine.refresh(token)
    return mine


@makes("password-grant")
def _password(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.token(grant_type="password", username=mine.alice.email, password=mine.alice.password)
    return mine


@makes("public-client-secret")
def _a_secret_in_the_body(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.redeem(mine.log_in().code, client_secret="x" * 40)
    return mine


@makes("public-client-secret")
def _a_secret_in_the_header(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.post("oauth/token", data={"grant_type": "refresh_token"}, auth=(mine.app.client_id, "x" * 40))
    return mine


@makes("two-credentials")
def _two_credentials(tenant: Authserver) -> Player:
    mine = player(tenant, confidential=True)
    assert mine.app.client_secret
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_secret": mine.app.client_secret}
    mine.post("oauth/token", data=form, auth=(mine.app.client_id, mine.app.client_secret))
    return mine


@makes("token-request-by-get")
def _token_by_get(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.get("oauth/token", params={"grant_type": "refresh_token", "client_id": mine.app.client_id})
    return mine


@makes("parameter-twice")
def _twice_at_authorize(tenant: Authserver) -> Player:
    mine = player(tenant)
    tenant.visit(mine.url() + "&scope=openid", mine.alice)
    return mine


@makes("parameter-twice")
def _twice_at_token(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.post("oauth/token", data={"client_id": mine.app.client_id, "grant_type": ["refresh_token", "password"]})
    return mine


@makes("token-in-query")
def _access_token_in_query(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.get("userinfo", params={"access_token": mine.tokens()["access_token"], "client_id": mine.app.client_id})
    return mine


@makes("token-in-query")
def _revoked_by_query(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.post("oauth/revoke", params={"token": mine.tokens()["refresh_token"], "client_id": mine.app.client_id})
    return mine


@makes("secret-in-query")
def _secret_in_query(tenant: Authserver) -> Player:
    mine = player(tenant, confidential=True)
    mine.post("oauth/token", params={"client_id": mine.app.client_id, "client_secret": mine.app.client_secret})
    return mine


@makes("wrong-kind-of-token")
def _id_token_at_userinfo(tenant: Authserver) -> Player:
    mine = player(tenant)
    assert mine.userinfo(mine.tokens()["id_token"]).status_code == 401
    return mine


@makes("wrong-kind-of-token")
def _access_token_as_refresh_token(tenant: Authserver) -> Player:
    mine = player(tenant)
    mine.refresh(mine.tokens()["access_token"])
    return mine


@makes("polling-too-fast")
def _impatient(tenant: Authserver) -> Player:
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    mine = player(tenant, grant_types=[grant_type])
    asked = {"client_id": mine.app.client_id, "scope": "openid", "audience": AUDIENCE}
    code = mine.post("oauth/device/code", data=asked).json()["device_code"]
    tenant.clock.advance(5)
    for _ in range(2):
        mine.token(grant_type=grant_type, device_code=code)
    return mine


RULES_ELSEWHERE = {"json-body", "state-not-checked", "state-not-bound", "iss-not-checked", "error-not-checked"}
BESIDES = {
    "no-csrf-protection": {"no-pkce", "no-nonce"},
    "state-reused": {"no-pkce"},
    "_everything_is_always_the_same": {"nonce-reused"},
}
"""What is listed as well, and rightly."""


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        pytest.param(rule, mistake, id=f"{rule}-{mistake.__name__.strip('_')}")
        for rule, mistakes in MISTAKES.items()
        for mistake in mistakes
    ],
)
@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_a_mistake_is_named_and_no_other(authserver_host: Control, dialect: str, rule: str, mistake: Mistake) -> None:
    tenant = authserver_host.make_tenant(dialect=dialect)
    mine = mistake(tenant)
    besides = BESIDES.get(rule, set()) | BESIDES.get(mistake.__name__, set())
    found = tenant.problems
    assert {each.rule for each in found} == {rule} | besides
    assert {each.client_id for each in found} == {mine.app.client_id}
    shown = next(each for each in tenant.exchanges if each.number == found[0].exchange)
    assert shown.endpoint in ("authorize", "token", "revoke", "userinfo")
    tenant.drop()


def test_every_rule_has_its_mistake() -> None:
    assert set(MISTAKES) | RULES_ELSEWHERE == {rule.name for rule in CATALOGUE}


def test_json_is_a_mistake_where_it_is_not_read(authserver_host: Control) -> None:
    """Auth0 reads it, so there it is none."""
    for dialect, expected in (("auth0", []), ("rfc", ["json-body"])):
        mine = player(authserver_host.make_tenant(dialect=dialect))
        body = {"client_id": mine.app.client_id, "grant_type": "refresh_token", "refresh_token": "x"}
        mine.post("oauth/token", json=body)
        assert [each.rule for each in mine.tenant.problems] == expected
        mine.tenant.drop()


def test_the_catalogue_tells_what_to_do_and_who_says_so(authserver_host: Control) -> None:
    listed = authserver_host.call("GET", "problem-rules")
    assert [each["name"] for each in listed] == [rule.name for rule in CATALOGUE]
    assert len({each["name"] for each in listed}) == len(listed)
    for each in listed:
        assert each["advice"].endswith(".")
        assert not each["sentence"].endswith(".")
        assert each["rfc"].startswith(("RFC ", "OpenID Connect Core "))
        assert each["severity"] in ("must", "should")


def test_what_is_found_is_told_once_with_rule_source_and_advice(authserver: Authserver) -> None:
    mine = player(authserver)
    for _ in range(3):
        mine.new_verifier()
        mine.log_in(nonce=None)
    (problem,) = authserver.problems
    assert (problem.rule, problem.times, problem.severity) == ("no-nonce", 3, "should")
    with pytest.raises(AssertionError) as raised:
        authserver.assert_no_problems()
    assert str(raised.value) == (
        "One mistake of the client under test:\n"
        f"- no-nonce (OpenID Connect Core 15.5.2, should): {mine.app.client_id} asked for an ID token without nonce"
        f" (exchange {problem.exchange} and 2 more).\n"
        "    Send a nonce that is made for this login, and compare it with the one in the ID token."
    )


def test_one_may_be_ignored_and_a_rule_that_there_is_not_is_a_mistake_in_the_test(authserver: Authserver) -> None:
    mine = player(authserver)
    mine.log_in(nonce=None)
    with pytest.raises(AssertionError, match="no-nonce"):
        authserver.assert_no_problems(mine.app)
    authserver.assert_no_problems(ignore=("no-nonce",))
    authserver.assert_no_problems("another-client")
    with pytest.raises(HarnessError, match="no rule 'no-nonse'"):
        authserver.assert_no_problems(ignore=("no-nonse",))


def test_a_problem_of_one_tenant_is_in_no_other(authserver: Authserver, authserver_host: Control) -> None:
    other = authserver_host.make_tenant()
    mine, theirs = player(authserver, client_id="app"), player(other, client_id="app")
    state = "the-same-in-both"
    mine.tokens(nonce=state, state=state)
    theirs.verifier = mine.verifier
    theirs.tokens(nonce=state, state=state)
    mine.log_in(nonce=None)
    assert {each.rule for each in authserver.problems} == {"no-nonce", "challenge-reused"}
    assert other.problems == []
    other.drop()
