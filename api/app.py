"""The application: its rooms put together, and what becomes of errors that no room expected."""

import logging
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from api import health, me, notes
from api.claims import Rules
from api.discovery import Issuer
from api.door import Door
from api.errors import ApiError, InvalidRequestError, MethodNotAllowedError, NotFoundError, UnavailableError, answer
from api.keys import Keys
from api.service import Service
from api.settings import Settings
from api.store import open_store

log = logging.getLogger(__name__)


def create_app(settings: Settings, now: Callable[[], float] = time.time) -> FastAPI:
    """The API for one issuer and one database. Opens the database; does not call the issuer."""
    verify = ssl.create_default_context()
    if settings.ca_file is not None:
        verify.load_verify_locations(settings.ca_file)
    issuer = Issuer(settings.issuer, settings.metadata_url, verify)
    rules = Rules(settings.issuer, settings.audience, settings.require_at_jwt)
    store = open_store(settings.database_url)
    store.prepare()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(
        title="Notes",
        description=f"A resource server. Needs access tokens of {settings.issuer} for {settings.audience}.",
        lifespan=lifespan,
        # The pages that FastAPI would serve here load their scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # A redirect would be built from the Host header, and would send the token along.
        redirect_slashes=False,
    )
    app.state.service = Service(rules, Keys(issuer.fetch_jwks, now), store, now)
    for room in (me, notes, health):
        app.include_router(room.router)
    app.add_middleware(Door)
    for kind in (
        ApiError,
        HTTPException,
        RequestValidationError,
        OperationalError,
        PoolTimeoutError,
        ClientDisconnect,
        Exception,
    ):
        app.add_exception_handler(kind, _refuse)
    return app


async def _refuse(_request: Request, exception: Exception) -> JSONResponse:
    return answer(_as_api_error(exception))


def _as_api_error(exception: Exception) -> ApiError:
    match exception:
        case ApiError():
            return exception
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return MethodNotAllowedError((exception.headers or {})["Allow"])
        # The only thing that FastAPI validates here by itself is the form of a note's id.
        case HTTPException(status_code=HTTPStatus.NOT_FOUND) | RequestValidationError():
            return NotFoundError("There is nothing at this address")
        case ClientDisconnect():
            return InvalidRequestError("The request ended early")
        case OperationalError() | PoolTimeoutError():
            log.error("the database failed: %.300s", exception)
            return UnavailableError("The database is not available")
    correlation_id = uuid.uuid4().hex[:12]
    log.error("unexpected error %s", correlation_id, exc_info=exception)
    return ApiError(f"Something went wrong here; the log calls it {correlation_id}")
