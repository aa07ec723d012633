"""The gate of the harness: which tenant a request is about, and who may steer.

Done: RFC 8414 §3.1 (the well-known path goes between host and the issuer's path) · OpenID Connect Discovery §4 (it
comes after it) · RFC 6750 §2.1, §3 for `/_testing/`.
Left out: cookies, tokens in the query, CORS: no web page steers a harness.

A web page on this machine can send requests to any port (DE1). So steering takes the token that each start makes anew,
a Host that is ours (`door.HostGate`, which comes before), and no word of a browser that it asks for another site.
"""

import hmac
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authserver import pages, trace
from authserver.messages import Json
from authserver.testing.host import Host, Rehearsal
from authserver.testing.stage import play

CONTROL = "/_testing/"
BANNER = (b"understudy-testing", b"on")

_STEERED = re.compile(r"/_testing/tenants/([^/]+)/")
_PREFIX = re.compile(r"(/t/([a-z0-9-]{1,40}))(?=/)")
_INSERTED = re.compile(r"(/\.well-known/(?:oauth-authorization-server|openid-configuration))(/t/[a-z0-9-]{1,40})/?")


class Gate:
    """Around the application: finds the tenant, and keeps the control API apart from everything else."""

    def __init__(self, app: ASGIApp, host: Host, control: ASGIApp, token: str) -> None:
        self.app, self.host, self.control, self.token = app, host, control, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], BANNER]
            await send(message)

        if scope["path"].startswith(CONTROL):
            trace.note_route(CONTROL)
            refusal = self._refusal(Request(scope))
            if refusal is not None:
                await refusal(scope, receive, saying)
                return
            steered = _STEERED.match(scope["path"])
            with self._visiting(self.host.seek(steered[1]) if steered else None):
                await self.control(scope, receive, saying)
            return
        if inserted := _INSERTED.fullmatch(scope["path"]):
            scope = {**scope, "path": inserted[2] + inserted[1]}
        if prefix := _PREFIX.match(scope["path"]):
            rehearsal = self.host.seek(prefix[2])
            if rehearsal is None:
                await _said(404, "not_found", "There is no such tenant.")(scope, receive, saying)
                return
            with self._visiting(rehearsal):
                await play(self.app, self.host, rehearsal, {**scope, "root_path": prefix[1]}, receive, saying)
            return
        await play(self.app, self.host, self.host.root, scope, receive, saying)

    @contextmanager
    def _visiting(self, rehearsal: Rehearsal | None) -> Iterator[None]:
        if rehearsal is None:
            yield
            return
        rehearsal.visits += 1
        try:
            yield
        finally:
            rehearsal.visits -= 1

    def _refusal(self, request: Request) -> Response | None:
        if not self._is_own(request):
            return _said(403, "forbidden", "Web pages of other sites cannot steer this server.")
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(presented.encode("utf-8", "surrogateescape"), self.token)
        if scheme.lower() != "bearer" or not right or len(request.headers.getlist("authorization")) != 1:
            refusal = _said(401, "invalid_token", "Send the token of this start as Authorization: Bearer.")
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="testing"'
            return refusal
        has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if has_body and kind != "application/json":
            return _said(415, "invalid_request", "The body must be application/json.")
        return None

    def _is_own(self, request: Request) -> bool:
        """What a browser says of where a request comes from; other programs say nothing."""
        parts = urlsplit(self.host.settings.issuer)
        origins, sites = request.headers.getlist("origin"), request.headers.getlist("sec-fetch-site")
        own = f"{parts.scheme}://{parts.netloc}"
        return all(each == own for each in origins) and all(each in ("same-origin", "none") for each in sites)


def _said(status: int, error: str, description: str) -> Response:
    return pages.json_response(Json({"error": error, "error_description": description}, status))
