"""Arrival: from the token endpoint's answer to a login, whichever way it came, to tokens that are kept.

Done: OpenID Connect Core 1.0 section 3.1.3.7 (by id_token.py). What nothing holds any more is revoked: the same
person's former refresh token, and the new one where it cannot be kept.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from client import id_token
from client.discovery import Metadata
from client.errors import ClientError, MalformedError, StoreError
from client.moments import IdentityVerified, Moment
from client.session import token_set
from client.settings import Settings
from client.store import Drawer, Store, TokenSet
from client.tokens import TokenAnswer, TokenEndpoint


def check_before_asking(store: Store) -> None:
    """Better to hear that the tokens cannot be kept before the password is typed than after."""
    with store.lock():
        store.check()


@dataclass(slots=True)
class Arrival:
    settings: Settings
    metadata: Metadata
    endpoint: TokenEndpoint
    fetch_jwks: Callable[[], dict[str, Any]]
    store: Store
    now: Callable[[], float]
    on_moment: Callable[[Moment], None]
    _superseded: str | None = field(default=None, init=False, repr=False)

    def keep(self, answer: TokenAnswer, asked_at: float, *, nonce: str | None) -> tuple[TokenSet, bool]:
        """The stored tokens, and whether they are of the person who was asked for.

        `nonce` is None where none was sent: then the ID token must not have one either.
        """
        if answer.id_token is None:
            raise MalformedError("The token endpoint sent no ID token, so nobody knows who logged in.")
        claims = id_token.verify(
            answer.id_token,
            jwks=self.fetch_jwks(),
            issuer=self.metadata.issuer,
            client_id=self.settings.client_id,
            access_token=answer.access_token,
            now=self.now(),
            nonce=nonce,
        )
        self.on_moment(IdentityVerified(claims, refreshed=False, with_nonce=nonce is not None))
        tokens = token_set(
            answer,
            asked_at=asked_at,
            id_token=answer.id_token,
            identity=claims,
            scope=self.settings.scope,
            clock_difference=id_token.clock_difference(claims, asked_at),
        )
        self._save(tokens)
        return tokens, Drawer().with_person(tokens).find(self.settings.account) is not None

    def revoke_superseded(self) -> None:
        """After a login: the refresh token that the same person had here before, and nothing holds any more."""
        self._revoke(self._superseded)

    def _save(self, tokens: TokenSet) -> None:
        with self.store.lock():
            superseded = self._refresh_token_of(str(tokens.identity["sub"]))
            self._superseded = superseded if superseded != tokens.refresh_token else None
            try:
                self.store.save(tokens, make_current=True)
            except StoreError:
                self._revoke(tokens.refresh_token)  # nobody will ever use it
                raise

    def _refresh_token_of(self, sub: str) -> str | None:
        with suppress(StoreError):
            old = self.store.load(account=sub)
            if old is not None and old.identity["sub"] == sub:
                return old.refresh_token
        return None

    def _revoke(self, refresh_token: str | None) -> None:
        """Best effort: a login that nothing here holds any more should not live on at the server."""
        if refresh_token is not None:
            with suppress(ClientError):
                self.endpoint.revoke(refresh_token)
