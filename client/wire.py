"""The wire: every byte this app sends or receives over HTTP passes here.

Done: no redirects, no proxies, no .netrc, no ambient certificates (RFC 9700 section 4.11, 4.12); bounded size and time;
two addresses with one identity (a public URL dialled at an internal origin); W3C Trace Context: one trace id, and a
span id for each request (`traceparent`); a busy server is asked again as patience.py says.
Left out: compression (asked not to, and refused: a small answer may unpack to a huge one).
"""

import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2

from client import patience, urls
from client.errors import SettingsError
from client.moments import Moment, Waiting, unseen
from client.settings import Settings

MAX_BODY = 1024 * 1024
MAX_SECONDS = 30.0
TIMEOUT = httpx2.Timeout(10.0)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for those who want to look on (the demo)."""

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


class AnswerRefusedError(httpx2.TransportError):
    """Too large, too slow or compressed. A TransportError, so that one `except` catches them all."""


class Wire(httpx2.BaseTransport):
    def __init__(
        self,
        inner: httpx2.BaseTransport,
        dialled_at: Mapping[str, str],
        on_exchange: Callable[[Exchange], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        trace_id: str = "",
        on_moment: Callable[[Moment], None] = unseen,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._dialled_at = dialled_at
        self._on_exchange = on_exchange
        self._clock = clock
        self._trace_id = trace_id
        self._on_moment = on_moment
        self._sleep = sleep

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        waited = 0.0
        for pause in patience.pauses():
            answer = self._ask(request)
            pause = max(pause, patience.asked_for(answer.headers.get("retry-after", ""), time.time()))
            waited += pause
            if not patience.is_worth_waiting(request.method, answer.status_code) or waited > patience.LONGEST:
                return answer
            self._on_moment(Waiting(str(request.url), answer.status_code, pause))
            self._sleep(pause)
        return self._ask(request)

    def _ask(self, request: httpx2.Request) -> httpx2.Response:
        if self._trace_id:
            request.headers["traceparent"] = f"00-{self._trace_id}-{secrets.token_hex(8)}-01"
        deadline = self._clock() + MAX_SECONDS
        answer = self._inner.handle_request(self._addressed(request))
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise AnswerRefusedError("it is compressed although we asked for plain bytes")
            body = b"".join(self._bounded(answer, deadline))
        finally:
            answer.close()
        if self._on_exchange:
            self._on_exchange(_exchange(request, answer, body))
        return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

    def close(self) -> None:
        self._inner.close()

    def _addressed(self, request: httpx2.Request) -> httpx2.Request:
        public = str(request.url)
        internal = self._dialled_at.get(urls.origin(public))
        if internal is None:
            return request
        address = httpx2.URL(urls.at_origin(public, internal))
        headers = httpx2.Headers(request.headers)
        headers["Host"] = address.netloc.decode()
        return httpx2.Request(
            request.method,
            address,
            headers=headers,
            stream=request.stream,
            extensions=request.extensions,
        )

    def _bounded(self, answer: httpx2.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > MAX_BODY:
                raise AnswerRefusedError(f"it is larger than {MAX_BODY:,} bytes")
            if self._clock() > deadline:
                raise AnswerRefusedError(f"it was not complete after {MAX_SECONDS:.0f} seconds")
            yield chunk


def http_options(
    settings: Settings, on_exchange: Callable[[Exchange], None] | None = None, **wire: Any
) -> dict[str, Any]:
    """The arguments for each HTTP client we make, Authlib's included: one place decides about trust.

    `wire` are further arguments for `Wire`.
    """
    transport = httpx2.HTTPTransport(verify=_trust(settings.ca_file), trust_env=False)
    return {
        "transport": Wire(transport, settings.dialled_at, on_exchange, **wire),
        "trust_env": False,
        "follow_redirects": False,
        "timeout": TIMEOUT,
        "headers": {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "understudy-client",
        },
    }


@cache
def _trust(ca_file: str) -> ssl.SSLContext:
    """Once per process: reading the system's authorities takes longer than a request on loopback."""
    trust = httpx2.create_ssl_context(trust_env=False)
    try:
        if ca_file:
            trust.load_verify_locations(cafile=ca_file)
    except OSError as problem:  # ssl.SSLError is one
        raise SettingsError(f"CLIENT_CA_FILE cannot be used: {problem}.", "It must be a PEM file.") from problem
    return trust


def _exchange(request: httpx2.Request, answer: httpx2.Response, body: bytes) -> Exchange:
    return Exchange(
        method=request.method,
        url=str(request.url),
        request_headers=dict(request.headers),
        request_body=request.content,
        status=answer.status_code,
        headers=dict(answer.headers),
        body=body,
    )
