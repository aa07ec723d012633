"""Where a command's words go: answers to stdout, all else to stderr; for a person or, with --json, for a script."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from client.errors import ClientError
from client.program import program

out = Console(highlight=False, emoji=False, soft_wrap=True)
err = Console(highlight=False, emoji=False, soft_wrap=True, stderr=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has found out: `document` for --json, `lines` (rich markup) for a person. No secrets in either."""

    document: Any
    lines: Sequence[str]

    def show(self, *, as_json: bool) -> None:
        if as_json:
            typer.echo(json.dumps(self.document))
            return
        for line in self.lines:
            out.print(line)


def fail(problem: ClientError, *, as_json: bool, page_url: str = "") -> None:
    """A sentence and what to do next."""
    hint = as_typed(problem.hint, page_url)
    report(problem.kind, as_typed(str(problem), page_url), hint, problem.exit_code, as_json=as_json)


def report(kind: str, message: str, hint: str, exit_code: int, *, as_json: bool) -> None:
    """On stderr. With --json it is the last line there, in one piece."""
    if as_json:
        said = {"error": kind, "message": message, "hint": hint, "exit_code": exit_code}
        typer.echo(json.dumps(said), err=True)
        return
    err.print(f"[bold red]✗[/] {escape(message)}")
    if hint:
        err.print(f"  {escape(hint)}")


def as_typed(text: str, page_url: str = "") -> str:
    """In hints, this program is called what the person called it; where it has a page, that is where one logs in."""
    if page_url:
        text = re.sub(r": python -m client login(?: --account \S+)?(?! --)", f" at {page_url}", text)
    return text.replace("python -m client", program())
