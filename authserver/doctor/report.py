"""What was found, side by side, and how it is shown."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`mend`: the one line that would change it, and what to do then."""

    verdict: Literal["works", "remark", "fails"]
    text: str
    mend: tuple[str, ...] = ()


@dataclass(slots=True)
class Side:
    """One place from which the set-up is used."""

    name: str
    findings: list[Finding] = field(default_factory=list)

    def good(self, text: str) -> None:
        """This works."""
        self.findings.append(Finding("works", text))

    def remark(self, text: str, *mend: str) -> None:
        """Worth knowing, and no failure."""
        self.findings.append(Finding("remark", text, mend))

    def bad(self, text: str, *mend: str) -> None:
        """Somebody on this side would fail."""
        self.findings.append(Finding("fails", text, mend))

    @property
    def fails(self) -> bool:
        """Whether somebody on this side would fail."""
        return any(finding.verdict == "fails" for finding in self.findings)


_MARKS = {"works": "✓", "remark": "!", "fails": "✗"}


def lines(sides: list[Side]) -> Iterator[str]:
    """For people."""
    for side in sides:
        yield side.name
        for finding in side.findings:
            yield f"  {_MARKS[finding.verdict]} {finding.text}"
            for label, line in zip(("change", "then"), finding.mend, strict=False):
                yield f"    {label:>6}: {line}"
        yield ""
    failing = [side.name for side in sides if side.fails]
    if failing:
        yield f"{len(failing)} of {len(sides)} sides would fail: {'; '.join(failing)}."
    else:
        yield "Every side that can be seen from here works."


def as_json(sides: list[Side]) -> dict[str, object]:
    """For programs."""
    return {
        "works": not any(side.fails for side in sides),
        "sides": [
            {"side": side.name, "works": not side.fails, "findings": [asdict(each) for each in side.findings]}
            for side in sides
        ],
    }
