"""DE4: a fault never leaves the tenant it was set on, whatever its kind."""

from contextlib import ExitStack

import httpx2
import pytest

from authserver.door import THREADS
from authserver.testing.handle import Control
from authserver.testing.live import LiveServer
from tests.harness.faulty import KINDS, World, broken, in_hand, world
from tests.stage import http_client


@pytest.fixture
def twins(authserver_host: Control) -> tuple[World, World]:
    """Everything in one has the same name as in the other."""
    return world(authserver_host), world(authserver_host)


@pytest.mark.parametrize("kind", KINDS)
def test_DE4_a_fault_of_one_tenant_spoils_nothing_elsewhere(
    twins: tuple[World, World], authserver_host: Control, kind: str
) -> None:
    """Standing at the token endpoint of one; the twin, the tenant at the root and the steering are as ever."""
    here, there = twins
    now = there.authserver.clock.freeze(1_900_000_000)
    token, other = here.tokens()["refresh_token"], there.tokens()["refresh_token"]
    keys = there.keys().json()
    root_keys = httpx2.get(authserver_host.url + ".well-known/jwks.json", trust_env=False).json()
    fault = KINDS[kind](here.authserver)(endpoint="token", times=None)
    for _ in range(2):
        answered = there.refresh(other)
        assert (answered.status_code, there.is_spoiled(answered)) == (200, False)
        other = answered.json()["refresh_token"]
        with http_client(base_url=authserver_host.url) as http:
            at_root = http.post("/oauth/token", data={"grant_type": "refresh_token"})
            assert (at_root.status_code, here.is_spoiled(at_root)) == (400, False)
            assert http.get("/.well-known/jwks.json").json() == root_keys
        assert here.authserver.name in authserver_host.call("GET", "tenants")
    assert fault.hits == 0
    assert (there.keys().json(), there.authserver.clock.now) == (keys, now)
    assert there.authserver.faults.list() == ()
    try:
        spoiled = here.refresh(token, timeout=0.5)
    except httpx2.HTTPError:
        pass  # it is one of those that leave no answer
    else:
        assert here.is_spoiled(spoiled)
    assert fault.hits == 1
    assert not there.is_spoiled(there.refresh(other))


@pytest.mark.parametrize("kind", KINDS)
def test_DE4_a_dropped_tenants_faults_are_gone_with_it(authserver_host: Control, kind: str) -> None:
    """Also when its name and its database come again."""
    first = World(authserver_host.make_tenant("again"))
    KINDS[kind](first.authserver)(endpoint="token", times=None)
    first.authserver.drop()
    second = World(authserver_host.make_tenant("again"))
    try:
        assert second.authserver.faults.list() == ()
        assert not second.is_spoiled(second.refresh(second.tokens()["refresh_token"]))
    finally:
        second.authserver.drop()


def test_DE4_a_fault_is_no_other_tenants_to_see_or_remove(twins: tuple[World, World]) -> None:
    here, there = twins
    fault = here.authserver.faults.outage()
    for method in ("GET", "DELETE"):
        with pytest.raises(AssertionError, match="404"):
            there.authserver.call(method, f"faults/{fault.id}")
    there.authserver.faults.clear()
    assert (here.keys().status_code, there.keys().status_code) == (503, 200)


def test_DE4_a_request_that_hangs_holds_up_nobody(twins: tuple[World, World]) -> None:
    """More of them than the server has threads, and everybody else is answered."""
    here, there = twins
    token = there.tokens()["refresh_token"]
    fault = here.authserver.faults.hang(endpoint="jwks", times=None)
    with ExitStack() as crowd:
        for _ in range(THREADS + 4):
            crowd.enter_context(in_hand(here.keys, fault))
        assert there.refresh(token).status_code == 200
        assert here.get(".well-known/openid-configuration").status_code == 200
        fault.remove()


def test_DE4_skew_stays_within_the_one_request(twins: tuple[World, World]) -> None:
    """Two requests of one tenant at once: each is worked on at its own time."""
    here, _ = twins
    here.authserver.clock.freeze(1_900_000_000)
    token = here.tokens()["refresh_token"]
    fault = here.authserver.faults.delay(60, endpoint="jwks")
    with in_hand(here.keys, fault):
        here.authserver.faults.skew(-500, endpoint="token")
        skewed = here.refresh(token)
        true = here.refresh(skewed.json()["refresh_token"])
        fault.remove()
    assert [here.is_spoiled(each) for each in (skewed, true)] == [True, False]
    at = {each.at for each in here.authserver.events if each.type == "RefreshTokenExchanged"}
    assert at == {1_899_999_500, 1_900_000_000}


def test_DE4_a_cut_takes_no_other_connection_with_it(twins: tuple[World, World]) -> None:
    here, there = twins
    with http_client() as http:
        assert http.get(there.authserver.jwks_uri).status_code == 200  # a connection that is kept
        here.authserver.faults.cut(endpoint="jwks")
        assert broken(here.keys)
        assert http.get(there.authserver.jwks_uri).status_code == 200


def test_DE4_a_fault_of_the_servers_own_tenant_stays_there(live: LiveServer) -> None:
    """The one at the root is below no path; the others and the steering are not its own, nor are the probes."""
    control = Control(live.url, live.token)
    here, root = world(control), control.root
    standing = root.faults.answer(503, times=None)
    with http_client(base_url=live.url) as http:
        assert here.is_spoiled(http.get("/.well-known/jwks.json"))
        for path in ("/healthz", "/readyz", "/metrics", "/static/understudy.css"):
            assert http.get(path).status_code == 200
        assert not here.is_spoiled(here.keys())
        assert here.tokens()
        standing.remove()
        assert http.get("/.well-known/jwks.json").status_code == 200
    control.close()
