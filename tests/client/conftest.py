"""Fixtures: the app between a fake authorization server and a fake API, on a clock that the test turns."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from filelock import FileLock

from client import cli as command_line
from client.app import NativeApp
from client.login import LoggedIn
from client.settings import Settings
from client.store import open_store
from tests.client.fake_server import FakeApi, FakeIssuer
from tests.client.serving import Served
from tests.stage import http_client

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.Popen[str]"]


class Clock:
    def __init__(self) -> None:
        self.time = float(int(time.time()))
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Nobody waits; how long is written down."""
        self.slept.append(seconds)


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLIENT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Iterator[FakeIssuer]:
    fake = FakeIssuer(clock)
    yield fake
    fake.close()


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    yield fake
    fake.close()


@pytest.fixture
def settings(issuer: FakeIssuer, api: FakeApi, tmp_path: Path) -> Settings:
    return Settings(issuer=issuer.issuer, api_url=api.origin, token_dir=str(tmp_path / "tokens"), token_store="file")


@pytest.fixture
def app(settings: Settings, clock: Clock) -> NativeApp:
    """Any free port: the registered ones are shared by everything that runs on this machine."""
    return NativeApp(settings, open_store(settings), now=clock, sleep=clock.sleep, ports=(0,))


@pytest.fixture
def served(settings: Settings, clock: Clock) -> Iterator[Served]:
    """The page of `serve`, on a free port."""
    served = Served(settings, clock)
    yield served
    served.close()


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """A suite that was started in the background ignores SIGINT, and its child processes would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def callback_ports() -> Iterator[None]:
    """8400 to 8402 exist once on this machine: one test at a time may use them, in whichever run or worker."""
    with FileLock(Path(tempfile.gettempdir()) / f"understudy-callback-ports-{os.getuid()}.lock"):
        yield


def log_in(app: NativeApp) -> LoggedIn:
    """Login with a browser that does as it is told."""
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        browser = pool.submit(visit, pending.url)
        try:
            return pending.finish(20)
        finally:
            browser.result()


def visit(url: str) -> httpx2.Response:
    with http_client(follow_redirects=True) as browser:
        return browser.get(url)


def recorder(directory: Path) -> tuple[str, Callable[[], str]]:
    """A BROWSER that only writes down where it was sent, and a way to wait for that."""
    pipe, script = directory / "browser.pipe", directory / "browser"
    os.mkfifo(pipe, 0o600)
    script.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {pipe}\n')
    script.chmod(0o700)

    def recorded() -> str:
        descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        try:
            assert select.select([descriptor], [], [], 30)[0], "the browser was not opened"
            return os.read(descriptor, 65536).decode()
        finally:
            os.close(descriptor)

    return str(script), recorded


@pytest.fixture
def start(settings: Settings) -> Run:
    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        ours = {
            "CLIENT_ISSUER": settings.issuer,
            "CLIENT_API_URL": settings.api_url,
            "CLIENT_TOKEN_DIR": settings.token_dir,
            "CLIENT_TOKEN_STORE": "file",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "client", *arguments],
            cwd=ROOT,
            env=os.environ | ours | {"COLUMNS": "200"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def end(process: "subprocess.Popen[str]", status: int = 0) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, out + err
    assert "Traceback" not in out + err
    for secret in ("the-secret-code", "access-", "refresh-1", "refresh-2", "eyJ"):
        assert secret not in out + err, "secrets are not shown"
    return out + err


@dataclass(frozen=True)
class Said:
    """What one command has answered: exit status, stdout, stderr."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Of a --json command: stdout is one JSON document, and nothing is on stderr."""
        assert self.status == 0, self
        assert not self.err
        return json.loads(self.out)


Cli = Callable[..., Said]


@pytest.fixture
def cli(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Commands in this process, which is some fifty times faster; `start` runs them as people do."""

    def run(*arguments: str, status: int = 0, **environment: str) -> Said:
        given = {
            "CLIENT_ISSUER": settings.issuer,
            "CLIENT_API_URL": settings.api_url,
            "CLIENT_TOKEN_DIR": settings.token_dir,
            "CLIENT_TOKEN_STORE": "file",
        }
        with monkeypatch.context() as patch:
            for name, value in (given | environment).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["client", *arguments])
            capsys.readouterr()
            ended = command_line.run(as_json="--json" in arguments)
        said = Said(ended, *capsys.readouterr())
        assert said.status == status, said
        shown = said.out + said.err if arguments[0] != "token" else said.err
        for secret in ("the-secret-code", "access-", "refresh-1", "refresh-2", "eyJ"):
            assert secret not in shown, "secrets are not shown"
        return said

    return run
