"""`login`: a browser, here or elsewhere, and what it decides becomes stored tokens."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from client.commands import invitation, outcome
from client.errors import LoginFailedError
from client.options import Outcome, err
from client.settings import Settings

if TYPE_CHECKING:
    from client.app import NativeApp
    from client.store import TokenSet


def login(
    settings: Settings,
    *,
    device: Annotated[
        bool,
        typer.Option("--device", help="Show a code to enter in a browser elsewhere; none is needed on this machine."),
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; open it yourself, on this machine.")
    ] = False,
    as_json: bool = False,
) -> Outcome:
    """Log in with the browser (authorization code with PKCE) and store the tokens.

    With [bold]--device[/] the browser may be on another machine: it takes a code from here. Whoever logs in becomes the
    current account here; others stay logged in. See [bold]accounts[/] and [bold]use[/].
    """
    if settings.page_url and not device:
        raise LoginFailedError(
            "This app runs where your browser cannot bring the answer back to it (a container).",
            f"Log in at its page: {settings.page_url} (or with the option --device)",
        )
    app = outcome.native_app(settings)
    if device:
        tokens, is_who_was_asked_for = invitation.waited_for(app, as_json=as_json)
    else:
        tokens, is_who_was_asked_for = _by_browser(app, no_browser=no_browser, as_json=as_json)
    who = escape(outcome.person(tokens.identity))
    lines = [f"[bold green]✓[/] Logged in as [bold]{who}[/].", f"  Granted: {outcome.granted(tokens)}"]
    if not is_who_was_asked_for:
        lines.append(
            f"  [yellow]You asked for {escape(settings.account)}, and somebody else logged in,[/] who is the current "
            "account now."
        )
    if tokens.refresh_token is None:
        lines.append("  No refresh token came along: when the access token runs out you will have to log in again.")
    document = outcome.token_document(tokens, app.store.drawer()) | {
        "stored_in": app.store.describe(),
        "is_who_was_asked_for": is_who_was_asked_for,
    }
    return Outcome(document, [*lines, *outcome.clock_remarks(tokens)])


def _by_browser(app: "NativeApp", *, no_browser: bool, as_json: bool) -> "tuple[TokenSet, bool]":
    with app.begin_login() as pending:
        err.print(f"The login will be kept in {escape(app.store.describe())}.")
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
    return done.tokens, done.is_who_was_asked_for
