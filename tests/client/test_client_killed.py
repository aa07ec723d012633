"""kill -9 between any two steps of saving: the store is the old or the new one, never torn (rows CL11 and B27)."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.client.killed import SCENARIOS

ROOT = Path(__file__).parents[2]


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (a directory of our own is made in it)
"""Where fsync costs nothing: what is proved here is order, and there are thousands of steps."""


@pytest.mark.parametrize("name", [name for name in SCENARIOS if "keyring" not in name])
def test_CL11_kill_9_between_any_two_steps(name: str) -> None:
    kill(name)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if "keyring" in name])
def test_B27_kill_9_between_file_and_keyring(name: str) -> None:
    kill(name)


def kill(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
        done = subprocess.run(
            [sys.executable, "-m", "tests.client.killed", name, str(Path(directory) / "here")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed at each of" in done.stdout
