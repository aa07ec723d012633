"""Stopping under load (security case B22): status 0, nobody reset, whoever had asked is answered.

Rooms: authserver/server.py, authserver/workers.py
"""

import errno
import os
import select
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import text

from authserver.server import GRACE, refuse_newcomers
from authserver.store.engine import Database
from tests.authority import Authority
from tests.conftest import Prepared
from tests.processes import Served, served

KEPT, NEW, IDLE = 40, 6, 8
"""Peers that keep their connection, that open one for each request, and that have asked once and wait."""


@pytest.fixture
def backend() -> str:
    return "sqlite"


@dataclass
class Asked:
    """One request: when its last byte had been handed over, and how it ended."""

    at: float
    outcome: str


@dataclass
class Peer:
    """A client that asks until it is told that this was the last answer."""

    connect: Callable[[], socket.socket]
    request: bytes
    keeps: bool
    asked: list[Asked] = field(default_factory=list)

    def run(self) -> None:
        connection = None
        try:
            while True:
                connection = connection or self.connect()
                connection.sendall(self.request)
                self.asked.append(Asked(time.monotonic(), "unanswered"))
                head = self._answer(connection)
                if head is None:
                    self.asked[-1].outcome = "closed"
                    return
                self.asked[-1].outcome = head.split(b" ")[1].decode()
                if b"connection: close" in head.lower():
                    return
                if not self.keeps:
                    connection.close()
                    connection = None
        except ConnectionRefusedError:
            return
        except OSError as error:
            self.asked.append(Asked(0.0, type(error).__name__))
        finally:
            if connection:
                connection.close()

    @staticmethod
    def _answer(connection: socket.socket) -> bytes | None:
        """The head, once the body has come too; None when the server closes before the first byte."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (more := connection.recv(65536)):
                if received:
                    raise EOFError("half a head")
                return None
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            if not (more := connection.recv(65536)):
                raise EOFError("half a body")
            body += more
        return head


@dataclass
class Load:
    """Peers of every kind against one server."""

    server: Served
    authority: Authority
    secret: str
    database_url: str = ""

    def connect(self) -> socket.socket:
        address = urlsplit(self.server.issuer)
        connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=30)
        if address.scheme == "http":
            return connection
        try:
            return self.authority.context.wrap_socket(connection, server_hostname=address.hostname)
        except ssl.SSLEOFError:
            raise ConnectionRefusedError from None

    def request(self, line: str, body: str = "") -> bytes:
        """As one text; a body is a form."""
        form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{line} HTTP/1.1\r\nHost: {urlsplit(self.server.issuer).netloc}\r\n{form}\r\n{body}".encode()

    def peers(self) -> Iterator[Peer]:
        token = self.request(
            "POST /oauth/token",
            urlencode(
                {
                    "grant_type": "client_credentials",
                    "client_id": "backend",
                    "client_secret": self.secret,
                    "audience": "https://notes.example/api",
                }
            ),
        )
        keys = self.request("GET /.well-known/jwks.json")
        for number in range(KEPT):
            yield Peer(self.connect, token if number % 2 else keys, keeps=True)
        for _ in range(NEW):
            yield Peer(self.connect, keys, keeps=False)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("workers", [1, pytest.param(4, marks=pytest.mark.thorough("four more processes"))])
def test_B22_under_load_every_request_is_answered_and_nobody_reset(
    prepared: Prepared, authority: Authority, tmp_path: Path, workers: int, scheme: str
) -> None:
    options = ("--workers", str(workers), *(authority.options if scheme == "https" else ()))
    with served(tmp_path, *options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server, ExitStack() as stack:
        load = Load(server, authority, prepared.secrets["backend"])
        idle = [stack.enter_context(load.connect()) for _ in range(IDLE)]
        for connection in idle:
            connection.sendall(load.request("GET /healthz"))
            assert Peer._answer(connection)
        peers = list(load.peers())
        threads = [threading.Thread(target=peer.run) for peer in peers]
        for thread in threads:
            thread.start()
        for _ in trying():
            if all(len(peer.asked) > 3 for peer in peers):
                break
        stopped = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        farewells = [connection.recv(1) for connection in idle]
        for thread in threads:
            thread.join()
        assert server.process.wait(timeout=10) == 0  # ten seconds are what Docker waits
    before = [asked.outcome for peer in peers for asked in peer.asked if asked.at <= stopped]
    after = [asked.outcome for peer in peers for asked in peer.asked if asked.at > stopped]
    assert set(before) == {"200"}
    assert set(after) <= {"200", "closed"}
    assert farewells == [b""] * IDLE
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def load(prepared: Prepared, authority: Authority, tmp_path: Path) -> Iterator[Load]:
    """One process over plain http, stopped by the test."""
    url = prepared.copy(tmp_path)
    with served(tmp_path, AUTHSERVER_DATABASE_URL=url) as server:
        yield Load(server, authority, prepared.secrets["backend"], url)


def trying() -> Iterator[None]:
    """Again and again, with a pause, for a minute at most."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        yield
        select.select([], [], [], 0.01)
    pytest.fail("this does not happen")


def until_refused(load: Load) -> None:
    """Until the server no longer listens; others who still ask are not disturbed."""
    for _ in trying():
        try:
            load.connect().close()
        except ConnectionRefusedError:
            return


def test_B22_what_the_kernel_had_accepted_is_answered_too(load: Load) -> None:
    """The server is held still, so that requests and signal come to it at the same moment."""
    request = load.request("GET /.well-known/jwks.json")
    load.server.process.send_signal(signal.SIGSTOP)
    with ExitStack() as stack:
        waiting = [stack.enter_context(load.connect()) for _ in range(100)]
        for connection in waiting:
            connection.sendall(request)
        load.server.process.send_signal(signal.SIGTERM)
        load.server.process.send_signal(signal.SIGCONT)
        answers = [Peer._answer(connection) or b"" for connection in waiting]
        assert {answer.split(b" ")[1] for answer in answers} == {b"200"}
        assert {connection.recv(1) for connection in waiting} == {b""}, "each connection ends without a reset"
    # Those who were served before the signal was looked at could not know; the others are told.
    assert any(b"connection: close" in answer.lower() for answer in answers)
    assert load.server.process.wait(timeout=30) == 0


def test_B22_a_request_that_had_begun_is_finished_and_readiness_is_off(load: Load) -> None:
    ready, slow = load.request("GET /readyz"), load.request("POST /oauth/token", "client_id=x")
    with load.connect() as probe, load.connect() as body:
        probe.sendall(ready[:20])
        body.sendall(slow[:-3])
        load.server.process.send_signal(signal.SIGINT)
        until_refused(load)
        probe.sendall(ready[20:])
        assert b" 503 " in (Peer._answer(probe) or b"")
        body.sendall(slow[-3:])
        assert b" 401 " in (Peer._answer(body) or b"")
        assert (probe.recv(1), body.recv(1)) == (b"", b"")
    assert load.server.process.wait(timeout=30) == 0


def test_B22_who_does_not_finish_in_time_is_cut(load: Load) -> None:
    with load.connect() as stuck:
        stuck.sendall(load.request("POST /oauth/token", "client_id=x")[:-3])
        load.server.process.send_signal(signal.SIGTERM)
        assert load.server.process.wait(timeout=2 * GRACE) == 0
    assert "Traceback" not in load.server.log.read_text()


@pytest.mark.parametrize("backend", ["postgresql"])
def test_B22_a_request_that_hangs_in_the_database_does_not_hold_the_end_up(load: Load) -> None:
    """It is cut, and the status admits it."""
    database = Database(load.database_url)
    try:
        with database.write() as db, load.connect() as stuck:
            db.execute(text("LOCK TABLE refresh_tokens IN ACCESS EXCLUSIVE MODE"))
            body = "grant_type=refresh_token&client_id=native-app&refresh_token=x"
            stuck.sendall(load.request("POST /oauth/token", body))
            for _ in trying():
                waiting = db.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()
                if waiting:
                    break
            load.server.process.send_signal(signal.SIGTERM)
            assert load.server.process.wait(timeout=2 * GRACE) == 1
    finally:
        database.close()
    assert "1 requests hang" in load.server.log.read_text()


@pytest.mark.parametrize("workers", [1, 2])
def test_B22_a_second_signal_ends_it_at_once(
    prepared: Prepared, authority: Authority, tmp_path: Path, workers: int
) -> None:
    options = ("--workers", str(workers))
    with served(tmp_path, *options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server:
        load = Load(server, authority, "")
        with load.connect() as stuck:
            stuck.sendall(load.request("POST /oauth/token", "client_id=x")[:-3])
            server.process.send_signal(signal.SIGTERM)
            until_refused(load)
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=GRACE / 2) == 128 + signal.SIGTERM
    assert "Traceback" not in server.log.read_text()


def test_B22_workers_are_replaced_and_do_not_outlive_their_parent(
    prepared: Prepared, authority: Authority, tmp_path: Path
) -> None:
    with served(tmp_path, "--workers", "2", AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server:
        load = Load(server, authority, "")
        first = wait_for_workers(server)
        os.kill(first[0], signal.SIGKILL)
        assert first[1] in wait_for_workers(server, without=first[0])
        with load.connect() as connection:
            connection.sendall(load.request("GET /healthz"))
            assert Peer._answer(connection)
        server.process.kill()
        until_refused(load)


def test_B22_a_worker_that_cannot_begin_is_tried_again_while_others_serve(
    prepared: Prepared, authority: Authority, tmp_path: Path
) -> None:
    url = prepared.copy(tmp_path)
    file = Path(url.removeprefix("sqlite:///"))
    with served(tmp_path, "--workers", "2", AUTHSERVER_DATABASE_URL=url) as server:
        load = Load(server, authority, "")
        first = wait_for_workers(server)
        for _ in trying():
            if server.log.read_text().count("accepting requests") == 2:
                break
        file.rename(file.with_suffix(".away"))
        os.kill(first[0], signal.SIGKILL)
        for _ in trying():
            if "a worker cannot start" in server.log.read_text():
                break
        with load.connect() as connection:
            connection.sendall(load.request("GET /healthz"))
            assert Peer._answer(connection)
        file.with_suffix(".away").rename(file)
        for _ in trying():
            if server.log.read_text().count("accepting requests") == 3:
                break
        assert server.stop() == 0


def wait_for_workers(server: Served, without: int = 0) -> list[int]:
    """The process ids of two workers, when there are two and none of them is this."""
    parent = server.process.pid
    for _ in trying():
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        workers = [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
        if len(workers) == 2 and without not in workers:
            return workers
    return []


def test_B22_a_newcomer_during_the_stop_is_refused_and_not_reset() -> None:
    """Between the last accept and the close nobody can slip in: who had connected before is heard, the others wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        with socket.create_connection(listener.getsockname()) as early:
            refuse_newcomers(listener)
            early.sendall(b"before")
            late.setblocking(False)
            late.connect_ex(listener.getsockname())
            assert not select.select([], [late], [], 0.2)[1], "somebody slipped in"
            accepted, _ = listener.accept()
            early.sendall(b" and after")
            early.shutdown(socket.SHUT_WR)
            with accepted:
                assert b"".join(iter(lambda: accepted.recv(99), b"")) == b"before and after"
        address = listener.getsockname()
        listener.close()
        select.select([], [late], [], 30)
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED, address
