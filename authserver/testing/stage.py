"""The stage: one request to a tenant of the harness is played here, and recorded.

The rooms notice nothing of it: what they read and answer passes by unchanged, unless a fault says otherwise.
"""

import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver import trace
from authserver.tenant import TENANT
from authserver.testing.exchange import Answered, Asked
from authserver.testing.faults import matching
from authserver.testing.faults.spoiling import Scene, spoil
from authserver.testing.host import Host, Rehearsal

log = logging.getLogger("authserver")


async def play(app: ASGIApp, host: Host, rehearsal: Rehearsal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request in `rehearsal`. `scope` names the issuer's path as its root."""
    asked, answered = Asked(scope, receive), Answered(send)
    if asked.path.startswith("/static/"):
        await app(scope, receive, send)
        return
    with rehearsal.recording.taking(asked, answered) as taking:
        met = None
        if rehearsal.faults:
            met = await matching.take(rehearsal.faults, asked, Request(scope).cookies, rehearsal.tenant)
        if met is None:
            await app({**scope, TENANT: rehearsal.tenant}, asked.receive, answered.send)
            return
        fault, about = met
        taking.fault = fault.order.name
        if asked.endpoint is not None:  # its path is one of ours, and the rooms may never see the request
            trace.note_route(asked.path)
        log.info("a fault was asked for: %s", fault.order.name)
        await spoil(fault.order, Scene(app, host, rehearsal, scope, asked, answered.send, fault, about, taking))
