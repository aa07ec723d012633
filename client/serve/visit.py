"""A visit: one request to the page, read and checked before any room sees it.

Done: RFC 9110 sections 15.5.14 and 15.5.16; forms are taken from pages of ours alone (Origin, Sec-Fetch-Site, and a
token that belongs to the browser, security row LO1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import anyio
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from client.serve.address import Address
from client.serve.browser import Browser

MAX_FORM = 32 * 1024
"""Bytes: the longest note, percent-encoded, and some air."""

BODY_SECONDS = 20.0
MAX_FIELDS = 16


class RefusedVisitError(Exception):
    """This request is not answered: the status, and a sentence for a person."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Visit:
    method: str
    query: str
    form: Mapping[str, str]
    browser: Browser


async def read(request: Request, browser: Browser, address: Address) -> Visit:
    """Raises RefusedVisitError."""
    form = await _own_form(request, address, browser) if request.method == "POST" else {}
    return Visit(request.method, request.scope["query_string"].decode("ascii", "replace"), form, browser)


async def _own_form(request: Request, address: Address, browser: Browser) -> dict[str, str]:
    if not _comes_from_our_page(request.headers, address.origin):
        raise RefusedVisitError(403, "This form was sent by another site, so it was not obeyed.")
    if request.headers.getlist("content-type") != ["application/x-www-form-urlencoded"]:
        raise RefusedVisitError(415, "Forms of this page are sent as application/x-www-form-urlencoded.")
    form = _fields(await _body(request))
    if not browser.sent_form(form.pop("form_token", "")):
        raise RefusedVisitError(
            403, "This form is not from the page as it is now. Go back to the page and try again, with cookies allowed."
        )
    return form


def _comes_from_our_page(headers: Headers, origin: str) -> bool:
    """A browser says at least one of the two, and what it says must be right."""
    origins, sites = headers.getlist("origin"), headers.getlist("sec-fetch-site")
    return bool(origins or sites) and origins in ([], [origin]) and sites in ([], ["same-origin"])


async def _body(request: Request) -> bytes:
    """Counted while it arrives."""
    body = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM:
                    raise RefusedVisitError(413, "That is more than a note can hold.")
    except ClientDisconnect:
        raise RefusedVisitError(400, "The form did not arrive as a whole.") from None
    except TimeoutError:
        raise RefusedVisitError(408, "The form took too long to arrive.") from None
    return bytes(body)


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise RefusedVisitError(400, "The form cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise RefusedVisitError(400, "The form says something twice.")
    return fields
