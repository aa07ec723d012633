"""Problems: the mistakes of the client under test that can be seen in what it sent.

Left out: state of any kind. Recorded exchanges are judged when somebody asks, and an ordinary request costs nothing.

No false alarms: whoever reloads a page, or asks again because an answer was lost, has made no mistake.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from authserver.testing import problems_asking, problems_redeeming, problems_sending
from authserver.testing.problem_rules import CATALOGUE, ProblemRule
from authserver.testing.problems_known import Known
from authserver.testing.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Problem:
    """`exchange` is the number of the first one that shows it, and `times` says how many do."""

    rule: ProblemRule
    client_id: str | None
    exchange: int
    times: int


def judge(exchanges: list[Recorded], known: Known) -> list[Problem]:
    """One for each client and rule, in the order of the exchanges; `exchanges` are in theirs."""
    numbers: dict[tuple[str | None, str], list[int]] = {}
    owners = {token: each.client_id for each in exchanges for token in each.issued.values()}
    for name, exchange in _found(exchanges, known):
        owner = next((owners[token] for token in exchange.presented.values() if token in owners), None)
        numbers.setdefault((exchange.client_id or owner, name), []).append(exchange.number)
    rules = {rule.name: rule for rule in CATALOGUE}
    found = [Problem(rules[name], client, min(at), len(set(at))) for (client, name), at in numbers.items()]
    return sorted(found, key=lambda each: (each.exchange, CATALOGUE.index(each.rule)))


def _found(exchanges: list[Recorded], known: Known) -> Iterator[tuple[str, Recorded]]:
    rooms: Iterable[Iterator[tuple[str, Recorded]]] = (
        problems_asking.find(exchanges, known),
        problems_redeeming.find(exchanges, known),
        problems_sending.find(exchanges, known),
    )
    for room in rooms:
        yield from room
