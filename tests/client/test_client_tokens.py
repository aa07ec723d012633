"""Token answers and refreshing: RFC 6749 sections 5 and 6, rows CL9, CL10, CL13, CL14 and CL18."""

import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from client.app import NativeApp
from client.errors import ClientError, LoginNeededError, MalformedError, RefusedError, UnavailableError
from client.settings import Settings
from client.store import TokenSet, open_store
from tests.client.conftest import Clock, log_in
from tests.client.fake_server import Answer, FakeApi, FakeIssuer, Request

Lie = Callable[[dict[str, Any]], Answer]


def with_(**members: Any) -> Lie:
    return lambda good: Answer(body=good | members)


def without(name: str) -> Lie:
    return lambda good: Answer(body={key: value for key, value in good.items() if key != name})


def raw(good: dict[str, Any]) -> bytes:
    return json.dumps(good).encode()


LIES: dict[str, Lie] = {
    "html": lambda _: Answer(body=b"<html>", headers={"Content-Type": "text/html"}),
    "html that says json": lambda _: Answer(body=b"<html>"),
    "json that says html": lambda good: Answer(body=good, headers={"Content-Type": "text/html"}),
    "no content type": lambda good: Answer(body=good, headers={"Content-Type": ""}),
    "empty": lambda _: Answer(body=b""),
    "list": lambda good: Answer(body=[good]),
    "error with 200": with_(error="invalid_grant"),
    "error is no text": lambda _: Answer(400, {"error": ["invalid_grant"]}),
    "no error": lambda _: Answer(400, {}),
    "redirect": lambda good: Answer(302, good, {"Location": "/elsewhere"}),
    "created": lambda good: Answer(201, good),
    "no access_token": without("access_token"),
    "empty access_token": with_(access_token=""),
    "access_token is no text": with_(access_token=7),
    "access_token breaks lines": with_(access_token="a\r\nX-Evil: 1"),
    "no token_type": without("token_type"),
    "foreign token_type": with_(token_type="DPoP"),
    "token_type is no text": with_(token_type=["Bearer"]),
    "no expires_in": without("expires_in"),
    "negative expires_in": with_(expires_in=-1),
    "zero expires_in": with_(expires_in=0),
    "text expires_in": with_(expires_in="3600"),
    "true expires_in": with_(expires_in=True),
    "list expires_in": with_(expires_in=[3600]),
    "endless expires_in": with_(expires_in=10**30),
    "float expires_in": with_(expires_in=3600.5),
    "odd expires_at": with_(expires_at=["now"]),
    "scope is a list": with_(scope=["openid"]),
    "refresh_token is no text": with_(refresh_token=1),
    "NaN": lambda good: Answer(body=raw(good)[:-1] + b', "x": NaN}'),
    "member twice": lambda good: Answer(body=raw(good)[:-1] + b', "scope": "openid"}'),
    "large": lambda good: Answer(body=raw(good) + b" " * 1024 * 1024),
    "compressed": lambda good: Answer(body=good, headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_CL9_token_answers_that_are_none(app: NativeApp, issuer: FakeIssuer, lie: Lie) -> None:
    """A truthful answer with one thing wrong, at login and at refresh: a typed error, nothing stored, nothing lost."""

    def lying(request: Request) -> Answer:
        return lie(issuer.token(request).body)

    issuer.token_route = lying
    with pytest.raises(MalformedError):
        log_in(app)
    assert app.store.load() is None
    issuer.token_route = None
    before = log_in(app).tokens
    issuer.token_route = lying
    with pytest.raises(MalformedError):
        app.refresh()
    assert app.store.load() == before
    assert not issuer.asked("/elsewhere")


def test_CL9_an_endless_answer(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.token_route = lambda _request: Answer(chunks=itertools.repeat(b" " * 65536))
    with pytest.raises(MalformedError, match="larger than"):
        log_in(app)


def test_CL13_without_a_new_refresh_token_the_old_one_stays(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    issuer.answer = {"refresh_token": None, "scope": None, "id_token": None}
    fresh = app.refresh()
    assert fresh.access_token == "access-2"
    assert fresh.refresh_token == "refresh-1"
    assert "write:notes" in fresh.scope
    assert fresh.identity["name"] == "Alice"
    assert app.store.load() == fresh


def test_CL13_a_new_refresh_token_replaces_the_old_one(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    issuer.answer = {"scope": "openid read:notes"}
    fresh = app.refresh()
    assert fresh.refresh_token == "refresh-2"
    assert fresh.scope == "openid read:notes"
    assert app.store.load() == fresh


def test_scope_is_not_sent_on_a_refresh(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    app.refresh()
    assert issuer.asked("/oauth/token")[-1].form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "native-app",
    }


@pytest.mark.parametrize("status", [400, 403])
def test_CL14_invalid_grant_forgets(app: NativeApp, issuer: FakeIssuer, status: int) -> None:
    log_in(app)
    issuer.token_route = lambda _request: Answer(status, {"error": "invalid_grant"})
    with pytest.raises(LoginNeededError):
        app.refresh()
    assert app.store.load() is None
    asked = len(issuer.asked("/oauth/token"))
    with pytest.raises(LoginNeededError):
        app.tokens()
    assert len(issuer.asked("/oauth/token")) == asked


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(429, {"error": "too_many_requests"}, {"Retry-After": "7"}), UnavailableError),
        (Answer(429, {"error": "invalid_grant"}), UnavailableError),
        (Answer(500, b"<html>"), UnavailableError),
        (Answer(503, {"error": "invalid_grant"}), UnavailableError),
        (Answer(400, {"error": "invalid_request"}), RefusedError),
        (Answer(401, {"error": "access_denied", "error_description": "Unauthorized"}), RefusedError),
        (Answer(403, {"error": "invalid_grant_but_different"}), RefusedError),
        (Answer(200, {"error": "invalid_grant"}), MalformedError),
        (Answer(403, b"invalid_grant", {"Content-Type": "text/plain"}), MalformedError),
    ],
)
def test_CL14_all_else_keeps_the_tokens(
    app: NativeApp, issuer: FakeIssuer, answer: Answer, kind: type[ClientError]
) -> None:
    before = log_in(app).tokens
    issuer.token_route = lambda _request: answer
    with pytest.raises(kind) as caught:
        app.refresh()
    assert app.store.load() == before
    assert len(issuer.asked("/oauth/token")) == 2, "one try, no storm"
    if "Retry-After" in answer.headers:
        assert "7" in str(caught.value)


def test_CL14_a_server_that_is_down_keeps_the_tokens(app: NativeApp, issuer: FakeIssuer) -> None:
    before = log_in(app).tokens
    issuer.close()
    with pytest.raises(UnavailableError):
        app.refresh()
    assert app.store.load() == before


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "auth0|somebody-else"},
        {"iss": "https://evil.example/"},
        {"aud": "another-app"},
        {"aud": ["native-app"]},
        {"nonce": "another"},
        {"exp": 1},
    ],
)
def test_a_refreshed_id_token_speaks_of_the_same_person(
    app: NativeApp, issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    before = log_in(app).tokens
    issuer.claims = claims
    with pytest.raises(MalformedError, match="ID token"):
        app.refresh()
    assert app.store.load() == before


def test_a_refreshed_id_token_may_repeat_the_nonce(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    issuer.claims = {"nonce": issuer.nonce}
    app.refresh()


def test_valid_tokens_need_no_server(app: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    log_in(app)
    issuer.close()
    clock.time += 3599
    assert app.tokens().access_token == "access-1"


def test_expired_tokens_are_refreshed_on_use(app: NativeApp, clock: Clock) -> None:
    log_in(app)
    clock.time += 3600
    assert app.tokens().access_token == "access-2"


def test_without_a_refresh_token_only_a_login_helps(app: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    issuer.answer = {"refresh_token": None}
    log_in(app)
    clock.time += 3600
    with pytest.raises(LoginNeededError, match="offline_access"):
        app.tokens()
    assert app.store.load() is not None


@pytest.mark.parametrize("forced", [False, True], ids=["expired", "asked for"])
def test_CL10_many_at_once_refresh_once(
    settings: Settings, app: NativeApp, issuer: FakeIssuer, clock: Clock, forced: bool
) -> None:
    """Each with a store object of its own, as separate processes have; they meet at the file lock only."""
    log_in(app)
    several = [NativeApp(settings, open_store(settings), now=clock) for _ in range(6)]
    together = threading.Barrier(len(several))
    if not forced:
        clock.time += 3600

    def use(one: NativeApp) -> TokenSet:
        held = one.store.load()
        assert held is not None
        together.wait()
        return one._session.tokens(held.access_token if forced else None)

    with ThreadPoolExecutor(len(several)) as pool:
        got = list(pool.map(use, several))
    assert {tokens.access_token for tokens in got} == {"access-2"}
    assert [request.form["grant_type"] for request in issuer.asked("/oauth/token")] == [
        "authorization_code",
        "refresh_token",
    ]


def test_CL18_another_server_client_or_audience_is_another_drawer(settings: Settings, app: NativeApp) -> None:
    from dataclasses import replace

    log_in(app)
    for other in (
        replace(settings, issuer="http://localhost:1/"),
        replace(settings, client_id="x"),
        replace(settings, audience="x"),
    ):
        assert open_store(other).load() is None
    assert open_store(replace(settings, scope="openid")).load() is not None


def test_CL10_the_lock_is_held_during_the_refresh(
    app: NativeApp, issuer: FakeIssuer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from client.store import file

    monkeypatch.setattr(file, "LOCK_SECONDS", 0)
    log_in(app)
    seen: list[str] = []

    def look(request: Request) -> Answer:
        try:
            with open_store(settings).lock():
                seen.append("free")
        except UnavailableError:
            seen.append("held")
        return issuer.token(request)

    issuer.token_route = look
    app.refresh()
    assert seen == ["held"]


def test_secrets_are_not_in_representations(app: NativeApp, api: FakeApi) -> None:
    done = log_in(app)
    assert api.origin
    for secret in ("access-1", "refresh-1", done.tokens.id_token):
        assert secret not in repr(done.tokens)
