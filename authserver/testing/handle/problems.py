"""Mistakes of the client under test, as a test reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

from authserver.testing.handle.errors import HarnessError
from authserver.testing.problem_rules import find


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is its name in the catalogue, `rfc` where it is written, `severity` how strictly: `must` or `should`.

    `exchange` is the number of the first exchange that shows it, and `times` says how many do. `client_id` is None
    where nobody said who they are.
    """

    rule: str
    sentence: str
    advice: str
    rfc: str
    severity: str
    client_id: str | None
    exchange: int
    times: int

    def __str__(self) -> str:
        again = f" and {self.times - 1} more" if self.times > 1 else ""
        return (
            f"{self.rule} ({self.rfc}, {self.severity}): {self.client_id or 'a client'} {self.sentence}"
            f" (exchange {self.exchange}{again}).\n    {self.advice}"
        )


def left(problems: Sequence[Problem], ignored: Sequence[str]) -> list[Problem]:
    """Those whose rule is not among the `ignored`. Raises HarnessError for a rule that there is not."""
    for name in ignored:
        try:
            find(name)
        except LookupError:
            raise HarnessError(f"there is no rule {name!r}; docs/problems.md lists them") from None
    return [each for each in problems if each.rule not in ignored]


def told(problems: Sequence[Problem]) -> str:
    """All of them, for a person to read."""
    count = "One mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    return "\n".join([f"{count} of the client under test:", *(f"- {each}" for each in problems)])
