"""Errors: every refusal of this API, and how it looks on the wire.

RFC 6750 section 3 (the WWW-Authenticate challenge) and 3.1 (invalid_request, invalid_token,
insufficient_scope).

    ApiError
    ├── MissingTokenError       401, a bare challenge
    ├── InvalidRequestError     400
    │   └── MalformedCredentialsError
    ├── InvalidTokenError       401
    ├── InsufficientScopeError  403
    ├── ForbiddenError          403, no challenge: no other token of this caller would help
    ├── NotFoundError           404
    ├── MethodNotAllowedError   405
    ├── TooSlowError            408
    ├── ContentTooLargeError    413
    ├── UnsupportedTypeError    415
    ├── InvalidContentError     422
    └── UnavailableError        503, with Retry-After
        └── KeysUnavailableError

The JSON body is `{"error", "error_description"}` and says what the challenge says. A request without a token
made no error that section 3.1 has a code for, and the challenge carries none; so its body carries
`error_description` alone. Descriptions are sentences of ours: nothing that a caller sent is ever repeated.

`verdict` is what the refusal says about the access token, in one word for the metrics; None: nothing.
"""

from http import HTTPStatus

from starlette.responses import JSONResponse

REALM = "notes"

# On every answer, also on the ones that no route made. The answers are personal or short-lived.
ANSWER_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class ApiError(Exception):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    error: str | None = "server_error"
    challenges = False
    verdict: str | None = None

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description

    def challenge(self) -> dict[str, str]:
        """The parameters of WWW-Authenticate besides the realm."""
        return {} if self.error is None else {"error": self.error, "error_description": self.description}

    def headers(self) -> dict[str, str]:
        if not self.challenges:
            return {}
        parameters = {"realm": REALM, **self.challenge()}
        return {"WWW-Authenticate": "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())}


class MissingTokenError(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    error = None
    challenges = True
    verdict = "missing"


class InvalidRequestError(ApiError):
    status = HTTPStatus.BAD_REQUEST
    error = "invalid_request"
    challenges = True


class MalformedCredentialsError(InvalidRequestError):
    verdict = "malformed"


class InvalidTokenError(ApiError):
    status = HTTPStatus.UNAUTHORIZED
    error = "invalid_token"
    challenges = True

    def __init__(self, description: str, verdict: str) -> None:
        super().__init__(description)
        self.verdict = verdict


class InsufficientScopeError(ApiError):
    status = HTTPStatus.FORBIDDEN
    error = "insufficient_scope"
    challenges = True
    verdict = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__("The access token does not carry the scope that this request needs")
        self.scope = scope

    def challenge(self) -> dict[str, str]:
        return {**super().challenge(), "scope": self.scope}


class ForbiddenError(ApiError):
    status = HTTPStatus.FORBIDDEN
    error = "access_denied"
    verdict = "access_denied"


class NotFoundError(ApiError):
    status = HTTPStatus.NOT_FOUND
    error = "not_found"


class MethodNotAllowedError(ApiError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    error = "method_not_allowed"

    def __init__(self, allow: str) -> None:
        super().__init__("This address does not know that method")
        self.allow = allow

    def headers(self) -> dict[str, str]:
        return {"Allow": self.allow}


class TooSlowError(ApiError):
    status = HTTPStatus.REQUEST_TIMEOUT
    error = "invalid_request"


class ContentTooLargeError(ApiError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    error = "invalid_request"


class UnsupportedTypeError(ApiError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    error = "invalid_request"


class InvalidContentError(ApiError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    error = "invalid_request"


class UnavailableError(ApiError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    error = "temporarily_unavailable"

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"}


class KeysUnavailableError(UnavailableError):
    verdict = "keys_unavailable"


def answer(error: ApiError) -> JSONResponse:
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(
        {name: value for name, value in body.items() if value is not None},
        status_code=error.status,
        headers={**ANSWER_HEADERS, **error.headers()},
    )
