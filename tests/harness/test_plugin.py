"""The pytest plugin in somebody else's suite: in parallel and against a server elsewhere."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.processes import OURS, served

ROOT = Path(__file__).parents[2]

LEAKS = """
import os
import httpx2
import pytest

SEEN = set()

def keys(of):
    return httpx2.get(of.jwks_uri, trust_env=False)

@pytest.mark.parametrize("number", range(int(os.environ["HOW_MANY"])))
def test_alone(number, authserver, authserver_host):
    assert authserver.events == []
    assert authserver.issuer not in SEEN
    SEEN.add(authserver.issuer)
    canary = f"canary-{number}@example.com"
    assert authserver.clock.freeze(1_900_000_000 + number) == 1_900_000_000 + number
    alice, app = authserver.add_user(canary), authserver.register_client("app", ask_consent=False)
    assert authserver.login(alice, app).code
    assert {event.at for event in authserver.events} == {1_900_000_000 + number}
    assert {event.user_id for event in authserver.events} == {alice.user_id}
    assert not authserver.faults.list()
    fault = authserver.faults.answer(503, {"canary": canary}, endpoint="jwks", times=None)
    assert keys(authserver).json() == {"canary": canary}
    other = authserver_host.make_tenant()
    assert not other.faults.list() and "keys" in keys(other).json()
    assert keys(authserver).status_code == 503 and fault.hits == 2
    assert canary in str(authserver.exchanges) and canary not in str(other.exchanges)
    assert other.events == [] and other.clock.now < 1_900_000_000
    other.register_client("app", ask_consent=False)
    assert other.login(alice, app).error == "Wrong email or password."
    other.drop()
"""

ELSEWHERE = """
def test_it_is_the_named_server(authserver, request):
    assert authserver.issuer.startswith(request.config.getoption("--authserver-url"))
    assert authserver.login(authserver.add_user(), authserver.register_client()).tokens()["access_token"]
"""


PLUGIN = "authserver.pytest_plugin"


def pytest_in(directory: Path, *options: str, plugin: str | None = PLUGIN, **variables: str) -> str:
    """What pytest says when all passes."""
    status, said = run_pytest(directory, *options, plugin=plugin, **variables)
    assert status == 0, said
    return said


def run_pytest(directory: Path, *options: str, plugin: str | None = PLUGIN, **variables: str) -> tuple[int, str]:
    """Status and words of pytest; with every warning an error, as in a strict project."""
    (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith((*OURS, "PYTEST_"))}
    environment = {**inherited, "PYTHONPATH": str(ROOT), "no_proxy": "*", **variables}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(("-p", plugin) if plugin else ())]
    done = subprocess.run(
        [*command, *options], cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def test_the_entry_point_names_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"understudy": "authserver.pytest_plugin"}


def test_tests_in_parallel_do_not_see_each_other(tmp_path: Path, thorough: bool) -> None:
    """In random order (pytest-randomly is installed), each with its own people, clock and events."""
    count, workers = (200, 4) if thorough else (30, 2)
    (tmp_path / "test_theirs.py").write_text(LEAKS)
    assert f"{count} passed" in pytest_in(tmp_path, "-n", str(workers), HOW_MANY=str(count))


def test_a_suite_runs_against_a_server_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(ELSEWHERE)
    token = "a-token-for-this-test-7f3a9c"
    variables = {"AUTHSERVER_TESTING_TOKEN": token, "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    with served(tmp_path, AUTHSERVER_TESTING="1", **variables) as server:
        said = pytest_in(tmp_path, "--authserver-url", server.url, AUTHSERVER_TESTING_TOKEN=token)
        assert "1 passed" in said


def test_whoever_does_not_use_it_pays_nothing() -> None:
    probe = (
        "import pytest, sys; before = set(sys.modules); import authserver.pytest_plugin;"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['authserver', 'authserver.pytest_plugin']"
