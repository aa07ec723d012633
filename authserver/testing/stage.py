"""The stage: one request to a tenant of the harness is played here, and recorded.

The rooms notice nothing of it: what they read and answer passes by unchanged, unless a fault says otherwise.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from authserver.tenant import TENANT
from authserver.testing.exchange import Answered, Asked
from authserver.testing.host import Rehearsal


async def play(app: ASGIApp, rehearsal: Rehearsal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request in `rehearsal`. `scope` names the issuer's path as its root."""
    asked, answered = Asked(scope, receive), Answered(send)
    if asked.path.startswith("/static/"):
        await app(scope, receive, send)
        return
    with rehearsal.recording.taking(asked, answered):
        await app({**scope, TENANT: rehearsal.tenant}, asked.receive, answered.send)
