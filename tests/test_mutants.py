"""The list of mutants stays true: each can still be bred, and the test that has to notice it still exists.

Whether it does notice is seen by `make mutants`, which takes minutes.
"""

from pathlib import Path

import pytest

from tests import documents
from tests.mutants.__main__ import PatchError, bred, judge, patched
from tests.mutants.listed import MUTANTS
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_every_mutant_can_be_bred(mutant: Mutant) -> None:
    for file, text in bred(mutant, ROOT).items():
        assert file.split("/")[0] in documents.SERVICES
        assert text != (ROOT / file).read_text(encoding="utf-8")


def test_ids_are_unique() -> None:
    ids = [mutant.id for mutant in MUTANTS]
    assert len(ids) == len(set(ids))


def test_the_tests_that_have_to_notice_exist() -> None:
    known = {f"{test.file}::{test.name}" for test in documents.tests()}
    named = {test for mutant in MUTANTS for test in mutant.caught_by}
    assert named <= known, f"gone or renamed: {', '.join(sorted(named - known))}"


def test_an_old_text_must_occur_exactly_once() -> None:
    assert patched("a b c", "b", "x", "") == "a x c"
    for text in ("a c", "a b b"):
        with pytest.raises(PatchError):
            patched(text, "b", "x", "")


@pytest.mark.parametrize(
    ("status", "output"),
    [
        (0, "1 passed"),
        (1, "FAILED tests/a.py::test_other - AssertionError"),
        (1, "ERROR tests/a.py::test_named[sqlite] - the fixture broke"),
        (2, "ERROR tests/a.py - ImportError\nInterrupted: 1 error during collection"),
        (4, "ERROR: not found: tests/a.py::test_named"),
        (5, "1 deselected"),
        (2, "FAILED tests/a.py::test_named - KeyboardInterrupt"),
        (None, "no end"),
    ],
)
def test_what_is_no_catch(status: int | None, output: str) -> None:
    assert judge(status, output, ["tests/a.py::test_named"])[0] is None


@pytest.mark.parametrize(
    "line",
    [
        "FAILED tests/a.py::test_named",
        "FAILED tests/a.py::test_named - assert 200 == 403",
        "FAILED tests/a.py::test_named[rfc-sqlite] - assert 200 == 403",
        "FAILED tests/a.py::test_named[http://[::1]/ - x-sqlite] - assert 200 == 403",
    ],
)
def test_what_is_a_catch(line: str) -> None:
    by, _ = judge(1, f"F\n=== short test summary info ===\n{line}\n1 failed", ["tests/a.py::test_named"])
    assert by == "tests/a.py::test_named"
