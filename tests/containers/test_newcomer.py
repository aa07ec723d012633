"""The first minutes of somebody who has git, make and Python, and nothing else of ours: the README's commands, as typed."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.containers.conftest import ROOT

MACHINE = """\
FROM python:3.13-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends git make >/dev/null
RUN useradd --create-home --home-dir /newcomer newcomer && git config --system --add safe.directory '*'
USER newcomer
WORKDIR /newcomer
"""
TYPED = ("git clone {repository} understudy", "cd understudy", "make demo")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("machine")
    (directory / "Dockerfile").write_text(MACHINE)
    _docker("build", "--quiet", "--tag", "understudy-newcomer", str(directory))
    return "understudy-newcomer"


def test_from_clone_to_the_first_answer_of_the_api(machine: str, tmp_path: Path) -> None:
    """What HEAD is, cloned; the time is printed, and stands in the README."""
    _run(["git", "clone", "--quiet", "--bare", str(ROOT), str(tmp_path / "repository")])
    typed = " && ".join(TYPED).format(repository="/repository")
    started = time.monotonic()
    said = _docker("run", "--rm", "--volume", f"{tmp_path}/repository:/repository:ro", machine, "sh", "-c", typed)
    seconds = time.monotonic() - started
    assert "steps did what they should" in said
    assert re.search(r"← 20[01] application/json", said)
    keys = sum(len(line.format(repository="URL")) + 1 for line in TYPED)
    print(f"\nfrom clone to the end of the demo: {seconds:.0f} s, {len(TYPED)} commands, {keys} keystrokes and the URL")  # noqa: T201 - what this test is for


def _docker(*arguments: str) -> str:
    return _run(["docker", *arguments])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
