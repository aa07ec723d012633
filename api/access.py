"""Access: which requests may enter a route.

RFC 6750 section 3.1 (insufficient_scope). A route says `token: Annotated[AccessToken,
requires("read:notes")]` and has either a verified token with that scope or has not been called. Scopes are
compared as whole words; all are needed.

The checks run on the event loop, they take some 300 µs. Fetching keys may take seconds and happens in
asyncio's own threads, not in those that serve requests: whoever waits for keys keeps nobody waiting whose key
is here.
"""

import asyncio
import contextlib
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import SecurityScopes

from api import verification
from api.bearer import BearerToken
from api.claims import AccessToken
from api.errors import ForbiddenError, InsufficientScopeError
from api.keys import Keys
from api.observation import found
from api.service import TheService

# How long the one request that finds the keys old waits for new ones before it goes on with the old.
PATIENCE = 0.5

bearer_token = BearerToken()


def requires(*scope: str) -> Any:
    """A dependency: an access token with all of `scope`; with none named, any valid token."""
    return Security(_access_token, scopes=scope)


def requires_person(*scope: str) -> Any:
    """The same for what is people's: refuses a client that speaks for itself (RFC 9700 section 4.15)."""
    return Security(_access_token_of_a_person, scopes=scope)


async def _access_token(
    needed: SecurityScopes,
    request: Request,
    service: TheService,
    compact: Annotated[str, Depends(bearer_token)],
) -> AccessToken:
    unverified = verification.read(compact)
    await _fetch_keys_if_needed(service.keys, unverified.kid)
    key = service.keys.get(unverified.kid)
    token = verification.verify(unverified, key, service.rules, service.now())
    facts = found(request)
    facts.client_id, facts.verdict = token.client_id, "accepted"
    if not token.scope.issuperset(needed.scopes):
        raise InsufficientScopeError(needed.scope_str)
    return token


async def _access_token_of_a_person(token: Annotated[AccessToken, Depends(_access_token)]) -> AccessToken:
    if token.for_itself:
        raise nobodys_notes()
    return token


def nobodys_notes() -> ForbiddenError:
    return ForbiddenError("Notes belong to people, and this token was issued to a client for itself")


async def _fetch_keys_if_needed(keys: Keys, kid: str) -> None:
    if not keys.has(kid):
        await asyncio.to_thread(keys.refresh, kid)
    elif keys.due():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(keys.refresh, kid), PATIENCE)
