"""Silence and closed connections: what they look like from outside, and that nobody has to wait for who waits."""

import logging
import signal
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
import trustme
from starlette.testclient import TestClient

from authserver.app import create_app
from authserver.settings import Settings
from authserver.testing.handle import Authserver, Control, Fault
from authserver.testing.live import LiveServer
from tests.harness.faulty import SetFault, World, broken, in_hand
from tests.processes import served
from tests.stage import http_client


@pytest.fixture
def here(authserver: Authserver) -> World:
    return World(authserver)


def test_a_connection_is_cut_before_any_byte(here: World) -> None:
    """And nothing was worked on: the refresh token is as good as before."""
    token = here.tokens()["refresh_token"]
    here.authserver.faults.cut(endpoint="token")
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        here.refresh(token)
    cut = here.authserver.exchanges[-1]
    assert (cut.status, cut.is_complete, cut.fault, cut.endpoint) == (0, False, "cut", "token")
    assert cut.body["grant_type"] == "refresh_token"
    assert "RefreshTokenExchanged" not in {each.type for each in here.authserver.events}
    assert here.refresh(token).status_code == 200


@pytest.mark.parametrize("after", [1, 20, 1_000_000])
def test_a_connection_is_cut_in_the_body(here: World, after: int) -> None:
    """The head was there, and announced more; however many bytes are asked for, the last one never comes."""
    whole = here.keys().content
    here.authserver.faults.cut(after, endpoint="jwks")
    got, url = b"", here.authserver.jwks_uri
    with http_client() as http, http.stream("GET", url) as response:
        assert (response.status_code, response.headers["understudy-fault"]) == (200, "cut")
        assert int(response.headers["content-length"]) == len(whole)
        arriving = response.iter_raw()
        with suppress(httpx2.RemoteProtocolError):
            while True:
                got += next(arriving)
    assert got == whole[: min(after, len(whole) - 1)]
    cut = here.authserver.exchanges[-1]
    assert (cut.status, cut.is_complete, cut.fault) == (200, False, "cut")


def test_a_caller_who_gives_up_ends_the_hang(here: World) -> None:
    fault = here.authserver.faults.hang(endpoint="jwks")
    with http_client(timeout=0.3) as http, pytest.raises(httpx2.ReadTimeout):
        http.get(here.authserver.jwks_uri)
    assert fault.hits == 1
    while not (hung := [each for each in here.authserver.exchanges if each.fault]):
        pass  # until the server has seen the end of the connection
    assert [(each.status, each.is_complete, each.fault) for each in hung] == [(0, False, "hang")]


def test_what_hangs_is_cut_when_the_fault_is_removed(here: World) -> None:
    fault = here.authserver.faults.hang(endpoint="jwks")
    with in_hand(here.keys, fault) as ended:
        fault.remove()
    assert isinstance(ended[0], httpx2.RemoteProtocolError)


def test_what_is_delayed_is_answered_when_the_fault_is_removed(here: World) -> None:
    fault = here.authserver.faults.delay(300, endpoint="jwks")
    with in_hand(here.keys, fault) as ended:
        assert here.keys().status_code == 200  # everybody else has passed by meanwhile
        fault.remove()
    assert isinstance(ended[0], httpx2.Response)
    assert (ended[0].json(), ended[0].headers["understudy-fault"]) == (here.keys().json(), "delay")


def test_what_is_delayed_is_worked_on_though_nobody_waits_any_longer(here: World) -> None:
    """As a slow server does: the caller has timed out, and its token is spent all the same."""
    token = here.tokens()["refresh_token"]
    fault = here.authserver.faults.delay(300, endpoint="token")
    with pytest.raises(httpx2.ReadTimeout):
        here.refresh(token, timeout=0.3)
    assert "RefreshTokenExchanged" not in {each.type for each in here.authserver.events}
    fault.remove()
    while not [each for each in here.authserver.exchanges if each.fault]:
        pass  # until it has been worked on
    assert here.authserver.events[-1].type == "RefreshTokenExchanged"
    assert here.refresh(token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["hang", "delay"])
def test_a_dropped_tenant_keeps_nobody_waiting(live: LiveServer, kind: str) -> None:
    control = Control(live.url, live.token)
    here = World(control.make_tenant())
    with in_hand(here.keys, waiting(here, kind)) as ended:
        here.authserver.drop()
    assert isinstance(ended[0], httpx2.RemoteProtocolError)
    following = control.make_tenant()
    assert (following.events, following.exchanges) == ([], [])
    control.close()


@pytest.mark.parametrize("kind", ["hang", "delay"])
def test_a_live_server_that_ends_keeps_nobody_waiting(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does it complain: what a test asked for is no news."""
    server = LiveServer()
    control = Control(server.url, server.token)
    here = World(control.make_tenant())
    with in_hand(here.keys, waiting(here, kind)) as ended:
        server.close()
    assert isinstance(ended[0], httpx2.RemoteProtocolError)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    control.close()


def test_a_live_server_that_ends_sends_its_virtual_people_home(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody waits for the person, who waits for a page."""
    server = LiveServer()
    control, steering = Control(server.url, server.token), Control(server.url, server.token)
    here = World(control.make_tenant())
    fault = here.authserver.faults.delay(300, endpoint="login")
    person = Authserver(steering, here.authserver.name, here.authserver.issuer)
    with ThreadPoolExecutor(1) as pool:
        walked = pool.submit(person.login, here.alice, here.app)
        while not fault.hits:
            assert not walked.done()
        server.close()
        assert (walked.result().status, walked.result().page) == (0, "u/login")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    control.close()
    steering.close()


@pytest.mark.parametrize("kind", ["hang", "delay"])
def test_a_served_one_that_is_stopped_keeps_nobody_waiting(kind: str, tmp_path: Path) -> None:
    """Faults work in `serve` as in the fixture; it ends with status 0, and need not cut anybody off after its grace."""
    token = "a-token-for-this-test-7f3a9c"
    variables = {"AUTHSERVER_TESTING_TOKEN": token, "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    with served(tmp_path, AUTHSERVER_TESTING="1", **variables) as server:
        control = Control(server.url, token)
        here = World(control.make_tenant())
        here.authserver.faults.cut(endpoint="jwks")
        assert broken(here.keys)
        with in_hand(here.keys, waiting(here, kind)) as ended:
            assert server.stop(signal.SIGTERM) == 0
        assert isinstance(ended[0], httpx2.RemoteProtocolError)
        control.close()
        log = server.log.read_text()
    assert "Traceback" not in log
    assert "are cut" not in log  # what `server` says of connections that outlived its grace


def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    ca, cert, key = tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem"
    authority.cert_pem.write_to_path(ca)
    certificate.cert_chain_pems[0].write_to_path(cert)
    certificate.private_key_pem.write_to_path(key)
    context = ssl.create_default_context(cafile=str(ca))
    token = "a-token-for-this-test-7f3a9c"
    with (
        served(
            tmp_path,
            AUTHSERVER_TESTING="1",
            AUTHSERVER_TESTING_TOKEN=token,
            AUTHSERVER_TLS_CERT=str(cert),
            AUTHSERVER_TLS_KEY=str(key),
            AUTHSERVER_DATABASE_URL=f"sqlite:///{tmp_path}/x.db",
        ) as server,
        httpx2.Client(trust_env=False, verify=context, timeout=30) as http,
    ):
        http.headers["Authorization"] = f"Bearer {token}"
        tenants = f"{server.url}_testing/tenants"
        made = http.post(tenants, json={}).json()
        for order, why in (
            ({"kind": "cut"}, "without sending a response"),
            ({"kind": "cut", "after": 9}, "without sending complete"),
            ({"kind": "lose_answer"}, "without sending a response"),
        ):
            set_fault = http.post(f"{tenants}/{made['name']}/faults", json={**order, "endpoint": "jwks"})
            assert set_fault.status_code == 201
            with pytest.raises(httpx2.RemoteProtocolError, match=why):
                http.get(made["jwks_uri"])
        assert http.get(made["jwks_uri"]).status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("kind", ["cut", "cut in the body", "hang", "lose_answer"])
def test_a_virtual_person_sees_no_answer(here: World, kind: str) -> None:
    """Whose browser is within the server: it tells so, and the steering goes on."""
    kinds: dict[str, SetFault] = {
        "cut": here.authserver.faults.cut,
        "cut in the body": lambda **match: here.authserver.faults.cut(5, **match),
        "hang": here.authserver.faults.hang,
        "lose_answer": here.authserver.faults.lose_answer,
    }
    fault = kinds[kind](endpoint="login")
    login = here.authserver.login(here.alice, here.app)
    assert (login.location, login.page, login.status, fault.hits) == (None, "u/login", 0, 1)
    assert login.error == "The connection was closed before an answer was complete."
    assert "code" in here.authserver.login(here.alice, here.app).parameters


def test_a_virtual_person_waits_out_a_delay(here: World) -> None:
    fault = here.authserver.faults.delay(0.01, endpoint="login", times=None)
    assert "code" in here.authserver.login(here.alice, here.app).parameters
    assert fault.hits == 2


@pytest.mark.parametrize("order", [{"kind": "cut"}, {"kind": "cut", "after": 5}, {"kind": "lose_answer"}])
def test_without_a_connection_to_close_it_says_so(tmp_path: Path, order: dict[str, object]) -> None:
    """An application that is called in this process, by somebody who knows nothing of lines."""
    settings = Settings(
        issuer="http://127.0.0.1/", database_url=f"sqlite:///{tmp_path}/x.db", testing=True, testing_token="t" * 20
    )
    app = create_app(settings)
    http = TestClient(app, base_url="http://127.0.0.1")
    steering = {"Authorization": "Bearer " + "t" * 20}
    made = http.post("/_testing/tenants", json={"name": "mine"}, headers=steering).json()
    http.post("/_testing/tenants/mine/faults", json=order, headers=steering)
    response = http.get(made["jwks_uri"])
    assert (response.status_code, response.headers["understudy-fault"]) == (500, order["kind"])
    assert "use the live server" in response.json()["error_description"]
    assert http.get(made["jwks_uri"]).status_code == 200
    app.state.testing_host.close()
    app.state.tenant.database.close()


def test_nothing_that_was_asked_for_is_logged_as_a_mistake(
    here: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The output of somebody's failing test is full enough."""
    faults = here.authserver.faults
    for fault in (faults.cut, faults.lose_answer, lambda **match: faults.cut(5, **match)):
        fault(endpoint="jwks")
        assert broken(here.keys)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert capfd.readouterr().err == ""


def waiting(here: World, kind: str) -> Fault:
    faults = here.authserver.faults
    return faults.hang(endpoint="jwks") if kind == "hang" else faults.delay(300, endpoint="jwks")
