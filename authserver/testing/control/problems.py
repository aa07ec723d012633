"""Mistakes of the client under test: the rules, and what was seen in one tenant."""

from dataclasses import asdict

from fastapi import APIRouter

from authserver.testing.control.asking import ONE, Chosen
from authserver.testing.control.problem_models import DescribedRule, FoundProblem
from authserver.testing.problem_rules import CATALOGUE
from authserver.testing.problems import judge
from authserver.testing.problems_known import Known

router = APIRouter()


@router.get("/problem-rules")
def list_problem_rules() -> list[DescribedRule]:
    """The catalogue of what a client is judged by."""
    return [DescribedRule(**asdict(rule)) for rule in CATALOGUE]


@router.get(f"{ONE}/problems")
def list_problems(of: Chosen) -> list[FoundProblem]:
    """The mistakes that the recorded exchanges show, each once for a client, in the order of the exchanges."""
    found = judge(of.recording.all(), Known(of.file, of.baits))
    return [
        FoundProblem(
            **asdict(problem.rule), client_id=problem.client_id, exchange=problem.exchange, times=problem.times
        )
        for problem in found
    ]
