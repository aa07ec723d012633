"""The door: what holds for every request and every answer, styles and error pages included.

Done: Host must be ours (DNS rebinding, security row CL2); CSP level 3 without `unsafe-inline`; RFC 9700 section 4.16
(never framed); RFC 9111 section 5.2.2.5 (no-store: the way back after a logout shows nothing).
`form-action` names the issuer, because the form that starts a login is answered with a redirect to it. The referrer
policy is same-origin and not no-referrer: under that a browser posts our own forms with `Origin: null`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from client import urls
from client.serve.address import Address

PROBES = ("/healthz", "/readyz")
"""Asked by machines, under whatever name they have for us. They show nothing."""

_ELSEWHERE = """\
This page lives at {origin}/ and answers to no other name.
A container has to publish its port under the same number, which is a part of the redirect URI: see --port.
"""


class Door:
    def __init__(self, app: ASGIApp, address: Address, issuer: str) -> None:
        self._app = app
        self._address = address
        self._headers = _headers(issuer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._chosen(scope)(scope, receive, send_with_headers)

    def _chosen(self, scope: Scope) -> ASGIApp:
        here = self._address
        hosts = Headers(scope=scope).getlist("host")
        if hosts == [here.authority] or scope["path"] in PROBES:
            return self._app
        if len(hosts) == 1 and hosts[0] in here.aliases and scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            return RedirectResponse(here.origin + "/", 302)
        return PlainTextResponse(_ELSEWHERE.format(origin=here.origin), 421)


def _headers(issuer: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {_source(issuer)}"
        ),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def _source(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}:" if parts.netloc.startswith("[") else urls.origin(url)  # CSP has no IPv6 literals
