"""The end of `python -m api`, and peers that take their time: nobody who was heard is reset (B22, HT2, DE7)."""

import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
import trustme
import uvicorn
from starlette.types import ASGIApp

from api import Settings, create_app, server
from tests.api.fake_issuer import FakeIssuer
from tests.api.test_api_process import serving

STOPS = [signal.SIGTERM, signal.SIGINT]


class Served:
    """How to reach an API that was started with `flags`."""

    def __init__(self, flags: tuple[str, ...], trust: ssl.SSLContext) -> None:
        self.flags, self.trust = flags, trust

    def client(self) -> httpx2.Client:
        return httpx2.Client(verify=self.trust, trust_env=False, timeout=20)

    def connect(self, url: str) -> socket.socket:
        scheme, _, address = url.partition("://")
        host, _, port = address.partition(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        return self.trust.wrap_socket(connection, server_hostname=host) if scheme == "https" else connection


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def served(request: pytest.FixtureRequest, tmp_path: Path, authority: trustme.CA) -> Served:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trust)
    if request.param == "http":
        return Served((), trust)
    issued = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return Served(("--tls-cert", str(cert), "--tls-key", str(key)), trust)


@pytest.mark.parametrize("number", STOPS)
def test_B22_a_stop_under_load_resets_nobody(tmp_path: Path, served: Served, number: int) -> None:
    warm = threading.Barrier(9)

    def keep_asking(url: str, *, anew: bool) -> int:
        """Ask until nobody listens any more; how often there was an answer. Whatever else happens is raised."""
        answers = 0
        http = served.client()
        try:
            while True:
                if anew:
                    http.close()
                    http = served.client()
                assert http.get(f"{url}/public").json() == {"message": "Anybody may read this."}
                answers += 1
                if answers == 5:
                    warm.wait(30)
        except httpx2.ConnectError as error:
            if "refused" not in str(error):
                raise
            return answers
        finally:
            http.close()

    with serving(tmp_path, *served.flags) as (process, url), ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(keep_asking, url, anew=index % 2 == 0) for index in range(8)]
        warm.wait(30)
        process.send_signal(number)
        assert all(each.result(timeout=30) >= 5 for each in asking)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in err


@pytest.mark.parametrize("number", STOPS)
def test_B22_a_request_in_hand_is_answered(tmp_path: Path, served: Served, issuer: FakeIssuer, number: int) -> None:
    now = int(time.time())
    token = issuer.token(iat=now, exp=now + 600)
    body = b'{"text": "in time"}'
    head = f"POST /notes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    with serving(tmp_path, "--issuer", issuer.url, *served.flags) as (process, url):
        with served.client() as http:
            http.get(f"{url}/readyz")
            with served.connect(url) as connection:
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:5])
                http.get(f"{url}/public")  # answered after the other has been heard
                process.send_signal(number)
                _wait_for_the_stop(process)
                process.send_signal(signal.SIGTERM)  # somebody is impatient
                connection.sendall(body[5:])
                answer = _all_of(connection)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert answer.startswith("HTTP/1.1 201 ")
    assert "\r\nconnection: close\r\n" in answer
    assert '"text":"in time"' in answer


def test_B22_a_connection_that_was_just_made_is_heard(tmp_path: Path, served: Served) -> None:
    """What was sent before the server hung up gets its answer, and not a reset."""
    with serving(tmp_path, *served.flags) as (process, url):
        connections = [served.connect(url) for _ in range(20)]
        process.send_signal(signal.SIGTERM)
        _wait_for_the_stop(process)
        for connection in connections:
            connection.sendall(b"GET /public HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = [_all_of(connection) for connection in connections]
        for connection in connections:
            connection.close()
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert all(answer.startswith("HTTP/1.1 200 ") for answer in answers)


def _wait_for_the_stop(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    assert any('"stopping"' in line for line in process.stderr)


def _all_of(connection: socket.socket) -> str:
    """Everything until the peer closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received.decode()


# ── slow and malformed peers, before the same server in this process ─────────────────────────────────────────────────


@pytest.fixture
def impatient(tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server with little patience; its address."""
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    monkeypatch.setattr("api.door.BODY_PATIENCE", 0.3)
    app = create_app(Settings.model_validate({"database_url": f"sqlite:///{tmp_path}/notes.db"}))
    with _running(app, served) as url:
        yield url


class _running:  # noqa: N801 - a context manager, used like a function
    def __init__(self, app: ASGIApp, served: Served) -> None:
        files = dict(zip(served.flags[::2], served.flags[1::2], strict=True))
        self.scheme = "https" if files else "http"
        config = uvicorn.Config(
            app,
            http=server.HttpProtocol,
            log_config=None,
            ssl_certfile=files.get("--tls-cert"),
            ssl_keyfile=files.get("--tls-key"),
        )
        ready = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ready, self.server = ready, server.Server(config, ready.set)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})

    def __enter__(self) -> str:
        self.thread.start()
        assert self.ready.wait(20)
        return f"{self.scheme}://127.0.0.1:{self.listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.mark.parametrize(
    "beginning",
    [b"", b"G", b"GET /public HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"GET /public HTTP/1.1\r\nHost: a\r\n\r\nGET"],
)
def test_HT2_headers_that_do_not_come_end_the_connection(impatient: str, served: Served, beginning: bytes) -> None:
    with served.connect(impatient) as connection:
        connection.sendall(beginning)
        answer = _all_of(connection)  # returns: the server closed
        assert answer.count("HTTP/1.1 200 ") == beginning.count(b"\r\n\r\n")
        with served.client() as http:
            assert http.get(f"{impatient}/public").status_code == 200  # others are served meanwhile


def test_HT2_a_handshake_that_does_not_come_ends_the_connection(impatient: str) -> None:
    host, _, port = impatient.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        assert connection.recv(1) == b""


def test_HT2_a_body_that_does_not_come_is_refused(
    tmp_path: Path, served: Served, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.door.BODY_PATIENCE", 0.3)
    now = int(time.time())
    token = issuer.token(iat=now, exp=now + 600)
    settings = {"issuer": issuer.url, "database_url": f"sqlite:///{tmp_path}/notes.db"}
    head = f"POST /notes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    with _running(create_app(Settings.model_validate(settings)), served) as url, served.connect(url) as connection:
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"text": '.encode())
        answer = _all_of(connection)
    assert answer.startswith("HTTP/1.1 408 ")
    assert '"error":"invalid_request"' in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00\xa5",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n",
        b"GET /\xf0\x9f HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n",
        b"POST /notes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_what_is_no_http_is_refused_in_our_form(impatient: str, served: Served, sent: bytes) -> None:
    with served.connect(impatient) as connection:
        connection.sendall(sent)
        head, _, body = _all_of(connection).partition("\r\n\r\n")
    assert re.match(r"HTTP/1\.1 4\d\d ", head)
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "error_description" in json.loads(body)


def test_DE7_tls_begins_with_version_1_2(tmp_path: Path, served: Served) -> None:
    if not served.flags:
        return  # nothing to be negotiated
    with serving(tmp_path, *served.flags) as (_, url):
        for version, accepted in (
            (ssl.TLSVersion.TLSv1_1, False),
            (ssl.TLSVersion.TLSv1_2, True),
            (ssl.TLSVersion.TLSv1_3, True),
        ):
            assert _speaks(url, version) == accepted, version


def _speaks(url: str, version: ssl.TLSVersion) -> bool:
    host, _, port = url.partition("://")[2].partition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is why nobody should speak 1.1
        context.minimum_version = context.maximum_version = version
    try:
        with socket.create_connection((host, int(port)), timeout=20) as raw, context.wrap_socket(raw):
            return True
    except ssl.SSLError:
        return False
