"""The demo, as `make demo` runs it: against the real servers, by a script and by a person with a terminal."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from joserfc import jwt
from rich.console import Console

from client.app import NativeApp
from client.demo import __main__ as demo
from client.demo.person import Page, Person
from client.demo.services import ServiceFailedError, running
from client.demo.story import StepFailedError, Story
from client.demo.telling import Teller
from client.settings import Settings
from client.store import open_store
from client.telling import shorten
from tests.client.conftest import Clock, recorder
from tests.client.fake_server import Answer, FakeApi, FakeIssuer, rsa_key

ROOT = Path(__file__).parent.parent.parent


def children_of(directory: Path) -> list[str]:
    """Processes whose environment points into this directory, as that of the demo's servers does."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().decode())
        except OSError:
            continue
    return found


@pytest.mark.usefixtures("callback_ports")
def test_headless(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "client.demo"],
        cwd=tmp_path,
        env=os.environ
        | {"HEADLESS": "1", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
        | {"AUTHSERVER_DIALECT": "nonsense", "CLIENT_ISSUER": "nonsense", "API_ISSUER": "nonsense"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All 10 steps did what they should" in done.stdout
    assert "insufficient_scope" in done.stdout
    assert "invalid_grant" in done.stdout
    assert not re.search(r"eyJ[\w-]{30}", done.stdout), "secrets are shortened"
    assert not done.stderr
    assert not children_of(tmp_path)
    assert not list(tmp_path.iterdir()), "databases and tokens are thrown away"


SILENCE = 60
"""Seconds without a word, after which nobody waits any longer."""


class Terminal:
    """The demo with a terminal in front of it."""

    def __init__(self, tmp_path: Path, browser: str) -> None:
        self._screen, terminal = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name != "HEADLESS"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "client.demo"],
            cwd=ROOT,
            env=environment | {"TMPDIR": str(tmp_path), "BROWSER": browser, "TERM": "xterm", "COLUMNS": "100"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        self.seen = ""

    def read_until(self, text: str) -> str:
        """What is on the screen up to this text, or up to the end. A screen on which nothing happens fails the test."""
        before = len(self.seen)
        while text not in self.seen[before:]:
            assert select.select([self._screen], [], [], SILENCE)[0], self.seen
            try:
                self.seen += os.read(self._screen, 65536).decode(errors="replace")
            except OSError:  # the other side has closed
                break
        return self.seen[before:]

    def end(self) -> int:
        self.read_until("\0")
        return self.process.wait(60)

    def close(self) -> None:
        """Also after a failed assertion: nothing of this test may disturb the next."""
        self.process.terminate()
        self.process.wait(60)
        os.close(self._screen)


@pytest.mark.usefixtures("callback_ports")
def test_in_a_terminal(tmp_path: Path) -> None:
    browser, recorded = recorder(tmp_path)
    with (
        closing(Terminal(tmp_path, browser)) as terminal,
        closing(Person("alice@example.com", "understudy")) as person,
    ):
        for _ in range(2):
            shown = terminal.read_until("Waiting for you")
            url = recorded()
            assert url in shown.splitlines(), "printed in one piece, too"
            assert "You are logged in" in person.log_in(url)
        assert terminal.end() == 0, terminal.seen
        assert "All 10 steps did what they should" in terminal.seen


@pytest.mark.usefixtures("callback_ports")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_waits_it_leaves_no_servers_behind(tmp_path: Path, number: signal.Signals) -> None:
    browser, recorded = recorder(tmp_path)
    with closing(Terminal(tmp_path, browser)) as terminal:
        terminal.read_until("Waiting for you")
        recorded()
        assert len(children_of(tmp_path)) >= 3, terminal.seen  # the demo itself and two servers
        terminal.process.send_signal(number)
        assert terminal.end() == (130 if number == signal.SIGINT else 128 + number)
        assert "Traceback" not in terminal.seen
    assert not [line for line in children_of(tmp_path) if "authserver" in line or "api" in line]


def test_a_server_that_dies_shows_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ServiceFailedError, match="No module named"),
        running("no_such_module", environment={}, directory=tmp_path),
    ):
        pass


def tell(app: NativeApp) -> str:
    """The story with a scripted person; the fakes need no login page."""
    screen = io.StringIO()
    teller = Teller(Console(file=screen, width=100))
    app._on_exchange = teller.record
    with pytest.raises(StepFailedError) as caught:
        Story(app, teller, None).run()
    return f"{caught.value.step} | {caught.value.expected} | {caught.value.got}"


@pytest.fixture
def jwt_issuer(issuer: FakeIssuer) -> FakeIssuer:
    claims = {"aud": "https://notes.example/api", "scope": "read:notes"}
    token = jwt.encode({"alg": "RS256"}, claims, rsa_key(), algorithms=["RS256"])
    issuer.answer = {"access_token": token}
    return issuer


def test_a_failing_step_says_what_was_expected_and_what_came(
    settings: Settings, clock: Clock, jwt_issuer: FakeIssuer, api: FakeApi
) -> None:
    """This API forgets the note, and in the other test lets everybody delete."""
    assert jwt_issuer.answer
    said = tell(NativeApp(settings, open_store(settings), now=clock, ports=(0,)))
    assert said.startswith("5 (The app calls the API)")
    assert "Rehearse with native-app" in said
    assert "Buy milk" in said
    api.routes["/notes"] = lambda request: Answer(
        *((201, {"id": "n1"}) if request.method == "POST" else (200, [{"text": "Rehearse with native-app"}]))
    )
    api.always("/notes/n1", Answer(204, b""))
    said = tell(NativeApp(settings, open_store(settings), now=clock, ports=(0,)))
    assert said.startswith("6 (")
    assert said.endswith("the note was deleted")


def test_a_step_that_breaks_is_a_failure_too(settings: Settings, clock: Clock, issuer: FakeIssuer) -> None:
    issuer.callback = {"iss": "https://evil.example/"}
    said = tell(NativeApp(settings, open_store(settings), now=clock, ports=(0,)))
    assert "a step without an error" in said


def test_the_exit_status_is_the_verdict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise StepFailedError("3 (x)", "[this]", "[that]")

    monkeypatch.setattr(demo, "tell", fail)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert demo.main() == 1
    said = capsys.readouterr().out
    assert "Step 3 (x) failed" in said
    assert "expected: [this]" in said
    assert "got:      [that]" in said


def test_secrets_are_shortened() -> None:
    assert shorten("eyJhbGci" + "x" * 1001 + "x9Q") == "eyJhbGci…x9Q (1,012 chars)"
    assert shorten("understudy") == "… (10 chars)"


def test_the_scripted_person_reads_forms() -> None:
    page = Page(
        '<style>p{}</style><form method="post" action="/go"><input name="state" value="&lt;s&gt;">'
        '<input name="username"><button id="consent-deny" name="action" value="deny">No</button>'
        '<button id="consent-allow" name="action" value="default">Yes</button></form><p>Words</p>'
    )
    (form,) = page.forms
    assert (form.method, form.action) == ("POST", "/go")
    assert form.fields == {"state": "<s>", "username": ""}
    assert form.buttons["consent-allow"] == ("action", "default")
    assert page.text == "No Yes Words"
