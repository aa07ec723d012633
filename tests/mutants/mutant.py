"""What a mutant is: which protection, where it lies, how it is taken out, and which test has to notice.

`id` begins with the row of the security cases that the protection answers. An `old` text occurs exactly once in its
file (`test_mutants` checks that in every run of the suite), so whoever changes such a line meets this list and decides
anew what would take the protection out. Where two places guard one thing on purpose, a mutant edits both.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` is exact and occurs once in `file`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """`sentence` says what the mutant forgets. `caught_by`: tests of which one at least must fail."""

    id: str
    sentence: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]

    @property
    def row(self) -> str:
        """The security case."""
        return self.id.partition("-")[0]


def tests(file: str, *names: str) -> tuple[str, ...]:
    """Node ids of `names` in tests/`file`."""
    return tuple(f"tests/{file}::test_{name}" for name in names)
