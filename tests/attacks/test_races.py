"""Races at the single-use gate (security cases B1, B2, B4, B7): real worker processes, held bodies, released together.

Each attempt has a connection of its own. Headers and all of the body but its last byte are sent first; when every attempt is
ready the last bytes go out together, so that the requests meet inside the server and not on the way to it.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from authserver.store.once import CODE_ATTEMPTS
from tests.conftest import template_of
from tests.devices import DEVICE_GRANT, approves
from tests.stage import API, CALLBACK, Browser, Pkce, answer, request_parameters

ATTEMPTS = 16
WORKERS = {"sqlite": 4, "postgresql": 2}
ROOT = Path(__file__).parents[2]


@contextmanager
def serving(database_url: str, workers: int) -> Iterator[str]:
    """`python -m authserver serve` as its users start it; gives the issuer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "authserver", "serve", "--port", "0", "--workers", str(workers)],
        env={**os.environ, "AUTHSERVER_DATABASE_URL": database_url},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        line = process.stdout.readline() if ready else "not ready within a minute"
        assert line.startswith("READY "), line
        yield line.split()[1]
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


@pytest.fixture
def rounds(thorough: bool) -> int:
    return 40 if thorough else 8


@pytest.fixture(scope="module", params=WORKERS)
def issuer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for every race: each has codes and tokens of its own."""
    template = template_of(request, request.param)
    with serving(template.copy(tmp_path_factory.mktemp("races")), WORKERS[request.param]) as issuer:
        yield issuer


@pytest.fixture
def browser(issuer: str) -> Iterator[Browser]:
    browser = Browser(issuer)
    yield browser
    browser.http.close()


def code_for(browser: Browser, pkce: Pkce) -> str:
    page = browser.follow(browser.get(browser.issuer + "authorize", **request_parameters(pkce)))
    if "/u/login" in str(page.url):
        page = browser.log_in(page)
    return answer(browser.decide(page))["code"]


def redemption(code: str, verifier: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": "native-app",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": CALLBACK,
    }


def refreshing(refresh_token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": refresh_token}


def _no_answers(count: int) -> list[tuple[int, dict[str, str]]]:
    return [(0, {})] * count


def together(issuer: str, bodies: list[dict[str, str]]) -> list[tuple[int, dict[str, str]]]:
    """Send every body to the token endpoint at once; status and JSON of each answer, in the same order."""
    address, answers = urlsplit(issuer), _no_answers(len(bodies))
    gate = threading.Barrier(len(bodies))

    def attempt(number: int) -> None:
        body = urlencode(bodies[number]).encode()
        head = (
            f"POST /oauth/token HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as connection:
            connection.sendall(head.encode() + body[:-1])
            gate.wait(timeout=60)
            connection.sendall(body[-1:])
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        status, _, payload = received.partition(b"\r\n\r\n")
        answers[number] = int(status.split()[1]), json.loads(payload)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def assert_one_winner(answers: list[tuple[int, dict[str, str]]]) -> dict[str, str]:
    winners = [body for status, body in answers if status == 200]
    losers = [(status, body.get("error")) for status, body in answers if status != 200]
    assert len(winners) == 1, answers
    assert set(losers) == {(403, "invalid_grant")}, losers
    return winners[0]


def post(browser: Browser, body: dict[str, str]) -> int:
    return browser.http.post(browser.issuer + "oauth/token", data=body).status_code


def test_B1_parallel_redemptions_of_one_code_have_one_winner(issuer: str, browser: Browser, rounds: int) -> None:
    for _ in range(rounds):
        pkce = Pkce()
        body = redemption(code_for(browser, pkce), pkce.verifier)
        won = assert_one_winner(together(issuer, [body] * ATTEMPTS))
        # The losers were valid replays by the owner: the family is revoked (RFC 6749 §4.1.2).
        assert post(browser, refreshing(won["refresh_token"])) == 403


def test_B2_parallel_refreshes_of_one_token_have_one_winner(issuer: str, browser: Browser, rounds: int) -> None:
    for _ in range(rounds):
        pkce = Pkce()
        first = browser.http.post(issuer + "oauth/token", data=redemption(code_for(browser, pkce), pkce.verifier))
        won = assert_one_winner(together(issuer, [refreshing(first.json()["refresh_token"])] * ATTEMPTS))
        assert post(browser, refreshing(won["refresh_token"])) == 403


def test_B4_one_right_verifier_among_fifteen_wrong_ones(issuer: str, browser: Browser, rounds: int) -> None:
    """The right one wins, or the attempts limit voids the code; a wrong one never does."""
    for _ in range(rounds):
        pkce = Pkce()
        code = code_for(browser, pkce)
        bodies = [redemption(code, Pkce().verifier) for _ in range(ATTEMPTS - 1)]
        bodies.insert(ATTEMPTS // 2, redemption(code, pkce.verifier))
        answers = together(issuer, bodies)
        winners = [number for number, (status, _) in enumerate(answers) if status == 200]
        assert winners in ([], [ATTEMPTS // 2]), answers
        assert {status for status, _ in answers} <= {200, 403}
        if not winners:
            wrong = sum(body.get("error_description") == "Failed to verify code verifier" for _, body in answers)
            assert wrong == CODE_ATTEMPTS, "more guesses at an unused code were looked at than the limit allows"
            assert post(browser, redemption(code, pkce.verifier)) == 403


def test_B5_refresh_and_revocation_at_once_leave_nothing_alive(issuer: str, browser: Browser) -> None:
    def revoke(token: str) -> Callable[[], None]:
        body = {"client_id": "native-app", "token": token}

        def run() -> None:
            assert browser.http.post(issuer + "oauth/revoke", data=body).status_code == 200

        return run

    for _ in range(10):
        pkce = Pkce()
        first = browser.http.post(
            issuer + "oauth/token", data=redemption(code_for(browser, pkce), pkce.verifier)
        ).json()
        revoking = threading.Thread(target=revoke(first["refresh_token"]))
        revoking.start()
        [(status, body)] = together(issuer, [refreshing(first["refresh_token"])])
        revoking.join()
        assert status in (200, 403)
        if status == 200:
            assert post(browser, refreshing(body["refresh_token"])) == 403
        assert post(browser, refreshing(first["refresh_token"])) == 403


def test_B7_parallel_polls_of_an_approved_device_have_one_winner(issuer: str, browser: Browser, rounds: int) -> None:
    for _ in range(rounds):
        asked = {"client_id": "native-app", "scope": "openid offline_access read:notes", "audience": API}
        told = browser.http.post(issuer + "oauth/device/code", data=asked).json()
        approves(browser, told["user_code"])
        poll = {"client_id": "native-app", "grant_type": DEVICE_GRANT, "device_code": told["device_code"]}
        answers = together(issuer, [poll] * ATTEMPTS)
        assert [status for status, _ in answers].count(200) == 1, answers
        losers = {(status, body["error"]) for status, body in answers if status != 200}
        assert losers <= {(429, "slow_down"), (403, "invalid_grant")}, losers
