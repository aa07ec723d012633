"""`login --device` on a terminal: address, code and QR code, and the wait for whoever enters it elsewhere."""

import io
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer
from rich.markup import escape
from rich.text import Text

from client.commands import outcome
from client.screen import err
from client.urls import LOOPBACK_HOSTS

if TYPE_CHECKING:
    from rich.status import Status

    from client.app import NativeApp
    from client.device import Invitation, Pause
    from client.store import TokenSet


def waited_for(app: "NativeApp", *, as_json: bool) -> "tuple[TokenSet, bool]":
    """Invite, and wait. The tokens, and whether they are of whoever was asked for."""
    login = app.begin_device_login()
    err.print(f"The login will be kept in {escape(app.store.describe())}.")
    _show(login.invitation, as_json=as_json)
    # Whoever reads along with --explain, or reads a file later, gets lines; a spinner would run through them.
    is_alive = err.is_terminal and not app.settings.explain
    waiting: AbstractContextManager[Status | None] = err.status("") if is_alive else nullcontext()
    if not is_alive:
        most = outcome.lasting(login.invitation.expires_in)
        err.print(f"Waiting for you to confirm it there, {most} at most … (Ctrl-C stops)")
    with waiting as status:
        return login.finish(_progress(status))


def _show(invitation: "Invitation", *, as_json: bool) -> None:
    uri, complete = invitation.verification_uri, invitation.verification_uri_complete
    is_here = urlsplit(uri).hostname in LOOPBACK_HOSTS
    err.print(f"Open this address in a browser on {'this machine' if is_here else 'any device'}, and enter the code.\n")
    err.print(f"    address  [bold]{escape(uri)}[/]")
    err.print(f"    code     [bold]{escape(invitation.user_code)}[/]\n")
    if complete:
        err.print("Or open this one, which has the code in it, and check that the page shows the same:")
        if err.is_terminal and not as_json:
            _show_qr_code(complete, is_here=is_here)
    typer.echo(complete or uri, err=as_json)


def _show_qr_code(address: str, *, is_here: bool) -> None:
    """Only for eyes: a log has no use for it."""
    if "utf" not in (sys.stderr.encoding or "").lower():
        return
    import segno

    drawn = io.StringIO()
    segno.make(address, micro=False).terminal(drawn, border=2, compact=True)
    lines = drawn.getvalue().splitlines()
    if err.width < max(map(len, lines)) + 4:
        return
    err.print()
    for line in lines:
        err.print("    ", Text(line, "bright_white on black"), sep="")  # whatever the colours of the terminal
    if is_here:
        err.print("    [dim](A phone can read this, but not reach localhost: that takes a server with a name.)[/]")
    err.print()


def _progress(status: "Status | None") -> "Callable[[Pause], None]":
    def tell(pause: "Pause") -> None:
        if pause.problem:
            err.print(f"[yellow]{escape(str(pause.problem))}[/] Asking again in {outcome.lasting(pause.seconds)} …")
        if status:
            status.update(
                f"Waiting for you to confirm it there, another {outcome.lasting(pause.left)} … (Ctrl-C stops)"
            )

    return tell
