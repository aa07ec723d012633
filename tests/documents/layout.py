"""What the pages have in common."""

from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTE = "<!-- Made by `make docs`. Change what it is made from: {sources}. -->"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    columns = list(header)
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
