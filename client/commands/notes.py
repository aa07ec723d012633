"""`notes` and `add`: what the app is for."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from client.commands import outcome
from client.errors import printable
from client.options import Outcome
from client.screen import as_typed
from client.settings import Settings


def notes(settings: Settings) -> Outcome:
    """List your notes (needs read:notes).

    With --json: the API's answer as it came.
    """
    found = outcome.native_app(settings).call_api("GET", "/notes")
    if found == []:
        return Outcome(found, [as_typed('No notes yet. Write one: python -m client add "Buy milk"')])
    return Outcome(found, [_line(note) for note in (found if isinstance(found, list) else [found])])


def add(settings: Settings, text: Annotated[str, typer.Argument(help="What to write down.")]) -> Outcome:
    """Write a note (needs write:notes).

    With --json: the API's answer as it came.
    """
    note = outcome.native_app(settings).call_api("POST", "/notes", {"text": text})
    return Outcome(note, [_line(note)])


def _line(note: Any) -> str:
    members = note if isinstance(note, dict) else {}
    name, text = (str(members.get(key, "?")) for key in ("id", "text"))
    return f"[dim]{escape(printable(name))}[/]  {escape(printable(text.replace(chr(10), ' ⏎ '), 2500))}"
