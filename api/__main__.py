"""`python -m api`: serve the notes API.

Prints one line, `READY <base URL>`, when requests are accepted. Anything that prevents that is one line on
stderr and exit status 2. Ends with status 0 on SIGTERM and SIGINT, after the requests in hand.
"""

import signal
import socket
import ssl
import sys
from types import FrameType
from typing import NoReturn

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp, SettingsError
from sqlalchemy.exc import SQLAlchemyError

from api import logs
from api.app import create_app
from api.server import HttpProtocol, Server
from api.settings import Settings
from api.store import DamagedDatabaseError

GRACE_SECONDS = 5


def main() -> None:
    # After its graceful stop uvicorn raises the signal again; the default handler would then kill.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    settings = _settings()
    logs.configure(settings.log_format, settings.log_level)
    try:
        app = create_app(settings)
        listener = _listen(settings.host, settings.port)
        config = uvicorn.Config(
            app,
            http=HttpProtocol,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
            access_log=False,  # request lines may hold what a caller should not have put there; `observation` tells
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        config.load()
    except (SQLAlchemyError, DamagedDatabaseError) as error:
        _give_up(f"the database cannot be used: {getattr(error, 'orig', error)}")
    except ssl.SSLError as error:
        _give_up(f"a certificate or key file cannot be used: {error}")
    except OSError as error:
        _give_up(str(error))
    base_url = _base_url(settings, listener)
    Server(config, lambda: _say(f"READY {base_url}")).run(sockets=[listener])


def _settings() -> Settings:
    try:
        return CliApp.run(Settings)
    except ValidationError as error:
        _give_up("; ".join(_sentence(str(e["loc"][0]) if e["loc"] else "", e["msg"]) for e in error.errors()))
    except SettingsError as error:
        _give_up(str(error))


def _sentence(field: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"API_{field.upper()} / --{field.replace('_', '-')}: {message}" if field else message


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. IPPROTO_TCP is said aloud because asyncio sets TCP_NODELAY only then."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise OSError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    listener.listen()
    return listener


def _base_url(settings: Settings, listener: socket.socket) -> str:
    scheme = "http" if settings.tls_cert is None else "https"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - recognised, not bound
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _give_up(reason: str) -> NoReturn:
    sys.stderr.write(f"api: {' '.join(reason.split())}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
