"""What the bench prints, and what it writes into docs/performance.md: the same rows."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.bench import figures, harness, starts
from tests.bench.servers import NODE, ROOT, why_no_node
from tests.documents.layout import table

PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- Written by `make bench ARGS=--write`, never by hand. -->", "<!-- End of what the bench wrote. -->"

Rows = Sequence[tuple[str, ...]]


def facts(*, rounds: int, seconds: float) -> dict[str, str]:
    """What the figures depend on."""
    packages = ("uvicorn", "h11", "starlette", "fastapi", "sqlalchemy", "joserfc", "cryptography")
    node = why_no_node() or f"{_installed_provider()} on Node {_output('node', '--version').removeprefix('v')}"
    return {
        "Rounds": f"{rounds}, {seconds:g} s for each cell, after a round to warm up",
        "Machine": f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}",
        "Python": platform.python_version(),
        "Packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "oidc-provider": node,
        **harness.facts(),
    }


def show(console: Console, title: str, header: Sequence[str], rows: Rows, *, words: int) -> None:
    """A table on the terminal. Its first columns hold `words`; the others numbers, which go below each other if need be."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(header):
        is_words = number < words
        longest = max(len(word) for word in name.split())
        shown.add_column(name, justify="left" if is_words else "right", no_wrap=is_words, min_width=longest)
    for row, following in zip(rows, [*rows[1:], ("",)], strict=True):
        # A row that names no route belongs to the one above.
        shown.add_row(*(cell.replace("`", "") for cell in row), end_section=words > 1 and following[0] != "")
    console.print(shown)


def page(before: str, said: dict[str, str], cells: Rows, started: Rows, rehearsed: Rows) -> str:
    """The page with a new part between its markers. Raises ValueError when it has none."""
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its markers")
    part = [
        *(f"- {name}: {value}" for name, value in said.items()),
        "",
        *table(figures.HEADER, cells),
        "",
        *table(starts.HEADER, started),
        "",
        *table(harness.HEADER, rehearsed),
        "",
    ]
    return "\n".join([head + BEGIN, "", *part, END + tail])


def _installed_provider() -> str:
    return str(json.loads((NODE / "node_modules/oidc-provider/package.json").read_text())["version"])


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
