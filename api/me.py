"""Me: what anybody may ask, and what any valid token may.

The two ends of the scale below the notes: `/public` looks at no credential, `/me` wants a token and no scope.
It shows a learner what an access token says once it has been checked.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from api.access import requires
from api.claims import AccessToken

router = APIRouter(tags=["me"])


class Message(BaseModel):
    message: str


class Me(BaseModel):
    sub: str
    scope: list[str]
    client_id: str | None


@router.get("/public")
async def public() -> Message:
    """Needs no token."""
    return Message(message="Anybody may read this.")


@router.get("/me")
async def me(token: Annotated[AccessToken, requires()]) -> Me:
    """Whom the access token speaks for, and what it allows."""
    return Me(sub=token.sub, scope=sorted(token.scope), client_id=token.client_id)
