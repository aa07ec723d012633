"""The command line as a person meets it: separate processes, exit statuses, sentences instead of tracebacks."""

import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from client.app import NativeApp
from client.settings import Settings
from client.store import open_store
from tests.client.conftest import ROOT, Run, end, log_in, recorder, visit
from tests.client.fake_server import Answer, FakeApi, FakeIssuer


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


def test_CL10_twenty_processes_refresh_once(
    start: Run, app: NativeApp, issuer: FakeIssuer, settings: Settings, api: FakeApi
) -> None:
    tokens = log_in(app).tokens
    open_store(settings).save(replace(tokens, expires_at=0.0))
    processes = [start("notes") for _ in range(20)]
    for process in processes:
        assert "Buy milk" in end(process)
    assert [request.form["grant_type"] for request in issuer.asked("/oauth/token")].count("refresh_token") == 1
    assert len(api.requests) == 20
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
        (["login", "--token-store", "keyring"], 8, "no backend is installed"),
        (["login", "--token-store", "paper"], 2, "memory"),
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
    for command in ("login", "notes", "add", "whoami", "status", "refresh", "token", "accounts", "use", "logout"):
        assert command in said
    options = end(start("login", "--help"))
    for name in ("ISSUER", "ISSUER_INTERNAL_URL", "ID", "AUDIENCE", "SCOPE", "API_URL", "API_INTERNAL_URL"):
        assert f"CLIENT_{name}" in options
    for name in ("TOKEN_STORE", "TOKEN_DIR", "CA_FILE"):
        assert f"CLIENT_{name}" in options


def test_help_does_not_wait_for_heavy_imports() -> None:
    heavy = "{'httpx2', 'authlib', 'joserfc', 'keyring', 'filelock', 'rich.table', 'asyncio'} & set(sys.modules)"
    check = f"import client.cli, sys; print({heavy}); sys.exit(bool({heavy}))"
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True, timeout=60)


def test_a_call_with_a_valid_token_does_not_load_what_logins_need() -> None:
    """Twenty programs that start at once should not each load two OAuth libraries to find that a token is valid."""
    check = (
        "import client.app, sys; sys.exit(bool({'authlib', 'joserfc', 'cryptography', 'keyring'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=True, timeout=60)
