"""The command line as a person meets it: separate processes, exit statuses, sentences instead of tracebacks."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from client.app import NativeApp
from client.settings import Settings
from client.store import open_store
from tests.client.conftest import log_in, recorder, visit
from tests.client.fake_server import Answer, FakeApi, FakeIssuer

ROOT = Path(__file__).parent.parent.parent
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(settings: Settings) -> Run:
    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        ours = {
            "CLIENT_ISSUER": settings.issuer,
            "CLIENT_API_URL": settings.api_url,
            "CLIENT_TOKEN_DIR": settings.token_dir,
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


@pytest.mark.usefixtures("callback_ports")
def test_a_day_with_the_app(start: Run, api: FakeApi, tmp_path: Path) -> None:
    browser, recorded = recorder(tmp_path)
    login = start("login", BROWSER=browser)
    assert login.stdout is not None
    printed = login.stdout.readline().strip()
    assert re.fullmatch(
        r"http://127\.0\.0\.1:\d+/authorize\?.*redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A840[012]%2F.*", printed
    )
    assert recorded() == printed
    assert "You are logged in" in visit(printed).text
    assert "Alice <alice@example.com>" in end(login)

    status = end(start("status"))
    assert "valid for another" in status
    assert "write:notes" in status
    assert "Buy milk" in end(start("notes"))
    assert "Feed the cat" in end(start("add", "Feed the cat"))
    assert "alice@example.com" in end(start("whoami"))
    assert "New tokens" in end(start("refresh"))
    assert "Logged out" in end(start("logout"))
    assert "not logged in" in end(start("notes"), status=3)
    assert "not logged in" in end(start("logout"))
    assert len(api.requests) == 2


@pytest.mark.usefixtures("callback_ports")
def test_a_browser_that_stays_until_the_login_is_over(start: Run, issuer: FakeIssuer, tmp_path: Path) -> None:
    """BROWSER may be a program that waits for the last page: the app must not wait for it in turn."""
    script = tmp_path / "browser.py"
    script.write_text("import sys, urllib.request as u\nu.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read()\n")
    end(start("login", BROWSER=f"{sys.executable} {script} %s"))
    assert issuer.asked("/oauth/token")


@pytest.mark.usefixtures("callback_ports")
def test_CL19_ctrl_c_leaves_nothing(start: Run, settings: Settings) -> None:
    login = start("login", "--no-browser")
    assert login.stdout is not None
    url = httpx2.URL(login.stdout.readline().strip())
    callback = url.params["redirect_uri"]
    assert visit(callback).status_code == 400
    login.send_signal(signal.SIGINT)
    assert "Stopped" in end(login, status=130)
    with httpx2.Client(trust_env=False) as browser, pytest.raises(httpx2.ConnectError):
        browser.get(callback)
    assert [path.suffix for path in Path(settings.token_dir).iterdir()] == [".lock"]


@pytest.mark.usefixtures("callback_ports")
def test_a_login_that_fails_says_so(start: Run, issuer: FakeIssuer) -> None:
    issuer.callback = {"code": "(left out)", "error": "access_denied", "error_description": "[bold]no[/bold]"}
    login = start("login", "--no-browser")
    assert login.stdout is not None
    final = visit(login.stdout.readline().strip())
    assert final.status_code == 400
    said = end(login, status=7)
    assert "declined" in said
    assert "[bold]no[/bold]" in said


def test_CL10_two_processes_refresh_once(
    start: Run, app: NativeApp, issuer: FakeIssuer, settings: Settings, api: FakeApi
) -> None:
    tokens = log_in(app).tokens
    open_store(settings).save(replace(tokens, expires_at=0.0))
    processes = [start("notes") for _ in range(4)]
    for process in processes:
        end(process)
    assert [request.form["grant_type"] for request in issuer.asked("/oauth/token")].count("refresh_token") == 1
    assert {call.headers["authorization"] for call in api.requests} == {"Bearer access-2"}


def test_CL14_a_dead_grant_is_forgotten_and_said(start: Run, app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    issuer.token_route = lambda _request: Answer(403, {"error": "invalid_grant"})
    assert "python -m client login" in end(start("refresh"), status=3)
    assert app.store.load() is None


def test_CL19_logout_while_the_server_is_down(start: Run, app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    issuer.close()
    said = end(start("logout"))
    assert "could not be told" in said
    assert app.store.load() is None


def test_the_terminal_is_safe_from_notes(start: Run, app: NativeApp, api: FakeApi) -> None:
    log_in(app)
    api.always("/notes", Answer(body=[{"id": "n", "text": "\x1b]0;evil\x07[red]x\u202e\r\nsecond"}, 7]))
    said = end(start("notes"))
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said
    assert "[red]x" in said


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["notes"], 3, "login"),
        (["status"], 3, "not logged in"),
        (["login", "--issuer", "http://127.0.0.1:9/"], 4, "cannot be reached"),
        (["login", "--issuer", "http://evil.example/"], 2, "plain http"),
        (["login", "--scope", "read:notes"], 2, "openid"),
        (["login", "--token-store", "keyring"], 2, "memory"),
        (["login", "--ca-file", "/no/such/file"], 2, "CLIENT_CA_FILE"),
        (["nonsense"], 2, "No such command"),
        (["add"], 2, "Missing argument"),
    ],
)
def test_errors_are_sentences(start: Run, arguments: list[str], status: int, says: str) -> None:
    assert says in end(start(*arguments), status)


def test_the_flag_wins_over_the_environment(start: Run) -> None:
    said = end(start("status", "--client-id", "from-flag", CLIENT_ID="from-environment"), status=3)
    assert "from-flag" in said
    assert "from-environment" in end(start("status", CLIENT_ID="from-environment"), status=3)
    assert "native-app" in end(start("status", CLIENT_ID=""), status=3)


def test_a_store_that_cannot_be_trusted(start: Run, app: NativeApp, settings: Settings) -> None:
    log_in(app)
    Path(settings.token_dir).chmod(0o755)
    assert "chmod 700" in end(start("notes"), status=8)


def test_help_teaches(start: Run) -> None:
    said = end(start("--help"))
    for command in ("login", "notes", "add", "whoami", "status", "refresh", "logout"):
        assert command in said
    options = end(start("login", "--help"))
    for name in ("ISSUER", "ISSUER_INTERNAL_URL", "ID", "AUDIENCE", "SCOPE", "API_URL", "API_INTERNAL_URL"):
        assert f"CLIENT_{name}" in options
    for name in ("TOKEN_STORE", "TOKEN_DIR", "CA_FILE"):
        assert f"CLIENT_{name}" in options


def test_help_does_not_wait_for_heavy_imports() -> None:
    check = "import client.cli, sys; sys.exit(bool({'httpx2', 'authlib', 'joserfc'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True, timeout=60)
