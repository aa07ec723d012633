"""Security case B16: keys rotate each second while an API verifies fifty tokens a second, and not one verification fails.

Real processes: the authorization server with two workers, the API, rotation by the command's own function. A minute in CI,
a few seconds in `make test`.
"""

import itertools
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from authserver import keys
from authserver.clock import system_clock
from authserver.store.engine import Database
from tests.conftest import Prepared

ROOT = Path(__file__).parents[2]
CALLS_A_SECOND = 50


@pytest.fixture
def backend() -> str:
    """Rotation is a matter of rows and clocks, the same on both."""
    return "sqlite"


@contextmanager
def running(module: str, *arguments: str, **environment: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments, "--port", "0"],
        env={**os.environ, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready = process.stdout.readline().split()
        assert ready[:1] == ["READY"], ready
        yield ready[1]
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


def test_B16_no_verification_fails_while_keys_rotate(prepared: Prepared, tmp_path: Path, thorough: bool) -> None:
    seconds = 60 if thorough else 5
    url = prepared.copy(tmp_path)
    notes = f"sqlite:///{tmp_path / 'notes.db'}"
    with (
        running("authserver", "serve", "--workers", "2", AUTHSERVER_DATABASE_URL=url) as issuer,
        running("api", API_ISSUER=issuer, API_DATABASE_URL=notes) as api,
        httpx2.Client(trust_env=False, timeout=30) as http,
    ):
        credentials = {"grant_type": "client_credentials", "audience": "https://notes.example/api"}
        secret = ("backend", prepared.secrets["backend"])

        def token() -> str:
            response = http.post(issuer + "oauth/token", data=credentials, auth=secret)
            assert response.status_code == 200, response.text
            return str(response.json()["access_token"])

        def call(access_token: str) -> int:
            return http.get(api + "/me", headers={"Authorization": f"Bearer {access_token}"}).status_code

        database, tokens = Database(url), [token()]
        kids, statuses = set[str](), Counter[int]()
        end, due = time.monotonic() + seconds, time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            while time.monotonic() < end:
                kids.update(keys.rotate(database, system_clock(), lead=1))
                tokens.append(token())
                # Old tokens and new ones: the first is verified to the last, by a key that retired long ago.
                asked = [tokens[0], *itertools.islice(itertools.cycle(tokens[-10:]), CALLS_A_SECOND - 1)]
                statuses.update(pool.map(call, asked))
                due += 1
                # The pace of the load; nothing is waited for.
                time.sleep(max(0.0, due - time.monotonic()))
        database.close()
        assert set(statuses) == {200}, statuses
        assert statuses.total() == CALLS_A_SECOND * len(kids)
