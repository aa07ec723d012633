"""Log lines: one for each request and event, none that tells a secret, none that can be forged (HT8, HT9).

Rooms: authserver/logs.py, authserver/exchanges.py, authserver/store/engine.py
"""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from authserver.events import Event, LoginFailed
from authserver.store import journal
from authserver.store.engine import Database
from tests.conftest import Prepared
from tests.processes import ROOT, Served, served
from tests.stage import http_client

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def backend() -> str:
    return "sqlite"


def lines(server: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.read_text().splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_HT8_a_request_is_one_line_without_what_its_sender_wrote(
    prepared: Prepared, tmp_path: Path, workers: int
) -> None:
    options = ("--workers", str(workers), "--log-level", "debug")
    with (
        served(tmp_path, *options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server,
        http_client(base_url=server.issuer) as http,
    ):
        http.get("/mark-path/of?mark=query", headers={"traceparent": TRACEPARENT})
        http.get("/authorize", params={"client_id": "native-app", "state": "mark-state"})
        refused = {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": "mark-token"}
        http.post("/oauth/token", data=refused)
        http.request("MARK", "/healthz")
        assert server.stop() == 0
    told = lines(server)
    requests = [line for line in told if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "other", 404),
        ("GET", "/authorize", 400),
        ("POST", "/oauth/token", 403),
        ("other", "/healthz", 405),
    ]
    missing, authorize, token, _ = requests
    assert missing["trace_id"] == TRACEPARENT.split("-")[1]
    assert (authorize["client_id"], authorize["refusal"]) == ("native-app", "UntrustedRequest")
    assert (token["client_id"], token["error"], token["refusal"]) == ("native-app", "invalid_grant", "BadRefreshToken")
    (event,) = (line for line in told if line["event"] == "RefreshTokenRefused")
    assert (event["trace_id"], event["pid"], event["level"]) == (token["trace_id"], token["pid"], "info")
    assert all(line["pid"] != server.process.pid for line in requests) is (workers > 1)
    assert all(line["ms"] >= 0 for line in requests)
    assert "mark" not in server.log.read_text().lower().replace("remark", "")


def test_HT8_an_unexpected_exception_is_one_line_that_the_answer_refers_to(prepared: Prepared, tmp_path: Path) -> None:
    url = prepared.copy(tmp_path)
    with (
        served(tmp_path, AUTHSERVER_DATABASE_URL=url) as server,
        http_client(base_url=server.issuer) as http,
    ):
        database = Database(url)
        with database.write() as db:
            db.execute(text("UPDATE clients SET settings = '[1]'"))
        database.close()
        answered = http.get("/authorize", params={"client_id": "native-app", "state": "mark"})
        assert server.stop() == 0
    (line,) = (line for line in lines(server) if line["event"] == "unexpected exception")
    assert answered.status_code == 500
    assert line["reference"] in answered.text
    assert (line["level"], line["exception"].splitlines()[0]) == ("error", "Traceback (most recent call last):")
    assert "Traceback" not in answered.text
    assert line["trace_id"] in {line["trace_id"] for line in lines(server) if line["event"] == "request"}


def test_the_operator_chooses_form_and_level(prepared: Prepared, tmp_path: Path) -> None:
    options = ("--log-format", "text")
    with (
        served(tmp_path, *options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server,
        http_client(base_url=server.issuer) as http,
    ):
        http.get("/healthz")
        http.get("/.well-known/jwks.json")
        server.stop()
        told = server.log.read_text()
    assert "method=GET route=/.well-known/jwks.json status=200" in told
    assert "/healthz" not in told
    with (
        served(tmp_path, "--log-level", "error", AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server,
        http_client(base_url=server.issuer) as http,
    ):
        http.get("/.well-known/jwks.json")
        server.stop()
        assert server.log.read_text() == ""


def written(form: str, values: list[str]) -> list[str]:
    """What both kinds of logger write for each of `values`: as a fact, as a message, as an exception."""
    script = """
import json, logging, sys
from authserver import logs
from authserver.settings import Settings
told = logs.configure(Settings(log_format=sys.argv[1], log_level="debug"))
for value in json.loads(sys.stdin.read()):
    told.info("x", reason=value)
    logging.getLogger("authserver").warning("%s", value)
    try:
        raise ValueError(value)
    except ValueError:
        logging.getLogger("authserver").exception("y")
logging.getLogger("sqlalchemy.engine").info("rows")
logging.getLogger("sqlalchemy.engine").debug("rows")
"""
    run = [sys.executable, "-c", script, form]
    done = subprocess.run(run, input=json.dumps(values), cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.endswith("\n")
    return done.stderr[:-1].split("\n")  # and not splitlines, which would forgive other ends of lines


HOSTILE = [
    'mark\r\n{"event": "forged"}',
    "mark\n2026-01-01T00:00:00Z [info     ] forged",
    "mark\x1b[2J\x1b]0;title\x07\x9b31m\x00\u2028\u2029\x85\u202e\u200b",
    "mark \ud800 \U0001f600 é",
    "mark" + " A" * 500_000,
]


def test_HT9_whatever_is_logged_is_one_line_escaped_and_cut() -> None:
    told = written("json", HOSTILE)
    assert len(told) == 3 * len(HOSTILE)
    for line in told:
        assert line.isascii()
        assert line.isprintable()
        assert len(line) < 4096
        assert json.loads(line)["event"]


def test_HT9_nor_can_a_terminal_be_commanded() -> None:
    told = written("text", HOSTILE)
    assert all(line.isprintable() for line in told), [line for line in told if not line.isprintable()]
    assert all(len(line) < 4096 for line in told)
    # A traceback has lines of its own; they are those of no message.
    assert sum("[info]" in line or "[warning]" in line or "[error]" in line for line in told) == 3 * len(HOSTILE)


SECRETS = {
    "JWT": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0In0.c2lnbmF0dXJl",
    "bearer": "Bearer mF_9.B5f-4.1JqM",
    "basic": "basic YmFja2VuZDpzZWNyZXQ=",
    "code": "SplxlOBeZQQYbYS6WxSbIA0123456789abcdef_-XYZ",
    "refresh token": "v1.MSplxlOBeZQQYbYS6WxSbIA0123456789abcdef_-XYZ0123456789abcdefghij",
    "form": "password=understudy&x=1",
    "query": "/authorize?client_id=a&state=af0ifjsldkj",
    "database": "postgresql://user:hunter22@db.example/name",
}


@pytest.mark.parametrize("form", ["json", "text"])
def test_HT8_the_shapes_of_secrets_do_not_pass(form: str) -> None:
    """A second wall: nothing of the kind is ever given to a logger."""
    told = "\n".join(written(form, list(SECRETS.values())))
    assert told.count("[redacted]") == 3 * len(SECRETS)
    for secret in ("c2lnbmF0dXJl", "mF_9", "YmFja2Vu", "SplxlOBe", "understudy&", "af0if", "hunter22"):
        assert secret not in told
    harmless = "grant 0123456789abcdefABCDEF of auth0|alice, kid 12345, http://localhost:9000/u/login"
    assert harmless in "\n".join(written(form, [harmless]))
    assert "rows" not in told


def test_HT8_an_error_of_the_database_does_not_tell_the_values(prepared: Prepared, tmp_path: Path) -> None:
    database = Database(prepared.copy(tmp_path))
    insert = text("INSERT INTO signing_keys (kid, private_key) VALUES (:kid, :private_key)")

    def write() -> None:
        with database.write() as db:
            db.execute(insert, {"kid": "k", "private_key": "mark"})

    with pytest.raises(IntegrityError) as error:
        write()
    database.close()
    assert "mark" not in str(error.value)


def test_HT8_an_event_is_told_once_it_is_true(prepared: Prepared, tmp_path: Path) -> None:
    """After the commit of its transaction, and not at all when that is rolled back."""
    database, told = Database(prepared.copy(tmp_path)), list[Event]()
    database.announce = told.append
    try:
        with database.write() as db:
            journal.record(db, 1, LoginFailed(reason="first"))
            assert told == []
        with suppress(LookupError), database.write() as db:
            journal.record(db, 1, LoginFailed(reason="second"))
            raise LookupError
        with database.write() as db:
            journal.record(db, 1, LoginFailed(reason="third"))
        with database.read() as db:
            held = [row["reason"] for row in journal.read(db)]
    finally:
        database.close()
    assert [event.reason for event in told] == held == ["first", "third"]


def test_HT8_a_full_disk_loses_lines_and_no_answer() -> None:
    script = """
from authserver import logs
from authserver.settings import Settings
full = open("/dev/full", "w", buffering=1)
told = logs.configure(Settings(log_format="json"), full)
for _ in range(1000):
    told.info("x", reason="y" * 100)
    told.warning("x")
print("goes on")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "goes on\n"
