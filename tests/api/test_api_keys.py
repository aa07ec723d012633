"""Where the issuer's keys come from, and what happens when they do not come (API11, API12, API13)."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api import discovery, keys
from tests.api.conftest import StartApi
from tests.api.fake_issuer import (
    JWKS,
    METADATA,
    Clock,
    FakeIssuer,
    Json,
    ec_key,
    jwk,
    reply,
    rsa_key,
    sign,
)

Answer = Callable[[BaseHTTPRequestHandler], None]


def get_me(api: TestClient, token: str) -> Response:
    return api.get("/me", headers={"Authorization": f"Bearer {token}"})


def rotated(issuer: FakeIssuer) -> str:
    """A token signed with a key that the issuer publishes from now on, and nothing else."""
    issuer.jwks = {"keys": [jwk("new", rsa_key("new"))]}
    return sign(rsa_key("new"), {"alg": "RS256", "typ": "at+jwt", "kid": "new"}, issuer.claims())


def redirect(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, b"", status=302, headers={"location": f"{JWKS}?elsewhere"})


def html(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, b"<html>sorry</html>", kind="text/html")


def good_keys_as_text(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, b'{"keys": []}', kind="text/plain")


def flood(handler: BaseHTTPRequestHandler) -> None:
    """100 MB, or as much of it as anybody takes."""
    reply(handler, b'{"keys": [', headers={"content-length": str(100_000_000)})
    try:
        for _ in range(100):
            handler.wfile.write(b" " * 1_000_000)
    except OSError:
        handler.close_connection = True


def compressed(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, b"\x1f\x8b", headers={"content-encoding": "gzip"})


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def says(text: bytes, status: int = 200) -> Answer:
    return lambda handler: reply(handler, text, status=status)


BROKEN: dict[str, Answer] = {
    "redirect": redirect,
    "html": html,
    "text": good_keys_as_text,
    "flood": flood,
    "gzip": compressed,
    "hang up": hang_up,
    "error": says(b'{"keys": []}', 500),
    "empty": says(b""),
    "array": says(b"[]"),
    "no keys": says(b"{}"),
    "keys of another type": says(b'{"keys": {}}'),
    "no usable key": says(b'{"keys": [{"kty": "oct", "kid": "rsa", "k": "AAAA"}, {}, 1]}'),
    "duplicates": says(b'{"keys": [], "keys": []}'),
    "deep": says(b'{"keys":' * 20_000),
}


@pytest.fixture(params=BROKEN)
def broken(request: pytest.FixtureRequest) -> Answer:
    return BROKEN[request.param]


def test_nothing_is_fetched_before_a_token_needs_it(api: TestClient, issuer: FakeIssuer) -> None:
    assert api.get("/public").status_code == 200
    assert api.get("/me").status_code == 401
    assert issuer.requests == []


def test_keys_are_fetched_once(api: TestClient, issuer: FakeIssuer) -> None:
    for _ in range(5):
        assert get_me(api, issuer.token()).status_code == 200
        assert get_me(api, issuer.ec_token()).status_code == 200
    assert issuer.requests == [METADATA, JWKS]


def test_a_new_key_is_found_at_once(api: TestClient, issuer: FakeIssuer) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    assert get_me(api, rotated(issuer)).status_code == 200
    assert get_me(api, issuer.token()).status_code == 401
    assert issuer.fetches == 3  # the third looked for the old key, in vain


def test_a_withdrawn_key_is_dead_after_the_ttl(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    rotated(issuer)
    clock.advance(keys.TTL - 1)
    assert get_me(api, issuer.token()).status_code == 200
    clock.advance(1)
    assert get_me(api, issuer.token()).status_code == 401


def test_a_clock_set_back_does_not_make_keys_immortal(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    rotated(issuer)
    clock.advance(-5)
    assert get_me(api, issuer.token()).status_code == 401


def test_API12_made_up_kids_cause_one_fetch_per_cool_down(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    assert get_me(api, issuer.token()).status_code == 200

    def guess(number: int) -> int:
        return get_me(api, issuer.token(header={"kid": f"guess{number}"})).status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(guess, range(400))) == {401}
    assert issuer.fetches == 2
    assert get_me(api, issuer.token()).status_code == 200
    clock.advance(keys.COOL_DOWN)
    assert {guess(number) for number in range(20)} == {401}
    assert issuer.fetches == 3


def test_API12_made_up_kids_on_a_cold_api_cause_one_fetch(api: TestClient, issuer: FakeIssuer) -> None:
    for number in range(20):
        assert get_me(api, issuer.token(header={"kid": f"guess{number}"})).status_code == 401
    assert issuer.fetches == 1
    assert get_me(api, issuer.token()).status_code == 200


def test_API12_a_failed_fetch_for_a_made_up_kid_spoils_nothing(
    api: TestClient, issuer: FakeIssuer, broken: Answer
) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    issuer.answers[JWKS] = broken
    for number in range(5):
        assert get_me(api, issuer.token(header={"kid": f"guess{number}"})).status_code == 401
    assert issuer.fetches == 2
    assert get_me(api, issuer.token()).status_code == 200


@pytest.mark.parametrize("path", [METADATA, JWKS])
def test_API13_without_keys_the_answer_is_503(
    api: TestClient, issuer: FakeIssuer, clock: Clock, broken: Answer, path: str
) -> None:
    issuer.answers[path] = broken
    for token in (issuer.token(), issuer.token(header={"kid": "guess"})):
        response = get_me(api, token)
        assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
        assert int(response.headers["retry-after"]) > 0
    assert issuer.fetches == 1
    assert f"{JWKS}?elsewhere" not in issuer.requests
    issuer.answers.clear()
    clock.advance(1)  # not for long: the issuer may just have come up later than this API
    assert get_me(api, issuer.token()).status_code == 200


@pytest.mark.parametrize("path", [METADATA, JWKS])
def test_API13_the_right_document_in_a_wrong_wrapping(
    api: TestClient, issuer: FakeIssuer, clock: Clock, path: str
) -> None:
    text = json.dumps(issuer.metadata if path == METADATA else issuer.jwks).encode()
    wrappings: list[Answer] = [
        lambda handler: reply(handler, text, status=500),
        lambda handler: reply(handler, text, status=203),
        lambda handler: reply(handler, text, kind="text/html"),
        lambda handler: reply(handler, gzip.compress(text), headers={"content-encoding": "gzip"}),
        lambda handler: reply(handler, text + b" " * discovery.MAX_DOCUMENT_BYTES),
    ]
    for fetches, answer in enumerate(wrappings, 1):
        issuer.answers[path] = answer
        assert get_me(api, issuer.token()).status_code == 503
        assert issuer.fetches == fetches
        clock.advance(keys.COLD_COOL_DOWN)
    issuer.answers[path] = lambda handler: reply(handler, text, kind="application/jwk-set+json; charset=utf-8")
    assert get_me(api, issuer.token()).status_code == 200


def test_API13_the_api_may_start_before_its_issuer(start_api: StartApi, issuer: FakeIssuer) -> None:
    gone = FakeIssuer()
    gone.close()
    api = start_api(metadata_url=gone.url)
    assert get_me(api, issuer.token()).status_code == 503
    assert api.get("/healthz").status_code == 200
    assert api.get("/public").status_code == 200
    assert api.get("/readyz").status_code == 503


def test_API13_old_keys_serve_while_the_issuer_is_down_but_not_for_ever(
    api: TestClient, issuer: FakeIssuer, clock: Clock, broken: Answer
) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    issuer.answers[METADATA] = broken
    clock.advance(keys.TTL)
    for _ in range(3):
        assert get_me(api, issuer.token()).status_code == 200
    assert issuer.fetches == 2
    clock.advance(keys.COOL_DOWN)
    assert get_me(api, issuer.token()).status_code == 200
    assert issuer.fetches == 3
    clock.advance(keys.STALE_LIMIT - keys.TTL - keys.COOL_DOWN)
    assert get_me(api, issuer.token()).status_code == 503
    issuer.answers.clear()
    clock.advance(keys.COLD_COOL_DOWN)
    assert get_me(api, issuer.token()).status_code == 200


class Hanging:
    """The key set does not come before `release` is set. `asked`: somebody waits for it."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self.issuer = issuer
        self.asked = threading.Event()
        self.release = threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        self.release.wait(20)
        self.issuer.answer(handler)


@pytest.fixture
def hanging(issuer: FakeIssuer) -> Iterator[Hanging]:
    hanging = Hanging(issuer)
    yield hanging
    hanging.release.set()


def test_API13_nobody_waits_whose_key_is_here(api: TestClient, issuer: FakeIssuer, hanging: Hanging) -> None:
    good = issuer.token()
    assert get_me(api, good).status_code == 200
    issuer.answers[JWKS] = hanging.answer
    with ThreadPoolExecutor(60) as threads:  # more than there are threads to serve requests
        kids = [f"guess{number}" for number in range(60)]
        guesses = [threads.submit(get_me, api, issuer.token(header={"kid": kid})) for kid in kids]
        assert hanging.asked.wait(10)
        for _ in range(5):
            assert api.get("/notes", headers={"Authorization": f"Bearer {good}"}).status_code == 200
        assert not any(guess.done() for guess in guesses)
        hanging.release.set()
        assert {guess.result().status_code for guess in guesses} == {401}
    assert issuer.fetches == 2


def test_API13_one_fetch_serves_all_who_wait(api: TestClient, issuer: FakeIssuer, hanging: Hanging) -> None:
    issuer.answers[JWKS] = hanging.answer
    with ThreadPoolExecutor(10) as threads:
        waiting = [threads.submit(get_me, api, issuer.token()) for _ in range(10)]
        assert hanging.asked.wait(10)
        hanging.release.set()
        assert {request.result().status_code for request in waiting} == {200}
    assert issuer.fetches == 1


def test_API13_a_slow_issuer_delays_an_old_key_briefly(
    api: TestClient, issuer: FakeIssuer, clock: Clock, hanging: Hanging
) -> None:
    assert get_me(api, issuer.token()).status_code == 200
    issuer.answers[JWKS] = hanging.answer
    clock.advance(keys.TTL)
    started = time.monotonic()
    assert get_me(api, issuer.token()).status_code == 200
    assert get_me(api, issuer.token()).status_code == 200
    assert hanging.asked.is_set()
    assert time.monotonic() - started < discovery.TOTAL_TIMEOUT - 1
    assert issuer.fetches == 2


def test_API13_one_request_waits_for_fresh_keys_and_the_others_go_on(
    api: TestClient, issuer: FakeIssuer, clock: Clock, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.access.PATIENCE", 60)
    good = issuer.token()
    assert get_me(api, good).status_code == 200
    issuer.answers[JWKS] = hanging.answer
    clock.advance(keys.TTL)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(get_me, api, good)
        assert hanging.asked.wait(10)
        assert get_me(api, good).status_code == 200
        assert not first.done()
        hanging.release.set()
        assert first.result().status_code == 200


def test_API13_a_dripping_issuer_is_given_up_after_a_total_time(
    api: TestClient, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.discovery.TOTAL_TIMEOUT", 0.5)
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        while not stop.wait(0.05):  # a header that never ends
            handler.wfile.write(b"x")

    issuer.answers[METADATA] = drip
    try:
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(get_me, api, issuer.token()).result(timeout=10).status_code == 503
    finally:
        stop.set()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example/"},
        {"issuer": None},
        {"issuer": 1},
        {"jwks_uri": None},
        {"jwks_uri": 1},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "ftp://127.0.0.1/"},
        {"jwks_uri": "/.well-known/jwks.json"},
        {"jwks_uri": "http://[::1"},
        {"jwks_uri": "http://127.0.0.1:99999/"},
        {"jwks_uri": "http://\ud800/"},
        {"jwks_uri": "http://" + "a" * 300 + "/"},
    ],
)
def test_API11_metadata_that_are_not_the_issuers(api: TestClient, issuer: FakeIssuer, change: Json) -> None:
    issuer.metadata |= change
    assert get_me(api, issuer.token()).status_code == 503
    assert JWKS not in issuer.requests


def test_API11_metadata_of_almost_the_same_issuer(api: TestClient, issuer: FakeIssuer) -> None:
    issuer.metadata["issuer"] = issuer.url[:-1]
    assert get_me(api, issuer.token()).status_code == 503


def test_API11_keys_of_an_https_issuer_do_not_come_over_http(start_api: StartApi, issuer: FakeIssuer) -> None:
    api = start_api(issuer="https://issuer.example/", metadata_url=issuer.url)
    issuer.metadata["issuer"] = "https://issuer.example/"  # but its jwks_uri is http and not under it
    assert get_me(api, issuer.token(iss="https://issuer.example/")).status_code == 503
    assert JWKS not in issuer.requests


@pytest.mark.parametrize("public", ["http://localhost:9000/", "https://issuer.example", "https://issuer.example/t/a/"])
def test_two_addresses_one_identity(start_api: StartApi, issuer: FakeIssuer, public: str) -> None:
    path = public.partition("://")[2].partition("/")[2]
    metadata, jwks = f"/{path}.well-known/openid-configuration", f"/{path}.well-known/jwks.json"
    issuer.metadata = {"issuer": public, "jwks_uri": f"{public.removesuffix('/')}/.well-known/jwks.json"}
    issuer.answers[metadata] = lambda handler: reply(handler, json.dumps(issuer.metadata).encode())
    issuer.answers[jwks] = lambda handler: reply(handler, json.dumps(issuer.jwks).encode())
    api = start_api(issuer=public, metadata_url=issuer.origin + metadata)
    assert get_me(api, issuer.token(iss=public)).status_code == 200
    assert get_me(api, issuer.token(iss=issuer.url)).status_code == 401  # an address is not an identity
    assert issuer.requests == [metadata, jwks]


def test_two_addresses_a_jwks_uri_elsewhere_is_dialled_where_it_says(start_api: StartApi, issuer: FakeIssuer) -> None:
    """`http://localhost:90000…` only looks as if it were under `http://localhost:9000`."""
    api = start_api(issuer=issuer.origin[:-1], metadata_url=issuer.url)
    issuer.metadata["issuer"] = issuer.origin[:-1]
    issuer.metadata["jwks_uri"] = issuer.origin + JWKS
    assert get_me(api, issuer.token(iss=issuer.origin[:-1])).status_code == 200
    assert issuer.requests == [METADATA, JWKS]


def test_private_members_and_the_order_of_equal_kids(api: TestClient, issuer: FakeIssuer) -> None:
    leaked = jwk("rsa", rsa_key()) | {"d": "AQAB", "p": "x"}
    issuer.jwks = {"keys": [leaked, jwk("rsa", rsa_key("second")), jwk("rsa", ec_key())]}
    assert get_me(api, issuer.token()).status_code == 200


def test_readiness_needs_keys_and_fetches_them(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    issuer.answers[JWKS] = html
    for _ in range(3):
        assert api.get("/readyz").status_code == 503
    assert issuer.fetches == 1
    issuer.answers.clear()
    clock.advance(keys.COLD_COOL_DOWN)
    for _ in range(3):
        assert api.get("/readyz").json() == {"status": "ready"}
    assert issuer.fetches == 2


def test_no_ambient_proxy_is_used(start_api: StartApi, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = FakeIssuer()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    try:
        assert get_me(start_api(), issuer.token()).status_code == 200
        assert proxy.requests == []
    finally:
        proxy.close()
