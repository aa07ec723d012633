"""The command line: each command says what it did, or what went wrong and what to do next. Never a traceback.

The heavy libraries are imported inside the commands, so that `--help` and `status` answer at once.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from client import interrupts
from client.commands import accounts, completion, login, notes, serve, tokens
from client.errors import printable
from client.options import say_stopped, with_settings
from client.screen import report

HELP = """
The native app: logs you in with your own browser and calls the notes API with the tokens this brings.

A first walk: [bold]login[/], then [bold]notes[/] and [bold]add[/], then [bold]status[/] to see what is stored,
[bold]refresh[/] to trade the refresh token for new tokens, [bold]logout[/] to give everything back.
With [bold]--explain[/], each tells what it sends and why.

Each option of a command is also an environment variable; the option wins. See [bold]login --help[/].
"""
EPILOG = """
Exit status: 0 done, 1 unexpected, 2 usage or setting, 3 log in first, 4 a server is away or busy (nothing was
forgotten), 5 a server said no, 6 an answer breaks the protocol, 7 the login failed, 8 the token store is not
usable, 130 stopped with Ctrl-C, 143 by SIGTERM. For scripts: --json.
"""
COMMANDS: tuple[tuple[Callable[..., Any], ...], ...] = (
    (login.login, notes.notes, notes.add, serve.serve),
    (tokens.status, tokens.whoami, tokens.refresh, tokens.token),
    (accounts.accounts, accounts.use, accounts.logout),
)
PANELS = ("The walk", "The tokens", "The people")

app = typer.Typer(
    name="python -m client",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=HELP,
    epilog=EPILOG.replace("\n", " "),
)
for _panel, _commands in zip(PANELS, COMMANDS, strict=True):
    for _command in _commands:
        app.command(rich_help_panel=_panel)(with_settings(_command))
app.command(rich_help_panel="The shell")(completion.completion)


def main() -> None:
    interrupts.raise_exceptions()
    try:
        status = _status(as_json="--json" in sys.argv)
        interrupts.end_at_once()
    except KeyboardInterrupt as stop:  # in the very last lines: nothing is left to be undone
        interrupts.end_at_once()
        status = interrupts.status_of(stop)
    sys.exit(status)


def _status(*, as_json: bool) -> int:
    try:
        return run(as_json=as_json)
    except KeyboardInterrupt as stop:
        say_stopped(stop, as_json=as_json)
        return interrupts.status_of(stop)
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): silence the interpreter's own complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as problem:  # the last net: a sentence instead of a traceback
        what = f"Something unexpected: {type(problem).__name__}: {printable(str(problem))}"
        report("unexpected", what, "", 1, as_json=as_json)
        return 1


def run(*, as_json: bool) -> int:
    """Carry out the command in sys.argv; gives its exit status."""
    if completion.VARIABLE in os.environ:
        completion.init()
    try:
        status = app(complete_var=completion.VARIABLE, standalone_mode=not as_json)
    except SystemExit as end:  # how typer ends when it shows mistakes itself
        status = end.code
    except typer.TyperException as problem:  # a mistake in the command line, for a script
        report("usage", problem.format_message(), "", problem.exit_code, as_json=True)
        return problem.exit_code
    return status if isinstance(status, int) else 0
