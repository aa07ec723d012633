"""What the attacks have in common: how a refusal looks, and that it changed nothing."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.stage import Browser, Stage, answer

both_dialects = pytest.mark.parametrize("dialect", ["auth0", "rfc"])
on_sqlite = pytest.mark.parametrize("backend", ["sqlite"])
"""For what the database has no say in: half the time."""

WEB_APP: dict[str, Any] = {"client_id": "web-app", "redirect_uri": "http://localhost:3001/callback"}
"""The demo tenant's confidential client, for `parameters`, `code` and `authorize`."""

# RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E
_DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+")


@contextmanager
def nothing_changes(stage: Stage, *, but: tuple[str, ...] = ()) -> Iterator[None]:
    """No row that decides anything is written, except in the tables that are named."""
    before = stage.snapshot()
    yield
    after = stage.snapshot()
    for table, rows in before.items():
        assert table in but or after[table] == rows, f"{table} changed"


def is_error_page(response: httpx2.Response, status: int = 400) -> bool:
    """A page with the mistake on it, and nowhere to go from there."""
    return (
        response.status_code == status
        and response.headers["content-type"].startswith("text/html")
        and 'id="error"' in response.text
        and "location" not in response.headers
    )


def json_error(response: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal in JSON, whose description keeps to the characters of RFC 6749 §5.2."""
    assert response.headers["content-type"] == "application/json", response.text
    body = response.json()
    assert set(body) == {"error", "error_description"}, body
    assert _DESCRIPTION.fullmatch(body["error_description"]), body
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, body["error"]


def is_invalid_client(stage: Stage, response: httpx2.Response) -> bool:
    """A failed client authentication, as this dialect says it."""
    said = json_error(response)
    if stage.dialect == "auth0":
        return said == (401, "access_denied") and response.json()["error_description"] == "Unauthorized"
    return said == (401, "invalid_client") and response.headers["www-authenticate"].startswith("Basic ")


def refusal(stage: Stage, response: httpx2.Response) -> str:
    """The error with which a redirect goes back to the application, without a code and with our `iss`."""
    assert response.status_code in (302, 303), response.text
    said = answer(response)
    assert "code" not in said
    assert said["iss"] == stage.issuer
    assert _DESCRIPTION.fullmatch(said["error_description"]), said
    return said["error"]


def ask(stage: Stage, *pairs: tuple[str, str | bytes], **changed: str | None) -> httpx2.Response:
    """An authorization request by GET with `pairs` after the good parameters, or instead of those set to None."""
    return stage.http.get("/authorize?" + urlencode([*stage.parameters(**changed).items(), *pairs]))


def ask_with_redirect_uri(stage: Stage, redirect_uri: str | bytes, **changed: str | None) -> httpx2.Response:
    """The same with a redirect URI of any bytes."""
    return ask(stage, ("redirect_uri", redirect_uri), redirect_uri=None, **changed)


def goes_on(stage: Stage, response: httpx2.Response) -> bool:
    """Whether an authorization request was accepted and the person is asked to log in."""
    return response.status_code in (302, 303) and response.headers["location"].startswith(stage.issuer + "u/login?")


def interaction_of(response: httpx2.Response) -> str:
    """The `state` of the interaction, from the page's URL or a redirect's target."""
    url = response.headers.get("location") or str(response.url)
    return parse_qs(urlsplit(url).query)["state"][0]


def same_origin(stage: Stage) -> dict[str, str]:
    """The headers that a browser sends with a form of ours."""
    return {"Origin": stage.issuer.removesuffix("/"), "Sec-Fetch-Site": "same-origin"}


def logged_in(stage: Stage, browser: Browser | None = None) -> Browser:
    """A browser with a session, which has approved nothing."""
    browser = browser or stage.browser()
    assert "/u/consent" in str(browser.log_in(stage.authorize(browser)).url)
    return browser


def cookie(browser: Browser, purpose: str) -> str:
    """The name of this browser's cookie for `purpose`."""
    return next(each.name for each in browser.http.cookies.jar if each.name.endswith("-" + purpose))


def copy_cookies(source: Browser, target: Browser) -> None:
    """What another program on the same host can do, since cookies are not separated by port."""
    for each in source.http.cookies.jar:
        target.http.cookies.jar.set_cookie(each)


def raw(stage: Stage, request: bytes) -> bytes:
    """What the server says to these very bytes until it closes the connection, which it is asked to do."""
    head, _, rest = request.partition(b"\r\n")
    with socket.create_connection(("127.0.0.1", stage.theatre.port), timeout=10) as connection:
        connection.sendall(head + b"\r\nConnection: close\r\n" + rest)
        said = b""
        while chunk := connection.recv(65536):
            said += chunk
    return said


def status_of(said: bytes) -> int | None:
    """The status of a raw answer; None when the connection was closed without one."""
    return int(said.split(b" ", 2)[1]) if said else None
