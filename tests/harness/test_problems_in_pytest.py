"""What the plugin does about mistakes of the client under test, in somebody else's suite."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.test_plugin import ROOT
from tests.processes import OURS

THEIRS = """
import pytest

def log_in(authserver, **parameters):
    return authserver.login(authserver.add_user(), authserver.register_client("app"), **parameters)

def test_faultless(authserver):
    assert log_in(authserver).tokens()

def test_with_a_mistake(authserver):
    assert log_in(authserver, nonce="").code

@pytest.mark.authserver_ignores("no-nonce")
def test_on_purpose(authserver):
    assert log_in(authserver, nonce="").code

@pytest.mark.authserver_ignores()
def test_whatever_it_does(authserver):
    assert log_in(authserver, nonce="").code

@pytest.mark.authserver_ignores("no-pkce")
def test_another_rule(authserver):
    assert log_in(authserver, nonce="").code

def test_that_drops_its_tenant(authserver):
    log_in(authserver, nonce="")
    authserver.drop()
"""
FAILING = """
def test_that_fails(authserver):
    app = authserver.register_client("app")
    assert not authserver.login(authserver.add_user(), app, nonce="").code
"""
MISTAKE = "- no-nonce (OpenID Connect Core 15.5.2, should): app asked for an ID token without nonce (exchange 1)."


def pytest_said(directory: Path, theirs: str, ini: str = "", *options: str) -> tuple[int, str]:
    """Exit status and output of a strict project; the plugin takes part as if it were installed."""
    (directory / "test_theirs.py").write_text(theirs)
    strict = "filterwarnings = error\naddopts = --strict-markers --strict-config"
    (directory / "pytest.ini").write_text(f"[pytest]\n{strict}\n{ini}\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith((*OURS, "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "authserver.pytest_plugin"]
    done = subprocess.run(
        [*command, *options],
        cwd=directory,
        env={**inherited, "PYTHONPATH": str(ROOT), "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(said: str) -> set[str]:
    """Whatever did not just pass."""
    words = [line.split() for line in said.splitlines()]
    return {f"{word[0]} {word[1].partition('::')[2]}" for word in words if word[:1] in (["ERROR"], ["FAILED"])}


def test_nothing_fails_for_it_by_default(tmp_path: Path) -> None:
    status, said = pytest_said(tmp_path, THEIRS)
    assert (status, outcomes(said)) == (0, set())
    assert MISTAKE not in said


@pytest.mark.parametrize("workers", ["0", "2"])
def test_error_makes_a_mistake_an_error_of_the_test(tmp_path: Path, workers: str) -> None:
    status, said = pytest_said(tmp_path, THEIRS, "authserver_problems = error", "-n", workers)
    assert status == 1
    assert outcomes(said) == {"ERROR test_with_a_mistake", "ERROR test_another_rule"}
    assert MISTAKE in said


def test_a_project_may_ignore_a_rule(tmp_path: Path) -> None:
    ini = "authserver_problems = error\nauthserver_ignores = no-nonce localhost-redirect"
    assert pytest_said(tmp_path, THEIRS, ini)[0] == 0


@pytest.mark.parametrize(("mode", "is_told"), [("report", True), ("error", True), ("off", False)])
def test_a_test_that_fails_tells_the_mistakes_too(tmp_path: Path, mode: str, is_told: bool) -> None:
    status, said = pytest_said(tmp_path, FAILING, f"authserver_problems = {mode}")
    assert (status, outcomes(said)) == (1, {"FAILED test_that_fails"})
    assert (MISTAKE in said) == is_told


@pytest.mark.parametrize(
    ("ini", "why"),
    [
        ("authserver_problems = always", "authserver_problems is 'always'; it can be report, error, off"),
        ("authserver_problems = error\nauthserver_ignores = no-nonse", "there is no rule 'no-nonse'"),
    ],
)
def test_a_slip_of_the_pen_is_said(tmp_path: Path, ini: str, why: str) -> None:
    status, said = pytest_said(tmp_path, THEIRS, ini)
    assert status != 0
    assert why in said
