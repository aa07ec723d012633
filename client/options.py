"""What all commands share: the options, made from the table in `Settings`, and one way to answer and to fail."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Annotated, Any

import typer

from client.errors import ClientError
from client.interrupts import status_of
from client.screen import Outcome, err, fail, out, report
from client.settings import Settings

__all__ = ["Outcome", "err", "out", "say_stopped", "with_settings"]

JSON = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout; an error is one line of JSON on stderr.")
]


def with_settings(function: Callable[..., Any]) -> Callable[..., None]:
    """Give a command all options of `Settings`, and one way to fail.

    A command that gives an Outcome has --json, too. One that wants to know names a parameter `as_json`.
    """
    names = [item.name for item in fields(Settings)]
    own = inspect.signature(function).parameters

    @functools.wraps(function)
    def run(**arguments: Any) -> None:
        as_json = bool(arguments.pop("as_json", False))
        page_url = arguments["page_url"]
        try:
            settings = Settings(**{name: arguments.pop(name) for name in names})
            outcome = function(settings, **arguments, **({"as_json": as_json} if "as_json" in own else {}))
            if outcome is not None:
                outcome.show(as_json=as_json)
        except ClientError as problem:
            fail(problem, as_json=as_json, page_url=page_url)
            raise typer.Exit(problem.exit_code) from None
        except KeyboardInterrupt as stop:
            say_stopped(stop, as_json=as_json)
            raise typer.Exit(status_of(stop)) from None

    parameters = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, item in own.items() if name != "as_json"]
    parameters = parameters[1:]  # the settings
    if inspect.signature(function).return_annotation is Outcome:
        parameters.append(inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JSON))
    parameters += [_option(item) for item in fields(Settings)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it, functions may have it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def say_stopped(stop: KeyboardInterrupt, *, as_json: bool) -> None:
    """The last words after Ctrl-C or SIGTERM."""
    if not as_json:
        err.print()
    report("stopped", "Stopped. Nothing half-done is left behind.", "", status_of(stop), as_json=as_json)


def _option(item: "Field[Any]") -> inspect.Parameter:
    from client.commands.completion import account_names

    option = typer.Option(
        f"--{item.name.replace('_', '-')}",
        envvar=item.metadata["env"],
        help=item.metadata["help"],
        show_default=bool(item.default),
        rich_help_panel="Where and as whom" if item.type is str else None,
        autocompletion=account_names if item.name == "account" else None,
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(item.name, kind, default=item.default, annotation=Annotated[item.type, option])
