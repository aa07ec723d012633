"""Serving: one listening socket, one process or several, and one line on stdout when requests are accepted."""

import logging
import multiprocessing
import os
import socket
import ssl
import sys
from functools import partial
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Semaphore
from tempfile import TemporaryDirectory

import uvicorn
from fastapi import FastAPI

from authserver import logs, tls, workers
from authserver.app import create_app
from authserver.server import Connection, Server
from authserver.settings import Settings
from authserver.store.engine import StoreError
from authserver.tenant_file import TenantFileError

log = logging.getLogger("authserver")

_spawn = multiprocessing.get_context("spawn")
multiprocessing.allow_connection_pickling()  # sockets too


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status.

    Raises OSError, StoreError or TenantFileError, whose text says what to do, before anything is served.
    """
    certificate = _certificate(settings)
    if settings.ca_file:
        tls.trust(settings.ca_file)
    listener = listen(settings.host, settings.port)
    settings = settings.resolved(bound=0 if settings.port else listener.getsockname()[1])
    told = logs.configure(settings)
    app = create_app(settings, told=told)  # whatever is wrong is found here, once, and not in each worker
    if settings.testing:
        _say_testing(settings, app)
    if settings.workers == 1:
        ready, kind = partial(_say_ready, settings.issuer), _testing_connection() if settings.testing else Connection
        Server(_config(app, certificate), ready, kind).run(sockets=[listener])
        return 0
    app.state.tenant.database.close()
    with TemporaryDirectory(prefix="understudy-metrics-") as os.environ["PROMETHEUS_MULTIPROC_DIR"]:
        first = _spawn.Semaphore(1)

        def start() -> SpawnProcess:
            process = _spawn.Process(target=_work, args=(settings, listener, first))
            process.start()
            return process

        return workers.supervise(settings.workers, start, lambda: first.get_value() == 0, listener)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError, whose text says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP spelled out: asyncio sets TCP_NODELAY only on sockets that say so.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(
            f"--port: {host}:{port} cannot be listened on ({error.strerror}); stop what uses it, or name another"
        ) from None
    listener.listen(2048)
    return listener


def _work(settings: Settings, listener: socket.socket, first: Semaphore) -> None:
    """A worker process."""

    def ready() -> None:
        if first.acquire(block=False):
            _say_ready(settings.issuer)

    try:
        app = create_app(settings, told=logs.configure(settings))
        server = Server(_config(app, _certificate(settings)), ready)
    except (OSError, StoreError, TenantFileError) as error:  # all was well when our parent looked
        log.error("a worker cannot start: %s", error)  # noqa: TRY400 - the sentence says it all
        sys.exit(2)
    server.run(sockets=[listener])


def _certificate(settings: Settings) -> ssl.SSLContext | None:
    cert, key = settings.tls_cert, settings.tls_key
    return tls.server_context(cert, key) if cert and key else None


def _config(app: FastAPI, certificate: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        ssl_context_factory=(lambda *_: certificate) if certificate else None,
        access_log=False,  # ours says less: request lines hold states and hints
        log_config=None,
        proxy_headers=False,  # nothing that a proxy says changes who we are
        server_header=False,
        h11_max_incomplete_event_size=256 * 1024,  # longer than any parameter that deserves an answer in our words
    )
    config.load()
    return config


def _testing_connection() -> type[Connection]:
    """One that faults can cut. The harness is one process, so no other place needs it."""
    from authserver.testing.line import LineProtocol  # for suites alone

    class Cuttable(LineProtocol, Connection):
        pass

    return Cuttable


def _say_testing(settings: Settings, app: FastAPI) -> None:
    log.warning("the test harness is on: whoever has its token owns every tenant")
    if not settings.testing_token:  # the one that was made: said once, here, and never logged
        sys.stderr.write(f"TESTING {app.state.testing_token}\n")
        sys.stderr.flush()


def _say_ready(issuer: str) -> None:
    sys.stdout.write(f"READY {issuer}\n")
    sys.stdout.flush()
