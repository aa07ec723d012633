"""`python -m client serve` as a process: how it starts, what it prints, how it ends, and the command line beside it.

Rooms: client/serve/server.py, client/cli.py
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from client.settings import CALLBACK_PORTS, Settings
from tests.client.fake_server import Answer, FakeApi, FakeIssuer, Request
from tests.client.serving import Browser, words

ROOT = Path(__file__).parents[2]
Start = Callable[..., "Process"]
Visit = Callable[["Process"], Browser]


class Process:
    def __init__(self, settings: Settings, *arguments: str, command: str = "serve", **environment: str) -> None:
        ours = {
            "CLIENT_ISSUER": settings.issuer,
            "CLIENT_API_URL": settings.api_url,
            "CLIENT_TOKEN_DIR": settings.token_dir,
        }
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "client", command, *arguments],
            cwd=ROOT,
            env=os.environ | ours | {"COLUMNS": "200"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> str:
        """The URL that it is ready at."""
        lines: queue.Queue[str] = queue.Queue()
        stdout = self.popen.stdout
        assert stdout
        threading.Thread(target=lambda: lines.put(stdout.readline()), daemon=True).start()
        line = lines.get(timeout=60)
        assert line.startswith("READY http://127.0.0.1:"), line
        return line.removeprefix("READY ").strip()

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Status, stdout and stderr."""
        if number:
            self.popen.send_signal(number)
        out, err = self.popen.communicate(timeout=60)
        assert "Traceback" not in out + err, err
        return self.popen.returncode, out, err


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    started: list[Process] = []

    def start(*arguments: str, **more: str) -> Process:
        started.append(Process(settings, *arguments, **more))
        return started[-1]

    yield start
    for process in started:
        process.popen.kill()
        process.popen.communicate()


@pytest.fixture
def visit() -> Iterator[Visit]:
    """A browser at the page of a process, as soon as that is ready."""
    with ExitStack() as stack:

        def visit(process: Process) -> Browser:
            browser = Browser(process.ready())
            stack.callback(browser.http.close)
            return browser

        yield visit


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_from_start_to_end(start: Start, number: int) -> None:
    process = start("--port", "0")
    origin = process.ready()
    for path in ("/healthz", "/readyz", "/"):
        assert httpx2.get(origin + path, trust_env=False).status_code == 200
    status, out, err = process.end(number)
    assert (status, out) == (0, "")
    assert "Tokens are kept in" in err
    assert "not among the demo tenant's callbacks" in err


def test_B22_requests_in_hand_are_finished(start: Start, visit: Visit, api: FakeApi) -> None:
    process = start("--port", "0")
    browser = visit(process)
    browser.log_in()
    reached, go_on = threading.Event(), threading.Event()

    def slow(_request: Request) -> Answer:
        reached.set()
        assert go_on.wait(30)
        return Answer(body=[{"id": "n1", "text": "Worth waiting for"}])

    api.routes["/notes"] = slow
    with ThreadPoolExecutor(1) as pool:
        try:
            waiting = pool.submit(browser.get)
            assert reached.wait(30)
            process.popen.send_signal(signal.SIGTERM)
            port = httpx2.URL(browser.origin).port
            while True:  # until it has heard the signal, and takes no more
                try:
                    socket.create_connection(("127.0.0.1", port or 0), timeout=30).close()
                except (ConnectionRefusedError, ConnectionResetError):
                    break
        finally:
            go_on.set()
        assert "Worth waiting for" in words(waiting.result())
    assert process.end()[0] == 0


def test_CL4_it_listens_on_loopback_alone(start: Start) -> None:
    port = httpx2.URL(start("--port", "0").ready()).port or 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=30)


def test_CL4_on_all_interfaces_only_if_the_flag_says_so(start: Start) -> None:
    process = start("--port", "0", "--allow-insecure-listen")
    origin = process.ready()
    port = httpx2.URL(origin).port or 0
    assert origin == f"http://127.0.0.1:{port}"
    socket.create_connection(("127.0.0.2", port), timeout=30).close()
    answer = httpx2.get(f"http://127.0.0.2:{port}/", trust_env=False)
    assert answer.status_code == 421, "under its own name alone, whatever the interface"
    assert "all interfaces" in process.end(signal.SIGTERM)[2]


def test_a_port_that_is_taken(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, out, err = start("--port", str(taken.getsockname()[1])).end()
    assert (status, out) == (2, "")
    assert "cannot be listened on" in err
    assert "--port 8401" in err


@pytest.mark.parametrize("port", ["-1", "65536", "x", ""])
def test_what_is_no_port(start: Start, port: str) -> None:
    assert start("--port", port).end()[0] == 2


def test_CL12_a_store_that_cannot_be_used(start: Start, settings: Settings) -> None:
    Path(settings.token_dir).mkdir(mode=0o755)
    status, _, err = start("--port", "0").end()
    assert status == 8
    assert "chmod 700" in err


def test_the_usual_port_is_registered(start: Start) -> None:
    told = start("--help").end()[1]
    assert "8400" in told
    assert "--allow-insecure-listen" in told
    assert 8400 in CALLBACK_PORTS


@pytest.mark.usefixtures("callback_ports")
def test_on_the_usual_port_nothing_has_to_be_said(start: Start) -> None:
    process = start()
    assert process.ready() == "http://127.0.0.1:8400"
    assert "callbacks" not in process.end(signal.SIGTERM)[2]


def test_the_command_line_finds_the_tokens_of_the_page(
    start: Start, visit: Visit, api: FakeApi, issuer: FakeIssuer
) -> None:
    browser = visit(start("--port", "0"))
    browser.log_in()
    assert "Buy milk" in start(command="notes").end()[1]
    assert "New tokens" in start(command="refresh").end()[1]
    assert "Buy milk" in words(browser.get()), "and the page goes on with what the command line has got"
    assert {request.headers["authorization"] for request in api.requests[-1:]} == {"Bearer access-2"}
    assert "Logged out" in start(command="logout").end()[1]
    assert "has ended" in words(browser.get())
    assert len(issuer.asked("/oauth/revoke")) == 1


def test_with_tokens_in_memory_alone(start: Start, visit: Visit, settings: Settings) -> None:
    process = start("--port", "0", "--token-store", "memory")
    browser = visit(process)
    assert "Buy milk" in words(browser.log_in())
    assert "Buy milk" in words(browser.get())
    assert not Path(settings.token_dir).exists()
    assert "memory" in process.end(signal.SIGTERM)[2]


def test_CL5_no_secret_is_printed(start: Start, visit: Visit, issuer: FakeIssuer) -> None:
    """Neither in good times nor in bad ones, whatever is sent."""
    process = start("--port", "0")
    browser = visit(process)
    browser.log_in()
    url = browser.start()
    there = browser.at_issuer(url)
    secrets = [
        "the-secret-code",
        "access-",
        "refresh-1",
        "eyJ",
        httpx2.URL(url).params["state"],
        str(browser.cookie("session")),
        str(browser.cookie("browser")),
        browser.form_token(),
    ]
    issuer.callback = {"iss": "https://evil.example/"}
    browser.log_in()
    issuer.always("/oauth/token", Answer(500, {"access_token": "access-x"}))
    browser.get(there)
    browser.post("/refresh")
    for path in (
        "/callback?code=the-secret-code",
        "/callback?state=the-secret-code&code=%0d%0aforged",
        "/the-secret-code",
    ):
        browser.get(path)
        browser.get(path, headers={"Host": "evil.example"})
    port = httpx2.URL(browser.origin).port or 0
    with ExitStack() as stack:
        for sent in (
            b"the-secret-code\r\n\r\n",
            b"GET /the-secret-code HTTP/9\r\n\r\n",
            b"GET / HTTP/1.1\r\nthe-secret-code\r\n\r\n",
        ):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            connection.sendall(sent)
            connection.recv(65536)
    status, out, err = process.end(signal.SIGTERM)
    assert status == 0
    for secret in secrets:
        assert secret not in out + err


def test_two_addresses(start: Start, visit: Visit, issuer: FakeIssuer, api: FakeApi) -> None:
    """The browser is sent to the public issuer; the app dials both servers where they are inside."""
    public = {
        name: value.replace(issuer.origin, "http://localhost:9") if isinstance(value, str) else value
        for name, value in issuer.metadata.items()
    }
    inside, issuer.metadata, issuer.issuer = issuer.origin, public, "http://localhost:9/"
    process = start(
        "--port", "0",
        CLIENT_ISSUER=issuer.issuer,
        CLIENT_ISSUER_INTERNAL_URL=inside,
        CLIENT_API_URL="http://localhost:19",
        CLIENT_API_INTERNAL_URL=api.origin,
    )  # fmt: skip
    browser = visit(process)
    assert "form-action 'self' http://localhost:9" in browser.get().headers["content-security-policy"]
    url = browser.start()
    assert url.startswith("http://localhost:9/authorize?")
    there = browser.at_issuer(url.replace("http://localhost:9", inside))
    page = browser.follow(browser.get(there))
    assert "Buy milk" in words(page)
    assert inside not in page.text
