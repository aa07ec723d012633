"""The loopback listener: where the browser brings the authorization response.

Done: RFC 8252 sections 7.3 and 8.3: the literal 127.0.0.1, bound before the URL is built, closed after
use; only GET, only /callback, only our own Host, only our own state, only once. All else gets a 4xx and
changes nothing: any page in any browser on this machine can send requests here (security rows CL2 to
CL5).
The callback is answered with a redirect to /done, so that the code does not stay in the address bar.
Left out: IPv6 (the registered callbacks are IPv4 literals), TLS (the code is useless without the
verifier).
"""

import os
import queue
import socket
import sys
import threading
from collections.abc import Sequence
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from client import page
from client.errors import LoginFailedError
from client.ports import holder
from client.settings import CALLBACK_PORTS

HOST = "127.0.0.1"
MAX_TARGET = 8192
GRACE = 3.0
"""How long to wait for a browser to fetch the final page before we close anyway."""

Pairs = list[tuple[str, str]]


class Listener:
    def __init__(self, state: str, ports: Sequence[int] = CALLBACK_PORTS) -> None:
        self._state = state
        self._used = threading.Lock()  # taken once by the first good callback and never given back
        # Not a Queue: Ctrl-C in the wrong moment leaves its lock locked, and who then gives up waits for ever.
        self._callbacks: queue.SimpleQueue[Pairs | None] = queue.SimpleQueue()
        self._final: page.Page | None = None
        self._final_ready = threading.Event()
        self._final_shown = threading.Event()
        self._server = _bind(ports, self)
        self.authority = f"{HOST}:{self._server.server_address[1]}"
        self.redirect_uri = f"http://{self.authority}/callback"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def wait(self, timeout: float) -> Pairs:
        """The parameters of the one response that carries our state."""
        try:
            pairs = self._callbacks.get(timeout=timeout)
        except queue.Empty:
            raise LoginFailedError(f"No answer came back from the browser within {timeout / 60:.0f} minutes.") from None
        if pairs is None:
            raise LoginFailedError("The login was given up.")
        return pairs

    def show(self, final: page.Page) -> None:
        """Let the browser have the final page; a browser that does not come for it cannot hold us up."""
        self._final = final
        self._final_ready.set()
        self._final_shown.wait(GRACE)

    def give_up(self) -> None:
        self._callbacks.put(None)

    def close(self) -> None:
        self.give_up()
        self._final_ready.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str) -> tuple[page.Page | None, str]:
        """What a GET for this target gets: a page, or a place to go to."""
        parts = urlsplit(target)
        if parts.path == "/callback" and self._accept(parts.query):
            # Held until the tokens are stored: the browser must not say "done" before it is true.
            self._final_ready.wait()
            return (None, "/done") if self._final else (page.failed("The login was stopped."), "")
        if parts.path == "/done" and self._final:
            return self._final, ""
        return page.not_for_us(400 if parts.path == "/callback" else 404), ""

    def shown(self) -> None:
        self._final_shown.set()

    def is_final(self, shown: page.Page | None) -> bool:
        return shown is not None and shown is self._final

    def _accept(self, query: str) -> bool:
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=32)
        except ValueError:
            return False
        states = [value for name, value in pairs if name == "state"]
        ours = len(states) == 1 and compare_digest(states[0].encode(), self._state.encode())
        if not ours or not self._used.acquire(blocking=False):
            return False
        self._callbacks.put(pairs)
        return True


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True  # one silent connection must not block the others, nor the end (CL3)
    request_queue_size = 128
    # On POSIX this frees the port from connections that are merely fading out (TIME_WAIT); it does not let
    # two listeners share it. On Windows it would, so there the exclusive option is set instead.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, listener: Listener) -> None:
        self.listener = listener
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        if sys.platform == "win32":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        super().server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor that hangs up is not worth a traceback on the person's terminal."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    server: _Server

    def do_GET(self) -> None:
        listener = self.server.listener
        if len(self.path) > MAX_TARGET or not self.path.startswith("/"):
            self._send(page.not_for_us(400))
            return
        if self.headers.get_all("Host") != [listener.authority]:
            self._send(page.not_for_us(400))
            return
        answer, location = listener.answer(self.path)
        self._send(answer, location)
        if listener.is_final(answer):
            listener.shown()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 (the signature is http.server's)
        """Whatever http.server itself turns down: unknown methods, broken request lines, endless headers."""
        self.close_connection = True
        self._send(page.not_for_us({501: 405}.get(code, code if code < 500 else 400)))

    def _send(self, answer: page.Page | None, location: str = "") -> None:
        body = b"" if answer is None else answer.html()
        self.send_response_only(303 if answer is None else answer.status)
        for name, value in page.HEADERS.items():
            self.send_header(name, value)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the signature is http.server's)
        """Nothing: a request line may carry the code, and who was too slow is nobody's business."""


def _bind(ports: Sequence[int], listener: Listener) -> _Server:
    for port in ports:
        try:
            return _Server(port, listener)
        except OSError:
            continue
    holders = [f"{port} by {who}" for port in ports if (who := holder(port))]
    raise LoginFailedError(
        f"None of the callback ports {', '.join(map(str, ports))} on {HOST} is free.",
        (f"Taken: {'; '.join(holders)}. " if holders else "Another login may be waiting in another terminal. ")
        + "Finish or stop one of them, then try again: the server takes no other ports.",
    )
