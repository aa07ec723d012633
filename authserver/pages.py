"""Rendering: an `Answer` into an HTTP response.

Done: RFC 6749 §5.1 (no-store) · RFC 9110 §15.4 (303 after a POST, 302 after a GET) · RFC 9700 §4.2.4 (no-referrer),
§4.16 (never framed; a web_message by its receiver alone) · CSP level 3 without `unsafe-inline` · RFC 6265 §4.1
(HttpOnly, SameSite, Secure under https).

`form-action` names the redirect URI's origin or scheme: with 'self' alone Chromium posts the login and then silently
blocks the redirect to the application.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from authserver.messages import Answer, Cookie, Json, Page, Redirect, Text
from authserver.tenant import Tenant

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_COMMON = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def render(answer: Answer, method: str, tenant: Tenant) -> Response:
    """The response to a request of this method."""
    match answer:
        case Json():
            response = json_response(answer)
        case Text():
            response = Response(answer.body, answer.status, {**_COMMON, **answer.headers}, answer.media_type)
        case Page():
            response = _page(answer, tenant)
        case Redirect():
            status = 303 if method == "POST" else 302
            response = Response(status_code=status, headers={**_COMMON, "Location": answer.location})
    if not isinstance(answer, Json):
        for cookie in answer.cookies:
            _set_cookie(response, cookie, tenant)
    return response


def json_response(answer: Json) -> Response:
    """A JSON document in UTF-8, never to be cached unless it says so."""
    body = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
    headers = {**_COMMON, **answer.headers}
    if "Cache-Control" in answer.headers:
        del headers["Pragma"]
    return Response(body.encode(), answer.status, headers, "application/json")


def _page(page: Page, tenant: Tenant) -> Response:
    # A page that hands an answer over has no form of our own.
    own_forms = () if page.scripts else ("'self'",)
    policy = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors {page.framed_by}; "
        + ("script-src 'self'; " if page.scripts else "")
        + " ".join(("form-action", *(own_forms + page.form_targets or ("'none'",))))
    )
    headers = {**_COMMON, "Content-Security-Policy": policy}
    if page.framed_by == "'none'":
        headers["X-Frame-Options"] = "DENY"
    html = _TEMPLATES.get_template(page.template).render({**page.context, "root": urlsplit(tenant.url("")).path})
    return Response(html, page.status, headers, "text/html")


def _set_cookie(response: Response, cookie: Cookie, tenant: Tenant) -> None:
    if cookie.value is None:
        response.delete_cookie(cookie.name, secure=tenant.is_https, httponly=True, samesite="lax")
    else:
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.max_age,
            secure=tenant.is_https,
            httponly=True,
            samesite="lax",
        )
