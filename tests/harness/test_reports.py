"""The story in the report of a failing test, and nowhere else."""

import re
from pathlib import Path

import pytest

from tests.harness.test_plugin import run_pytest

FAILING = """
def test_it_fails(authserver):
    authserver.login(authserver.add_user("alice@example.com"), authserver.register_client("app"), decision="deny")
    assert False, "the test's own words"

def test_it_passes(authserver):
    authserver.login(authserver.add_user("bob@example.com"), authserver.register_client("other"))

def test_it_does_without():
    assert not "a failure of its own"

def test_it_drops_its_tenant(authserver):
    authserver.drop()
    assert not "after the drop"
"""

GONE = """
import pytest

@pytest.fixture
def broken(authserver):
    authserver.login(authserver.add_user("alice@example.com"), authserver.register_client("app"))
    raise ValueError("the fixture's own words")

def test_the_fixture_fails(broken):
    pass

def test_the_server_is_gone(authserver):
    def gone(*args, **more):
        raise ConnectionError("gone")
    authserver.control.call = gone
    assert not "the test's own words"
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_failing_test_tells_what_happened(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_theirs.py").write_text(FAILING)
    status, said = run_pytest(tmp_path, "-n", workers, "-p", "no:randomly")
    assert status == 1
    assert "3 failed, 1 passed" in said
    assert "the test's own words" in said
    assert said.count("Understudy: what happened") == 1
    section = said.partition("Understudy: what happened")[2]
    assert "username=alice@example.com" in section
    assert re.search(r"POST /u/consent +app +action=deny", section), section
    assert "AuthorizationDenied" in section
    assert "bob@example.com" not in said


def test_it_never_hides_why_a_test_failed(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(GONE)
    status, said = run_pytest(tmp_path, "-p", "no:randomly", "-p", "no:xdist")
    assert status == 1
    assert "1 failed, 2 errors" in said  # the second: dropping the tenant
    assert "the fixture's own words" in said
    assert "the test's own words" in said
    assert "(nothing can be told: ConnectionError('gone'))" in said
    assert said.count("Understudy: what happened") == 2
