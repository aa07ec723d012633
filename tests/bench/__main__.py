"""`make bench`: measure, print, and on demand keep. Ends with status 1 when anything was answered wrongly."""

import argparse
import json
import os
import random
import sys
from collections import defaultdict
from pathlib import Path

import httpx2
from rich.console import Console

from tests.bench import figures, harness, report, starts
from tests.bench.cells import CONNECTIONS, ROUTES, Contestant, contestants
from tests.bench.figures import Key, Results
from tests.bench.http import Sample, WrongAnswerError
from tests.bench.servers import ServerFailedError, on, take_cores, why_no_node

STARTS, HARNESS = "Starts", "Harness"
PARTS = [*ROUTES, STARTS, HARNESS]

EPILOG = """\
CPU µs: the server's user and system time for one request (Code flow: for one whole flow); the figure to trust.
req/s: what one core made of it; wants a quiet machine. (1) and (8): that many connections at once.
Each is the median over the rounds (least - most); ÷ bare, ÷ oidc: CPU µs (1) as a multiple of theirs.
docs/performance.md says more.
"""


def options(arguments: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog='make bench ARGS="…"',
        description="Measure requests beside a bare Starlette route and npm's oidc-provider, and the harness beside two mocks.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often each cell is played (7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each time (2); 0: one request each")
    parser.add_argument("--quick", action="store_true", help="one round of 0.3 seconds: does it work?")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; may be repeated")
    parser.add_argument("--postgresql", action="store_true", help="Understudy on PostgreSQL, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    chosen = parser.parse_args(arguments)
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 0.3
    if chosen.rounds < 1 or chosen.seconds < 0:
        parser.error("--rounds must be at least 1, --seconds at least 0")
    if chosen.write and chosen.only:
        parser.error("--write wants every part")
    chosen.only = chosen.only or PARTS
    return chosen


def main(arguments: list[str]) -> int:
    """Measure. Returns the exit status."""
    chosen = options(arguments)
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 180)
    if not sys.platform.startswith("linux"):
        console.print("bench: needs Linux, whose processes tell how much CPU they used; run it in a container")
        return 2
    for name, reason in missing(chosen.only).items():
        console.print(f"{name} is left out: {reason}")
    try:
        results, wrong = requests(chosen, console)
    except (WrongAnswerError, ServerFailedError, FileNotFoundError, httpx2.HTTPError) as error:
        console.print(f"bench: it did not come to measuring: {error}", style="bold red")
        return 1
    started = starts.measure(chosen.rounds) if STARTS in chosen.only else []
    rehearsed = harness.Rehearsed()
    if HARNESS in chosen.only:
        rehearsed = harness.measure(chosen.rounds, chosen.seconds, console.print)
        wrong += rehearsed.wrong
    said = report.facts(rounds=chosen.rounds, seconds=chosen.seconds)
    if results.samples:
        report.show(console, "Requests", figures.HEADER, results.table(), words=2)
        console.print(EPILOG)
    if started:
        report.show(console, "Starts", starts.HEADER, started, words=1)
    if rehearsed.samples:
        report.show(console, "The harness", harness.HEADER, rehearsed.table(), words=3)
    for line in rehearsed.goals():
        console.print(line)
    for name, value in said.items():
        console.print(f"{name}: {value}")
    for line in wrong:
        console.print(f"WRONG: {line}", style="bold red")
    if chosen.json:
        document = {"facts": said, "wrong": wrong, "cells": results.summary(), "starts": started}
        document["harness"] = rehearsed.summary()
        chosen.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if chosen.write and not wrong:
        before = report.PAGE.read_text(encoding="utf-8")
        report.PAGE.write_text(report.page(before, said, results.table(), started, rehearsed.table()), encoding="utf-8")
        console.print("Written: docs/performance.md")
    return 1 if wrong else 0


def missing(parts: list[str]) -> dict[str, str]:
    """Who does not take part, and why."""
    reason = why_no_node() if set(parts) & set(ROUTES) else None
    return {
        **({"oidc-provider": reason} if reason else {}),
        **(harness.why_missing() if HARNESS in parts else {}),
    }


def requests(chosen: argparse.Namespace, console: Console) -> tuple[Results, list[str]]:
    """The routes that were asked for. Returns what went well, and what was wrong."""
    if not set(chosen.only) & set(ROUTES):
        return Results({}), []
    servers, ours = take_cores()
    if servers == ours:
        console.print("one core alone: requests per second are shared with the load, CPU figures hold")
    with on(servers), contestants(postgresql=chosen.postgresql) as everybody:
        os.sched_setaffinity(0, ours)
        asked = [one for one in everybody if one.route in chosen.only]
        return play_rounds(asked, chosen.rounds, chosen.seconds, console)


def play_rounds(
    everybody: list[Contestant], rounds: int, seconds: float, console: Console
) -> tuple[Results, list[str]]:
    """Every cell once a round, each round in an order of its own; the first round only warms up.

    Returns what went well, and what was wrong.
    """
    samples: dict[Key, dict[int, Sample]] = defaultdict(dict)
    wrong: list[str] = []
    for number in range(rounds + 1):
        cells = [(one, connections) for one in everybody for connections in CONNECTIONS]
        random.shuffle(cells)
        for one, connections in cells:
            kept = samples[one.route, one.side, connections]
            try:
                sample = one.measure(connections, seconds)
                if number:
                    kept[number] = sample
            except (WrongAnswerError, OSError, httpx2.HTTPError) as error:
                wrong.append(f"round {number}, {one.route}, {one.side}, {connections} conn.: {error}")
        console.print(f"round {number} of {rounds}: {len(cells)} cells played, {len(wrong)} wrong so far")
    return Results(samples), wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
