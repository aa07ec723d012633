"""What the control API says about mistakes of the client under test."""

from pydantic import BaseModel, ConfigDict

from authserver.testing.problem_rules import Severity


class DescribedRule(BaseModel):
    """One entry of the catalogue. `sentence` goes on after the client's name; `rfc`: where the rule is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sentence: str
    advice: str
    rfc: str
    severity: Severity


class FoundProblem(DescribedRule):
    """`name` is the rule's. `exchange`: the number of the first exchange that shows it; `times`: how many do."""

    client_id: str | None
    exchange: int
    times: int
