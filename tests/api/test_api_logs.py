"""What the API tells its operator: lines that stay lines, without secrets, tied together by a trace (HT9, API3)."""

import io
import json
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api import keys, logs
from tests.api.conftest import StartApi
from tests.api.fake_issuer import JWKS, METADATA, Clock, FakeIssuer, jwk, reply, rsa_key

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"


class Told:
    """Everything that was logged, as the lines that a program would read."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if event in (None, line["event"])]

    def line(self, event: str = "request") -> dict[str, Any]:
        (line,) = self.lines(event)
        return line


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    handler = logging.StreamHandler(told.stream)
    handler.setFormatter(logs.formatter(for_people=False))
    ours = logging.getLogger("api")
    before = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield told
    ours.removeHandler(handler)
    ours.setLevel(before)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_request_is_one_line(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    api.delete(f"/notes/{'0' * 32}?canary=1", headers={**bearer(issuer.token()), "traceparent": TRACEPARENT})
    line = told.line()
    assert line.pop("ms") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "api.request",
        "method": "DELETE",
        "route": "/notes/{note_id}",
        "status": 404,
        "trace_id": TRACE_ID,
        "client_id": "native-app",
        "error": "not_found",
        "description": "There is no such note",
    }


def test_a_good_request_has_no_error(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    api.get("/me", headers=bearer(issuer.token()))
    assert told.line().keys() & {"error", "description"} == set()
    assert told.line("keys fetched")["kids"] == ["ec", "rsa"]
    assert told.line("keys fetched")["trace_id"] == told.line()["trace_id"]


def test_who_was_not_verified_is_not_named(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    api.get("/me", headers=bearer(issuer.token(exp=1, azp="mallory")))
    line = told.line()
    assert "client_id" not in line
    assert (line["status"], line["error"], line["description"]) == (
        401,
        "invalid_token",
        "The access token has expired",
    )
    api.get("/notes")
    assert told.lines("request")[-1]["error"] == "missing_token"


def test_HT9_nothing_of_what_a_caller_sends_is_told(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    token = issuer.token()
    headers = {**bearer(token), "Cookie": "canary=1", "X-Canary": "canary", "User-Agent": "canary"}
    api.get("/canary/..%0a%1b[2J", headers=headers)
    api.get("/me?access_token=canary", headers=headers)
    api.request("CANARY", "/notes", headers=headers)
    api.post("/notes", headers=headers, content=b'{"text": "canary"}')
    api.post("/notes", headers=headers, json={"text": "canary"})
    api.post("/notes", headers=headers, json={"text": "canary", "canary": 1})
    api.delete("/notes/canary", headers=headers)
    api.get("/me", headers=bearer(f"{token}canary"))
    api.get("/me", headers=bearer(issuer.token(header={"kid": "canary", "alg": "canary"})))
    api.get("/me", headers=bearer(issuer.token(iss="https://canary.example/")))
    api.get("/me", headers={"Authorization": "Canary canary"})
    text = told.stream.getvalue()
    assert len(told.lines("request")) == 11
    assert "canary" not in text.lower()
    assert not any(part in text for part in token.split("."))
    assert {line["method"] for line in told.lines("request")} == {"GET", "POST", "DELETE", "other"}
    assert told.lines("request")[0]["route"] == "other"


def test_HT9_a_verified_clients_name_stays_in_its_line(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    for name in ("a\u202eb", "ä" * 255, '"}{"event": "forged'):
        api.get("/me", headers=bearer(issuer.token(azp=name)))
    names = [line.get("client_id") for line in told.lines("request")]
    assert names == [None, "ä" * 255, '"}{"event": "forged']  # the first is no name, and its token was refused


def test_who_watches_is_heard_on_debug_only(api: TestClient, issuer: FakeIssuer, told: Told) -> None:
    issuer.answers[JWKS] = lambda handler: reply(handler, b"", status=500)
    for path in ("/healthz", "/metrics", "/readyz"):
        api.get(path)
    assert [line["level"] for line in told.lines("request")] == ["debug", "debug", "info"]


def test_HT10_an_unexpected_error_is_found_by_its_trace(api: TestClient, told: Told) -> None:
    async def broken() -> None:
        raise RuntimeError(f"first\nsecond {JWT}")

    assert isinstance(api.app, FastAPI)
    api.app.add_api_route("/broken/{thing}", broken)
    answer = api.get("/broken/canary", headers={"traceparent": TRACEPARENT})
    assert answer.json() == {
        "error": "server_error",
        "error_description": f"Something went wrong here; the log calls it {TRACE_ID}",
    }
    line = told.line("unexpected error")
    assert (line["trace_id"], line["level"]) == (TRACE_ID, "error")
    assert "RuntimeError: first\nsecond [redacted]" in line["exception"]
    assert told.line()["status"] == 500
    assert "canary" not in told.stream.getvalue()


def test_HT9_an_unexpected_error_of_the_database_does_not_tell_the_note(
    api: TestClient, issuer: FakeIssuer, told: Told, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "notes.db") as connection:
        connection.execute("CREATE TRIGGER no BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'no'); END")
    connection.close()
    answer = api.post("/notes", headers=bearer(issuer.token()), json={"text": "canary"})
    assert answer.status_code == 500
    assert "IntegrityError" in told.line("unexpected error")["exception"]
    assert "canary" not in told.stream.getvalue()


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [""],
        [TRACEPARENT, TRACEPARENT],
        [TRACEPARENT, ""],
        [TRACEPARENT.upper()],
        [f" {TRACEPARENT}x"],
        [f"{TRACEPARENT}-"],
        [f"{TRACEPARENT}-what-the-future-will-bring"],
        [f"{TRACEPARENT}\t,{TRACEPARENT}"],
        [TRACEPARENT.replace("00-", "ff-", 1)],
        [TRACEPARENT.replace("00-", "cc-", 1) + "x"],
        [f"00-{'0' * 32}-{PARENT_ID}-01"],
        [f"00-{TRACE_ID}-{'0' * 16}-01"],
        [f"00-{TRACE_ID}-{PARENT_ID}"],
        [f"00-{TRACE_ID}-{PARENT_ID}-1"],
        [f"00-{TRACE_ID[:-1]}g-{PARENT_ID}-01"],
        [f"00-{TRACE_ID}-{PARENT_ID}-0\u0661"],
        ["x" * 60_000],
    ],
    ids=repr,
)
def test_what_is_no_traceparent_begins_a_new_trace(api: TestClient, told: Told, sent: list[str]) -> None:
    for _ in range(2):
        answer = api.get("/public", headers=[(b"traceparent", value.encode()) for value in sent])
        assert answer.status_code == 200
    ids = {line["trace_id"] for line in told.lines("request")}
    assert len(ids) == 2
    assert TRACE_ID not in ids
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


@pytest.mark.parametrize(
    "sent", [TRACEPARENT, TRACEPARENT[:-2] + "00", "cc" + TRACEPARENT[2:], f"cc{TRACEPARENT[2:]}-what-comes"]
)
def test_a_trace_goes_on(api: TestClient, told: Told, sent: str) -> None:
    api.get("/public", headers={"traceparent": sent})
    assert told.line()["trace_id"] == TRACE_ID


class Passed:
    """The traceparents that reached the issuer."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self.issuer = issuer
        self.headers: list[list[str]] = []
        issuer.answers |= {METADATA: self.answer, JWKS: self.answer}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.headers.append(handler.headers.get_all("traceparent", []))
        assert handler.headers["tracestate"] is None
        self.issuer.answer(handler)


@pytest.mark.parametrize("flags", ["00", "01"])
def test_the_trace_is_passed_on_with_fresh_spans(api: TestClient, issuer: FakeIssuer, flags: str) -> None:
    passed = Passed(issuer)
    sent = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-{flags}", "tracestate": "vendor=canary"}
    assert api.get("/me", headers={**bearer(issuer.token()), **sent}).status_code == 200
    (metadata,), (jwks,) = passed.headers
    spans = {re.fullmatch(f"00-{TRACE_ID}-([0-9a-f]{{16}})-{flags}", each) for each in (metadata, jwks)}
    assert None not in spans
    assert len({match[1] for match in spans if match} | {PARENT_ID}) == 3


def test_failed_fetches_say_why(start_api: StartApi, issuer: FakeIssuer, told: Told) -> None:
    issuer.jwks = {"keys": [jwk("\x1b[2J\r\nforged", rsa_key()) | {"n": "!" * 400}]}
    start_api().get("/readyz")
    line = told.line("keys not fetched")
    assert (line["level"], line["kind"]) == ("warning", "unusable")
    assert told.line("a key of the issuer cannot be read")["level"] == "warning"
    assert keys.COOL_DOWN  # one line for each fetch, not for each request
    assert len(told.lines("keys not fetched")) == 1


# ── the formatter by itself ─────────────────────────────────────────────────────────────────────────────────────────


def formatted(message: str, *, for_people: bool, **fields: object) -> str:
    logger = logging.getLogger("some.library")
    record = logger.makeRecord(logger.name, logging.INFO, __file__, 1, message, (), None, extra=fields)
    return logs.formatter(for_people=for_people).format(record)


both_kinds = pytest.mark.parametrize("for_people", [True, False], ids=["text", "json"])


@both_kinds
@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (f"Authorization: Bearer {JWT}", {}),
        ("sent Bearer c2lnbmF0dXJl", {}),
        ("sent bearer  c2lnbmF0dXJl", {}),
        ("sent Basic c2lnbmF0dXJl", {}),
        (f"got {JWT}, it seems", {}),
        (f"the first two parts: {JWT.rpartition('.')[0]}", {}),
        ("GET /callback?code=c2lnbmF0dXJl&state=c2lnbmF0dXJl", {}),
        ("refresh_token=c2lnbmF0dXJl&client_secret=c2lnbmF0dXJl", {}),
        ("postgresql://user:c2lnbmF0dXJl@host/notes", {}),
        ("x", {"Authorization": "c2lnbmF0dXJl"}),
        ("x", {"access_token": "c2lnbmF0dXJl"}),
        ("x", {"client_secret": "c2lnbmF0dXJl"}),
        ("x", {"password": "c2lnbmF0dXJl"}),
        ("x", {"code_verifier": "c2lnbmF0dXJl"}),
        ("x", {"code": "c2lnbmF0dXJl"}),
        ("x", {"set_cookie": "c2lnbmF0dXJl"}),
        ("x", {"headers": {"authorization": "c2lnbmF0dXJl"}}),
        ("x", {"headers": [("a", [f"Bearer {JWT}"])]}),
        ("x", {"thing": Exception(f"Bearer {JWT}")}),
        ("x", {"thing": f"Bearer {JWT}".encode()}),
    ],
    ids=repr,
)
def test_secrets_are_taken_out_whoever_logs_them(for_people: bool, message: str, fields: dict[str, object]) -> None:
    line = formatted(message, for_people=for_people, **fields)
    assert "[redacted]" in line
    assert "c2lnbmF0dXJl" not in line
    assert "eyJzdWIi" not in line


@both_kinds
@pytest.mark.parametrize("value", ["The access token cannot be used as a bearer token", "native-app", "rsa", "ETag"])
def test_our_own_sentences_stay(for_people: bool, value: str) -> None:
    assert value in formatted(value, for_people=for_people)
    assert value in formatted("x", for_people=for_people, description=value)


@both_kinds
@given(st.text(), st.text())
def test_HT9_whatever_is_logged_stays_one_line(for_people: bool, message: str, value: str) -> None:
    line = formatted(message.replace("%", ""), for_people=for_people, value=value, nested={value: [value]})
    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]", line)


@both_kinds
def test_HT9_long_values_are_cut(for_people: bool) -> None:
    line = formatted("x" * 1_000_000, for_people=for_people, value=["y" * 1_000_000, *range(100_000)])
    assert len(line) < 4 * logs.LONGEST_VALUE


def test_a_traceback_cannot_forge_a_line() -> None:
    try:
        raise ValueError("boom\n2026-01-01T00:00:00Z [info     ] forged\x1b[2J")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it failed", (), (type(error), error, None))
        first, *rest = logs.formatter(for_people=True).format(record).splitlines()
    assert "it failed" in first
    assert all(line.startswith("    ") for line in rest)
    assert "\x1b" not in "".join(rest)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.mark.usefixtures("untouched_logging")
@pytest.mark.parametrize(
    ("make", "wanted", "is_json"),
    [
        (io.StringIO, "auto", True),
        (_Terminal, "auto", False),
        (_Terminal, "json", True),
        (io.StringIO, "text", False),
    ],
)
def test_programs_read_json_and_people_text(
    make: Callable[[], io.StringIO], wanted: logs.LogFormat, is_json: bool
) -> None:
    stream = make()
    logs.configure(wanted, "warning", stream)
    logging.getLogger("anybody").info("not worth a line")
    logging.getLogger("anybody").warning("worth one")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("{") == is_json
    assert ("\x1b" in line) == (wanted == "auto" and not is_json)


def test_the_clock_of_a_test_is_not_the_clock_of_a_duration(start_api: StartApi, clock: Clock, told: Told) -> None:
    api = start_api()
    clock.advance(-1_000_000)
    api.get("/public")
    assert told.line()["ms"] >= 0
