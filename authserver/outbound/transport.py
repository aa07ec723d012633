"""Transport: how a call is made, within its deadline and its size.

Done: RFC 9110 §8.4 (no content codings: a small answer may not unfold into a large one), §15.4.
Left out: HTTP/2, proxies and `.netrc` of the environment, cookies.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpcore2
import httpx2

from authserver.outbound import Reach, Unavailable, Unusable
from authserver.outbound.addresses import check, may_reach

PATIENCE = 5.0
"""Seconds for a connection, and between two pieces of an answer."""

SIZE = 64 * 1024
"""Bytes of an answer."""

_NAME = "Understudy"


@cache
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The machine's authorities, and those in `ca_file`. Once per process: reading them costs 25 ms."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class Call:
    """An httpx2 transport, and what is usually asked through it. One deadline for all of it, by the machine's clock."""

    def __init__(self, reach: Reach, context: ssl.SSLContext, deadline: float) -> None:
        self.reach = reach
        self._transport = _Transport(reach, context, deadline)
        self.http = httpx2.Client(**self.options())

    def options(self) -> dict[str, Any]:
        """For an `httpx2.Client`, or a subclass of it."""
        headers = {"User-Agent": _NAME, "Accept": "application/json", "Accept-Encoding": "identity"}
        return {
            "transport": self._transport,
            "trust_env": False,
            "follow_redirects": False,
            "headers": headers,
            "timeout": PATIENCE,
        }

    def get_object(self, url: str, what: str, *, bearer: str | None = None) -> dict[str, Any]:
        """The JSON object at `url`, called `what` in the log. Raises Unavailable or Unusable."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        try:
            return read_object(self.http.get(url, headers=headers), what)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{what}: {type(error).__name__}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.http.close()
        self._transport.close()


def read_object(response: httpx2.Response, what: str) -> dict[str, Any]:
    """The JSON object in an answer of status 200. Raises Unavailable or Unusable."""
    if response.status_code == 429 or response.status_code >= 500:
        raise Unavailable(f"{what}: status {response.status_code}")
    if response.status_code != 200:
        raise Unusable(f"{what}: status {response.status_code}")
    try:
        body = json.loads(response.content.decode("utf-8"))
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Unusable(f"{what}: no JSON object")
    return body


class _Transport(httpx2.BaseTransport):
    def __init__(self, reach: Reach, context: ssl.SSLContext, deadline: float) -> None:
        self._reach, self._deadline = reach, deadline
        self._context = context

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        is_trusted = check(str(request.url), self._reach)
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        backend = _CheckedNetwork(self._deadline, trusted=is_trusted, loopback_only=request.url.scheme == "http")
        with httpcore2.ConnectionPool(ssl_context=self._context, network_backend=backend) as pool:
            try:
                with pool.stream(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.read(),
                    extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)},
                ) as answer:
                    headers = httpx2.Headers(answer.headers)
                    if headers.get("content-encoding", "identity") != "identity":
                        raise Unusable("answered in a content coding that nobody asked for")
                    return httpx2.Response(
                        answer.status, headers=headers, content=_limited(answer.iter_stream()), request=request
                    )
            except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
                raise Unavailable(type(error).__name__) from None


def _limited(pieces: Iterable[bytes]) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > SIZE:
            raise Unusable("answered with too much")
    return bytes(body)


class _CheckedNetwork(httpcore2.NetworkBackend):
    """Connects to addresses that were looked at, and hurries towards the deadline."""

    def __init__(self, deadline: float, *, trusted: bool, loopback_only: bool) -> None:
        self._deadline, self._trusted, self._loopback_only = deadline, trusted, loopback_only
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.NetworkStream:
        addresses = _resolve(host, port, _left(self._deadline, timeout))
        fit = [each for each in addresses if may_reach(each, trusted=self._trusted)]
        if not fit or fit != addresses:
            raise Unusable("the name leads to an address that is not called")
        if self._loopback_only and not all(each == "::1" or each.startswith("127.") for each in addresses):
            raise Unusable("http is for loopback alone")
        failure: Exception = Unavailable("no address")
        for address in addresses:
            try:
                stream = self._network.connect_tcp(
                    address, port, _left(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                failure = error
            else:
                return _HurriedStream(stream, self._deadline)
        raise failure


class _HurriedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _HurriedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Unavailable("the time is over")
    return min(left, timeout or PATIENCE)


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    """Every address of `host`, in the resolver's order. In a thread, because a name server may take its time."""
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(address[0]) for *_, address in answers))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if asking.is_alive() or not found:
        raise Unavailable("the name is not known")
    return list(found)
