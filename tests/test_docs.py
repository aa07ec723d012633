"""The documents keep their word: what is generated is fresh, what is linked exists, what is commanded can be made."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import documents

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)

# Written so that they do not match themselves: the words stand in pieces.
REGISTRY_HOST = re.compile(r"py[p]i\.org|pythonhosted\.[o]rg|npm[j]s\.(?:com|org)|crates\.[i]o|rubygems\.[o]rg", re.I)
MACHINE_PATH = re.compile(r"(?<![\w.:/~$}-])/(?:h[o]me|r[o]ot|U[s]ers|w[o]rk)/\w|\b[A-Z]:\\\w")

_FENCE = re.compile(r"^(```+).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
_MADE = re.compile(r"`make ([a-z][a-z-]*)|^\s*\$? ?make ([a-z][a-z-]*)", re.MULTILINE)


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


GENERATED = [
    "docs/map.md",
    "docs/dialects.md",
    "docs/settings.md",
    "docs/problems.md",
    "docs/tenant-import.md",
    "docs/auth0-compatibility.md",
    "docs/wrong-tokens.md",
]


@pytest.mark.parametrize("path", GENERATED)
def test_generated_pages_are_fresh(path: str) -> None:
    assert path not in documents.stale(), "stale: run make docs"


def test_every_generated_page_is_looked_at() -> None:
    assert set(documents.documents()) == set(GENERATED)


@pytest.mark.parametrize("service", documents.SERVICES)
def test_every_room_has_a_door_sign(service: str) -> None:
    """Its first paragraph is the title."""
    for path in sorted((ROOT / service).rglob("*.py")):
        sign = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if "versions" not in path.parts:  # migrations have a title, too, but Alembic's
            assert sign, f"{path.relative_to(ROOT)} has no docstring"
            title = sign.partition("\n\n")[0]
            assert 0 < len(title) <= 240, f"{path.relative_to(ROOT)}: is this a title?"


@pytest.mark.parametrize("path", sorted((ROOT / "docs/decisions").iterdir()), ids=lambda path: path.name)
def test_a_decision_has_number_context_choice_and_cost(path: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9]+(-[a-z0-9]+)*\.md", path.name)
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0].startswith(path.name[:4]), "the title begins with the number"
    assert [name for name in headings if name in ("Context", "Choice", "Cost")] == ["Context", "Choice", "Cost"]


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").iterdir())
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 250


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_no_document_names_a_registry_or_a_place_on_a_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not REGISTRY_HOST.findall(text)
    assert not MACHINE_PATH.findall(text)


def test_these_patterns_would_notice() -> None:
    for text in ("https://" + "py" + "pi.org/simple", "registry." + "npm" + "js.org"):
        assert REGISTRY_HOST.search(text)
    for text in ("see /" + "home/alice/x", "`/" + "work/tree`", "(/" + "Users/bob)", "C" + ":\\Temp"):
        assert MACHINE_PATH.search(text)
    for text in ("docs/" + "work/notes", "https://example.com/" + "home/x", "/userinfo", "$HOME/" + "work/x"):
        assert not MACHINE_PATH.search(text)
    assert not REGISTRY_HOST.search(Path(__file__).read_text(encoding="utf-8"))
    assert not MACHINE_PATH.search(Path(__file__).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z][a-z0-9+.-]*:", target):
            path, _, fragment = target.partition("#")
            found = (page.parent / path).resolve() if path else page
            assert found.exists(), f"{page_name(page)}: {target} does not exist"
            assert found.is_relative_to(ROOT), f"{page_name(page)}: {target} leaves the repository"
            if fragment and found.suffix == ".md":
                assert fragment in anchors(found), f"{page_name(page)}: {target} has no such heading"


def anchors(page: Path) -> set[str]:
    """The names that a reader's browser gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_what_shall_be_made_can_be_made(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {quoted or typed for quoted, typed in _MADE.findall((ROOT / name).read_text(encoding="utf-8"))}
    assert named, "nothing to make: does the pattern still match?"
    assert named <= targets, f"no such target: {', '.join(sorted(named - targets))}"


def test_every_target_is_phony_and_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert phony
    targets = re.findall(r"^([a-z][a-z-]*):(.*)$", makefile, re.MULTILINE)
    assert {name for name, _ in targets} == set(phony[1].split())
    assert all(" ## " in line for _, line in targets)


def test_the_fixture_in_the_readme_works(tmp_path: Path) -> None:
    """As somebody else's test suite would have it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(def test_.*?)^```", readme, re.MULTILINE | re.DOTALL)
    (tmp_path / "test_theirs.py").write_text(snippet)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    plugins = ["-p", "no:cacheprovider", "-p", "authserver.pytest_plugin"]  # installed, it is found by itself
    command = [sys.executable, "-m", "pytest", "-q", *plugins]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "no_proxy": "*"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
