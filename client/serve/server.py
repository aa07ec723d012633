"""The server: binds, says READY, and ends on SIGTERM or SIGINT with status 0 after the requests in hand."""

import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp

from client.errors import SettingsError
from client.options import err
from client.serve.address import HOST, Address
from client.serve.app import create_app
from client.serve.site import Site
from client.serve.slow_peers import ImpatientProtocol
from client.settings import CALLBACK_PORTS, Settings
from client.store import open_store

GRACE_SECONDS = 8
"""For requests in hand: less than the ten seconds after which a container is killed."""

LARGEST_HEAD = 32 * 1024


class Server(uvicorn.Server):
    """uvicorn, saying when it is ready."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._origin = origin
        super().__init__(
            uvicorn.Config(
                app,
                http=ImpatientProtocol,
                ws="none",
                lifespan="off",
                access_log=False,  # request lines hold codes and states
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"READY {self._origin}\n")
        sys.stdout.flush()


def serve(settings: Settings, port: int, *, everywhere: bool) -> None:
    """Until SIGTERM or SIGINT. `everywhere`: on all interfaces, for a container that publishes the port by itself."""
    # After its graceful stop uvicorn raises the signal again; the default handler would then kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    store = open_store(settings)
    with store.lock():
        store.check()  # what cannot be used is better heard of now than after the password is typed
    listener = _listen("0.0.0.0" if everywhere else HOST, port)  # noqa: S104 - only if the flag says so
    address = Address(listener.getsockname()[1])
    err.print(f"Tokens are kept in {store.describe()}.", markup=False)
    if everywhere:
        err.print("[bold yellow]![/] Listening on all interfaces: let only 127.0.0.1 of this machine lead here.")
    if address.port not in CALLBACK_PORTS:
        err.print(
            f"[bold yellow]![/] {address.redirect_uri} is not among the demo tenant's callbacks (ports 8400 to 8402): "
            "a server that compares ports will refuse the login."
        )
    Server(create_app(Site(settings, store, address)), address.origin).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    # IPPROTO_TCP spelled out: asyncio sets TCP_NODELAY only on sockets that say so.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise SettingsError(
            f"{host}:{port} cannot be listened on: {problem.strerror}.",
            "Stop what uses it (another `serve`, or a login that waits), or take another: --port 8401",
        ) from problem
    listener.listen(128)
    return listener


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)
