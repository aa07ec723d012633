"""Signing keys: published before their first use, and for as long as anything that they signed may live."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import ValidationError
from sqlalchemy import text

from authserver import keys
from authserver.app import create_app
from authserver.keys import KEEP, LEAD
from authserver.settings import DEMO_TENANT, Settings
from authserver.store.engine import Database
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import on_sqlite, refusal
from tests.conftest import Prepared
from tests.stage import API, Browser, Stage, claims, header, verified

DAY = 86400
ROOT = Path(__file__).parents[2]


def mint(stage: Stage) -> str:
    """An access token for the API, now."""
    data = {"grant_type": "client_credentials", "audience": API}
    token: str = stage.http.post("/oauth/token", data=data, auth=stage.basic("backend")).json()["access_token"]
    return token


def signer(stage: Stage) -> str:
    kid: str = header(mint(stage))["kid"]
    return kid


def verifies(token: str, published: dict[str, dict[str, Any]]) -> bool:
    """Whether somebody who knows exactly these keys takes the token."""
    return header(token)["kid"] in published and bool(verified(token, published))


def test_JW3_a_key_is_published_before_its_first_use(stage: Stage) -> None:
    (old,) = stage.jwks()
    assert signer(stage) == old
    assert LEAD == 600
    (new,) = stage.rotate_keys()
    assert list(stage.jwks()) == [new, old]
    cached_elsewhere = stage.jwks()
    stage.clock.advance(LEAD - 1)
    assert signer(stage) == old
    stage.clock.advance(1)
    assert signer(stage) == new
    tokens = stage.tokens()
    assert {header(tokens[kind])["kid"] for kind in ("id_token", "access_token")} == {new}
    assert verifies(tokens["id_token"], cached_elsewhere)
    stage.restart()
    assert signer(stage) == new
    # Nobody may cache the document for as long as the lead.
    cache = stage.http.get("/.well-known/jwks.json").headers["cache-control"]
    assert int(cache.rpartition("max-age=")[2]) < LEAD
    # A key of doubtful repute: the next one signs at once.
    (urgent,) = stage.rotate_keys(lead=0)
    assert signer(stage) == urgent
    assert set(stage.jwks()) == {old, new, urgent}


def test_JW3_a_retired_key_stays_as_long_as_anything_it_signed(stage: Stage) -> None:
    longest = json.dumps({"scopes": {"read:notes": ""}, "token_lifetime": 30 * DAY})
    stage.change("UPDATE resource_servers SET settings = :settings", settings=longest)
    browser = stage.browser()
    (old,) = stage.jwks()
    stage.rotate_keys()
    stage.clock.advance(LEAD - 1)
    last = mint(stage)
    hint = stage.tokens(browser=browser)["id_token"]
    assert header(last)["kid"] == header(hint)["kid"] == old
    assert claims(last)["exp"] - claims(last)["iat"] == 30 * DAY
    for moment in (stage.clock() + 1, claims(hint)["exp"], claims(last)["exp"], claims(last)["iat"] + KEEP):
        stage.clock.now = moment
        assert stage.sweep()["signing keys"] == 0
        assert verifies(last, stage.jwks())
    # Retired at second `iat + 1`.
    stage.clock.advance(1)
    assert old not in stage.jwks()
    assert len(stage.jwks()) == 1
    assert stage.sweep()["signing keys"] == 1
    assert stage.sweep()["signing keys"] == 0
    assert refusal(stage, stage.authorize(browser, id_token_hint=hint)) == "invalid_request"
    assert verifies(mint(stage), stage.jwks())


def test_JW3_no_lifetime_outlasts_a_retired_key(tmp_path: Path) -> None:
    demo = yaml.safe_load(DEMO_TENANT.read_text())
    file = tmp_path / "long.yaml"
    assert KEEP == 31 * DAY
    for place, lifetime in (("jwt_configuration", "lifetime_in_seconds"), ("resourceServers", "token_lifetime")):
        for seconds in (30 * DAY, 30 * DAY + 1):
            changed = yaml.safe_load(yaml.safe_dump(demo))
            target = changed["clients"][0].setdefault(place, {}) if place == "jwt_configuration" else changed[place][0]
            target[lifetime] = seconds
            file.write_text(yaml.safe_dump(changed))
            if seconds == 30 * DAY:
                read_tenant_file(file)
            else:
                with pytest.raises(TenantFileError, match="less than or equal to 2592000"):
                    read_tenant_file(file)
    with pytest.raises(ValidationError, match="less than or equal to 2592000"):
        Settings(opaque_token_lifetime=30 * DAY + 1)


@contextmanager
def another_process(stage: Stage) -> Iterator[list[FastAPI]]:
    """This stage's application and one more on the same database: nothing in memory is shared."""
    assert stage.theatre.app is not None
    first, second = stage.theatre.app, create_app(stage.settings, now=stage.clock)
    yield [first, second]
    second.state.tenant.database.close()
    stage.theatre.app = first


def test_JW3_several_processes_switch_together(stage: Stage) -> None:
    with another_process(stage) as processes:

        def everywhere() -> tuple[str, ...]:
            """Who signs and who is published, by each process: one answer."""
            seen = set()
            for app in processes:
                stage.theatre.app = app
                token = mint(stage)
                assert verifies(token, stage.jwks())
                seen.add((header(token)["kid"], *stage.jwks()))
            (agreed,) = seen
            return agreed

        old = everywhere()[0]
        (new,) = stage.rotate_keys()
        assert everywhere() == (old, new, old)
        stage.clock.advance(LEAD - 1)
        assert everywhere()[0] == old
        stage.clock.advance(1)
        assert everywhere() == (new, new, old)
        # Two replicas rotate in the same second: both keys are published, and all agree on one.
        stage.rotate_keys()
        stage.rotate_keys()
        stage.clock.advance(LEAD)
        assert len(everywhere()) == 5
        stage.clock.advance(KEEP)
        everywhere()
        stage.sweep()
        # What one signed, the other takes as a hint and at userinfo.
        browser: Browser = stage.browser()
        stage.theatre.app = processes[0]
        tokens = stage.tokens(browser=browser)
        stage.theatre.app = processes[1]
        assert stage.userinfo(tokens["access_token"]).status_code == 200
        assert (
            refusal(stage, stage.authorize(browser, prompt="none", id_token_hint=tokens["id_token"]))
            == "consent_required"
        )


@on_sqlite
def test_B16_rotation_under_way_never_leaves_a_token_without_its_key(stage: Stage) -> None:
    """A second of this test is a minute elsewhere: keys rotate all the time, and an API refetches only when it must."""
    lead, caches = 10, deque[dict[str, dict[str, Any]]](maxlen=10 + 1)
    minted: list[str] = []
    for second in range(60):
        if second % 6 == 0:
            stage.rotate_keys(lead)
        if second % 20 == 7:
            abandon_rotation(stage)
        caches.append(stage.jwks())
        minted.append(mint(stage))
        # Also by the oldest document that an API may still hold.
        assert all(verifies(minted[-1], cache) for cache in caches), second
        stage.clock.advance(1)
    assert len({header(token)["kid"] for token in minted}) == 10
    assert len(stage.jwks()) == 11
    stage.sweep()
    assert all(verifies(token, stage.jwks()) for token in minted)


@on_sqlite
def test_B15_nobody_waits_while_a_key_is_made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An RSA key takes a hundred milliseconds; the write lock is free meanwhile."""
    make, made = RSAKey.generate_key, []

    def make_beside_another_writer(*arguments: Any, **more: Any) -> RSAKey:
        file = stage.settings.database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
            made.append(other.execute("BEGIN IMMEDIATE"))
        return make(*arguments, **more)

    monkeypatch.setattr(RSAKey, "generate_key", make_beside_another_writer)
    assert len(stage.rotate_keys()) == len(made) == 1


def abandon_rotation(stage: Stage) -> None:
    """A rotation that dies before its commit."""
    before = stage.jwks()
    database = Database(stage.settings.database_url)
    with database.write() as db:
        keys.generate(db, stage.clock(), keys.RS256, activates_at=stage.clock())
        db.rollback()
    database.close()
    assert stage.jwks() == before


def run(*arguments: str) -> str:
    """What an operator runs; its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "authserver", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@on_sqlite
def test_the_commands_rotate_and_sweep(prepared: Prepared, tmp_path: Path) -> None:
    url = prepared.copy(tmp_path)
    options = ("--database-url", url, "--issuer", "http://127.0.0.1:9/")
    lines = [run("rotate-keys", *lead, *options) for lead in ((), ("--lead", "0"))]
    kids = [line.removeprefix("published ").partition(",")[0] for line in lines]
    assert [line.partition(", ")[2] for line in lines] == ["signs in 600 seconds\n", "signs in 0 seconds\n"]
    ring, database = keys.Keyring(), Database(url)
    try:
        with database.read() as db:
            made = {kid: (created, activates) for kid, created, activates in db.execute(text(_TIMES))}
            assert len(made) == 3
            assert [made[kid][1] - made[kid][0] for kid in kids] == [600, 0]
            now = made[kids[1]][0]
            assert abs(now - int(time.time())) < 60
            assert header(ring.signer(db, now).sign("RS256", "JWT", {}))["kid"] == kids[1]
            assert header(ring.signer(db, now + 600).sign("RS256", "JWT", {}))["kid"] == kids[0]
        assert run("sweep", *options) == (
            "0 interactions, 0 upstream logins, 0 upstream assertions, 0 upstream logouts, 0 login attempts, 0 login sessions,"
            " 0 tickets, 0 mails, 0 codes, 0 device codes, 0 refresh tokens, 0 access tokens, 0 revoked grants, 0 signing keys\n"
        )
        # As if all of that had been a month ago, and the last rotation a minute more than a month.
        with database.write() as db:
            db.execute(text(_LONG_AGO), {"of": kids[1], "at": int(time.time()) - KEEP - 60})
        assert run("sweep", *options).endswith(", 1 signing keys\n")
        with database.read() as db:
            assert {kid for kid, _, _ in db.execute(text(_TIMES))} == set(kids)
    finally:
        database.close()


_TIMES = "SELECT kid, created_at, activates_at FROM signing_keys"
_LONG_AGO = "UPDATE signing_keys SET activates_at = :at WHERE kid = :of"
