"""The command line: each command says what it did, or what went wrong and what to do next. Never a traceback.

The heavy libraries are imported inside the commands, so that `--help` and `status` answer at once.
Left out for now: the device flow, the system keyring.
"""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from client.errors import LoginNeededError, printable
from client.options import err, out, with_settings
from client.settings import Settings
from client.store import open_store

if TYPE_CHECKING:
    from client.app import NativeApp

HELP = """
The native app: logs you in with your own browser and calls the notes API with the tokens this brings.

A first walk: [bold]login[/], then [bold]notes[/] and [bold]add[/], then [bold]status[/] to see what is stored,
[bold]refresh[/] to trade the refresh token for new tokens, [bold]logout[/] to give everything back.

Each option of a command is also an environment variable; the option wins. See [bold]login --help[/].
"""
EPILOG = """
Exit status: 0 done, 1 unexpected, 2 usage or setting, 3 log in first, 4 a server is away or busy (nothing was
forgotten), 5 a server said no, 6 an answer breaks the protocol, 7 the login failed, 8 the token store is not
usable, 130 stopped with Ctrl-C.
"""
app = typer.Typer(
    name="python -m client",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=HELP,
    epilog=EPILOG.replace("\n", " "),
)


def native_app(settings: Settings) -> "NativeApp":
    from client.app import NativeApp

    return NativeApp(settings, open_store(settings))


@app.command()
@with_settings
def login(
    settings: Settings,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address; open it yourself, on this machine.")
    ] = False,
) -> None:
    """Log in with the browser (authorization code with PKCE) and store the tokens."""
    with native_app(settings).begin_login() as pending:
        if no_browser:
            err.print("Open this address in a browser on this machine:")
        else:
            err.print("Opening your browser. If nothing happens, open this address yourself:")
            import webbrowser

            from client.login import open_in_background

            open_in_background(webbrowser.open, pending.url)
        typer.echo(pending.url)
        err.print("Waiting for you to log in there … (Ctrl-C stops)")
        done = pending.finish()
    identity, tokens = done.tokens.identity, done.tokens
    out.print(f"[bold green]✓[/] Logged in as [bold]{escape(person(identity))}[/].")
    out.print(f"  Granted: {escape(printable(tokens.scope))}")
    out.print(f"  Stored in {escape(open_store(settings).describe())}.")
    if tokens.refresh_token is None:
        out.print("  No refresh token came along: when the access token runs out you will have to log in again.")
    if abs(done.clock_difference) > 60:
        minutes = round(abs(done.clock_difference) / 60)
        word = "behind" if done.clock_difference > 0 else "ahead of"
        out.print(f"  [yellow]This computer's clock is about {minutes} min {word} the server's.[/] Better set it.")


@app.command()
@with_settings
def notes(settings: Settings) -> None:
    """List your notes (needs read:notes)."""
    found = native_app(settings).call_api("GET", "/notes")
    if found == []:
        out.print('No notes yet. Write one: python -m client add "Buy milk"')
    for note in found if isinstance(found, list) else [found]:
        show_note(note)


@app.command()
@with_settings
def add(settings: Settings, text: Annotated[str, typer.Argument(help="What to write down.")]) -> None:
    """Write a note (needs write:notes)."""
    show_note(native_app(settings).call_api("POST", "/notes", {"text": text}))


@app.command()
@with_settings
def whoami(settings: Settings) -> None:
    """Ask the authorization server who you are (userinfo)."""
    for name, value in native_app(settings).userinfo().items():
        out.print(f"[bold]{escape(printable(name))}[/]: {escape(printable(str(value)))}")


@app.command()
@with_settings
def status(settings: Settings) -> None:
    """Show what is stored where, and until when. Secrets are not shown."""
    import time
    from datetime import datetime

    store = open_store(settings)
    out.print(f"Issuer    {escape(settings.issuer)}\nClient    {escape(settings.client_id)}")
    out.print(f"Audience  {escape(settings.audience)}\nStore     {escape(store.describe())}")
    with store.lock():
        tokens = store.load()
    if tokens is None:
        raise LoginNeededError("You are not logged in.")
    left = round(tokens.expires_at - time.time())
    until = datetime.fromtimestamp(tokens.expires_at).astimezone().isoformat(" ", "seconds")
    lasts = f"valid for another {left:,} s" if left > 0 else f"expired {-left:,} s ago"
    kept = "stored" if tokens.refresh_token else "none: log in again when the access token expires"
    out.print(f"Person    {escape(person(tokens.identity))}\nScopes    {escape(printable(tokens.scope))}")
    out.print(f"Access    {lasts} ({until})\nRefresh   {kept}")


@app.command()
@with_settings
def refresh(settings: Settings) -> None:
    """Trade the refresh token for new tokens now."""
    import time

    tokens = native_app(settings).refresh()
    out.print(f"[bold green]✓[/] New tokens, valid for {tokens.expires_at - time.time():,.0f} s.")
    out.print(f"  Scopes: {escape(printable(tokens.scope))}")


@app.command()
@with_settings
def logout(settings: Settings) -> None:
    """Revoke the refresh token at the server and forget everything here."""
    result = native_app(settings).logout()
    if not result.was_logged_in:
        out.print("You were not logged in.")
    elif result.problem is None:
        out.print("[bold green]✓[/] Logged out: refresh token revoked at the server, tokens here deleted.")
    else:
        out.print("[bold yellow]![/] The tokens here are deleted, but the server could not be told:")
        out.print(f"  {escape(str(result.problem))}")
        out.print("  A copy of the refresh token, if somebody has one, works until it runs out there.")


@app.command()
@with_settings
def serve(
    settings: Settings,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page and of its callback; 0 takes a free one.")
    ] = 8400,
    allow_insecure_listen: Annotated[
        bool,
        typer.Option(
            "--allow-insecure-listen",
            help="Listen on all interfaces. For a container, whose port is then published on 127.0.0.1 alone.",
        ),
    ] = False,
) -> None:
    """Keep running, with a page in your browser that logs you in and shows your notes."""
    from client.serve.server import serve as run

    run(settings, port, everywhere=allow_insecure_listen)


def show_note(note: Any) -> None:
    members = note if isinstance(note, dict) else {}
    name, text = (str(members.get(key, "?")) for key in ("id", "text"))
    out.print(f"[dim]{escape(printable(name))}[/]  {escape(printable(text.replace(chr(10), ' ⏎ '), 2500))}")


def person(identity: dict[str, Any]) -> str:
    name, email = identity.get("name"), identity.get("email")
    return printable(" ".join(str(part) for part in (name, email and f"<{email}>", f"({identity['sub']})") if part))


def main() -> None:
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): silence the interpreter's own complaint at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as problem:  # the last net: a sentence instead of a traceback
        what = f"{type(problem).__name__}: {printable(str(problem))}"
        err.print(f"[bold red]✗[/] Something unexpected: {escape(what)}")
        sys.exit(1)
