"""The harness in an application: host, gate and control API, put around the routes that are there."""

import atexit
import secrets
from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware import Middleware

from authserver.events import Event
from authserver.settings import Settings
from authserver.tenant import Tenant
from authserver.tenant_file import TenantFile
from authserver.testing.control import control
from authserver.testing.gate import Gate
from authserver.testing.host import Host


def install(
    app: FastAPI, settings: Settings, root: Tenant, file: TenantFile, announce: Callable[[Event], None]
) -> None:
    """Switch the harness on. `app.state` then has `testing_host`, and `testing_token`, the one that steers it.

    `root` is the application's own tenant, and `file` what it was seeded from.
    """
    host, token = Host(settings, root, file, announce), settings.testing_token or secrets.token_urlsafe(32)
    atexit.register(host.close)
    # Innermost, so that Host and everything else is looked at before.
    app.user_middleware.append(Middleware(Gate, host=host, control=control(host, app), token=token))
    app.state.testing_host, app.state.testing_token = host, token
