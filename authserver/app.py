"""The composition root: settings become a tenant, rooms become routes, and the whole one ASGI application."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from authserver import door, pages, seed, trace
from authserver.actions import ActionError, Actions
from authserver.actions import load as load_actions
from authserver.clock import Clock, system_clock
from authserver.dialects import POLICIES
from authserver.endpoints import (
    Room,
    activate,
    activate_confirm,
    authorize,
    dbconnections,
    device,
    email_verification,
    health,
    interaction,
    logout,
    metadata,
    reset_password,
    revoke,
    signup,
    token,
    upstream,
    userinfo,
)
from authserver.endpoints.metrics import room as metrics_room
from authserver.events import Event
from authserver.exchanges import Exchanges
from authserver.log_types import log_type
from authserver.logs import Log
from authserver.messages import Json
from authserver.metrics import Metrics
from authserver.settings import Settings
from authserver.store.engine import Database
from authserver.tenant import TENANT, Tenant
from authserver.tenant_file import Reading, TenantFileError, read_tenant
from authserver.tenant_file.actions import actions_of

STATIC = Path(__file__).with_name("static")

ROOMS = (
    authorize.ROOM,
    interaction.ROOM,
    upstream.ROOM,
    signup.ROOM,
    reset_password.ROOM,
    email_verification.ROOM,
    dbconnections.ROOM,
    token.ROOM,
    device.ROOM,
    activate.ROOM,
    activate_confirm.ROOM,
    userinfo.ROOM,
    revoke.ROOM,
    logout.ROOM,
    health.ROOM,
)


_TESTING = Room((), lambda _: {"understudy_testing": True})
"""Whoever reads the metadata learns that this server can be steered."""


class _Static(StaticFiles):
    """Our style sheet, icon and script, which are what they say they are."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        trace.note_route("/static")
        response = await super().get_response(path, scope)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def create_app(settings: Settings | None = None, *, now: Clock = system_clock, told: Log | None = None) -> FastAPI:
    """The authorization server, on a prepared database: a first start makes tables, signing key and tenant.

    `now` answers epoch seconds; `told` is told of each request and event, besides what goes to `logging`.
    Raises StoreError or TenantFileError, whose text says what to do.
    """
    settings = (settings or Settings()).resolved()
    database = Database(settings.database_url)
    reading = read_tenant(settings.tenant)
    seed.prepare(database, settings, reading, now)
    metrics = Metrics()
    database.announce = partial(_announce, metrics, told)
    policy = POLICIES[settings.dialect]
    tenant = Tenant(settings.issuer, settings, policy, database, actions=_actions(settings, reading), now=now)

    def tenant_of(scope: Scope) -> Tenant:
        found: Tenant = scope.get(TENANT, tenant)
        return found

    own = {urlsplit(settings.issuer).netloc.lower(), *(host.lower() for host in settings.allowed_hosts)}

    def serves(host: str) -> bool:
        return host in own or (settings.testing and app.state.testing_host.serves(host))

    told_rooms = (*ROOMS, *((_TESTING,) if settings.testing else ()))
    rooms = (*ROOMS, metrics_room(metrics), metadata.room(told_rooms))
    endpoints = [endpoint for room in rooms for endpoint in room.endpoints]
    app = FastAPI(
        title="Understudy authorization server",
        openapi_url=None,  # a protocol needs no second description; nothing here loads scripts from elsewhere
        redirect_slashes=False,  # such a redirect would be built from the Host header
        routes=[*door.routes(endpoints, tenant_of), Mount("/static", _Static(directory=STATIC))],
        middleware=[
            Middleware(Exchanges, metrics=metrics, told=told),
            Middleware(door.HostGate, serves=serves),
        ],
        exception_handlers={HTTPException: _not_found},
    )
    app.state.tenant = tenant
    if settings.testing:
        from authserver.testing.harness import install  # costs a second, for suites alone

        install(app, settings, tenant, reading.file, database.announce)
    return app


def _actions(settings: Settings, reading: Reading) -> Actions:
    """The tenant file's Actions: code of the process, read at each start, and not a row that somebody could write."""
    try:
        return load_actions(*actions_of(settings.tenant, reading.file))
    except ActionError as error:
        raise TenantFileError(f"{settings.tenant}: {error}") from error


def _announce(metrics: Metrics, told: Log | None, event: Event) -> None:
    metrics.count(event)
    if told:
        said = {**asdict(event), "log_type": log_type(event)}
        facts = {name: fact for name, fact in said.items() if fact is not None}
        (told.warning if event.alarms else told.info)(type(event).__name__, **facts)


async def _not_found(_: HttpRequest, error: Exception) -> Response:
    """JSON, also for programs that probe for endpoints which only newer servers have."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return pages.json_response(Json({"error": "not_found", "error_description": "There is nothing here."}, status))
