"""Just enough HTTP/1.1 to ask without being measured: bytes prepared beforehand, one kept connection per story.

Left out: everything that these servers do not do to us (chunked bodies, redirects that are followed, TLS).
"""

import re
import selectors
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

Story = Callable[[], Generator[bytes, "Answer", None]]
"""One iteration of something worth counting: yields requests, is sent their answers, raises WrongAnswerError."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)

SILENCE_SECONDS = 30.0


class WrongAnswerError(Exception):
    """The server answered something else than it should."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`head` is everything before the body, as it came."""

    status: int
    head: bytes
    body: bytes

    def expect(self, status: int) -> None:
        """Raise WrongAnswerError unless this is the status."""
        if self.status != status:
            said = self.body[:200].decode("utf-8", "replace")
            raise WrongAnswerError(f"status {self.status} instead of {status}: {said}")

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        found = _LOCATION.search(self.head)
        if found is None:
            raise WrongAnswerError(f"status {self.status} without Location")
        return found[1].decode("latin-1")


@dataclass(frozen=True, slots=True)
class Sample:
    """What one cell of one round gave. Times in seconds; `cpu` is the server's."""

    requests: int
    seconds: float
    cpu: float


def get(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET request, ready to be sent."""
    return _request("GET", url, headers or {}, b"")


def post(url: str, form: Mapping[str, str]) -> bytes:
    """A POST request with a form."""
    body = urlencode(form).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return _request("POST", url, headers, body)


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def play(url: str, stories: Sequence[Story], seconds: float, cpu: Callable[[], float]) -> Sample:
    """Tell the stories over and over, each on a connection of its own: first for a little, then for `seconds`.

    Each is told at least once in either part. `cpu` reads the server's CPU clock while nothing is under way.
    """
    parts = urlsplit(url)
    connections = [_Connection((parts.hostname or "", parts.port or 80), story) for story in stories]
    try:
        _tell(connections, seconds / 8)
        cpu_before, before = cpu(), time.perf_counter()
        requests = _tell(connections, seconds)
        after, cpu_after = time.perf_counter(), cpu()
    finally:
        for connection in connections:
            connection.close()
    return Sample(requests, after - before, cpu_after - cpu_before)


def _tell(connections: Sequence["_Connection"], seconds: float) -> int:
    end = time.perf_counter() + seconds
    done = 0
    with selectors.DefaultSelector() as waiting:
        for connection in connections:
            waiting.register(connection.socket, selectors.EVENT_READ, connection)
            connection.begin()
        while waiting.get_map():
            ready = waiting.select(SILENCE_SECONDS)
            if not ready:
                raise WrongAnswerError(f"no answer within {SILENCE_SECONDS:.0f} seconds")
            for key, _ in ready:
                connection = key.data
                if connection.goes_on():
                    continue
                done += 1
                if time.perf_counter() < end:
                    connection.begin()
                else:
                    waiting.unregister(connection.socket)
    return done


class _Connection:
    """A kept connection, and where its story is."""

    def __init__(self, address: tuple[str, int], story: Story) -> None:
        self.socket = socket.create_connection(address, SILENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._story = story
        self._received = b""

    def close(self) -> None:
        self.socket.close()

    def begin(self) -> None:
        self._telling = self._story()
        self.socket.sendall(next(self._telling))

    def goes_on(self) -> bool:
        """Read what is there. False when this iteration is at its end."""
        received = self.socket.recv(65536)
        if not received:
            raise WrongAnswerError("the server closed the connection")
        self._received += received
        answer = self._answer()
        if answer is None:
            return True
        try:
            self.socket.sendall(self._telling.send(answer))
        except StopIteration:
            return False
        return True

    def _answer(self) -> Answer | None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._received[:end]
        length = _LENGTH.search(head)
        if length is None:
            raise WrongAnswerError(f"no Content-Length: {head[:200].decode('latin-1')}")
        whole = end + 4 + int(length[1])
        if len(self._received) < whole:
            return None
        answer = Answer(int(head[9:12]), head, self._received[end + 4 : whole])
        self._received = self._received[whole:]
        return answer
