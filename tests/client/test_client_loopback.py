"""Security rows CL2 to CL5 and corpus P4: what anybody on this machine may send to the listener, and what it does."""

import itertools
import re
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from client import loopback, page
from client.errors import LoginFailedError
from client.loopback import Listener

STATE = "the-state"
GOOD = f"/callback?code=c&state={STATE}&iss=i"


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener(STATE, (0,))
    yield listener
    listener.close()


def send(listener: Listener, raw: str) -> tuple[int, str]:
    """One request, byte for byte, until the server closes."""
    with connect(listener) as connection:
        connection.sendall(raw.replace("\n", "\r\n").encode("latin-1"))
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    status = re.match(r"HTTP/1\.[01] (\d{3})", answer.decode())
    return (int(status.group(1)) if status else 0), answer.decode()


def connect(listener: Listener) -> socket.socket:
    host, _, port = listener.authority.partition(":")
    return socket.create_connection((host, int(port)), timeout=20)


def request(listener: Listener, target: str, method: str = "GET", host: str | None = None, more: str = "") -> str:
    return f"{method} {target} HTTP/1.1\nHost: {host or listener.authority}\n{more}\n"


def finishes(listener: Listener) -> None:
    """The honest browser still gets through."""
    with connect(listener) as browser:
        browser.sendall(request(listener, GOOD).replace("\n", "\r\n").encode())
        assert ("code", "c") in listener.wait(10)


HOSTILE = {
    "no parameters": "/callback",
    "code without state": "/callback?code=x",
    "wrong state": "/callback?code=x&state=wrong&iss=i",
    "empty state": "/callback?code=x&state=",
    "state twice": f"/callback?code=x&state={STATE}&state={STATE}",
    "right and wrong state": f"/callback?code=x&state=wrong&state={STATE}",
    "state in another case": f"/callback?code=x&state={STATE.upper()}",
    "state with a space": f"/callback?code=x&state={STATE}%20",
    "state with bytes": "/callback?code=x&state=%ff%fe",
    "state as array": f"/callback?code=x&state[]={STATE}",
    "error without state": "/callback?error=access_denied",
    "too many parameters": f"/callback?state={STATE}&" + "a=b&" * 60,
    "too long": f"/callback?state={STATE}&code=" + "x" * 9000,
    "one megabyte": f"/callback?state={STATE}&code=" + "x" * 1_000_000,
    "favicon": "/favicon.ico",
    "root": "/",
    "longer path": f"/callback/?code=x&state={STATE}",
    "dot segments": f"/x/../callback?code=x&state={STATE}",
    "encoded path": f"/%63allback?code=x&state={STATE}",
    "upper case path": f"/CALLBACK?code=x&state={STATE}",
    "final page too early": "/done",
    "absolute form": f"http://127.0.0.1/callback?code=x&state={STATE}",
    "asterisk": "*",
    "semicolon": f"/callback;a?code=x&state={STATE}",
    "fragment": f"/#/callback?code=x&state={STATE}",
}


@pytest.mark.parametrize("target", HOSTILE.values(), ids=HOSTILE)
def test_CL2_strange_targets_change_nothing(listener: Listener, target: str) -> None:
    try:
        status, _ = send(listener, request(listener, target))
        assert 400 <= status < 500
    except ConnectionError:
        pass  # hung up on before all was sent: also fine
    finishes(listener)


@pytest.mark.parametrize(
    "method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH", "QUERY", "get"]
)
def test_CL2_only_GET(listener: Listener, method: str) -> None:
    status, answer = send(listener, request(listener, GOOD, method, more="Content-Length: 0\n"))
    assert status == 405
    if method == "HEAD":
        assert answer.endswith("\r\n\r\n")
    finishes(listener)


@pytest.mark.parametrize("host", ["evil.example", "localhost:{port}", "127.0.0.1", "127.0.0.1:80", "[::1]:{port}", " "])
def test_CL2_foreign_host_is_rebinding(listener: Listener, host: str) -> None:
    port = listener.authority.partition(":")[2]
    assert send(listener, request(listener, GOOD, host=host.format(port=port)))[0] == 400
    finishes(listener)


def test_CL2_no_host_or_two_hosts(listener: Listener) -> None:
    assert send(listener, f"GET {GOOD} HTTP/1.0\n\n")[0] == 400
    assert send(listener, request(listener, GOOD, more=f"Host: {listener.authority}\n"))[0] == 400
    assert send(listener, request(listener, GOOD, host="evil.example", more=f"Host: {listener.authority}\n"))[0] == 400
    finishes(listener)


@pytest.mark.parametrize(
    "raw", ["\n\n", "GET\n\n", "\x16\x03\x01\x02\n\n", "GET /callback HTTP/9.9\n\n", "A B C D\n\n"]
)
def test_CL2_port_scans_and_noise(listener: Listener, raw: str) -> None:
    status, _ = send(listener, raw)
    assert status == 0 or 400 <= status < 500
    finishes(listener)


def test_CL2_many_headers(listener: Listener) -> None:
    assert 400 <= send(listener, request(listener, "/callback", more="X: y\n" * 200))[0] < 500
    finishes(listener)


def test_CL2_the_state_works_once(listener: Listener) -> None:
    finishes(listener)
    assert send(listener, request(listener, GOOD))[0] == 400


def test_CL3_silent_connections_block_nobody(listener: Listener) -> None:
    silent = [connect(listener) for _ in range(20)]
    half = connect(listener)
    half.sendall(b"GET /callback?co")
    try:
        finishes(listener)
    finally:
        for connection in [*silent, half]:
            connection.close()


def test_CL4_literal_loopback_and_bound_before_the_url(listener: Listener) -> None:
    assert listener.redirect_uri == f"http://{listener.authority}/callback"
    assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d+", listener.authority)
    assert listener._server.socket.getsockname()[0] == "127.0.0.1"


def test_CL4_nobody_can_share_the_port(listener: Listener) -> None:
    port = int(listener.authority.partition(":")[2])
    for address in ("127.0.0.1", "0.0.0.0"):
        for option in (None, socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            with socket.socket() as thief:
                if option is not None:
                    thief.setsockopt(socket.SOL_SOCKET, option, 1)
                with pytest.raises(OSError, match="in use"):
                    thief.bind((address, port))


def test_CL4_the_next_free_port_in_turn() -> None:
    first = Listener(STATE, (0,))
    taken = int(first.authority.partition(":")[2])
    second = Listener(STATE, (taken, 0))
    assert second.authority != first.authority
    with pytest.raises(LoginFailedError, match="ports"):
        Listener(STATE, (taken, taken))
    first.close()
    second.close()


def test_CL4_the_port_is_free_again_at_once() -> None:
    """Three ports and logins in a row: a port must not stay blocked by its last, fading connection."""
    first = Listener(STATE, (0,))
    port = int(first.authority.partition(":")[2])
    assert send(first, request(first, "/favicon.ico"))[0] == 404
    first.close()
    with pytest.raises(ConnectionRefusedError):
        connect(first)
    Listener(STATE, (port,)).close()


def final_page(listener: Listener, final: page.Page) -> tuple[str, str]:
    """What the browser gets for the callback, and then for the place it is sent to."""
    import threading

    def app() -> None:
        listener.wait(10)
        listener.show(final)

    thread = threading.Thread(target=app)
    thread.start()
    callback = send(listener, request(listener, GOOD))[1]
    done = send(listener, request(listener, "/done"))[1]
    thread.join()
    return callback, done


def test_CL5_clean_url_no_store_and_strict_policy(listener: Listener) -> None:
    callback, done = final_page(listener, page.logged_in("Alice"))
    assert callback.startswith("HTTP/1.0 303")
    assert "\r\nLocation: /done\r\n" in callback
    assert done.startswith("HTTP/1.0 200")
    for answer in (callback, done):
        assert "Cache-Control: no-store\r\n" in answer
        assert "default-src 'none'" in answer
        assert "unsafe" not in answer
        assert "Referrer-Policy: no-referrer\r\n" in answer
        assert "code=c" not in answer
        assert "Server:" not in answer
    assert "Alice" in done


def test_CL5_markup_of_others_is_escaped(listener: Listener) -> None:
    _, done = final_page(listener, page.failed('<script>alert(1)</script>"&\x1b[31m'))
    assert "<script" not in done
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;" in done
    assert "\x1b" not in done


def test_CL5_nothing_is_logged(listener: Listener, capfd: pytest.CaptureFixture[str]) -> None:
    final_page(listener, page.logged_in("Alice"))
    send(listener, "GET\n\n")
    assert capfd.readouterr() == ("", "")


def test_visitors_who_are_slow_or_hang_up_leave_no_trace(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loopback._Handler, "timeout", 0.05)
    with connect(listener) as slow:
        slow.sendall(b"GET /callback?code=c")
        assert slow.recv(1) == b"", "shown the door"
    try:
        raise ConnectionResetError
    except ConnectionResetError:
        listener._server.handle_error(None, None)
    assert capfd.readouterr() == ("", "")


def test_CL19_a_browser_that_waits_is_told_when_the_login_is_stopped(listener: Listener) -> None:
    with connect(listener) as browser:
        browser.sendall(request(listener, GOOD).replace("\n", "\r\n").encode())
        listener.wait(10)
        listener.close()
        assert b"The login was stopped" in b"".join(iter(lambda: browser.recv(65536), b""))


def test_nobody_comes(listener: Listener) -> None:
    with pytest.raises(LoginFailedError, match="No answer"):
        listener.wait(0.01)


def test_a_browser_that_does_not_fetch_the_page_holds_nobody_up(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "GRACE", 0.05)
    finishes(listener)
    listener.show(page.logged_in("Alice"))


def test_ctrl_c_in_any_moment_of_the_wait_holds_nobody_up() -> None:
    """At each step of the wait in turn, those in the library included: who gives up then is not kept waiting."""
    for moment in itertools.count():
        listener, steps = Listener(STATE, (0,)), itertools.count()

        def interrupt(*_: object, steps: Iterator[int] = steps, moment: int = moment) -> Any:
            if next(steps) == moment:
                sys.settrace(None)
                raise KeyboardInterrupt
            return interrupt

        is_over = False
        before = sys.gettrace()
        try:
            sys.settrace(interrupt)
            listener.wait(0.01)
        except KeyboardInterrupt:
            pass
        except LoginFailedError:  # nobody came, and nothing was left to interrupt
            is_over = True
        finally:
            sys.settrace(before)
        closing = threading.Thread(target=listener.close, daemon=True)
        closing.start()
        closing.join(20)
        assert not closing.is_alive(), f"interrupted at step {moment}"
        if is_over:
            assert moment > 2
            return
