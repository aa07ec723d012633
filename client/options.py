"""What all commands share: the options, made from the table in `Settings`, and one way to fail."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from client.errors import ClientError
from client.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def with_settings(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of `Settings`, and one way to fail."""
    names = [item.name for item in fields(Settings)]

    @functools.wraps(function)
    def run(**arguments: Any) -> None:
        try:
            function(Settings(**{name: arguments.pop(name) for name in names}), **arguments)
        except ClientError as problem:
            err.print(f"[bold red]✗[/] {escape(str(problem))}")
            if problem.hint:
                err.print(f"  {escape(problem.hint)}")
            raise typer.Exit(problem.exit_code) from None
        except KeyboardInterrupt:
            err.print("\nStopped. Nothing half-done is left behind.")
            raise typer.Exit(130) from None

    own = list(inspect.signature(function).parameters.values())[1:]
    options = [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=item.default,
            annotation=Annotated[
                str,
                typer.Option(
                    f"--{item.name.replace('_', '-')}",
                    envvar=item.metadata["env"],
                    help=item.metadata["help"],
                    show_default=bool(item.default),
                    rich_help_panel="Where and as whom",
                ),
            ],
        )
        for item in fields(Settings)
    ]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + options
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it, functions may have it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
