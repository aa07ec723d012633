"""Ctrl-C and SIGTERM at any moment: no traceback, nothing half-done, and no login lost (row CL19)."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from client import interrupts
from client.app import NativeApp
from client.interrupts import StoppedError, held_back
from client.settings import Settings
from tests.client.conftest import ROOT, log_in
from tests.client.fake_server import FakeIssuer

STATUS = {"SIGINT": 130, "SIGTERM": 143}


def stopped(settings: Settings, number: str, points: int, *command: str, **environment: str) -> list[dict[str, Any]]:
    ours = {
        "CLIENT_ISSUER": settings.issuer,
        "CLIENT_API_URL": settings.api_url,
        "CLIENT_TOKEN_DIR": settings.token_dir,
        "CLIENT_TOKEN_STORE": "file",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.client.interrupted", number, str(points), *command],
        cwd=ROOT,
        env=os.environ | ours | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len([one for one in seen if one["signalled"]]) >= points
    for one in seen:
        assert "Traceback" not in one["screen"], one
        assert "Exception" not in one["screen"], one
        assert one["status"] == (STATUS[number] if one["signalled"] else 0), one
        if one["stored"]:
            access, refresh = one["stored"]
            assert access.removeprefix("access-") == refresh.removeprefix("refresh-"), "old or new, never both"
    return seen


@pytest.mark.parametrize("number", STATUS)
def test_CL19_a_refresh_that_is_stopped_anywhere(app: NativeApp, issuer: FakeIssuer, number: str) -> None:
    """Once the refresh token is on its way, its successor is saved first: not one answer is lost."""
    log_in(app)
    seen = stopped(app.settings, number, 14, "refresh")
    assert issuer.count > 5, "some points come after the request"
    for before, after in zip([{"stored": ["access-1", "refresh-1"]}, *seen], seen, strict=False):
        assert after["stored"], "still logged in"
        assert int(after["stored"][0].removeprefix("access-")) in (number_of(before), number_of(before) + 1)
    assert number_of(seen[-1]) == issuer.count
    assert any("Stopped. Nothing half-done" in one["screen"] for one in seen)


def number_of(one: dict[str, Any]) -> int:
    """The last digits of what is stored: how many answers the server had given by then."""
    return int(one["stored"][0].removeprefix("access-"))


@pytest.mark.thorough("a process for each point at which it is stopped")
def test_CL19_a_call_that_is_stopped_anywhere(app: NativeApp) -> None:
    before = log_in(app).tokens
    stopped(app.settings, "SIGINT", 8, "notes")
    assert app.store.load() == before


@pytest.mark.thorough("a process for each point at which it is stopped")
def test_CL19_a_logout_that_is_stopped_anywhere(app: NativeApp) -> None:
    log_in(app)
    seen = stopped(app.settings, "SIGTERM", 8, "logout")
    assert seen[0]["stored"]
    assert seen[-1]["stored"] is None


@pytest.mark.usefixtures("callback_ports")
def test_CL19_a_login_that_is_stopped_anywhere(app: NativeApp, tmp_path: Path) -> None:
    """The browser is a program that follows redirects, and may find nobody listening any more."""
    script = tmp_path / "browser.py"
    script.write_text(
        "import sys, urllib.request as u\n"
        "try: u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=20).read()\n"
        "except OSError: pass\n"
    )
    seen = stopped(app.settings, "SIGINT", 8, "login", BROWSER=f"{sys.executable} -S {script} %s")
    assert not seen[0]["stored"]
    assert seen[-1]["stored"]
    assert {path.suffix for path in Path(app.settings.token_dir).iterdir()} <= {".json", ".lock", ".tmp"}
    log_in(app)
    assert {path.suffix for path in Path(app.settings.token_dir).iterdir()} == {".json", ".lock"}


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, StoppedError)])
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals, kind: type[BaseException]) -> None:
    def once() -> None:
        with held_back():
            signal.raise_signal(number)
            reached.append("after one")

    def twice() -> None:
        with held_back():
            signal.raise_signal(number)
            signal.raise_signal(number)
            reached.append("after two")

    before = {number: signal.getsignal(number) for number in interrupts.NUMBERS}
    reached: list[str] = []
    try:
        interrupts.raise_exceptions()
        for work in (once, twice):
            with pytest.raises(kind):
                work()
        signal.signal(number, signal.SIG_IGN)
        once()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert reached == ["after one", "after one"], "a second signal does not wait"


def test_other_threads_do_not_touch_signals() -> None:
    problems: list[BaseException] = []

    def work() -> None:
        try:
            with held_back():
                pass
        except BaseException as problem:  # handed over
            problems.append(problem)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not problems
