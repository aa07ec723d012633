"""The application: its rooms put together, and what becomes of errors that no room expected."""

import logging
import ssl
import time
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

from api import docs, health, me, metrics, notes, openapi
from api.claims import Rules
from api.cors import Cors
from api.discovery import Issuer
from api.door import Door
from api.errors import ApiError, InvalidRequestError, MethodNotAllowedError, NotFoundError, UnavailableError
from api.keys import Keys
from api.metrics import Metrics
from api.observation import Observation, refuse
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
        description=(
            f"A resource server: it needs access tokens that `{settings.issuer}` issued for `{settings.audience}`, "
            "and checks their scopes. Authorize, then try the operations out; without the scope the answer is 403."
        ),
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        # The pages that FastAPI would serve load their scripts from elsewhere; `docs` and `openapi` have ours.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would be built from the Host header, and would send the token along.
        redirect_slashes=False,
    )
    figures = Metrics()
    keys = Keys(issuer.fetch, now, figures.fetch)
    figures.watch_keys(keys.age)
    app.state.service = Service(rules, keys, store, figures, now)
    for room in (me, notes, health, metrics, openapi):
        app.include_router(room.router)
    if settings.docs_client_id:
        app.include_router(docs.room(settings.docs_client_id))
    app.add_middleware(Door)
    app.add_middleware(Cors, origins=settings.web_origins)
    app.add_middleware(Observation, metrics=figures)
    for kind in (
        ApiError,
        HTTPException,
        RequestValidationError,
        OperationalError,
        PoolTimeoutError,
        ClientDisconnect,
    ):
        app.add_exception_handler(kind, _refuse)
    return app


async def _refuse(request: Request, exception: Exception) -> JSONResponse:
    return refuse(request, _as_api_error(exception))


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
            # The driver's words alone: SQLAlchemy's would add the statement with what a caller wrote.
            log.error("the database failed", extra={"reason": f"{getattr(exception, 'orig', exception)!s:.300}"})
            return UnavailableError("The database is not available")
    raise exception
