"""`status`, `refresh`, `whoami` and `token`: what this login is, and what it can still do."""

import sys
from datetime import datetime

import typer
from rich.markup import escape

from client.commands import outcome
from client.errors import printable
from client.options import Outcome, err
from client.session import not_logged_in
from client.settings import Settings
from client.store import open_store


def status(settings: Settings, *, as_json: bool = False) -> Outcome:
    """Show what is stored where, and until when.

    No server is asked, and secrets are not shown.
    """
    store = open_store(settings)
    with store.lock():
        drawer = store.drawer()
        tokens = store.load(with_refresh_token=False)
    place = {"issuer": settings.issuer, "client_id": settings.client_id, "audience": settings.audience}
    lines = [
        f"{name:<10}{escape(value)}"
        for name, value in zip(("Issuer", "Client", "Audience"), place.values(), strict=True)
    ]
    if tokens is None:
        if not as_json:
            Outcome(None, [*lines, f"{'Store':<10}{escape(store.describe())}"]).show(as_json=False)
        raise not_logged_in(store, settings.account)
    file = store.place()
    document = place | {"stored_in": file} | outcome.token_document(tokens, drawer)
    until = datetime.fromtimestamp(tokens.expires_at).astimezone().isoformat(" ", "seconds")
    refresh_token = {
        "keyring": "in the system keyring",
        "file": "in that file: nobody else can read it, but it is not encrypted",
        None: "none: log in again when the access token expires",
    }[document["refresh_token"]]
    lines += [
        f"{'Store':<10}{escape(file)}",
        f"{'Person':<10}{escape(outcome.person(tokens.identity))}",
        f"{'Scopes':<10}{outcome.granted(tokens)}",
        f"{'Access':<10}{outcome.validity(tokens)} ({until})",
        f"{'Refresh':<10}{refresh_token}",
    ]
    if len(drawer.people) > 1:
        lines.append(f"{'Others':<10}{len(drawer.people) - 1} more here: see the command accounts")
    return Outcome(document, [*lines, *outcome.clock_remarks(tokens)])


def refresh(settings: Settings) -> Outcome:
    """Trade the refresh token for new tokens now."""
    app = outcome.native_app(settings)
    tokens = app.refresh()
    lines = [f"[bold green]✓[/] New tokens, {outcome.validity(tokens)}.", f"  Scopes: {outcome.granted(tokens)}"]
    return Outcome(outcome.token_document(tokens, app.store.drawer()), [*lines, *outcome.clock_remarks(tokens)])


def whoami(settings: Settings) -> Outcome:
    """Ask the authorization server who you are (userinfo)."""
    claims = outcome.native_app(settings).userinfo()
    lines = [f"[bold]{escape(printable(name))}[/]: {escape(printable(str(value)))}" for name, value in claims.items()]
    return Outcome(claims, lines)


def token(settings: Settings) -> None:
    """Print the access token, for other programs.

    Refreshed first if need be. curl -H "Authorization: Bearer $(python -m client token)" http://localhost:8000/notes
    """
    tokens = outcome.native_app(settings).tokens()
    if sys.stdout.isatty():
        err.print("[yellow]Whoever sees this token can use it until it expires.[/] It is meant for $(…) and pipes.")
    typer.echo(tokens.access_token)
