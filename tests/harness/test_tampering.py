"""A spoiled callback: whether the application notices is seen by what becomes of the code in it."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from authlib.common.errors import AuthlibBaseError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from authserver.testing.handle import Authserver, HarnessError
from authserver.testing.person import Walk
from authserver.testing.tampering import TAMPERS, TESTS, NothingToTamperWith, Tamper, tamper_with
from client.errors import ClientError
from tests.harness.problem_client import Player, player
from tests.harness.test_no_problems import authlib, native_app

UNNOTICED: dict[str, set[Tamper]] = {
    "nothing": set(),
    "everything": set(TAMPERS),
    "state": {"state", "no-state", "other-browser"},
    "that state is there": {"no-state"},
    "whose state it is": {"other-browser"},
    "iss": {"iss", "no-iss"},
    "error": {"error"},
}
"""By what an application forgets to check: what it does not notice then."""


def may_go_on(said: dict[str, str], state: str | None, sent: set[str], issuer: str, forgets: str) -> bool:
    """`state` is the one in the session of this browser, `sent` are those of everybody's."""
    checks = {
        "state": state is not None and said.get("state") == state,
        "iss": said.get("iss") == issuer,
        "error": "error" not in said,
    }
    if forgets == "that state is there":
        checks["state"] = said.get("state", state) == state
    if forgets == "whose state it is":
        checks["state"] = said.get("state") in sent
    return all(is_right for name, is_right in checks.items() if forgets not in (name, "everything"))


def web_application(mine: Player, forgets: str) -> Starlette:
    """It redeems the code if there is nothing against the callback that it notices."""
    sent = set[str]()

    def login(_: Request) -> Response:
        state = secrets.token_urlsafe(16)
        mine.new_verifier()
        sent.add(state)
        response = RedirectResponse(mine.url(state=state))
        response.set_cookie("state", state)
        return response

    def callback(request: Request) -> Response:
        said = dict(request.query_params)
        if not may_go_on(said, request.cookies.get("state"), sent, mine.tenant.issuer, forgets):
            return PlainTextResponse("This is not the answer to anything that was asked here.", 400)
        return PlainTextResponse("Welcome", 200 if mine.redeem(said["code"]).status_code == 200 else 502)

    return Starlette(routes=[Route("/login", login), Route("/callback", callback)])


@pytest.fixture
def mine(authserver: Authserver) -> Player:
    return player(authserver, confidential=True, callbacks=["https://app.example/callback"])


def open_callback(mine: Player, forgets: str, tamper: Tamper | None) -> int:
    """What the browser sees at the application in the end."""
    app = web_application(mine, forgets)
    browser, other = (TestClient(app, base_url="https://app.example", follow_redirects=False) for _ in range(2))
    url = browser.get("/login").headers["location"]
    location = mine.tenant.visit(url, mine.alice, tamper=tamper).location
    assert location
    return (other if tamper == "other-browser" else browser).get(location).status_code


@pytest.mark.parametrize("tamper", TAMPERS)
def test_a_careful_application_has_no_problem(mine: Player, tamper: Tamper) -> None:
    assert open_callback(mine, "nothing", tamper) == 400
    assert open_callback(mine, "nothing", None) == 200
    assert mine.tenant.problems == []


@pytest.mark.parametrize("tamper", TAMPERS)
@pytest.mark.parametrize("forgets", UNNOTICED)
def test_a_careless_application_is_told_what_it_did_not_check(mine: Player, forgets: str, tamper: Tamper) -> None:
    opened = open_callback(mine, forgets, tamper)
    if tamper not in UNNOTICED[forgets]:
        assert (opened, mine.tenant.problems) == (400, [])
        return
    assert opened == 200, "the rooms answer as always"
    (problem,) = mine.tenant.problems
    assert (problem.rule, problem.client_id) == (TESTS[tamper], mine.app.client_id)
    exchange = next(each for each in mine.tenant.exchanges if each.number == problem.exchange)
    assert (exchange.endpoint, "code" in exchange.presented) == ("token", True)


def test_our_native_app_withstands(authserver: Authserver, tmp_path: Path) -> None:
    authserver.add_api("https://notes.example/api", ["read:notes"])
    app = native_app(authserver, tmp_path)
    for tamper in TAMPERS:
        if tamper == "other-browser":
            continue  # a native app has no browser of its own; its listener is the session
        with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
            authserver.register_client("native-app", ask_consent=False, callbacks=[pending.redirect_uri])
            location = authserver.visit(pending.url, authserver.add_user(), tamper=tamper).location
            answer = pool.submit(httpx2.get, str(location), trust_env=False, follow_redirects=True)
            if tamper in ("state", "no-state"):
                assert answer.result().status_code >= 400  # and it goes on waiting for the right one
                continue
            with pytest.raises(ClientError):
                pending.finish(20)
            answer.result()
    assert authserver.problems == []


@pytest.mark.parametrize("tamper", ["state", "no-state"])
def test_authlib_withstands_another_state(authserver: Authserver, tamper: Tamper) -> None:
    mine = player(authserver)
    endpoints = httpx2.get(authserver.metadata_url, trust_env=False).json()
    with authlib(mine, "none", endpoints) as client:
        asked = {"code_verifier": mine.verifier, "nonce": "a-nonce"}
        url, client.state = client.create_authorization_url(endpoints["authorization_endpoint"], **asked)
        location = authserver.visit(url, mine.alice, tamper=tamper).location
        with pytest.raises(AuthlibBaseError, match="State not equal"):
            client.fetch_token(authorization_response=location, code_verifier=mine.verifier)
    assert authserver.problems == []


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.parametrize("tamper", TAMPERS)
def test_only_what_was_said_is_changed(tamper: Tamper, mode: str) -> None:
    good = {"code": "abc", "state": "x y", "iss": "https://issuer.example/"}
    callback = "https://app.example/callback"
    told = {"query": f"{callback}?{urlencode(good)}", "fragment": f"{callback}#{urlencode(good)}"}
    walked = Walk(location=told.get(mode, callback), parameters=good, response_mode=mode)
    assert tamper_with(walked, tamper) == "abc"
    said = walked.parameters
    different = {name for name in {*good, *said} if good.get(name) != said.get(name)}
    assert different == ({tamper.removeprefix("no-")} if tamper != "other-browser" else set())
    parts = urlsplit(str(walked.location))
    assert dict(parse_qsl(parts.query or parts.fragment)) == (said if mode in told else {})
    assert parts._replace(query="", fragment="").geturl() == callback


@pytest.mark.parametrize("useless", [{}, {"error": "access_denied", "state": "x"}, {"code": "x"}])
def test_what_brought_nothing_is_not_spoiled(useless: dict[str, str]) -> None:
    with pytest.raises(NothingToTamperWith):
        tamper_with(Walk(location="https://app.example/", parameters=useless, response_mode="query"), "state")


def test_what_cannot_be_tampered_with_is_a_mistake_in_the_test(mine: Player) -> None:
    tenant = mine.tenant
    with pytest.raises(HarnessError, match="the application sent no state"):
        tenant.visit(mine.url(state=None), mine.alice, tamper="no-state")
    with pytest.raises(HarnessError, match="the login brought no code"):
        tenant.visit(mine.url(), mine.alice, password="wrong", tamper="iss")
    with pytest.raises(HarnessError, match="422"):
        tenant.call("POST", "login", {"url": mine.url(), "username": mine.alice.email, "tamper": "no-such-thing"})
