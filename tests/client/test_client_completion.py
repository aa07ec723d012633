"""Shell completion, in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from client.app import NativeApp
from tests.client.conftest import ROOT, Cli, log_in
from tests.client.fake_server import FakeIssuer

BASH = shutil.which("bash") or ""
needs_bash = pytest.mark.skipif(not BASH, reason="there is no bash here")


def complete(line: str, directory: Path, token_dir: str) -> list[str]:
    """What bash would offer at the end of this line, its way of splitting words at @ and : included."""
    script = f"""
        eval "$({sys.executable} -m client completion bash)"
        cd {directory}
        COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}
        complete -p client >&2
        _client_completion client
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        [BASH, "--norc", "-c", script],
        cwd=ROOT,
        env=os.environ | {"CLIENT_TOKEN_DIR": token_dir},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "-F _client_completion client" in done.stderr
    return done.stdout.split()


@needs_bash
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("client no", ["notes"]),
        ("client lo", ["login", "logout"]),
        ("client notes --expl", ["--explain"]),
        ("client use ", ["alice@example.com", "no-email"]),
        ("client use al", ["alice@example.com"]),
        ("client use alice@exa", ["example.com"]),
        ("client notes --account al", ["alice@example.com"]),
        ("client use x", []),
    ],
)
def test_bash(app: NativeApp, issuer: FakeIssuer, tmp_path: Path, line: str, offered: list[str]) -> None:
    log_in(app)
    issuer.claims = {"sub": "no-email", "email": None}
    log_in(app)
    for name in ("auth0|pipe", "$(id)", "`id`", "a;b", "a b", "*", "-x", "a'b", 'a"b', "a\nb", "é@example.com"):
        issuer.claims = {"sub": name, "email": name}
        log_in(app)
    assert complete(line, tmp_path, app.settings.token_dir) == offered


@needs_bash
def test_the_function_works_in_any_directory_and_knows_its_name(tmp_path: Path) -> None:
    script = f'eval "$({sys.executable} -m client completion bash --name notes-app)"; cd {tmp_path}; notes-app status'
    environment = os.environ | {"CLIENT_TOKEN_DIR": str(tmp_path / "t"), "CLIENT_TOKEN_STORE": "file"}
    command = [BASH, "--norc", "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    assert "Log in: notes-app login" in done.stderr


@pytest.mark.parametrize("name", ["", "a b", "$(id)", "-x", "1x", "é", "a;b"])
def test_what_cannot_be_a_functions_name(cli: Cli, name: str) -> None:
    cli("completion", "bash", "--name", name, status=2)


@pytest.mark.parametrize(("shell", "parser"), [("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])])
def test_scripts_for_other_shells(cli: Cli, shell: str, parser: list[str]) -> None:
    script = cli("completion", shell).out
    assert "_CLIENT_COMPLETE=complete_" + shell in script
    assert " -m client" in script
    if shutil.which(parser[0]):
        subprocess.run(parser, input=script, text=True, check=True, timeout=60)
