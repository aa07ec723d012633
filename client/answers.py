"""Answers: what may be read of them, and what to say when there is none.

Strict: JSON that says it is JSON, without duplicate members or constants that JSON does not have.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx2

from client import urls
from client.errors import MalformedError, UnavailableError, printable
from client.wire import AnswerRefusedError


def fetch_document(http: httpx2.Client, url: str, what: str) -> dict[str, Any]:
    """GET a JSON document that a server publishes (metadata, keys)."""
    try:
        answer = http.get(url)
    except httpx2.HTTPError as problem:
        raise unavailable(what, url, problem) from problem
    if answer.status_code == 429 or answer.status_code >= 500:
        raise busy(f"{what} at {url}", answer)
    if answer.status_code != 200:
        raise MalformedError(
            f"{what} at {url} answered with status {answer.status_code} instead of 200.",
            "Is this the right server? Compare CLIENT_ISSUER with the address it says it is ready at.",
        )
    return read_object(answer, what)


def unavailable(what: str, url: str, problem: httpx2.HTTPError) -> UnavailableError | MalformedError:
    if isinstance(problem, AnswerRefusedError):
        return MalformedError(f"{what} at {url} sent an answer that was not read: {problem}.")
    reason = str(problem) or type(problem).__name__
    return UnavailableError(f"{what} at {url} cannot be reached: {reason}.", _how_to_start(what, url))


def busy(what: str, answer: httpx2.Response) -> UnavailableError:
    after = printable(answer.headers.get("retry-after", ""), 40)
    wait = f" It asks to wait: {after} (seconds or date)." if after else ""
    return UnavailableError(f"{what} is busy or out of order (status {answer.status_code}).{wait}")


def _how_to_start(what: str, url: str) -> str:
    if urlsplit(url).hostname not in urls.LOOPBACK_HOSTS:
        return "Is it running, and is that its address? Nothing was forgotten."
    command = "python -m api" if what == "The API" else "python -m authserver serve"
    return f"Is it running? To start it: {command}. Nothing was forgotten."


def read_json(answer: httpx2.Response, what: str) -> Any:
    """JSON, and nothing that merely resembles it."""
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise MalformedError(f"{what} answered with {media_type or 'no content type'} instead of JSON.")
    try:
        return json.loads(answer.content, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise MalformedError(f"{what} answered with something that is not valid JSON.") from problem


def read_object(answer: httpx2.Response, what: str) -> dict[str, Any]:
    value = read_json(answer, what)
    if not isinstance(value, dict):
        raise MalformedError(f"{what} answered with JSON that is not an object.")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
