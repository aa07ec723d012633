"""DR3: what we call, and what we do not, whoever names it.

Real sockets. The resolver is the machine's, which a test may let say what a hostile name server would.
"""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver import outbound, tls
from authserver.outbound import Outbound, OutboundError, Reach, Unavailable, Unusable, transport
from authserver.outbound.addresses import check, may_reach, origin
from tests.attacks.judge import on_sqlite
from tests.authority import Authority
from tests.client.fake_server import CLIENT_ID, Answer, FakeIssuer, FakeServer
from tests.stage import Stage, Theatre
from tests.upstream.test_upstream_lies import JWKS, METADATA, TOKEN, USERINFO
from tests.upstream.traveller import CONNECTION, Traveller, connect, start

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "100.100.100.200",
    "192.0.0.192",
    "not an address",
    "",
    "0x7f000001",
    "2130706433",
]
STRANGE = [
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "100.64.0.1",
    "198.18.0.1",
    "240.0.0.1",
]
PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]


@pytest.mark.parametrize("address", PRIVATE)
def test_DR3_a_private_address_is_for_names_in_the_tenant_file(address: str) -> None:
    assert may_reach(address, trusted=True)
    assert not may_reach(address, trusted=False)


@pytest.mark.parametrize("address", NEVER)
def test_DR3_some_addresses_are_never_called(address: str) -> None:
    assert not may_reach(address, trusted=True)
    assert not may_reach(address, trusted=False)


@pytest.mark.parametrize("address", STRANGE)
def test_DR3_nobody_else_leads_us_to_a_disguised_address(address: str) -> None:
    assert not may_reach(address, trusted=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_DR3_public_addresses_are_called(address: str) -> None:
    assert may_reach(address, trusted=True)
    assert may_reach(address, trusted=False)


@given(st.ip_addresses())
def test_DR3_what_is_not_public_is_not_reached_for_others(address: Any) -> None:
    assert not may_reach(str(address), trusted=False) or address.is_global or address.ipv4_mapped.is_global


TRUSTED = Reach(frozenset({"http://127.0.0.1:9000", "https://idp.internal:443"}), plain_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.internal/keys",
        "http://127.0.0.1:9001/keys",
        "http://localhost:9000/keys",
        "file:///etc/passwd",
        "gopher://127.0.0.1:9000/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "//127.0.0.1:9000/keys",
        "/keys",
        "",
        "https://",
        "https://idp.internal@127.0.0.1/",
        "https://idp.internal\\@evil.test/",
        "https://idp.internal/#@evil.test",
        "https://idp.internal /",
        "https://idp.internal/\r\nHost: evil.test",
        "https://idp.internal:99999/",
        "https://idp.internal:x/",
        "https://[::1/",
        "http://127.0.0.1:9000@evil.test/",
    ],
)
def test_DR3_only_https_is_spoken_beyond_loopback(url: str) -> None:
    with pytest.raises(Unusable):
        check(url, TRUSTED)


def test_DR3_trust_is_for_the_whole_origin() -> None:
    assert check("https://idp.internal/keys", TRUSTED)
    assert check("https://IDP.internal:443/keys", TRUSTED)
    assert check("http://127.0.0.1:9000/keys", TRUSTED)
    assert not check("https://idp.internal:8443/keys", TRUSTED)
    assert not check("https://other.internal/keys", TRUSTED)
    with pytest.raises(Unusable):
        check("http://127.0.0.1:9000/keys", Reach(TRUSTED.trusted))
    assert origin("https://a.example/b?c") == "https://a.example:443"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    server = FakeServer()
    server.always("/x", Answer(body={"said": "yes"}))
    yield server
    server.close()


def reach_of(*servers: FakeServer, ca_file: Path | None = None) -> Reach:
    return Reach(frozenset(each.origin for each in servers), plain_loopback=True, ca_file=ca_file)


def get(url: str, reach: Reach) -> dict[str, Any]:
    with Outbound().call(reach) as call:
        return call.get_object(url, "x")


def resolving(monkeypatch: pytest.MonkeyPatch, **names: list[str]) -> list[str]:
    """Let the name server say this of these names. Returns the list of what was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def say(host: str, port: int, *arguments: Any, **more: Any) -> Any:
        asked.append(host)
        if (addresses := names.get(host.replace(".", "_"))) is None:
            return real(host, port, *arguments, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", say)
    return asked


def test_DR3_a_name_that_leads_inside_is_not_followed(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, inside_example=["127.0.0.1"], both_example=["93.184.216.34", "127.0.0.1"])
    port = server.origin.rpartition(":")[2]
    for name in ("inside.example", "both.example"):
        with pytest.raises(Unusable, match="leads to an address"):
            get(f"https://{name}:{port}/x", reach_of(server))
    assert server.requests == []


def test_DR3_a_name_is_asked_for_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second answer would be another one."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    server = FakeServer(tls.server_context(authority.certificate, authority.key))
    server.always("/x", Answer(body={"said": "yes"}))
    port = int(server.origin.rpartition(":")[2])
    asked: list[str] = []

    def say(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[len(asked) - 1]]

    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: (say if host == "localhost" else real)(host, *a, **k)
    )
    with closing(server):
        trusted = Reach(frozenset({f"https://localhost:{port}"}), ca_file=authority.itself)
        assert get(f"https://localhost:{port}/x", trusted) == {"said": "yes"}
    assert asked == ["localhost"]


def test_DR3_http_does_not_leave_the_machine(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, localhost=["192.168.1.1"])
    with pytest.raises(Unusable, match="loopback alone"):
        get("http://localhost:1/x", Reach(frozenset({"http://localhost:1"}), plain_loopback=True))
    assert get(server.origin + "/x", reach_of(server)) == {"said": "yes"}


def test_DR3_a_certificate_must_be_right(authority: Authority) -> None:
    server = FakeServer(tls.server_context(authority.certificate, authority.key))
    server.always("/x", Answer(body={}))
    with closing(server):
        with pytest.raises(Unavailable):
            get(server.origin + "/x", reach_of(server))
        assert get(server.origin + "/x", reach_of(server, ca_file=authority.itself)) == {}
        elsewhere = server.origin.replace("127.0.0.1", "127.0.0.2")
        with pytest.raises(Unavailable):
            get(elsewhere + "/x", Reach(frozenset({elsewhere}), ca_file=authority.itself))


def test_DR3_no_redirect_is_followed(server: FakeServer) -> None:
    for status in (301, 302, 303, 307, 308):
        server.always("/y", Answer(status, {}, {"Location": server.origin + "/x"}))
        with pytest.raises(Unusable, match=str(status)):
            get(server.origin + "/y", reach_of(server))
    assert server.asked("/x") == []


def test_DR3_proxies_and_netrc_of_the_environment_count_for_nothing(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login thief password stolen\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert get(server.origin + "/x", reach_of(server)) == {"said": "yes"}
    assert "authorization" not in server.requests[0].headers
    assert "cookie" not in server.requests[0].headers


def test_DR3_an_answer_has_a_size(server: FakeServer) -> None:
    filling = transport.SIZE - len(b'{"a": ""}')
    server.always("/x", Answer(body=b'{"a": "' + b"x" * filling + b'"}'))
    assert len(get(server.origin + "/x", reach_of(server))["a"]) == filling
    server.always("/x", Answer(body=b'{"a": "' + b"x" * (filling + 1) + b'"}'))
    with pytest.raises(Unusable, match="too much"):
        get(server.origin + "/x", reach_of(server))
    server.always("/x", Answer(chunks=repeat(b" " * 100)))
    with pytest.raises(Unusable, match="too much"):
        get(server.origin + "/x", reach_of(server))


def test_DR3_a_small_answer_is_not_unfolded(server: FakeServer) -> None:
    for coding in ("gzip", "deflate"):
        pack = gzip.compress if coding == "gzip" else zlib.compress
        server.always("/x", Answer(200, pack(b'{"said": "yes"}'), {"Content-Encoding": coding}))
        with pytest.raises(Unusable, match="content coding"):
            get(server.origin + "/x", reach_of(server))


def dripping() -> Iterator[bytes]:
    for _ in range(120):
        time.sleep(0.05)  # the other side's slowness is what is tested
        yield b" "


def test_DR3_all_of_a_call_has_one_deadline(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "TOTAL", 0.4)
    server.routes["/x"] = lambda _: Answer(chunks=dripping())
    began = time.monotonic()
    with pytest.raises(Unavailable):
        get(server.origin + "/x", reach_of(server))
    assert time.monotonic() - began < 3
    server.always("/y", Answer(body={}))
    with Outbound().call(reach_of(server)) as call:
        assert call.get_object(server.origin + "/y", "y") == {}
        with pytest.raises(Unavailable):
            call.get_object(server.origin + "/x", "x")
        with pytest.raises(Unavailable, match="time is over"):
            call.get_object(server.origin + "/y", "y")


def test_DR3_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and says nothing
        where = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable):
            get(where + "/x", Reach(frozenset({where}), plain_loopback=True))


def test_DR3_a_slow_name_server_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PATIENCE", 0.2)
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10) and [])
    try:
        with pytest.raises(Unavailable, match="name is not known"):
            get("https://slow.example/x", Reach(frozenset()))
    finally:
        over.set()


def test_DR3_calls_take_a_part_of_the_threads_alone(server: FakeServer) -> None:
    shared, calls = Outbound(), []
    for _ in range(outbound.AT_ONCE):
        calls.append(shared.call(reach_of(server)))
        calls[-1].__enter__()
    with pytest.raises(Unavailable, match="too many"), shared.call(reach_of(server)):
        pass
    for each in calls:
        each.__exit__(None, None, None)
    with shared.call(reach_of(server)) as call:
        assert call.get_object(server.origin + "/x", "x") == {"said": "yes"}


def test_what_is_remembered_has_bounds(server: FakeServer) -> None:
    shared = Outbound()
    with shared.call(reach_of(server)) as call:
        for number in range(outbound.MOST_DOCUMENTS + 1):
            server.always(f"/{number}", Answer(body={}))
            shared.document(call, f"{server.origin}/{number}", "x", 0)
        assert len(shared._documents) <= outbound.MOST_DOCUMENTS
        server.always("/x", Answer(body={"n": 1}))
        assert shared.document(call, server.origin + "/x", "x", 1000) == {"n": 1}
        server.always("/x", Answer(body={"n": 2}))
        assert shared.document(call, server.origin + "/x", "x", 1000 + outbound.FRESH - 1) == {"n": 1}
        assert shared.document(call, server.origin + "/x", "x", 1000 + outbound.FRESH) == {"n": 2}
        server.always("/x", Answer(500, {}))
        with pytest.raises(OutboundError):
            shared.document(call, server.origin + "/x", "x", 10_000)


@on_sqlite
@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_DR3_metadata_lead_to_no_other_place_inside(
    stage: Stage, liar: FakeIssuer, travel: Callable[..., Traveller], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is trusted with its own origin and no other: here with another port of the same machine."""
    inside = FakeServer()
    port = inside.origin.rpartition(":")[2]
    resolving(monkeypatch, inside_example=["127.0.0.1"])
    with closing(inside):
        for url in (f"{inside.origin}/x", f"https://127.0.0.1:{port}/x", f"https://inside.example:{port}/x"):
            stage.restart()
            liar.metadata[name] = url
            page = start(stage, travel(liar.origin), connection=CONNECTION)
            assert page.status_code == 400
            assert 'id="back-to-login"' in page.text
        assert inside.requests == []


@on_sqlite
@pytest.mark.parametrize("path", [METADATA, TOKEN, JWKS, USERINFO])
def test_a_slow_provider_costs_ten_seconds_at_most(
    stage: Stage, liar: FakeIssuer, travel: Callable[..., Traveller], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outbound.TOTAL < 10
    monkeypatch.setattr(outbound, "TOTAL", 0.6)
    liar.routes[path] = lambda _: Answer(chunks=dripping())
    began = time.monotonic()
    page = start(stage, travel(liar.origin), connection=CONNECTION)
    assert time.monotonic() - began < 4
    assert page.status_code == 503
    assert 'id="back-to-login"' in page.text


@on_sqlite
def test_a_provider_that_is_not_there_is_said_to_be_down(stage: Stage, travel: Callable[..., Traveller]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    connect(stage, options={"issuer": f"http://127.0.0.1:{port}/", "client_id": CLIENT_ID})
    page = start(stage, travel(), connection=CONNECTION)
    assert page.status_code == 503
    assert "acme cannot be reached" in page.text


@on_sqlite
def test_under_an_issuer_of_the_world_http_is_not_spoken(raise_stage: Callable[..., Stage], theatre: Theatre) -> None:
    stage = raise_stage(
        issuer="http://id.example:9000/", allow_insecure_http_issuer=True, allow_insecure_demo_tenant=True
    )
    provider = FakeIssuer(stage.clock)
    with closing(provider):
        connect(stage, options={"issuer": provider.issuer, "client_id": CLIENT_ID})
        here, host = f"http://127.0.0.1:{theatre.port}", {"Host": "id.example:9000"}
        first = stage.browser().http
        asked = first.get(f"{here}/authorize", params=stage.parameters(connection=CONNECTION), headers=host)
        cookie = {"Cookie": asked.headers["set-cookie"].partition(";")[0]}
        path = asked.headers["location"].removeprefix("http://id.example:9000")
        page = first.get(here + path, headers={**host, **cookie})
        assert page.status_code == 400
        assert provider.requests == []
