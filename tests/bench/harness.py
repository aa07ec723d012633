"""What the test harness costs a suite, beside PyPI's oidc-provider-mock and npm's oauth2-mock-server, as ratios.

Each round starts every stand-in in a fresh process (`rehearsals`, `node/mock.mjs`), in an order of its own. The plugin's
price for those who do not use it is taken from whole runs of pytest, with and without the wheel, in pairs.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from statistics import mean, median, quantiles

from tests.bench.figures import spread
from tests.bench.rehearsals.timing import Took
from tests.bench.servers import NODE, ROOT, python, throw_away, why_no_node
from tests.bench.servers import OURS as SETTINGS
from tests.bench.starts import command

UNDERSTUDY, MOCK, NODES = "Understudy", "oidc-provider-mock", "oauth2-mock-server"
VENV = ROOT / ".venv-bench"
PAIRS = 3
"""Runs of pytest with and without the plugin, in each round."""

HEADER = ("What", "Who", "How", "wall ms", "p90", "CPU ms", "a second", "ours ÷ this: wall", "CPU")
GOALS = (("plugin unused, CPU ms more than plain pytest", 15.0), ("tenant, user, drop: median wall ms", 10.0))

Samples = Mapping[tuple[str, str], Mapping[int, Sequence[Took]]]
"""By who and which story, then by the number of the round."""


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody comes by something: a story of their rehearsal, and in words what it is."""

    what: str
    who: str
    story: str
    how: str


FIRST, FRESH, TOKEN = "First fixture ready", "Fresh state for a test", "An access token"
WAYS = (
    Way(FIRST, UNDERSTUDY, "first", "import, live server, tenant with a new RSA key"),
    Way(FIRST, MOCK, "first", "import, `run_server_in_thread()`, which makes an RSA key"),
    Way(FIRST, NODES, "first", "import, `keys.generate('RS256')`, `start()`"),
    Way(FRESH, UNDERSTUDY, "fresh", "tenant made, `add_user` (password known), dropped"),
    Way(FRESH, MOCK, "fresh", "its fixture: server started, `PUT /users/…`, stopped"),
    Way(FRESH, MOCK, "user", "`PUT /users/…` alone: one server for all tests, nothing apart"),
    Way(FRESH, NODES, "fresh", "server with a kept key started, stopped; it has no users"),
    Way(TOKEN, UNDERSTUDY, "token", "`issue_token` over HTTP: JWT; API, scope, client checked"),
    Way(TOKEN, MOCK, "token", "code flow over HTTP, its only way: opaque, and an ID token"),
    Way(TOKEN, NODES, "token", "`issuer.buildToken()`, a call: JWT; nothing checked"),
    Way(TOKEN, NODES, "http", "`POST /token`, client_credentials: JWT; nothing checked"),
)


@dataclass
class Rehearsed:
    """What was measured. `pairs`: pytest without and with the plugin. `wrong`: what went wrong instead."""

    samples: defaultdict[tuple[str, str], dict[int, list[Took]]] = field(default_factory=lambda: defaultdict(dict))
    pairs: list[tuple[Took, Took]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def table(self) -> list[tuple[str, ...]]:
        """The plugin's rows, then one for each way that was measured."""
        measured = [way for way in WAYS if self.samples.get((way.who, way.story))]
        rows = _plugin_rows(self.pairs)
        for before, way in zip([None, *measured], measured, strict=False):
            rounds = self.samples[way.who, way.story]
            wall = [median(wall for wall, _ in each) for each in rounds.values()]
            rows.append(
                (
                    way.what if before is None or before.what != way.what else "",
                    way.who,
                    way.how,
                    spread(wall),
                    _tenth([wall for each in rounds.values() for wall, _ in each]),
                    spread([mean(cpu for _, cpu in each) for each in rounds.values()]),
                    f"{1000 / median(wall):,.0f}" if way.what == TOKEN else "",
                    *self._ratios(way),
                )
            )
        return rows

    def summary(self) -> dict[str, object]:
        """The same for programs: medians of every round."""
        return {
            "plugin": [{"without": without, "with": installed} for without, installed in self.pairs],
            "ways": [
                {
                    "what": way.what,
                    "who": way.who,
                    "how": way.how,
                    "rounds": {
                        number: {
                            "times": len(took),
                            "wall_ms": median(wall for wall, _ in took),
                            "cpu_ms": mean(cpu for _, cpu in took),
                        }
                        for number, took in self.samples[way.who, way.story].items()
                    },
                }
                for way in WAYS
                if (way.who, way.story) in self.samples
            ],
        }

    def goals(self) -> list[str]:
        """What we want to stay below, and where we are."""
        tenant = [median(wall for wall, _ in each) for each in self.samples.get((UNDERSTUDY, "fresh"), {}).values()]
        reached = [[installed[1] - without[1] for without, installed in self.pairs], tenant]
        return [
            f"{name}: {median(values):.1f} (goal: below {goal:g}{'' if median(values) < goal else '; MISSED'})"
            for (name, goal), values in zip(GOALS, reached, strict=True)
            if values
        ]

    def _ratios(self, way: Way) -> tuple[str, str]:
        """Ours as a multiple of theirs, within each round; the median over those that have both."""
        if way.who == UNDERSTUDY:
            return "", ""
        story = next(each.story for each in WAYS if (each.who, each.what) == (UNDERSTUDY, way.what))
        ours, theirs = self.samples.get((UNDERSTUDY, story), {}), self.samples[way.who, way.story]
        both = [(ours[number], theirs[number]) for number in ours if number in theirs]
        return (
            _ratio([(median(w for w, _ in mine), median(w for w, _ in other)) for mine, other in both]),
            _ratio([(mean(c for _, c in mine), mean(c for _, c in other)) for mine, other in both]),
        )


def measure(rounds: int, seconds: float, told: Callable[[str], None]) -> Rehearsed:
    """Everything, `seconds` for each story of each round; the round before the first warms the file cache up."""
    rehearsed, missing = Rehearsed(), why_missing()
    sides = [(who, line) for who, line in commands(seconds).items() if who not in missing]
    with pytest_runs() as run:
        for number in range(rounds + 1):
            random.shuffle(sides)
            for who, line in sides:
                try:
                    stories = rehearse(line)
                except RehearsalFailedError as error:
                    rehearsed.wrong.append(f"round {number}, {who}: {error}")
                    continue
                for story, took in stories.items() if number else ():
                    rehearsed.samples[who, story][number] = took
            pairs = [_pair(run) for _ in range(PAIRS if seconds else 1)]
            rehearsed.pairs += pairs if number else []
            told(f"harness, round {number} of {rounds}: {len(sides)} rehearsals, {len(pairs)} pairs of pytest")
    return rehearsed


class RehearsalFailedError(Exception):
    """It ended with an error; the text holds its last words."""


def rehearse(line: Sequence[str]) -> dict[str, list[Took]]:
    """Run one stand-in's program. Raises RehearsalFailedError."""
    done = subprocess.run(line, cwd=ROOT, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RehearsalFailedError(done.stderr.strip()[-500:] or f"status {done.returncode}")
    return {story: [(wall, cpu) for wall, cpu in took] for story, took in json.loads(done.stdout).items()}


def commands(seconds: float) -> dict[str, list[str]]:
    """Everybody's program."""
    module = "tests.bench.rehearsals"
    return {
        UNDERSTUDY: [*python(f"{module}.ours"), str(seconds)],
        MOCK: [str(VENV / "bin/python"), "-m", f"{module}.oidc_provider_mock", str(seconds)],
        NODES: ["node", str(NODE / "mock.mjs"), str(seconds)],
    }


def why_missing(environment: Path = VENV) -> dict[str, str]:
    """Who is not on this machine, and why."""
    missing = {}
    if not any(environment.glob("lib/python*/site-packages/oidc_provider_mock")):
        missing[MOCK] = "it is not installed (`make bench` does that where pip can reach its registry)"
    if no_node := why_no_node(NODES):
        missing[NODES] = no_node
    return missing


def facts() -> dict[str, str]:
    """Which versions were measured, or why not."""
    missing = why_missing()
    found = {}
    if MOCK not in missing:
        asked = "from importlib.metadata import version; print(version('oidc-provider-mock'))"
        found[MOCK] = subprocess.check_output([VENV / "bin/python", "-c", asked], text=True).strip()
    if NODES not in missing:
        found[NODES] = json.loads((NODE / f"node_modules/{NODES}/package.json").read_text())["version"]
    return {who: found.get(who) or missing[who] for who in (MOCK, NODES)}


@contextmanager
def pytest_runs() -> Iterator[Callable[[bool], Took]]:
    """Runs pytest on one trivial test: told True, where our wheel is installed; no other plugin either way."""
    with throw_away() as directory:
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory / "dist")]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = (directory / "dist").iterdir()
        zipfile.ZipFile(wheel).extractall(directory / "installed")
        shutil.copytree(directory / "installed", directory / "without", ignore=_metadata_alone)
        suite = directory / "suite"
        suite.mkdir()
        (suite / "pytest.ini").write_text("[pytest]\n")
        (suite / "test_theirs.py").write_text("def test_nothing():\n    assert True\n")
        others = {each.name for each in entry_points(group="pytest11")} - {"understudy"}
        options = ["-q", "-p", "no:cacheprovider", *(f"-pno:{name}" for name in sorted(others))]

        def run(*, installed: bool) -> Took:
            path = str(directory / ("installed" if installed else "without"))
            return command(python("pytest", *options), suite, {**_environment(), "PYTHONPATH": path})

        yield lambda installed: run(installed=installed)


def _metadata_alone(_: str, names: list[str]) -> list[str]:
    """The same files in the same place, but nothing that says that something is installed."""
    return [name for name in names if name.endswith(".dist-info")]


def _pair(run: Callable[[bool], Took]) -> tuple[Took, Took]:
    took = {}
    for installed in random.sample((False, True), 2):
        took[installed] = run(installed)
    return took[False], took[True]


def _environment() -> dict[str, str]:
    """Nothing of somebody's shell, which might set up one of them, or keep Python from keeping compiled sources."""
    unwanted = (*SETTINGS, "PYTEST_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}


def _plugin_rows(pairs: Sequence[tuple[Took, Took]]) -> list[tuple[str, ...]]:
    without, installed = ([pair[side] for pair in pairs] for side in (0, 1))
    more = [(there[0] - here[0], there[1] - here[1]) for here, there in pairs]
    rows = (
        ("Plugin, not used", "pytest", "one trivial test, no plugins", without),
        ("", UNDERSTUDY, "the same with the wheel installed", installed),
        ("", "", "the difference of two runs, median", more),
    )
    return [
        (what, who, how, spread(wall), _tenth(wall), spread([cpu for _, cpu in took]), "", "", "")
        for what, who, how, took in rows
        if (wall := [wall for wall, _ in took])
    ]


def _tenth(values: Sequence[float]) -> str:
    """What nine of ten stay below."""
    high = quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]
    return f"{high:,.1f}" if high < 10 else f"{high:,.0f}"


def _ratio(pairs: Sequence[tuple[float, float]]) -> str:
    ratios = [ours / theirs for ours, theirs in pairs if theirs]
    return f"{median(ratios):.2f}" if ratios else "—"
