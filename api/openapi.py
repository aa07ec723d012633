"""OpenAPI: what this API says about itself, at `/openapi.json`.

OpenAPI 3.1 section 4.8.30 (security requirements; where there are two, one of them suffices). Every operation names
the scopes that it needs and the refusals that it can answer with, in the very words in which it does. The `login`
scheme (RFC 6749 section 4.1, with PKCE) appears as soon as the issuer's metadata have been read, with the endpoints
that a browser has to dial; until then there is `access_token` alone, a token that somebody already has.
"""

import asyncio
import copy
from collections import defaultdict
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse

from api.discovery import Login
from api.errors import (
    ApiError,
    InsufficientScopeError,
    InvalidTokenError,
    KeysUnavailableError,
    MalformedCredentialsError,
    MissingTokenError,
)
from api.service import Service, TheService

SCOPES = {
    "read:notes": "Read your notes",
    "write:notes": "Write notes for you",
    "delete:notes": "Delete your notes",
}

_REFUSAL = {
    "title": "Refusal",
    "type": "object",
    "required": ["error_description"],
    "properties": {
        "error": {"type": "string", "description": "a code; absent where no token was sent (RFC 6750 section 3.1)"},
        "error_description": {"type": "string", "description": "what is wrong, for people"},
    },
}
_OF_ANY_TOKEN = (
    MalformedCredentialsError("The Authorization header is not of the form: Bearer <access token>"),
    MissingTokenError("This request needs an access token in the Authorization header"),
    InvalidTokenError("The access token has expired", "expired"),
    KeysUnavailableError("The keys of the issuer are not available: it does not answer"),
)

router = APIRouter()


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, service: TheService) -> JSONResponse:
    return JSONResponse(document(request.app, await find_login(service)))


async def find_login(service: Service) -> Login | None:
    """Where people log in. Asks the issuer if nobody did yet, at the pace that `keys` sets."""
    if not service.keys.usable():
        await asyncio.to_thread(service.keys.refresh)
    return service.keys.login


def refusals(*errors: ApiError) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: these errors as it would answer them, by status."""
    responses: dict[int | str, dict[str, Any]] = defaultdict(lambda: {"description": "", "content": {}})
    for error in errors:
        body = {"error": error.error, "error_description": error.description}
        response = responses[int(error.status)]
        sentence = error.description.replace("<", "\\<")  # descriptions are Markdown
        response["description"] = f"{response['description']} · {sentence}".removeprefix(" · ")
        content = response["content"].setdefault("application/json", {"schema": _REFUSAL, "examples": {}})
        name = error.verdict or error.error or str(int(error.status))
        content["examples"][name] = {"value": {key: value for key, value in body.items() if value is not None}}
        for header, value in error.headers().items():
            described = {"schema": {"type": "string"}, "examples": {}}
            response.setdefault("headers", {}).setdefault(header, described)["examples"][name] = {"value": value}
    return dict(responses)


def document(app: FastAPI, login: Login | None) -> dict[str, Any]:
    """The description of `app`, for a caller who can log in at `login` if there is one."""
    described = copy.deepcopy(app.openapi())
    for operation in (each for path in described["paths"].values() for each in path.values()):
        # FastAPI's own, for what this API answers with 404: an id that is no id.
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
        if "security" in operation:
            _describe_security(operation, login)
    components = described["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    if login is not None:  # first, because that is the order in which a reader is asked
        components["securitySchemes"] = {"login": _login_scheme(login), **components["securitySchemes"]}
    return described


def _describe_security(operation: dict[str, Any], login: Login | None) -> None:
    (requirement,) = operation["security"]
    scopes = requirement["access_token"]
    if login is not None:
        operation["security"] = [{"login": scopes}, requirement]
    errors = (*_OF_ANY_TOKEN, *([InsufficientScopeError(" ".join(scopes))] if scopes else []))
    for status, described in refusals(*errors).items():
        known = operation["responses"].setdefault(str(status), described)
        if known is not described:
            known["content"]["application/json"]["examples"] |= described["content"]["application/json"]["examples"]
            known["description"] = f"{described['description']} · {known['description']}"
            known |= {"headers": described["headers"]} if "headers" in described else {}


def _login_scheme(login: Login) -> dict[str, Any]:
    return {
        "type": "oauth2",
        "description": "Log in at the authorization server; the authorization code flow with PKCE.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": login.authorization_endpoint,
                "tokenUrl": login.token_endpoint,
                "scopes": SCOPES,
            }
        },
    }
