"""A live server in a thread of this process, with the harness on: what `authserver_host` hands out.

Left out: signals, workers, TLS: those are `serve`'s.
"""

import secrets
import shutil
import socket
import threading
from pathlib import Path
from tempfile import mkdtemp

import uvicorn

from authserver.app import create_app
from authserver.settings import Settings
from authserver.testing.line import LineProtocol

_NOBODY = "tenant: {}\n"


class LiveServer:
    """Listens on a free port of 127.0.0.1 from the moment that it is made. `close` ends it."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._directory = Path(mkdtemp(prefix="understudy-host-"))
        nobody = self._directory / "tenant.yaml"
        nobody.write_text(_NOBODY, "utf-8")
        # IPPROTO_TCP spelled out: asyncio sets TCP_NODELAY only on sockets that say so.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(512)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        settings = Settings.model_construct(
            **{
                **{name: field.get_default() for name, field in Settings.model_fields.items()},
                "issuer": self.url,
                "database_url": f"sqlite:///{self._directory / 'root.db'}",
                "tenant": nobody,
                "testing": True,
                "testing_token": self.token,
            }
        )
        self.app = create_app(settings)
        config = uvicorn.Config(
            self.app,
            interface="asgi3",
            http=LineProtocol,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=256 * 1024,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        run = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=run, name="understudy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and leave no file behind."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.app.state.testing_host.close()
        self.app.state.tenant.database.close()
        shutil.rmtree(self._directory, ignore_errors=True)
