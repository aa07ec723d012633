"""`python -m tests.mutants [--only ID] [--jobs N]`: take each protection out and demand that its test fails.

First the named tests run unpatched and must pass. Then each mutant gets a copy of the tree, its patch, and its tests
alone, on SQLite. Caught means: pytest ends with status 1, and a test that the mutant names is among the FAILED. A
mutant that cannot be imported, a fixture that breaks or a run that hangs catches nothing. Exit status 1 if any mutant
survives.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.mutants.listed import MUTANTS, THE_MOST_TELLING
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
"""Seconds that one mutant's tests may take."""

_LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv*", ".understudy", "__pycache__", ".*_cache", ".hypothesis", "node_modules", "*.egg-info", "dist"
)
_OUTCOME = re.compile(r"^(FAILED|ERROR) (\S+?::\w+)(?:\[.*?\])?(?: - (.*))?$", re.MULTILINE)

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 180)


class PatchError(Exception):
    """The tree is not what the list of mutants believes it to be."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`by` is the test that noticed; None for a survivor, and then `why` tells."""

    mutant: Mutant
    by: str | None
    why: str
    seconds: float


def patched(text: str, old: str, new: str, where: str) -> str:
    """`text` with the one occurrence of `old` replaced. Raises PatchError when there is none, or more than one."""
    if (found := text.count(old)) != 1:
        raise PatchError(f"{where}: the old text occurs {found} times instead of once:\n{old}")
    return text.replace(old, new)


def bred(mutant: Mutant, tree: Path) -> dict[str, str]:
    """The files of `tree` that differ in this mutant. Raises PatchError, also when the result is no Python."""
    texts: dict[str, str] = {}
    for edit in mutant.edits:
        where = f"{mutant.id}: {edit.file}"
        text = texts.get(edit.file) or (tree / edit.file).read_text(encoding="utf-8")
        texts[edit.file] = patched(text, edit.old, edit.new, where)
    for file, text in texts.items():
        if not file.endswith(".py"):  # a page's script
            continue
        try:
            compile(text, file, "exec")
        except SyntaxError as error:
            raise PatchError(f"{mutant.id}: the new text of {file} is no Python: {error}") from error
    return texts


def verdict_on(mutant: Mutant, origin: Path) -> Verdict:
    """Breed one mutant from the tree `origin` and see whether its tests notice."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="understudy-mutant-") as directory:
        tree = copied(origin, Path(directory, "tree"))
        for file, text in bred(mutant, tree).items():
            (tree / file).write_text(text, encoding="utf-8")
        status, output = run_tests(tree, mutant.caught_by, "-x")
    by, why = judge(status, output, mutant.caught_by)
    return Verdict(mutant, by, why, time.monotonic() - started)


def judge(status: int | None, output: str, named: Iterable[str]) -> tuple[str | None, str]:
    """The named test that failed and what it said, or None and the reason why nothing was caught."""
    if status is None:
        return None, f"no verdict within {PATIENCE:.0f} s"
    failed = [(test, said or "") for outcome, test, said in _OUTCOME.findall(output) if outcome == "FAILED"]
    for test, said in failed:
        if status == 1 and test in named:
            return test, said
    last = output.strip().rpartition("\n")[2]
    return None, "its tests pass" if status == 0 else f"pytest ended with status {status}: {last}"


def run_tests(tree: Path, tests: Iterable[str], *options: str, patience: float = PATIENCE) -> tuple[int | None, str]:
    """Exit status and output of pytest; None when it hangs, and then nothing of it is left running."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfE",
        "--tb=no",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "--require-all",
    ]
    process = subprocess.Popen(
        [*command, "-k", "not postgresql", *options, *tests],
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "COLUMNS": "400", "PYTHONPATH": ""},
    )
    try:
        output, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None, f"no end after {patience:.0f} s"
    return process.returncode, output


def copied(origin: Path, tree: Path) -> Path:
    """Sources and tests as they lie there, committed or not; no environment, no history, no caches."""
    shutil.copytree(origin, tree, ignore=_LEFT_BEHIND, symlinks=True)
    return tree


def check_unpatched(chosen: Sequence[Mutant], tree: Path, jobs: int) -> None:
    """The tests that shall notice must be green before. Exits with status 1 otherwise."""
    tests = sorted({test for mutant in chosen for test in mutant.caught_by})
    out.print(f"{len(chosen)} mutants. First their {len(tests)} tests on the tree as it is …")
    status, output = run_tests(tree, tests, "-n", str(jobs), patience=10 * PATIENCE)
    if status != 0:
        out.print(escape(output))
        out.print("[bold red]✗[/] These tests must pass before they can catch anything.")
        raise typer.Exit(1)


def try_all(chosen: Sequence[Mutant], origin: Path, jobs: int, *, reasons: bool) -> Iterator[Verdict]:
    """Verdicts as they come in, each told on a line."""
    workers = ThreadPoolExecutor(jobs)
    try:
        runs = [workers.submit(verdict_on, mutant, origin) for mutant in chosen]
        for number, done in enumerate(as_completed(runs), 1):
            verdict = done.result()
            mark = "[green]caught[/]" if verdict.by else "[bold red]survived[/]"
            line = f"{number:3}/{len(chosen)}  {mark}  {verdict.mutant.id}  {verdict.seconds:.0f} s"
            out.print(f"{line}  [dim]{escape(verdict.why)}[/]" if reasons else line)
            yield verdict
    finally:
        workers.shutdown(cancel_futures=True)  # Ctrl-C waits for those at work alone


def show(verdicts: Sequence[Verdict]) -> None:
    """The table, in the order of the list."""
    table = Table("row", "protection taken out")
    table.add_column("caught by", overflow="fold")
    order = {mutant.id: place for place, mutant in enumerate(MUTANTS)}
    for verdict in sorted(verdicts, key=lambda each: order[each.mutant.id]):
        star = " ★" if verdict.mutant in THE_MOST_TELLING else ""
        by = f"[bold red]survived[/]: {escape(verdict.why)}"
        if verdict.by:
            file, _, test = verdict.by.removeprefix("tests/").partition("::")
            by = f"[green]{escape(test)}[/] [dim]{escape(file)}[/]"
        table.add_row(verdict.mutant.id + star, escape(verdict.mutant.sentence), by)
    out.print(table, soft_wrap=False)


def main(
    only: Annotated[list[str] | None, typer.Option(help="Ids or rows of the mutants to try; may be repeated.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Mutants at once.")] = 2,
    reasons: Annotated[bool, typer.Option("--reasons", help="Say with which words each test failed.")] = False,
) -> None:
    """Take each protection out and demand that its test fails."""
    chosen = [mutant for mutant in MUTANTS if not only or mutant.id in only or mutant.row in only]
    if not chosen:
        raise typer.BadParameter(f"no mutant has the id or row {', '.join(only or ())}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="understudy-mutants-") as directory:
        origin = copied(ROOT, Path(directory, "origin"))  # whoever goes on editing does not disturb us
        for mutant in chosen:
            bred(mutant, origin)  # what cannot be bred is said now and not after minutes
        check_unpatched(chosen, copied(origin, Path(directory, "unpatched")), jobs)
        verdicts = list(try_all(chosen, origin, jobs, reasons=reasons))
    show(verdicts)
    survivors = sum(verdict.by is None for verdict in verdicts)
    out.print(f"{len(verdicts) - survivors} caught, {survivors} survived, {time.monotonic() - started:.0f} s.")
    raise typer.Exit(1 if survivors else 0)


if __name__ == "__main__":
    try:
        typer.run(main)
    except PatchError as error:
        out.print(f"[bold red]✗[/] {escape(str(error))}")
        sys.exit(1)
