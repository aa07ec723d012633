"""Sweeping: what can decide nothing goes, spent markers outlive their family (security case B23)."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.attacks.judge import WEB_APP, interaction_of, logged_in, on_sqlite
from tests.stage import ALICE, BOB, Browser, Pkce, Stage

DAY = 86400
OFFLINE = {"scopes": {"read:notes": ""}, "allow_offline_access": True}
FAMILY = ("grants", "authorization_codes", "refresh_tokens", "access_tokens")


def count(stage: Stage) -> dict[str, int]:
    return {table: stage.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in FAMILY}  # noqa: S608 - constants


def redeemed(stage: Stage, **changed: Any) -> tuple[str, Pkce, dict[str, Any]]:
    """A code with its verifier, and what it gave."""
    pkce = Pkce()
    code = stage.code(pkce, **changed)
    return code, pkce, stage.redeem(code, pkce).json()


def test_a_spent_token_is_recognised_after_any_number_of_sweeps(stage: Stage) -> None:
    stage.configure_client("native-app", refresh_token={"idle_token_lifetime": 20 * DAY, "token_lifetime": 30 * DAY})
    browser = stage.browser()
    code, pkce, first = redeemed(stage, browser=browser)
    spent = first["refresh_token"]
    newest = stage.refresh(spent).json()
    for _ in range(14):
        stage.clock.advance(2 * DAY)
        swept = stage.sweep()
        assert swept["revoked grants"] == swept["codes"] == swept["refresh tokens"] == 0
        newest = stage.refresh(newest["refresh_token"]).json()
    # On day 28 the thief comes with the very first token.
    assert stage.bad_grant(stage.refresh(spent))
    assert "RefreshTokenReused" in stage.events()
    assert stage.bad_grant(stage.refresh(newest["refresh_token"]))
    assert stage.userinfo(newest["access_token"]).status_code == 401

    code, pkce, first = redeemed(stage, browser=browser)
    stage.clock.advance(9 * DAY)
    stage.sweep()
    assert stage.bad_grant(stage.redeem(code, pkce))
    assert stage.events()[-2:] == ["CodeReplayed", "CodeRefused"]
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))


def test_a_live_family_is_never_touched(stage: Stage) -> None:
    _, _, tokens = redeemed(stage)
    stage.refresh(tokens["refresh_token"])
    waiting = Pkce()
    code = stage.code(waiting, browser=logged_in(stage))
    before = {table: stage.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in FAMILY}  # noqa: S608 - constants
    for _ in range(3):
        stage.sweep()
    assert {table: stage.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in FAMILY} == before  # noqa: S608 - constants
    assert stage.redeem(code, waiting).status_code == 200
    # Access tokens go a day after their end; what the person approved, and the refresh tokens, stay.
    stage.clock.advance(2 * DAY - 1)
    assert stage.sweep()["access tokens"] == 0
    stage.clock.advance(1)
    assert stage.sweep()["access tokens"] == 3
    assert count(stage) == {"grants": 2, "authorization_codes": 2, "refresh_tokens": 3, "access_tokens": 0}


def test_a_revoked_family_goes_when_nothing_of_it_could_be_presented(stage: Stage) -> None:
    stage.configure_client("native-app", refresh_token={"idle_token_lifetime": 5 * DAY, "token_lifetime": 10 * DAY})
    began = stage.clock()
    code, pkce, tokens = redeemed(stage)
    newest = stage.refresh(tokens["refresh_token"]).json()["refresh_token"]
    stage.tokens(user=BOB)
    live = count(stage)
    stage.revoke(newest)
    for seconds in (0, DAY, 2 * DAY, 6 * DAY - 1):
        stage.clock.now = began + seconds
        assert stage.sweep()["revoked grants"] == 0, seconds
        for presented in (newest, tokens["refresh_token"]):
            assert stage.bad_grant(stage.refresh(presented))
    assert count(stage) == {**live, "access_tokens": 0}
    # Past the idle end of its last token, and a day. Of the other family remains that it was approved once.
    stage.clock.now = began + 6 * DAY
    assert stage.sweep()["revoked grants"] == 1
    assert count(stage) == {"grants": 1, "authorization_codes": 0, "refresh_tokens": 0, "access_tokens": 0}
    assert [row["user_id"][-1] for row in stage.rows("SELECT user_id FROM grants")] == ["2"]
    # The answers are the same as before.
    assert stage.bad_grant(stage.redeem(code, pkce))
    for presented in (newest, tokens["refresh_token"]):
        assert stage.bad_grant(stage.refresh(presented))


@on_sqlite
def test_a_revoked_family_stays_while_a_part_of_it_lives(stage: Stage) -> None:
    """A code, an access token, or a refresh token that never expires keeps the record of what was revoked."""
    browser = stage.browser()

    def lives(token_lifetime: int) -> dict[str, object]:
        """Log in for an access token of this many seconds and no refresh token, and revoke it all."""
        settings = json.dumps({"scopes": {"read:notes": ""}, "token_lifetime": token_lifetime})
        stage.change("UPDATE resource_servers SET settings = :settings", settings=settings)
        tokens = stage.tokens(browser=browser, scope="openid read:notes")
        stage.change("UPDATE grants SET revoked_at = :now", now=stage.clock())
        return tokens

    lives(token_lifetime=1)
    stage.clock.advance(DAY + stage.settings.code_lifetime - 1)
    assert stage.sweep()["revoked grants"] == 0
    stage.clock.advance(1)
    assert stage.sweep()["revoked grants"] == 1

    online = lives(token_lifetime=10 * DAY)
    stage.clock.advance(10 * DAY - 1)
    assert stage.sweep()["revoked grants"] == 0
    assert stage.userinfo(str(online["access_token"])).status_code == 401
    stage.clock.advance(1)
    assert stage.sweep()["revoked grants"] == 1

    stage.change("UPDATE resource_servers SET settings = :settings", settings=json.dumps(OFFLINE))
    stage.configure_client("native-app", refresh_token={"expiration_type": "non-expiring"})
    for_ever = stage.tokens(browser=browser)["refresh_token"]
    stage.revoke(for_ever)
    stage.clock.advance(1000 * DAY)
    assert stage.sweep()["revoked grants"] == 0
    assert stage.bad_grant(stage.refresh(for_ever))


@on_sqlite
def test_what_nobody_finished_goes_after_a_day(stage: Stage) -> None:
    browser, other = stage.browser(), stage.browser()
    page = browser.log_in(stage.authorize(browser))  # an interaction, an attempt, a session
    other.submit(other.follow(stage.authorize(other)), username=ALICE, password="wrong")
    bobs = stage.browser()
    stage.code(Pkce(), browser=bobs, user=BOB, **WEB_APP)
    bobs.get(stage.issuer + "v2/logout")
    began = stage.clock()
    for lifetime, gone in (
        (0, {"login attempts": 3, "login sessions": 1}),
        (stage.settings.code_lifetime, {"codes": 1}),
        (stage.settings.interaction_lifetime, {"interactions": 3}),
    ):
        stage.clock.now = began + lifetime + DAY - 1
        assert set(stage.sweep().values()) == {0}, gone
        stage.clock.now += 1
        assert {name: number for name, number in stage.sweep().items() if number} == gone
    assert stage.rows("SELECT 1 FROM interactions") == stage.rows("SELECT 1 FROM login_attempts") == []
    # The living session stays, and what the other one had approved.
    assert len(stage.rows("SELECT 1 FROM login_sessions")) == len(stage.rows("SELECT 1 FROM grants")) == 1
    assert "/u/consent" in stage.authorize(browser).headers["location"]
    assert browser.get(f"{stage.issuer}authorize/resume?state={interaction_of(page)}").status_code == 400
    assert set(stage.sweep().values()) == {0}


def test_B23_sweeping_all_the_while_spends_and_revives_nothing(stage: Stage) -> None:
    browser: Browser = stage.browser()
    stage.code(Pkce(), browser=browser)
    done, sweeps, failures = threading.Event(), [0], list[BaseException]()

    def keep_sweeping() -> None:
        try:
            while not done.is_set():
                stage.sweep()
                sweeps[0] += 1
        except BaseException as failure:  # for the test's own thread to see
            failures.append(failure)

    sweeper = threading.Thread(target=keep_sweeping)
    sweeper.start()
    try:
        for _ in range(8):
            code, pkce, tokens = redeemed(stage, browser=browser)
            stage.clock.advance(3000)
            newest = stage.refresh(tokens["refresh_token"]).json()
            assert stage.userinfo(newest["access_token"]).status_code == 200
            assert stage.bad_grant(stage.redeem(code, pkce))
            assert stage.bad_grant(stage.refresh(newest["refresh_token"]))
    finally:
        done.set()
        sweeper.join()
    assert failures == []
    assert sweeps[0] >= 8
    assert count(stage)["refresh_tokens"] == 16
    assert stage.events().count("CodeReplayed") == 8


@pytest.mark.parametrize("artefact", ["code", "refresh_token"])
@on_sqlite
def test_what_expired_is_refused_alike_before_and_after(stage: Stage, artefact: str) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    if artefact == "code":
        stage.clock.advance(61)
        before = stage.redeem(code, pkce)
        stage.clock.advance(2 * DAY)
        assert stage.sweep()["codes"] == 1
        after = stage.redeem(code, pkce)
    else:
        token = stage.redeem(code, pkce).json()["refresh_token"]
        stage.clock.advance(40 * DAY)
        before = stage.refresh(token)
        stage.sweep()
        after = stage.refresh(token)
    assert stage.bad_grant(before)
    assert (before.status_code, before.json()) == (after.status_code, after.json())
    assert "CodeReplayed" not in stage.events()
    assert "RefreshTokenReused" not in stage.events()


@on_sqlite
@pytest.mark.parametrize("end", ["idle_session_lifetime", "session_lifetime"])
def test_a_session_that_ended_by_itself_goes_after_a_day(raise_stage: Callable[..., Stage], end: str) -> None:
    stage = raise_stage(**{"idle_session_lifetime": 10 * DAY, "session_lifetime": 20 * DAY, end: 2 * DAY})
    browser = logged_in(stage)
    for seconds, gone in ((2 * DAY - 1, 0), (1, 0), (DAY - 1, 0), (1, 1)):
        stage.clock.advance(seconds)
        before = stage.browser()
        before.http.cookies.update(browser.http.cookies)
        asked = stage.authorize(before).headers["location"]
        assert stage.sweep()["login sessions"] == gone, seconds
        again = stage.authorize(before).headers["location"]
        assert asked.partition("?")[0] == again.partition("?")[0], "swept or not, the answer is the same"


def test_a_family_that_died_out_leaves_only_the_approval(stage: Stage) -> None:
    stage.configure_client("native-app", refresh_token={"idle_token_lifetime": 5 * DAY, "token_lifetime": 30 * DAY})
    browser = stage.browser()
    code, pkce, tokens = redeemed(stage, browser=browser)
    newest = stage.refresh(tokens["refresh_token"]).json()["refresh_token"]
    stage.clock.advance(6 * DAY - 1)
    stage.sweep()
    assert count(stage) == {"grants": 1, "authorization_codes": 1, "refresh_tokens": 2, "access_tokens": 0}
    stage.clock.advance(1)
    swept = stage.sweep()
    assert (swept["codes"], swept["refresh tokens"], swept["revoked grants"]) == (1, 2, 0)
    assert count(stage) == {"grants": 1, "authorization_codes": 0, "refresh_tokens": 0, "access_tokens": 0}
    for presented in (newest, tokens["refresh_token"]):
        assert stage.bad_grant(stage.refresh(presented))
    assert stage.bad_grant(stage.redeem(code, pkce))
    assert stage.rows("SELECT revoked_at FROM grants") == [{"revoked_at": None}]


@pytest.mark.parametrize("replayed", ["code", "refresh_token"])
@on_sqlite
def test_B23_a_marker_stays_while_an_access_token_of_its_family_lives(stage: Stage, replayed: str) -> None:
    """The refresh tokens are past their idle end, but what a thief got with one still opens userinfo."""
    month = json.dumps({**OFFLINE, "token_lifetime": 30 * DAY})
    stage.change("UPDATE resource_servers SET settings = :settings", settings=month)
    stage.configure_client("native-app", refresh_token={"idle_token_lifetime": DAY, "token_lifetime": 60 * DAY})
    code, pkce, tokens = redeemed(stage)
    newest = stage.refresh(tokens["refresh_token"]).json()
    stage.clock.advance(20 * DAY)
    swept = stage.sweep()
    assert (swept["codes"], swept["refresh tokens"]) == (0, 0)
    assert stage.userinfo(newest["access_token"]).status_code == 200
    again = stage.redeem(code, pkce) if replayed == "code" else stage.refresh(tokens["refresh_token"])
    assert stage.bad_grant(again)
    assert stage.userinfo(newest["access_token"]).status_code == 401
