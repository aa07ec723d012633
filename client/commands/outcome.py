"""What several commands say: who somebody is, how long something lasts, whose clock is wrong."""

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from client.errors import printable
from client.moments import Moment, Waiting
from client.screen import err
from client.settings import Settings
from client.store import Drawer, Store, TokenSet, open_store

if TYPE_CHECKING:
    from client.app import NativeApp


def native_app(settings: Settings, store: Store | None = None) -> "NativeApp":
    """The app as commands use it: with --explain it tells what it does; waiting is mentioned anyway."""
    from client.app import NativeApp

    store = store or open_store(settings)
    if not settings.explain:
        return NativeApp(settings, store, on_moment=_mention)
    from client.explaining import Explainer

    explainer = Explainer(Console(highlight=False, emoji=False, stderr=True))
    return NativeApp(settings, store, on_exchange=explainer.exchange_happened, on_moment=explainer.moment)


def _mention(moment: Moment) -> None:
    if isinstance(moment, Waiting):
        err.print(f"The server is busy (status {moment.status}); asking again in {moment.seconds:.1f} s …")


def person(identity: dict[str, Any]) -> str:
    """For a terminal; not escaped for markup."""
    name, email = identity.get("name"), identity.get("email")
    return printable(" ".join(str(part) for part in (name, email and f"<{email}>", f"({identity['sub']})") if part))


def person_document(identity: dict[str, Any]) -> dict[str, Any]:
    return {name: identity.get(name) for name in ("sub", "name", "email")}


def token_document(tokens: TokenSet, drawer: Drawer) -> dict[str, Any]:
    """What may be told about tokens that lie in this drawer: never the tokens."""
    in_keyring = tokens.identity["sub"] in drawer.in_keyring
    kept = "keyring" if in_keyring else "file" if tokens.refresh_token else None
    return {
        "account": person_document(tokens.identity),
        "scope": tokens.scope,
        "expires_at": datetime.fromtimestamp(tokens.expires_at).astimezone().isoformat(timespec="seconds"),
        "expires_in": round(tokens.expires_at - time.time()),
        "refresh_token": kept,
        "clock_difference": tokens.clock_difference,
    }


def lasting(seconds: float) -> str:
    """About how long, in the unit that a person would use."""
    if seconds < 120:
        return f"{max(0, round(seconds))} s"
    return f"{seconds / 60:,.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:,.0f} h"


def validity(tokens: TokenSet) -> str:
    left = tokens.expires_at - time.time()
    return f"valid for another {lasting(left)}" if left > 0 else f"expired {lasting(-left)} ago"


def clock_remarks(tokens: TokenSet) -> list[str]:
    """Times in tokens are compared with this computer's clock, so a wrong one is worth a line."""
    if abs(tokens.clock_difference) <= 60:
        return []
    word = "behind" if tokens.clock_difference > 0 else "ahead of"
    minutes = round(abs(tokens.clock_difference) / 60)
    said = f"This computer's clock is about {minutes} min {word} the server's"
    return [f"  [yellow]{said} (seen when these tokens came).[/] Up to 11 min are forgiven; better set it."]


def granted(tokens: TokenSet) -> str:
    return escape(printable(tokens.scope)) or "nothing but the login"
