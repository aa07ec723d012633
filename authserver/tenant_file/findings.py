"""What reading found besides facts: taken otherwise than written, ignored, not run, and not protected here."""

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["adapted", "ignored", "not run", "not protected"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing of the file. `line` counts from one; `what` names it in the words of the file."""

    verdict: Verdict
    what: str
    why: str
    line: int


@dataclass(slots=True)
class Findings:
    """Collects them, in the order of the file's sections."""

    found: list[Finding] = field(default_factory=list)

    def add(self, verdict: Verdict, what: str, why: str, line: int) -> None:
        """One more; the same at the same line counts once."""
        finding = Finding(verdict, what, why, line)
        if finding not in self.found:
            self.found.append(finding)
