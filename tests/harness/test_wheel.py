"""An outside project: the built wheel in an environment of its own, and the example's tests run there."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from authserver.testing.wrong_tokens import CATALOGUE
from tests.processes import OURS

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/pytest"
PASSED = f"{len(CATALOGUE) + 3} passed"

WHERE = """
import importlib.util, sys, authserver
assert authserver.__file__.startswith(sys.prefix), authserver.__file__
print([name for name in ("api", "client", "tests") if importlib.util.find_spec(name)])
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = (tmp_path / "dist").iterdir()
    return built


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A project elsewhere, as strict about warnings as we are."""
    shutil.copytree(EXAMPLE, tmp_path / "theirs", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "theirs/pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return tmp_path / "theirs"


def run(command: list[str], cwd: Path, **variables: str) -> str:
    """What it says. Nothing of this run's environment reaches it."""
    foreign = (*OURS, "PYTEST_", "PYTHON", "VIRTUAL_ENV", "COV_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment = {**inherited, "no_proxy": "*", **variables}
    if "pip" in command:
        environment = {**inherited, **variables}  # it may need a proxy to get out
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed_by(names: Iterable[str]) -> set[str]:
    """These distributions and all that they require here, by their normalized names."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name not in found:
            found.add(name)
            requirements = [Requirement(each) for each in metadata.requires(name) or ()]
            waiting += [each.name for each in requirements if not each.marker or each.marker.evaluate({"extra": ""})]
    return found


def locked(names: set[str]) -> str:
    """Their part of requirements.lock: one version each, with its hashes."""
    blocks = re.findall(r"^\S+==.*(?:\n    --hash=.*)+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    kept = [block for block in blocks if block.partition("==")[0].partition("[")[0] in names]
    assert len(kept) == len(names), names - {block.partition("==")[0] for block in kept}
    return "\n".join(kept)


@pytest.mark.thorough("installs the wheel and what it requires")
def test_the_wheel_in_a_clean_environment(wheel: Path, theirs: Path, tmp_path: Path) -> None:
    """Nothing is there but what the wheel declares, and pytest; the plugin is found by its entry point."""
    with zipfile.ZipFile(wheel) as archive:
        (described,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        declared = re.findall(r"^Requires-Dist: (.*)$", archive.read(described).decode(), re.MULTILINE)
    direct = [each for each in map(Requirement, declared) if not each.marker or each.marker.evaluate({"extra": ""})]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    own = f"understudy @ {wheel.as_uri()} --hash=sha256:{digest}"
    (tmp_path / "wanted.txt").write_text(f"{own}\n{locked(needed_by(['pytest', *(each.name for each in direct)]))}\n")

    run([sys.executable, "-m", "venv", str(tmp_path / "clean")], tmp_path)
    python = str(tmp_path / "clean/bin/python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "install", "--require-hashes", "-r", str(tmp_path / "wanted.txt")], tmp_path)
    assert "No broken requirements" in run([python, "-m", "pip", "check"], tmp_path)
    assert run([python, "-c", WHERE], theirs).strip() == "[]"  # names that belong to whoever installs it
    assert PASSED in run([python, "-m", "pytest", "-q"], theirs)


def test_the_wheel_unpacked(wheel: Path, theirs: Path, tmp_path: Path) -> None:
    """The same without installing anything: quick, and among the packages of this environment."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
    assert PASSED in run(command, theirs, PYTHONPATH=str(tmp_path / "installed"))


def test_the_example_is_short_and_covers_the_mistakes() -> None:
    lines = [line for line in (EXAMPLE / "test_things.py").read_text().splitlines() if line.strip()]
    code = [line for line in lines if not line.startswith(("import ", "from "))]
    assert len(code) <= 25
