"""From samples to figures: medians with their spread over the rounds, ratios within a round."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.cells import BARE, CONNECTIONS, NODES, ROUTES, SIDES
from tests.bench.http import Sample

Key = tuple[str, str, int]
"""Route, side, number of connections."""

HEADER = (
    "Route",
    "Server",
    *(f"CPU µs ({n})" for n in CONNECTIONS),
    *(f"req/s ({n})" for n in CONNECTIONS),
    "÷ bare",
    "÷ oidc",
)


@dataclass(frozen=True)
class Results:
    """Samples of every cell, one for each round in which it went well, by the number of the round."""

    samples: Mapping[Key, Mapping[int, Sample]]

    def table(self) -> list[tuple[str, ...]]:
        """A row for each route and server."""
        return [
            (
                route if number == 0 else "",
                side,
                *(self._figure(_cpu, (route, side, n)) for n in CONNECTIONS),
                *(self._figure(_rate, (route, side, n)) for n in CONNECTIONS),
                self._ratio(route, side, BARE),
                self._ratio(route, side, NODES),
            )
            for route in ROUTES
            for number, side in enumerate(self._sides(route))
        ]

    def summary(self) -> list[dict[str, object]]:
        """The same for programs: every sample with its round."""
        return [
            {
                "route": route,
                "server": side,
                "connections": connections,
                "rounds": {
                    number: {
                        "requests": sample.requests,
                        "seconds": sample.seconds,
                        "cpu_seconds": sample.cpu,
                        "cpu_us_per_request": _cpu(sample),
                        "requests_per_second": _rate(sample),
                    }
                    for number, sample in rounds.items()
                },
            }
            for (route, side, connections), rounds in self.samples.items()
        ]

    def _sides(self, route: str) -> list[str]:
        return [side for side in SIDES if any(key[:2] == (route, side) for key in self.samples)]

    def _figure(self, of: Callable[[Sample], float], key: Key) -> str:
        return spread([of(sample) for sample in self.samples.get(key, {}).values()])

    def _ratio(self, route: str, side: str, other: str) -> str:
        """The median, over the rounds that have both, of CPU per request with one connection."""
        if side in (BARE, NODES):
            return ""
        mine, theirs = (self.samples.get((route, one, CONNECTIONS[0]), {}) for one in (side, other))
        ratios = [
            _cpu(mine[number]) / _cpu(theirs[number]) for number in mine if number in theirs and theirs[number].cpu
        ]
        return f"{median(ratios):.2f}" if ratios else "—"


def spread(values: Sequence[float]) -> str:
    """The median, with least and most."""
    if not values:
        return "wrong"
    digits = 1 if median(values) < 10 else 0
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} - {high})"


def _cpu(sample: Sample) -> float:
    """Microseconds of the server's CPU for one request."""
    return sample.cpu / sample.requests * 1e6


def _rate(sample: Sample) -> float:
    """Requests in a second."""
    return sample.requests / sample.seconds
