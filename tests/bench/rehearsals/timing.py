"""How a rehearsal takes the time, and tells it. Imports nothing that one of the stand-ins might be charged for."""

import json
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

Took = tuple[float, float]
"""Milliseconds by the wall clock, and of CPU in all threads of this process."""

WARM_UP = 20


def once(story: Callable[[], object]) -> Took:
    """Tell it one time."""
    wall, cpu = time.perf_counter(), time.process_time()
    story()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def repeated(story: Callable[[], object], seconds: float) -> list[Took]:
    """Tell it again and again for so long, once at least; before that some times that do not count."""
    for _ in range(WARM_UP if seconds else 0):
        story()
    end = time.perf_counter() + seconds
    took = [once(story)]
    while time.perf_counter() < end:
        took.append(once(story))
    return took


def ask(method: str, url: str, body: bytes | None = None, kind: str = "") -> tuple[int, str | None, bytes]:
    """Status, Location and body, over a connection for this request alone: the cheapest client that there is."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        return answer.status, answer.headers["Location"], answer.read()
    finally:
        connection.close()


def expect_issuer(issuer: str) -> None:
    """Raise unless discovery names this issuer (OpenID Connect Discovery §4.3)."""
    url = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
    status, _, body = ask("GET", url)
    if status != 200 or json.loads(body)["issuer"] != issuer:
        raise AssertionError(f"{url}: {status} {body[:200]!r}")


def tell(stories: dict[str, list[Took]]) -> None:
    """Say what everything took."""
    sys.stdout.write(json.dumps(stories) + "\n")
