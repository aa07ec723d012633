"""What every route of the control API has in common: which tenant it is about, and how it refuses."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from authserver.tenant_file import TenantFileError
from authserver.testing.host import Host, NoSuchTenant, Rehearsal

PREFIX = "/_testing"
ONE = "/tenants/{name}"

REFUSALS = (RequestValidationError, ValidationError, TenantFileError, HTTPException, NoSuchTenant)
"""What `refuse` makes an answer of."""


class Refused(HTTPException):
    """The request contradicts what the tenant holds; the sentence says how."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(status, sentence)


async def _host(request: Request) -> Host:
    host: Host = request.app.state.host
    return host


Hosting = Annotated[Host, Depends(_host)]


async def _rehearsal(name: str, host: Hosting) -> Rehearsal:
    return host.find(name)


Chosen = Annotated[Rehearsal, Depends(_rehearsal)]


async def refuse(_: Request, error: Exception) -> Response:
    """In one form, and without what was sent."""
    match error:
        case RequestValidationError() | ValidationError():
            mistakes = [f"{'.'.join(map(str, each['loc']))}: {_mistake(each)}" for each in error.errors()]
            return _said(422, "; ".join(mistakes))
        case TenantFileError():
            return _said(422, str(error))
        case NoSuchTenant():
            return _said(404, "There is no such tenant.")
        case HTTPException():
            return _said(error.status_code, str(error.detail))
    raise error


def _mistake(error: Mapping[str, Any]) -> str:
    """The sentence; where pydantic's repeats what was sent, ours."""
    if error["type"] == "union_tag_invalid":
        return f"there is no such kind; there are {error['ctx']['expected_tags']}"
    return str(error["msg"])


def _said(status: int, description: str) -> Response:
    kind = {404: "not_found", 405: "method_not_allowed", 409: "conflict"}.get(status, "invalid_request")
    return JSONResponse({"error": kind, "error_description": description}, status)
