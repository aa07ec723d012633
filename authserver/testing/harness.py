"""The harness in an application: host, gate and control API, put around the routes that are there."""

import atexit
import secrets
from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware import Middleware

from authserver.events import Event
from authserver.settings import Settings
from authserver.testing.control import control
from authserver.testing.gate import Gate
from authserver.testing.host import Host


def install(app: FastAPI, settings: Settings, announce: Callable[[Event], None]) -> None:
    """Switch the harness on. `app.state` then has `testing_host`, and `testing_token`, the one that steers it."""
    host, token = Host(settings, announce), settings.testing_token or secrets.token_urlsafe(32)
    atexit.register(host.close)
    # Innermost, so that Host and everything else is looked at before.
    app.user_middleware.append(Middleware(Gate, host=host, control=control(host, app), token=token))
    app.state.testing_host, app.state.testing_token = host, token
