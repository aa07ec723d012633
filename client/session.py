"""The session: lock → valid? → refresh → save. The one place where tokens change hands after login.

Done: RFC 6749 section 6 as a client should live it: one process refreshes and the others read what it
got (CL10); an answer without a new refresh token leaves the old one in place (CL13); only
`invalid_grant` forgets (CL14), because a busy or broken server has not said that the grant is over.
Left out: automatic retries. A refresh whose answer was lost may have been carried out, and with
rotation a second try looks like theft; the next command of the person is soon enough.
"""

from collections.abc import Callable
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from client.errors import LoginNeededError, RefusedError
from client.interrupts import held_back
from client.store import Store, TokenSet

if TYPE_CHECKING:
    from client.tokens import TokenAnswer


@dataclass(frozen=True, slots=True)
class Session:
    store: Store
    refresh: Callable[[TokenSet], TokenSet]
    now: Callable[[], float]
    account: str = ""

    def tokens(self, rejected: str | None = None) -> TokenSet:
        """Tokens that should work. `rejected`: an access token known not to, whatever the clock says.

        The refresh token may be missing in the answer: it is only fetched from the keyring when it is needed.
        """
        with self.store.lock():
            tokens = self.store.load(with_refresh_token=False)
            if tokens is None:
                raise not_logged_in(self.store, self.account)
            if tokens.access_token != rejected and tokens.is_valid(self.now()):
                return tokens
            tokens = self.store.load()
            if tokens is None or tokens.refresh_token is None:
                raise LoginNeededError("The access token has run out, and there is no refresh token (offline_access).")
            with held_back():  # the refresh token is spent from here on, and only what is saved can replace it
                return self._refreshed(tokens)

    def _refreshed(self, tokens: TokenSet) -> TokenSet:
        try:
            fresh = self.refresh(tokens)
        except RefusedError as problem:
            if problem.error != "invalid_grant":
                raise
            self.store.delete()
            raise LoginNeededError(
                "The server has ended this login (invalid_grant), so its tokens were forgotten."
            ) from problem
        self.store.save(fresh)
        return fresh


def not_logged_in(store: Store, account: str) -> LoginNeededError:
    """Who is missing, and who could act instead."""
    others = bool(store.drawer().people)
    if account:
        return LoginNeededError(
            f"{account!r} is not logged in here.",
            f"Log in: python -m client login --account {quote(account)}"
            + (" (who is: python -m client accounts)" if others else ""),
        )
    if others:
        return LoginNeededError(
            "You are not logged in, though others are.",
            "Choose one: python -m client accounts shows them, python -m client use ACCOUNT picks. "
            "Or log in: python -m client login",
        )
    return LoginNeededError("You are not logged in.")


def token_set(
    answer: "TokenAnswer",
    *,
    asked_at: float,
    id_token: str,
    identity: dict[str, Any],
    scope: str,
    refresh_token: str | None = None,
    browser: str | None = None,
    clock_difference: int = 0,
) -> TokenSet:
    """What is kept of an answer. `scope` and `refresh_token`: what holds where it is silent (RFC 6749 5.1, 6)."""
    return TokenSet(
        access_token=answer.access_token,
        expires_at=asked_at + answer.expires_in,  # our clock and their duration: works even when the clocks disagree
        scope=scope if answer.scope is None else answer.scope,
        refresh_token=answer.refresh_token or refresh_token,
        id_token=id_token,
        identity=identity,
        browser=browser,
        clock_difference=clock_difference,
    )
