"""`accounts`, `use` and `logout`: several people and servers on one computer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from client.commands import outcome
from client.commands.completion import account_names
from client.errors import StoreDamagedError
from client.options import Outcome
from client.screen import as_typed
from client.session import not_logged_in
from client.settings import Settings
from client.store import Account, Context, drawers, open_store
from client.store import accounts as people_in

if TYPE_CHECKING:
    from client.app import LoggedOut


def accounts(settings: Settings) -> Outcome:
    """List everybody who is logged in here, at whichever server.

    ● marks the current account of each server, client and audience: commands act for it unless --account names another.
    """
    found = [account for store in drawers(settings) for account in people_in(store, settings)]
    document = [
        {
            "issuer": account.context.issuer,
            "client_id": account.context.client_id,
            "audience": account.context.audience or None,
            "current": account.is_current,
        }
        | outcome.token_document(account.tokens, account.drawer)
        for account in found
    ]
    if not found:
        return Outcome(
            document, [as_typed("Nobody is logged in here. Log in: python -m client login", settings.page_url)]
        )
    return Outcome(document, list(_lines(found, Context.of(settings))))


def _lines(found: list[Account], here: Context) -> Iterator[str]:
    last: Context | None = None
    for account in sorted(found, key=lambda one: (one.context != here, one.context.issuer, one.key)):
        if account.context != last:
            last = account.context
            yield f"[bold]{escape(last.issuer)}[/]"
            yield f"  [dim]client {escape(last.client_id)}, audience {escape(last.audience or 'unknown')}[/]"
        kept = outcome.token_document(account.tokens, account.drawer)["refresh_token"] or "none"
        yield f"  {'●' if account.is_current else ' '} {escape(outcome.person(account.tokens.identity))}"
        yield f"      {outcome.granted(account.tokens)}"
        yield f"      access token {outcome.validity(account.tokens)}; refresh token: {kept}"


def use(
    settings: Settings,
    who: Annotated[
        str,
        typer.Argument(
            metavar="ACCOUNT", help="An email, name or sub that is logged in.", autocompletion=account_names
        ),
    ],
) -> Outcome:
    """Switch to another account that is logged in here."""
    store = open_store(replace(settings, account=who))
    with store.lock():
        tokens = store.load(with_refresh_token=False)
        if tokens is None:
            raise not_logged_in(store, who)
        store.use(str(tokens.identity["sub"]))
    return Outcome(
        outcome.person_document(tokens.identity),
        [f"[bold green]✓[/] Commands now act for [bold]{escape(outcome.person(tokens.identity))}[/]."],
    )


def logout(
    settings: Settings,
    *,
    everybody: Annotated[
        bool, typer.Option("--all", help="Everybody who is logged in here, at whichever server.")
    ] = False,
) -> Outcome:
    """Revoke the refresh token at the server and forget it here.

    For the current account, the one that --account names, or --all. Nobody becomes current in its place.
    """
    if everybody:
        return _logout_everybody(settings)
    result = outcome.native_app(settings).logout()
    return Outcome(_document(result), list(_told(result)))


def _logout_everybody(settings: Settings) -> Outcome:
    results: list[LoggedOut] = []
    lines: list[str] = []
    for store in drawers(settings):
        try:
            found = people_in(store, settings)
        except StoreDamagedError:
            store.delete()
            lines.append(f"[bold yellow]![/] {escape(str(store.path))} was damaged: deleted, and no server was told.")
            continue
        for account in found:
            result = outcome.native_app(_at(settings, account), account.store(settings)).logout()
            results.append(result)
            lines.append(f"{escape(outcome.person(account.tokens.identity))} at {escape(account.context.issuer)}:")
            lines += _told(result)
    return Outcome([_document(result) for result in results], lines or ["Nobody was logged in."])


def _at(settings: Settings, account: Account) -> Settings:
    """The settings of another login: its server, and no internal address that belongs to ours."""
    context = account.context
    internal = settings.issuer_internal_url if context.issuer == settings.issuer else ""
    audience = context.audience or settings.audience  # not known, and not needed for revoking
    return replace(
        settings,
        issuer=context.issuer,
        issuer_internal_url=internal,
        client_id=context.client_id,
        audience=audience,
        account=str(account.tokens.identity["sub"]),
    )


def _document(result: "LoggedOut") -> dict[str, Any]:
    return {
        "account": result.identity and outcome.person_document(result.identity),
        "was_logged_in": result.was_logged_in,
        "problem": result.problem and str(result.problem),
    }


def _told(result: "LoggedOut") -> Iterator[str]:
    if not result.was_logged_in:
        yield "You were not logged in."
    elif result.problem is None:
        yield "[bold green]✓[/] Logged out: refresh token revoked at the server, tokens here deleted."
    else:
        yield "[bold yellow]![/] The tokens here are deleted, but the server could not be told:"
        yield f"  {escape(str(result.problem))}"
        yield "  A copy of the refresh token, if somebody has one, works until it runs out there."
