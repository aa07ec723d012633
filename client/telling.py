"""What went over the wire, on a screen: requests, answers and parameters, with the secrets shortened."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from client.errors import printable
from client.wire import Exchange

SECRETS = {
    "code",
    "code_verifier",
    "device_code",
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "state",
    "nonce",
    "password",
}
TIMES = {"iat", "exp", "auth_time", "created_at"}
LONG, DEEP, MANY = 72, 4, 2000
"""Longer words are shortened, deeper members left out, longer texts cut off: a server can answer with anything."""


class Screen:
    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(Text(text))

    def url(self, url: str) -> None:
        """On a line of its own and unbroken, so that it can be clicked or copied."""
        self._console.print(Text(url), soft_wrap=True)

    def good(self, text: str) -> None:
        self._console.print(Text.assemble(("✓ ", "bold green"), text))

    def pairs(self, title: str, pairs: Mapping[str, Any]) -> None:
        self._console.print(Padding(Text(title, "bold"), (1, 0, 0, 2)))
        self._grid({name: show(name, value) for name, value in pairs.items()})

    def exchange(self, exchange: Exchange, *, headers: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> None:
        """`headers`: which request headers to show besides Authorization. `only`: of the answer, these members."""
        parts = urlsplit(exchange.url)
        self._arrow("→", f"{exchange.method} {parts._replace(query='').geturl()}")
        sent = dict(parse_qsl(parts.query)) | _body(exchange.request_headers, exchange.request_body)
        if "authorization" in exchange.request_headers:
            scheme, _, token = exchange.request_headers["authorization"].partition(" ")
            sent = {"Authorization": f"{scheme} {shorten(token)}"} | sent
        sent = {name: exchange.request_headers[name] for name in headers if name in exchange.request_headers} | sent
        self._grid({name: show(name, value) for name, value in sent.items()})
        self._arrow("←", f"{exchange.status} {exchange.headers.get('content-type', '')}".rstrip())
        came = {} if "html" in exchange.headers.get("content-type", "") else _body(exchange.headers, exchange.body)
        came = {name: value for name, value in came.items() if not only or name in only}
        if "location" in exchange.headers:
            target = urlsplit(exchange.headers["location"])
            came = {"Location": target._replace(query="").geturl()} | dict(parse_qsl(target.query)) | came
        if "www-authenticate" in exchange.headers:
            came = {"WWW-Authenticate": exchange.headers["www-authenticate"]} | came
        self._grid({name: show(name, value) for name, value in came.items()})

    def line(self, exchange: Exchange) -> None:
        """An exchange that the reader has seen before, in short."""
        parts = urlsplit(exchange.url)
        short = f"{exchange.method} {parts._replace(query='').geturl()} → {exchange.status}"
        if "location" in exchange.headers:
            target = urlsplit(urljoin(exchange.url, exchange.headers["location"]))
            near = (target.scheme, target.netloc) == (parts.scheme, parts.netloc)
            short += f" to {target.path if near else target._replace(query='').geturl()}"
        self._console.print(Padding(Text(printable(short)), (0, 0, 0, 4)))

    def _arrow(self, arrow: str, text: str) -> None:
        line = Text.assemble((arrow, "bold magenta"), " ", (printable(text), "bold"))
        self._console.print(Padding(line, (0, 0, 0, 2)))

    def _grid(self, rows: Mapping[str, str]) -> None:
        if not rows:
            return
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="blue", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in list(rows.items())[:LONG]:
            grid.add_row(Text(printable(name, 40)), Text(value if len(value) <= MANY else value[:MANY] + " …"))
        self._console.print(Padding(grid, (0, 0, 0, 6)))


def show(name: str, value: Any, depth: int = 0) -> str:
    if depth > DEEP:
        return "…"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {show(key, member, depth + 1)}" for key, member in value.items())
    if isinstance(value, list) and any(isinstance(member, dict) for member in value):
        return "\n".join(show(name, member, depth + 1) for member in value)
    if name in TIMES and isinstance(value, int):
        return f"{value} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if name in SECRETS or (len(text) > LONG and " " not in text):
        return shorten(text)
    return printable(text)


def shorten(secret: str) -> str:
    """Enough to recognise it again, not enough to use it."""
    if len(secret) < 24:
        return f"… ({len(secret)} chars)"
    return f"{printable(secret[:8])}…{printable(secret[-3:])} ({len(secret):,} chars)"


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT, for the eyes only: nothing is verified here."""
    header, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2]
    )
    return header, claims


def _body(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    kind = headers.get("content-type", "")
    if "x-www-form-urlencoded" in kind:
        return dict(parse_qsl(body.decode(errors="replace")))
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {"body": body.decode(errors="replace")[:200]}
    return value if isinstance(value, dict) else {"body": value}
