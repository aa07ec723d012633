"""Bearer: how a request carries its access token.

RFC 6750 section 2.1 (the Authorization header) and 3.1 (what is malformed). RFC 9110 section 11.1 (a scheme's
name has no case, its credentials follow after spaces). Another scheme is no credential of ours: the answer is
the bare challenge, as for no header at all.

Left out on purpose: tokens in a form body (section 2.2) and in the query (2.3, 5.3: URLs are logged and
shared). Both are refused rather than ignored, also beside a good header: a request must not carry its token
twice. No route here reads forms, so a form is refused unread.
"""

import re

from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from api.errors import MalformedCredentialsError, MissingTokenError

_CREDENTIALS = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")
_OTHER_SCHEME = re.compile(r"(?!(?i:bearer) )[A-Za-z0-9-]+ ")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class BearerToken(SecurityBase):
    """The dependency that finds the token; also what /openapi.json calls the security scheme."""

    model = HTTPBearer(bearerFormat="JWT")
    scheme_name = "access_token"

    async def __call__(self, request: Request) -> str:
        if "access_token" in request.query_params:
            raise MalformedCredentialsError("An access token must not be sent in the query")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORMS:
            raise MalformedCredentialsError("This API reads no forms, and no access token from one")
        headers = request.headers.getlist("authorization")
        if len(headers) > 1:
            raise MalformedCredentialsError("There is more than one Authorization header")
        if not headers or _OTHER_SCHEME.match(headers[0]):
            raise MissingTokenError("This request needs an access token in the Authorization header")
        credentials = _CREDENTIALS.fullmatch(headers[0])
        if credentials is None:
            raise MalformedCredentialsError("The Authorization header is not of the form: Bearer <access token>")
        return credentials[1]
