"""For scripts: `--json`, `token`, and what the sentences say in a container."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from client.app import NativeApp
from client.store import open_store
from tests.client.conftest import Cli, Run, Said, end, log_in, visit
from tests.client.fake_server import SUBJECT, Answer, FakeApi, FakeIssuer

ALICE = {"sub": SUBJECT, "name": "Alice", "email": "alice@example.com"}


def test_json_of_every_command(cli: Cli, app: NativeApp, issuer: FakeIssuer) -> None:
    issuer._now = time.time  # commands are not on the test's clock
    log_in(app)

    def document(*arguments: str) -> Any:
        return cli(*arguments, "--json").document

    assert document("notes") == [{"id": "n1", "text": "Buy milk", "created_at": 0}]
    assert document("add", "\x1b[2J ünï")["text"] == "\x1b[2J ünï"
    assert document("whoami")["sub"] == SUBJECT
    tokens = document("refresh")
    assert tokens.pop("expires_at").startswith("20")
    assert 3500 < tokens.pop("expires_in") <= 3600
    assert tokens == {
        "account": ALICE,
        "scope": "openid profile email offline_access read:notes write:notes",
        "refresh_token": "file",
        "clock_difference": 0,
    }
    status = document("status")
    assert status["issuer"] == issuer.issuer
    assert status["account"] == ALICE
    assert document("use", "Alice") == ALICE
    assert [one["account"] for one in document("accounts")] == [ALICE]
    assert document("logout") == {"account": ALICE, "was_logged_in": True, "problem": None}
    assert document("logout") == {"account": None, "was_logged_in": False, "problem": None}


@pytest.mark.usefixtures("callback_ports")
def test_json_of_a_login(start: Run) -> None:
    process = start("login", "--no-browser", "--json")
    assert process.stderr is not None
    url = next(line for line in process.stderr if line.startswith("http"))
    visit(url.strip())
    out, _ = process.communicate(timeout=60)
    found = json.loads(out)
    assert found["account"] == ALICE
    assert found["is_who_was_asked_for"] is True
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (["notes"], 3, "login_needed"),
        (["status"], 3, "login_needed"),
        (["use", "x"], 3, "login_needed"),
        (["login", "--issuer", "http://127.0.0.1:9/"], 4, "unavailable"),
        (["login", "--scope", "x"], 2, "settings"),
        (["login", "--token-store", "keyring"], 8, "store"),
        (["notes", "--account", "a\x1b[2Jb"], 2, "settings"),
        (["nonsense"], 2, "usage"),
        (["add"], 2, "usage"),
        (["notes", "--bogus"], 2, "usage"),
    ],
)
def test_json_of_errors(cli: Cli, arguments: list[str], status: int, error: str) -> None:
    answer = cli(*arguments, "--json", status=status)
    assert not answer.out
    (line,) = answer.err.splitlines()
    said = json.loads(line)
    assert set(said) == {"error", "message", "hint", "exit_code"}
    assert (said["error"], said["exit_code"]) == (error, status)
    assert said["message"]


def test_insufficient_scope_has_a_name_of_its_own(cli: Cli, app: NativeApp, api: FakeApi) -> None:
    log_in(app)
    api.always("/notes", Answer(403, {}, {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="x"'}))
    said = json.loads(cli("notes", "--json", status=5).err)
    assert said["error"] == "insufficient_scope"


def test_token_is_for_other_programs(cli: Cli, app: NativeApp, issuer: FakeIssuer) -> None:
    def said(one: Said) -> tuple[str, str]:
        return one.out, one.err

    tokens = log_in(app).tokens
    assert said(cli("token")) == ("access-1\n", "")
    open_store(app.settings).save(replace(tokens, expires_at=0.0))
    assert said(cli("token")) == ("access-2\n", ""), "refreshed first"
    assert len(issuer.asked("/oauth/token")) == 2


def test_in_a_container_the_page_is_where_one_logs_in(cli: Cli) -> None:
    page = "http://localhost:8400/"
    for arguments in (["notes"], ["notes", "--account", "bob@example.com"], ["accounts"]):
        said = cli(*arguments, CLIENT_PAGE_URL=page, status=0 if arguments == ["accounts"] else 3)
        assert f"Log in at {page}" in said.out + said.err
        assert "client login" not in said.out + said.err
    told = cli("login", CLIENT_PAGE_URL=page, status=7).err
    assert "container" in told
    assert page in told
    assert "it carries a user name" in cli("notes", CLIENT_PAGE_URL="http://evil@x/", status=2).err


def test_hints_call_the_program_as_the_person_did(start: Run) -> None:
    said = end(start("notes", CLIENT_PROGRAM="client"), status=3)
    assert "Log in: client login" in said
    assert "/python -m client login" in end(start("notes"), status=3)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_CL19_a_wrong_clock_is_mentioned(cli: Cli, app: NativeApp, issuer: FakeIssuer, minutes: int) -> None:
    """Commands are on the machine's clock, so here the server's is the wrong one; who can tell?"""
    app._now = time.time
    issuer._now = lambda: time.time() + minutes * 60
    log_in(app)
    word = "behind" if minutes > 0 else "ahead of"
    for command in ("status", "refresh"):
        assert f"clock is about 10 min {word} the server's" in cli(command).out
    issuer._now = time.time
    cli("refresh")
    assert "This computer's clock" not in cli("status").out
