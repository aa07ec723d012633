"""`login`: the browser opens, and its answer becomes stored tokens."""

from typing import Annotated

import typer
from rich.markup import escape

from client.commands import outcome
from client.errors import LoginFailedError
from client.options import Outcome, err
from client.settings import Settings


def login(
    settings: Settings,
    *,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; open it yourself, on this machine.")
    ] = False,
    as_json: bool = False,
) -> Outcome:
    """Log in with the browser (authorization code with PKCE) and store the tokens.

    Whoever logs in becomes the current account here; others stay logged in. See [bold]accounts[/] and [bold]use[/].
    """
    if settings.page_url:
        raise LoginFailedError(
            "This app runs where your browser cannot bring the answer back to it (a container).",
            f"Log in at its page: {settings.page_url}",
        )
    app = outcome.native_app(settings)
    with app.begin_login() as pending:
        where = app.store.describe()
        err.print(f"The login will be kept in {escape(where)}.")
        if no_browser:
            err.print("Open this address in a browser on this machine:")
        else:
            err.print("Opening your browser. If nothing happens, open this address yourself:")
            import webbrowser

            from client.login import open_in_background

            open_in_background(webbrowser.open, pending.url)
        typer.echo(pending.url, err=as_json)
        err.print("Waiting for you to log in there … (Ctrl-C stops)")
        done = pending.finish()
    tokens = done.tokens
    who = escape(outcome.person(tokens.identity))
    lines = [f"[bold green]✓[/] Logged in as [bold]{who}[/].", f"  Granted: {outcome.granted(tokens)}"]
    if not done.is_who_was_asked_for:
        lines.append(
            f"  [yellow]You asked for {escape(settings.account)}, and somebody else logged in,[/] who is the current "
            "account now."
        )
    if tokens.refresh_token is None:
        lines.append("  No refresh token came along: when the access token runs out you will have to log in again.")
    document = outcome.token_document(tokens, app.store.drawer()) | {
        "stored_in": where,
        "is_who_was_asked_for": done.is_who_was_asked_for,
    }
    return Outcome(document, [*lines, *outcome.clock_remarks(tokens)])
