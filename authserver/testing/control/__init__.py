"""The control API: `/_testing/…`, JSON in and out, described by `/_testing/openapi.json`.

Nothing here is reachable but through `gate`, which asks for the token first.
"""

from fastapi import FastAPI
from starlette.types import ASGIApp

from authserver.testing.control import faults, problems, steering, tenants, tokens
from authserver.testing.control.asking import PREFIX, REFUSALS, refuse
from authserver.testing.host import Host


def control(host: Host, application: ASGIApp) -> FastAPI:
    """The API over `host`. `application` is where virtual people go."""
    app = FastAPI(
        title="Understudy test control",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.host, app.state.application = host, application
    for room in (tenants, tokens, steering, faults, problems):
        app.include_router(room.router, prefix=PREFIX)
    for kind in REFUSALS:
        app.add_exception_handler(kind, refuse)
    return app
