"""What happened, under the codes of Auth0's log: on the ledger, in the log lines, and by `python -m authserver logs`."""

import json
import subprocess
import sys

import pytest

from authserver import events
from authserver.events import Event
from authserver.log_types import LOG_TYPES, as_log
from authserver.store import journal
from authserver.store.engine import Database
from tests.attacks.judge import both_dialects, on_sqlite
from tests.proves import proves
from tests.stage import ALICE, API, MALLORY, Browser, Pkce, Stage


def log(stage: Stage) -> list[str]:
    """The codes of what has happened so far, in order; our own name where Auth0 has none."""
    database = Database(stage.settings.database_url)
    try:
        with database.read() as db:
            return [str(as_log(row)["type"]) for row in journal.read_last(db, 100)]
    finally:
        database.close()


def test_every_event_has_been_decided_about() -> None:
    ours = {each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)} - {Event}
    assert ours == set(LOG_TYPES)


@both_dialects
@proves("the log", "s", "seacft", "sertft", "slo", "seccft", "srrt")
def test_what_goes_well(stage: Stage) -> None:
    browser = stage.browser()
    tokens = stage.tokens(browser=browser)
    refreshed = stage.refresh(tokens["refresh_token"]).json()
    stage.revoke(refreshed["refresh_token"])
    browser.get(stage.issuer + "v2/logout")
    data = {"grant_type": "client_credentials", "audience": API}
    stage.http.post("/oauth/token", data=data, auth=stage.basic("backend"))
    assert log(stage) == ["s", "AuthorizationGranted", "seacft", "sertft", "srrt", "slo", "seccft"]


@both_dialects
@proves("the log", "fp", "fu", "f", "limit_wc")
def test_logins_that_fail(stage: Stage) -> None:
    def log_in(username: str, password: str) -> Browser:
        browser = stage.browser()
        browser.log_in(stage.authorize(browser), username, password)
        return browser

    log_in(ALICE, "wrong")
    log_in("nobody@example.com", "wrong")
    log_in(MALLORY, "understudy")
    assert log(stage) == ["fp", "fu", "f", "f"], "who is blocked failed, and the application is told so"
    for _ in range(10):
        log_in(ALICE, "wrong")
    assert log(stage)[-1] == "limit_wc"


@both_dialects
@proves("the log", "feacft", "fertft", "ferrt")
def test_exchanges_that_fail(stage: Stage) -> None:
    stage.redeem("unknown", Pkce())
    stage.refresh("unknown")
    first = stage.tokens()["refresh_token"]
    stage.refresh(first)
    stage.refresh(first)
    assert log(stage) == ["feacft", "fertft", "s", "AuthorizationGranted", "seacft", "sertft", "ferrt", "fertft"]


@on_sqlite
def test_the_command_shows_the_newest_last(stage: Stage) -> None:
    stage.tokens()
    command = [sys.executable, "-m", "authserver", "logs", "--database-url", stage.settings.database_url]

    def run(*options: str) -> list[str]:
        return subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout.splitlines()

    told = [json.loads(line) for line in run("--as-json", "--last", "2")]
    assert [each["type"] for each in told] == ["AuthorizationGranted", "seacft"]
    assert told[1]["client_id"] == "native-app"
    assert told[1]["date"].endswith("Z")
    assert [line.split()[1] for line in run()] == ["s", "-", "seacft"]


@on_sqlite
def test_the_command_says_when_nothing_has_happened(stage: Stage) -> None:
    command = [sys.executable, "-m", "authserver", "logs", "--database-url", stage.settings.database_url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "Nothing has happened yet.\n"


@pytest.mark.parametrize("reason", ["wrong password", None])
def test_a_log_carries_the_reason_alone(reason: str | None) -> None:
    row = {
        "id": 1,
        "at": 0,
        "type": "LoginFailed",
        "client_id": "c",
        "user_id": None,
        "grant_id": None,
        "reason": reason,
    }
    assert as_log(row).get("description") == reason
