"""Each kind of fault, as a plain HTTP client sees it; and how often one comes true."""

import json
import re
from typing import Any

import httpx2
import pytest

from authserver.testing.handle import Authserver, Control
from tests.harness.faulty import KINDS, World, broken
from tests.stage import answer, claims, header, http_client


@pytest.fixture
def here(authserver: Authserver) -> World:
    return World(authserver)


def test_an_answer_of_the_tests_own(here: World) -> None:
    fault = here.authserver.faults.answer(
        502, {"upstream": ["gone"]}, {"X-Proxy": "edge-7", "Retry-After": "9"}, endpoint="jwks"
    )
    response = here.keys()
    assert (response.status_code, response.json()) == (502, {"upstream": ["gone"]})
    assert (response.headers["x-proxy"], response.headers["retry-after"]) == ("edge-7", "9")
    assert (response.headers["understudy-fault"], fault.name, fault.hits) == ("answer", "answer", 1)
    here.authserver.faults.answer(404, "nothing here", endpoint="jwks")
    text = here.keys()
    assert (text.text, text.headers["content-type"]) == ("nothing here", "text/plain; charset=utf-8")
    here.authserver.faults.answer(204, endpoint="jwks")
    assert (here.keys().status_code, here.keys().status_code) == (204, 200)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("temporarily_unavailable", 503),
        ("server_error", 500),
        ("invalid_grant", 403),
        ("slow_down", 429),
        ("mine", 400),
    ],
)
def test_an_oauth_error_as_the_dialect_says_it(here: World, error: str, status: int) -> None:
    token = here.tokens()["refresh_token"]
    here.authserver.faults.error(error)
    response = here.refresh(token)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert response.headers["cache-control"] == "no-store"
    assert here.refresh(token).status_code == 200  # the rooms never saw the first request


def test_an_oauth_error_in_words_that_were_chosen(here: World) -> None:
    here.authserver.faults.error("invalid_client", description="Gone fishing.", status=401)
    response = here.refresh("x")
    assert response.json() == {"error": "invalid_client", "error_description": "Gone fishing."}
    assert response.status_code == 401
    here.authserver.faults.error("invalid_token", endpoint="userinfo")
    challenge = here.get("userinfo", "x").headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="Users", error="invalid_token"')


def test_a_callback_denial(here: World) -> None:
    """At authorize: back to the application, with its state and our iss, before anybody was asked anything."""
    here.authserver.faults.error("access_denied", description="Not today.", endpoint="authorize")
    login = here.authserver.login(here.alice, here.app, state="of-the-app")
    assert login.asked == ()
    assert login.location is not None
    assert login.location.startswith(str(here.app.redirect_uri) + "?")
    assert login.parameters == {
        "error": "access_denied",
        "error_description": "Not today.",
        "state": "of-the-app",
        "iss": here.authserver.issuer,
    }
    assert "code" in here.authserver.login(here.alice, here.app).parameters


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_a_callback_denial_goes_the_way_that_was_asked_for(here: World, mode: str) -> None:
    here.authserver.faults.error("login_required", endpoint="authorize", client=here.app)
    login = here.authserver.login(here.alice, here.app, response_mode=mode, state="of-the-app")
    assert (login.response_mode, login.parameters["error"]) == (mode, "login_required")
    assert (login.parameters["state"], login.parameters["iss"]) == ("of-the-app", here.authserver.issuer)


@pytest.mark.parametrize(
    "wrong", [{"redirect_uri": "https://evil.example/cb"}, {"client_id": "nobody"}, {"response_type": "token"}]
)
def test_a_callback_denial_never_goes_where_no_answer_may_go(here: World, wrong: dict[str, str]) -> None:
    fault = here.authserver.faults.error("access_denied", endpoint="authorize")
    query = {"client_id": "app", "redirect_uri": str(here.app.redirect_uri), "response_type": "code", "state": "s"}
    challenge = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    with http_client() as http:
        refused = http.get(here.authserver.issuer + "authorize", params={**query, **challenge, **wrong})
        assert not here.is_spoiled(refused)
        assert "evil" not in refused.headers.get("location", "")
        assert fault.hits == 0
        spoiled = http.get(here.authserver.issuer + "authorize", params={**query, **challenge})
    assert here.is_spoiled(spoiled)
    assert answer(spoiled)["error"] == "access_denied"


def test_a_callback_denial_when_the_person_is_known(here: World) -> None:
    """By user: only after the login does anybody know whose request it is."""
    fault = here.authserver.faults.error("access_denied", endpoint="authorize", user=here.alice)
    assert "code" in here.authserver.login(here.bob, here.app).parameters
    denied = here.authserver.login(here.alice, here.app, state="of-the-app")
    assert (denied.asked, denied.parameters["error"]) == (("u/login",), "access_denied")
    assert (denied.parameters["state"], fault.hits) == ("of-the-app", 1)


def test_a_proxys_page_instead_of_json(here: World) -> None:
    here.authserver.faults.html(endpoint="metadata")
    response = here.get(".well-known/openid-configuration")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text.startswith("<!doctype html>")
    here.authserver.faults.html(502, endpoint="token")
    assert here.refresh("x").status_code == 502


def test_half_of_a_json_text_in_a_complete_message(here: World) -> None:
    here.authserver.faults.truncate(endpoint="jwks")
    half, whole = here.keys(), here.keys()
    assert half.status_code == 200
    assert len(half.content) == int(half.headers["content-length"]) == len(whole.content) // 2
    assert whole.text.startswith(half.text)
    assert half.headers["content-type"] == whole.headers["content-type"]
    with pytest.raises(json.JSONDecodeError):
        half.json()


def test_a_rate_limit_in_auth0s_manner(here: World) -> None:
    here.authserver.clock.freeze(1_900_000_000)
    here.authserver.faults.rate_limit(retry_after=30, endpoint="token")
    response = here.refresh("x")
    assert (response.status_code, response.json()["error"]) == (429, "too_many_requests")
    assert response.headers["retry-after"] == "30"
    assert response.headers["x-ratelimit-limit"] == "10"
    assert response.headers["x-ratelimit-remaining"] == "0"
    assert response.headers["x-ratelimit-reset"] == "1900000030"


def test_an_outage_stands_until_it_is_over(here: World) -> None:
    with here.authserver.faults.outage() as outage:
        for _ in range(3):
            response = here.keys()
            assert response.status_code == 503
            assert response.headers["content-type"].startswith("text/plain")
        assert outage.hits == 3
        assert here.get(".well-known/openid-configuration").status_code == 200
    assert here.keys().status_code == 200


def test_keys_that_change_in_mid_flight(here: World) -> None:
    token = here.tokens()
    before = {key["kid"] for key in here.keys().json()["keys"]}
    here.authserver.faults.rotate_keys(endpoint="token")
    response = here.refresh(token["refresh_token"])
    kid = header(response.json()["id_token"])["kid"]
    assert response.headers["understudy-fault"] == "rotate_keys"
    assert kid not in before
    assert {key["kid"] for key in here.keys().json()["keys"]} == {kid, *before}


def test_keys_that_are_withdrawn_in_mid_flight(here: World) -> None:
    old = here.authserver.issue_token("auth0|alice", "https://notes.example/api")
    here.authserver.faults.rotate_keys(withdraw=True, endpoint="jwks")
    (key,) = here.keys().json()["keys"]
    assert key["kid"] != header(old)["kid"]
    here.authserver.clock.set(1_000_000_000)  # before the key was made: it signs all the same
    assert header(here.authserver.issue_token("auth0|alice", "https://notes.example/api"))["kid"] == key["kid"]


def test_a_clock_that_is_wrong_for_one_request(here: World) -> None:
    here.authserver.clock.freeze(1_900_000_000)
    token = here.tokens()["refresh_token"]
    here.authserver.faults.skew(-7200, endpoint="token")
    spoiled = here.refresh(token).json()
    assert claims(spoiled["id_token"])["iat"] == 1_899_992_800
    assert claims(here.refresh(spoiled["refresh_token"]).json()["id_token"])["iat"] == 1_900_000_000
    assert here.authserver.clock.now == 1_900_000_000
    here.authserver.faults.skew(3600, endpoint="token")
    login = here.authserver.login(here.alice, here.app)
    assert login.exchange().json()["error"] == "invalid_grant"  # an hour later the code has expired


def test_a_delay_is_followed_by_the_true_answer(here: World) -> None:
    here.authserver.faults.delay(0.01, endpoint="jwks")
    delayed, prompt = here.keys(), here.keys()
    assert delayed.json() == prompt.json()
    assert (delayed.headers["understudy-fault"], here.is_spoiled(prompt)) == ("delay", False)


@pytest.mark.parametrize("kind", KINDS)
def test_each_spoils_once_says_so_and_is_recorded(here: World, kind: str) -> None:
    token = here.tokens()["refresh_token"]
    fault = KINDS[kind](here.authserver)(endpoint="token", times=1)
    try:
        response = here.refresh(token, timeout=0.5)
    except httpx2.HTTPError:
        assert kind in ("hang", "cut", "cut in the body", "lose_answer")
    else:
        assert response.headers["understudy-fault"] == fault.name
    assert fault.hits == 1
    assert not here.is_spoiled(here.refresh(token))
    while len(here.authserver.exchanges) < 5:  # login, its redirects, code, and then two refreshes
        pass
    faults = [each.fault for each in here.authserver.exchanges if each.body.get("grant_type") == "refresh_token"]
    assert faults == [fault.name, None]
    assert fault.hits == 1


def test_logs_and_figures_know_the_route_of_a_spoiled_request(here: World, authserver_host: Control) -> None:
    here.authserver.faults.answer(599, endpoint="userinfo")
    assert here.get("userinfo").status_code == 599
    figures = httpx2.get(authserver_host.url + "metrics", trust_env=False).text
    assert re.search(r'_count\{method="GET",route="/userinfo",status="599"\} 1', figures)


def test_one_that_stands_spoils_every_time_and_others_once(here: World) -> None:
    standing = here.authserver.faults.answer(503, endpoint="jwks", times=None)
    assert [here.keys().status_code for _ in range(4)] == [503] * 4
    standing.remove()
    here.authserver.faults.answer(503, endpoint="jwks", times=2, skip=1)
    assert [here.keys().status_code for _ in range(5)] == [200, 503, 503, 200, 200]


def test_the_first_that_was_set_has_the_request(here: World) -> None:
    here.authserver.faults.answer(500, endpoint="jwks")
    here.authserver.faults.rate_limit(endpoint="jwks")
    here.authserver.faults.answer(503, times=None)
    assert [here.keys().status_code for _ in range(4)] == [500, 429, 503, 503]


def test_faults_are_listed_removed_and_cleared(here: World) -> None:
    faults = here.authserver.faults
    first, second = faults.answer(500, endpoint="jwks"), faults.skew(5, times=None)
    assert [each.id for each in faults.list()] == [first.id, second.id]
    assert faults.list()[1].order["seconds"] == 5
    first.remove()
    assert [each.id for each in faults.list()] == [second.id]
    faults.clear()
    assert faults.list() == ()
    assert not here.is_spoiled(here.keys())
    for gone in (first, second):
        with pytest.raises(AssertionError, match="404"):
            gone.remove()
        with pytest.raises(AssertionError, match="404"):
            gone.hits  # noqa: B018 - asking is what raises


def test_one_is_left_when_its_block_is_left_by_an_exception(here: World) -> None:
    def fails() -> None:
        with here.authserver.faults.outage():
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert here.authserver.faults.list() == ()


def test_a_lost_answer_was_worked_on(here: World) -> None:
    """The code is spent and the tokens are issued; only nobody has them."""
    login = here.authserver.login(here.alice, here.app)
    here.authserver.faults.lose_answer(endpoint="token")
    assert broken(login.exchange)
    assert here.authserver.events[-1].type == "CodeExchanged"
    assert login.exchange().json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("leeway", "again"), [(30, 200), (0, 403)])
def test_a_refresh_whose_answer_was_lost(here: World, leeway: int, again: int) -> None:
    """Within the leeway the same token works once more; without one its return looks like theft, and all ends."""
    rotating = {"rotation_type": "rotating", "leeway": leeway}
    app = here.authserver.register_client("strict", ask_consent=False, refresh_token=rotating)
    token = here.tokens(client=app)["refresh_token"]
    here.authserver.faults.lose_answer(endpoint="token", grant_type="refresh_token")
    assert broken(lambda: here.refresh(token, "strict"))
    exchanges: list[Any] = [each for each in here.authserver.exchanges if each.fault]
    assert [(each.status, each.is_complete, each.fault) for each in exchanges] == [(0, False, "lose_answer")]
    assert here.authserver.events[-1].type == "RefreshTokenExchanged"
    retried = here.refresh(token, "strict")
    assert retried.status_code == again
    if leeway:
        here.authserver.clock.advance(leeway + 1)
        assert here.refresh(token, "strict").json()["error"] == "invalid_grant"
    else:
        assert {each.type for each in here.authserver.events} >= {"RefreshTokenReused"}
