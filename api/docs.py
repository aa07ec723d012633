"""Docs: a page that shows this API, logs a person in and sends requests.

RFC 6749 section 4.1 as a public client, with RFC 7636 section 4.2 (S256), RFC 9207 section 2.4, CSP level 3 without
anything inline. Swagger UI comes from files of the installed package `fastapi-offline`, and nothing from elsewhere.
The `state` and what is believed of an answer are ours (`static/docs.js`), because Swagger UI sends the time of day and
goes on when another state comes back. Tokens stay in the page's memory and go when it is closed.

Left out on purpose: refresh tokens; whoever comes back logs in again. The page tells nothing that `/openapi.json` and
the issuer's metadata do not tell anybody.
"""

from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from api.discovery import origin
from api.openapi import SCOPES, find_login
from api.service import TheService

Asset = Literal["swagger-ui-bundle.js", "swagger-ui.css", "docs.js", "docs.css", "oauth2-redirect.js"]

# What is ticked when somebody authorizes. The rest is there to be refused, and then asked for.
SUGGESTED_SCOPES = ["read:notes", "write:notes"]

_PAGE_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; connect-src "
)


def room(client_id: str) -> APIRouter:
    """The page and what belongs to it, for people who log in as `client_id`."""
    router = APIRouter(prefix="/docs", include_in_schema=False)
    files = StaticFiles(packages=[("api", "static"), ("fastapi_offline", "static")])

    def page(name: str, may_connect_to: str) -> Response:
        path, _ = files.lookup_path(name)
        return FileResponse(path, headers={**_PAGE_HEADERS, "Content-Security-Policy": _POLICY + may_connect_to})

    @router.get("")
    async def docs(service: TheService) -> Response:
        login = await find_login(service)
        issuer = service.rules.issuer
        reached = {origin(issuer), origin(login.token_endpoint if login else issuer)}
        return page("docs.html", " ".join(["'self'", *sorted(reached)]))

    @router.get("/oauth2-redirect")
    async def oauth2_redirect() -> Response:
        return page("oauth2-redirect.html", "'none'")

    @router.get("/login.json")
    async def login(service: TheService) -> dict[str, Any]:
        found = await find_login(service)
        return {
            "client_id": client_id,
            "issuer": service.rules.issuer,
            "audience": service.rules.audience,
            "scopes": [scope for scope in SUGGESTED_SCOPES if scope in SCOPES],
            "iss_required": found is not None and found.sends_iss,
            "problem": None if found else _problem(service),
        }

    @router.get("/{asset}")
    async def asset(request: Request, asset: Asset) -> Response:
        response = await files.get_response(asset, request.scope)
        # Kept, and asked for again with its ETag: 304 and no body until an update brings another file.
        response.headers["Cache-Control"] = "no-cache"
        return response

    return router


def _problem(service: TheService) -> str:
    if service.keys.usable():
        return "it publishes no endpoints at which a person could log in"
    return service.keys.problem
