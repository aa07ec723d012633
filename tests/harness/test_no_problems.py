"""No false alarms: whoever makes no mistake is told of none, and neither is who cannot know better."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from authlib.integrations.httpx_client import OAuth2Client

from authserver.testing.handle import Authserver, Control
from authserver.testing.live import LiveServer
from authserver.testing.problems import judge
from authserver.testing.problems_known import Known
from client.app import NativeApp
from client.settings import Settings
from client.store import open_store
from tests.harness.conftest import AUDIENCE
from tests.harness.problem_client import SCOPE, Player, player
from tests.stage import http_client

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def tenant(authserver_host: Control, dialect: str) -> Any:
    made = authserver_host.make_tenant(dialect=dialect)
    yield made
    made.drop()


def found(tenant: Authserver) -> list[str]:
    return [str(each) for each in tenant.problems]


def test_the_tests_own_client_makes_none(tenant: Authserver) -> None:
    for registered in ({}, {"confidential": True}):
        mine = player(tenant, **registered)
        for _ in range(2):
            mine.new_verifier()
            tokens = mine.tokens()
            assert mine.userinfo(tokens["access_token"]).status_code == 200
            refreshed = mine.refresh(tokens["refresh_token"]).json()
            assert mine.refresh(refreshed.get("refresh_token", tokens["refresh_token"])).status_code == 200
    assert found(tenant) == []


def test_the_login_of_the_handle_makes_none(tenant: Authserver) -> None:
    tenant.add_api(AUDIENCE, ["read:notes"])
    alice, app = tenant.add_user(), tenant.register_client()
    for decision in ("deny", "approve"):
        tenant.login(alice, app, decision=decision, browser="laptop")
    tenant.login(alice, app, password="wrong")
    tenant.login(alice, app, audience=AUDIENCE, scope=SCOPE, browser="laptop").tokens()
    tenant.login(alice, app, prompt="none", browser="phone")
    assert "error" in tenant.login(alice, app, prompt="none", browser="laptop").parameters
    tenant.login(alice, tenant.register_client(confidential=True)).tokens()
    assert found(tenant) == []


def test_our_native_app_makes_none(tenant: Authserver, tmp_path: Path) -> None:
    tenant.add_api(AUDIENCE, ["read:notes"])
    app = native_app(tenant, tmp_path)
    for _ in range(2):
        log_in(tenant, app)
        assert app.userinfo()["sub"]
        app.refresh()
        app.refresh()
        assert app.logout().problem is None
    assert len(tenant.exchanges) > 20
    assert found(tenant) == []


@pytest.mark.parametrize("method", ["none", "client_secret_post", "client_secret_basic"])
def test_authlib_makes_none(tenant: Authserver, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    monkeypatch.setenv("no_proxy", "*")
    mine = player(
        tenant, **({} if method == "none" else {"app_type": "regular_web"}), token_endpoint_auth_method=method
    )
    endpoints = httpx2.get(tenant.metadata_url, trust_env=False).json()
    with authlib(mine, method, endpoints) as client:
        for number in range(2):
            url, client.state = client.create_authorization_url(
                endpoints["authorization_endpoint"],
                code_verifier=mine.verifier,
                audience=AUDIENCE,
                nonce=f"nonce-{number}",
            )
            location = tenant.visit(url, mine.alice).location
            client.fetch_token(authorization_response=location, code_verifier=mine.verifier)
            assert client.get(endpoints["userinfo_endpoint"]).status_code == 200
            token = client.refresh_token()["refresh_token"]
            client.revoke_token(endpoints["revocation_endpoint"], token=token, token_type_hint="refresh_token")
            mine.new_verifier()
            tenant.clock.advance(5)  # a token of the same second is the same, and was revoked just now
    assert found(tenant) == []


def test_a_device_that_waits_makes_none(tenant: Authserver) -> None:
    mine = player(tenant, grant_types=[DEVICE, "refresh_token"])
    asked = {"client_id": mine.app.client_id, "scope": SCOPE, "audience": AUDIENCE}
    answer = mine.post("oauth/device/code", data=asked).json()
    for _ in range(3):
        tenant.clock.advance(answer["interval"])
        assert mine.token(grant_type=DEVICE, device_code=answer["device_code"]).status_code in (400, 403)
    assert found(tenant) == []


def test_nobody_can_wait_under_a_clock_that_stands_still(tenant: Authserver) -> None:
    mine = player(tenant, grant_types=[DEVICE])
    tenant.clock.freeze()
    answer = mine.post("oauth/device/code", data={"client_id": mine.app.client_id}).json()
    errors = [mine.token(grant_type=DEVICE, device_code=answer["device_code"]).json()["error"] for _ in range(3)]
    assert errors[-1] == "slow_down"
    assert found(tenant) == []


def test_a_page_that_is_reloaded_is_no_login_twice(tenant: Authserver) -> None:
    mine = player(tenant)
    url = mine.url()
    tenant.visit(url, mine.alice)
    login = tenant.visit(url, mine.alice)
    assert mine.redeem(login.code).status_code == 200
    assert found(tenant) == []


def test_a_silent_try_and_then_a_loud_one_is_one_login(tenant: Authserver) -> None:
    mine = player(tenant)
    same = {"state": "one-login", "nonce": "one-login"}
    assert mine.log_in(prompt="none", **same).parameters["error"] == "login_required"
    assert mine.redeem(mine.log_in(**same).code).status_code == 200
    assert found(tenant) == []


def test_state_may_carry_what_the_application_likes_where_pkce_protects(tenant: Authserver) -> None:
    mine = player(tenant)
    for _ in range(2):
        mine.new_verifier()
        assert "access_token" in mine.tokens(state="/the/page/to/go/back/to")
    assert found(tenant) == []


def test_pkce_alone_protects_the_callback(tenant: Authserver) -> None:
    mine = player(tenant)
    mine.tokens(state=None)
    assert found(tenant) == []


def test_a_web_application_may_develop_on_localhost(tenant: Authserver) -> None:
    player(tenant, confidential=True, callbacks=["http://localhost:3000/callback"]).tokens()
    assert found(tenant) == []


@pytest.mark.parametrize("spoiled", [{"fault": "lost answer"}, {"status": 0}, {"is_complete": False}])
def test_who_lost_the_answer_may_ask_again(live: LiveServer, dialect: str, spoiled: dict[str, Any]) -> None:
    """What the client did is the same as in a mistake; that the first answer never came is the difference."""
    control = Control(live.url, live.token)
    mine = player(control.make_tenant(dialect=dialect))
    code = mine.log_in().code
    token = mine.redeem(code).json()["refresh_token"]
    for _ in range(2):
        mine.refresh(token)
    mine.redeem(code)
    assert [each.rule for each in mine.tenant.problems] == ["refresh-token-reused", "code-reused"]
    rehearsal = live.app.state.testing_host.find(mine.tenant.name)
    played, known = rehearsal.recording.all(), Known(rehearsal.file)
    lost = {"code": False, "refresh_token": False}
    for number, each in enumerate(played):
        for kind in each.presented.keys() & lost.keys():
            if not lost[kind]:
                played[number], lost[kind] = replace(each, **spoiled), True
    assert all(lost.values())
    assert judge(played, known) == []
    control.close()


def test_a_refused_code_may_be_tried_again(tenant: Authserver) -> None:
    mine = player(tenant)
    code = mine.log_in().code
    assert mine.redeem(code, code_verifier="x" * 43).status_code >= 400
    assert mine.redeem(code).status_code == 200
    assert found(tenant) == []


def test_a_stranger_who_finds_a_used_token_is_not_its_client(tenant: Authserver) -> None:
    mine, other = player(tenant), player(tenant)
    tokens = mine.tokens()
    mine.refresh(tokens["refresh_token"])
    assert other.refresh(tokens["refresh_token"]).status_code >= 400
    assert found(tenant) == []


def test_leeway_is_for_repeating(tenant: Authserver) -> None:
    mine = player(tenant, refresh_token={"rotation_type": "rotating", "leeway": 10})
    token = mine.tokens()["refresh_token"]
    assert [mine.refresh(token).status_code for _ in range(2)] == [200, 200]
    assert found(tenant) == []


def test_odd_requests_do_not_upset_the_judge(tenant: Authserver) -> None:
    twice = "&".join(f"{name}=x&{name}=y" for name in ("client_id", "state", "nonce", "code_challenge", "redirect_uri"))
    mine = player(tenant)
    with http_client() as http:
        for path in ("authorize", "u/login", "authorize/resume", "oauth/token", "oidc/logout", "userinfo"):
            http.get(f"{tenant.issuer}{path}?{twice}&scope=a&scope=b&response_type=code&audience=a&audience=b")
        http.get(f"{tenant.issuer}authorize?client_id={mine.app.client_id}&redirect_uri=http://[")
        http.post(f"{tenant.issuer}oauth/token", content=b"\xff\x00=&&==%zz", headers={"Authorization": "Basic !"})
        http.post(f"{tenant.issuer}oauth/token", json=[1, {"code": {}}])
    assert "parameter-twice" in {each.rule for each in tenant.problems}


def native_app(tenant: Authserver, directory: Path) -> NativeApp:
    settings = Settings(
        issuer=tenant.issuer,
        client_id="native-app",
        audience=AUDIENCE,
        scope=SCOPE,
        token_dir=str(directory),
        token_store="file",
    )
    return NativeApp(settings, open_store(settings), ports=(0,))


def log_in(tenant: Authserver, app: NativeApp) -> None:
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        tenant.register_client("native-app", ask_consent=False, callbacks=[pending.redirect_uri])
        location = tenant.visit(pending.url, tenant.add_user()).location
        browser = pool.submit(httpx2.get, str(location), trust_env=False, follow_redirects=True)
        pending.finish(20)
        browser.result()


def authlib(mine: Player, method: str, endpoints: dict[str, str]) -> OAuth2Client:
    return OAuth2Client(
        client_id=mine.app.client_id,
        client_secret=mine.app.client_secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        redirect_uri=mine.app.redirect_uri,
        scope=SCOPE,
        code_challenge_method="S256",
        token_endpoint=endpoints["token_endpoint"],
        trust_env=False,
        timeout=30,
    )
