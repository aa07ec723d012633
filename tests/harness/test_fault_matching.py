"""Which request meets a fault: each way to say so, where it fits and where it does not."""

import asyncio
import base64
import itertools
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from authserver import wire
from authserver.testing.endpoints import ENDPOINTS
from authserver.testing.exchange import Asked
from authserver.testing.handle import Authserver, Control
from authserver.testing.live import LiveServer
from tests.harness.faulty import SCOPE, World
from tests.stage import http_client

Matcher = Callable[[World, str], dict[str, Any]]


@pytest.fixture
def here(authserver: Authserver) -> World:
    return World(authserver)


def grant_of(here: World, user_id: str) -> str:
    """The latest one of this person."""
    return [str(each.grant_id) for each in here.authserver.events if each.user_id == user_id and each.grant_id][-1]


@pytest.mark.parametrize(
    "match",
    [
        lambda here: {"client": here.app},
        lambda _: {"client": "app"},
        lambda here: {"user": here.alice},
        lambda _: {"user": "auth0|alice"},
        lambda here: {"grant_id": grant_of(here, "auth0|alice")},
        lambda here: {"endpoint": "token", "client": "app", "user": here.alice, "grant_type": "refresh_token"},
    ],
)
def test_by_whose_request_it_is(here: World, match: Callable[[World], dict[str, Any]]) -> None:
    """Alice is at one application, Bob at another; only what is hers is spoiled, at token, userinfo and revoke."""
    hers, his = here.tokens(here.alice, here.app), here.tokens(here.bob, here.other_app)
    matching = match(here)
    here.authserver.faults.answer(503, times=None, **matching)
    assert not here.is_spoiled(here.refresh(his["refresh_token"], "other-app"))
    assert here.is_spoiled(here.refresh(hers["refresh_token"], "app"))
    if "endpoint" in matching:
        return
    assert not here.is_spoiled(here.get("userinfo", his["access_token"]))
    assert here.is_spoiled(here.get("userinfo", hers["access_token"]))
    with http_client() as http:
        for token, client_id, spoiled in ((his, "other-app", False), (hers, "app", True)):
            form = {"token": token["refresh_token"], "client_id": client_id}
            assert here.is_spoiled(http.post(here.authserver.issuer + "oauth/revoke", data=form)) is spoiled
    assert not here.is_spoiled(here.keys())


def test_by_user_at_the_login_form(here: World) -> None:
    """Whoever types the name is meant, in whatever case and with whatever password."""
    fault = here.authserver.faults.answer(503, "closed", endpoint="login", user=here.alice, times=None)
    assert "code" in here.authserver.login(here.bob, here.app).parameters
    assert fault.hits == 0
    assert here.authserver.login(here.alice, here.app, password="wrong").status == 503
    shouting = type(here.alice)(here.alice.user_id, here.alice.email.upper(), here.alice.password)
    assert here.authserver.login(shouting, here.app).status == 503


def test_by_user_when_a_code_is_redeemed(here: World) -> None:
    fault = here.authserver.faults.error("invalid_grant", user=here.alice)
    assert here.authserver.login(here.bob, here.app).exchange().status_code == 200
    assert (here.authserver.login(here.alice, here.app).exchange().status_code, fault.hits) == (403, 1)


def test_by_client_on_the_pages_of_its_login(here: World) -> None:
    here.authserver.faults.answer(503, endpoint="login", client=here.app, times=None)
    assert "code" in here.authserver.login(here.alice, here.other_app).parameters
    assert here.authserver.login(here.alice, here.app).status == 503


def test_by_client_that_says_who_it_is_in_the_header(here: World) -> None:
    here.authserver.register_client("web", confidential=True, client_secret="s" * 40)
    fault = here.authserver.faults.answer(503, endpoint="token", client="web", times=None)
    basic = base64.b64encode(b"web:" + b"s" * 40).decode()
    with http_client() as http:
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        url, headers = here.authserver.issuer + "oauth/token", {"Authorization": f"Basic {basic}"}
        assert http.post(url, data=form, headers=headers).status_code == 503
        assert http.post(url, json={**form, "client_id": "web"}).status_code == 503
        assert http.post(url, data=form, headers={"Authorization": "Basic !!!"}).status_code == 401
    assert fault.hits == 2


def test_by_client_of_a_device(here: World) -> None:
    device = "urn:ietf:params:oauth:grant-type:device_code"
    for client_id in ("tv", "radio"):
        here.authserver.register_client(client_id, grant_types=[device])
    here.authserver.faults.answer(503, client="tv", grant_type=device)
    codes = {}
    with http_client() as http:
        for client_id in ("tv", "radio"):
            form = {"client_id": client_id, "scope": "openid"}
            codes[client_id] = http.post(here.authserver.issuer + "oauth/device/code", data=form).json()["device_code"]
        for client_id, status in (("radio", 403), ("tv", 503)):
            form = {"client_id": client_id, "grant_type": device, "device_code": codes[client_id]}
            assert http.post(here.authserver.issuer + "oauth/token", data=form).status_code == status


def test_by_grant_type(here: World) -> None:
    fault = here.authserver.faults.answer(503, endpoint="token", grant_type="refresh_token")
    token = here.tokens()["refresh_token"]  # by the other grant type
    assert fault.hits == 0
    assert (here.refresh(token).status_code, fault.hits) == (503, 1)


@pytest.mark.parametrize("endpoint", sorted(ENDPOINTS))
def test_by_endpoint(here: World, endpoint: str) -> None:
    """Every path that has this name, and none that has another."""
    fault, spoiled = here.authserver.faults.answer(418, endpoint=endpoint, times=None), set()
    with http_client() as http:
        for name, paths in ENDPOINTS.items():
            for path in paths:
                if http.get(here.authserver.issuer + path[1:]).status_code == 418:
                    spoiled.add(name)
    assert (spoiled, fault.hits) == ({endpoint}, len(ENDPOINTS[endpoint]))


def test_without_an_endpoint_it_is_any_at_which_it_makes_sense(here: World) -> None:
    standing = here.authserver.faults.answer(503, times=None)
    with http_client() as http:
        for path in ("authorize", "u/signup", "userinfo", ".well-known/jwks.json", "u/login/connection"):
            assert here.is_spoiled(http.get(here.authserver.issuer + path)), path
        static = httpx2.URL(here.authserver.issuer).join("/static/understudy.css")
        assert not here.is_spoiled(http.get(static))
        standing.remove()
        here.authserver.faults.truncate(times=None)
        assert not here.is_spoiled(http.get(here.authserver.issuer + "u/signup"))
        assert here.is_spoiled(http.get(here.authserver.issuer + ".well-known/jwks.json"))


def test_a_preflight_meets_no_fault(here: World) -> None:
    """Else a browser's question would use up what was meant for the request behind it."""
    fault = here.authserver.faults.answer(503, endpoint="token")
    with http_client() as http:
        origin = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
        assert http.options(here.authserver.issuer + "oauth/token", headers=origin).status_code == 204
    assert fault.hits == 0


def test_of_parallel_requests_one_is_spoiled(here: World) -> None:
    tokens = [here.tokens()["refresh_token"] for _ in range(2)]
    for match in ({"endpoint": "token"}, {"user": here.alice, "client": here.app}):
        given: dict[str, Any] = match
        fault = here.authserver.faults.rate_limit(**given)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(here.refresh, tokens * 4))
        assert [response.status_code for response in answers].count(429) == fault.hits == 1


def test_what_is_presented_twice_or_is_no_form_is_refused_by_the_rooms(here: World) -> None:
    """Reading ahead decides nothing: what cannot be understood is passed on as it came."""
    here.authserver.faults.answer(503, endpoint="token", user=here.alice, times=None)
    with http_client() as http:
        url = here.authserver.issuer + "oauth/token"
        for content, kind in (
            (
                b"grant_type=refresh_token&refresh_token=a&refresh_token=b&client_id=app",
                "application/x-www-form-urlencoded",
            ),
            (b"\xff\xfe=\x00&code=%ff%fe%00", "application/x-www-form-urlencoded"),
            (b'{"grant_type": ["refresh_token"], "code": {"a": 1}}', "application/json"),
            (b"[[[[[[", "application/json"),
            (b"", "text/plain"),
        ):
            response = http.post(url, content=content, headers={"Content-Type": kind})
            assert (response.status_code in (400, 401), here.is_spoiled(response)) == (True, False), content


def test_an_over_long_body_is_refused_as_always(here: World) -> None:
    """A fault that wants to know whose request it is reads no further than the rooms would."""
    here.authserver.faults.answer(503, endpoint="token", user=here.alice)
    with http_client() as http:
        url, size = here.authserver.issuer + "oauth/token", wire.BODY_LIMIT + 1
        response = http.post(url, content=b"x" * size, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.status_code == 413


def test_a_body_without_end_is_not_waited_for() -> None:
    """What is kept for the rooms is as much as they need to refuse it."""
    chunks = itertools.count()

    async def endless() -> Message:
        assert next(chunks) < 100, "it reads on and on"
        return {"type": "http.request", "body": b"x" * 16384, "more_body": True}

    scope = {"method": "POST", "path": "/oauth/token", "root_path": "", "headers": [], "query_string": b""}
    asyncio.run(Asked(scope, endless).read_ahead())
    assert wire.BODY_LIMIT < next(chunks) * 16384 <= wire.BODY_LIMIT + 16384


def test_a_slow_body_is_refused_as_always(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And waits no longer: the rooms' patience is not asked for a second time."""
    control = Control(live.url, live.token)
    here = World(control.make_tenant())
    here.authserver.faults.answer(503, endpoint="token", user=here.alice)
    monkeypatch.setattr("authserver.testing.exchange.BODY_SECONDS", 0.05)
    url = httpx2.URL(here.authserver.issuer + "oauth/token")
    with socket.create_connection((url.host, url.port), timeout=10) as slow:
        slow.sendall(
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: 100\r\n"
            "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=refresh".encode()
        )
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"The request body took too long." in answer
    control.close()


def test_without_a_fault_for_it_nothing_is_read_ahead(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither body nor database: a tenant without faults pays nothing, and neither does another endpoint."""
    control = Control(live.url, live.token)
    here = World(control.make_tenant())
    fault = here.authserver.faults.answer(503, endpoint="userinfo", user=here.alice)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("authserver.testing.exchange.Asked.read_ahead", never)
    monkeypatch.setattr("authserver.testing.faults.matching.look_up", never)
    assert here.tokens()["scope"] == SCOPE
    assert fault.hits == 0
    control.close()


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_an_error_is_said_in_the_tenants_dialect(authserver_host: Control, dialect: str) -> None:
    tenant = authserver_host.make_tenant(dialect=dialect)
    here = World(tenant)
    tenant.faults.error("invalid_grant")
    assert here.refresh("x").status_code == (403 if dialect == "auth0" else 400)
    tenant.drop()
