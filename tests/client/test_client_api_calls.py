"""Calls with the token: RFC 6750 and rows CL8 (userinfo), CL15 and CL19 (logout)."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from client.api_calls import Caller
from client.app import NativeApp
from client.errors import (
    ClientError,
    InsufficientScopeError,
    LoginNeededError,
    MalformedError,
    RefusedError,
    UnavailableError,
)
from client.settings import Settings
from client.store import FileStore, MemoryStore, open_store
from tests.client.conftest import Clock, log_in
from tests.client.fake_server import SUBJECT, Answer, FakeApi, FakeIssuer, FakeServer


def test_the_token_goes_into_the_header_and_nowhere_else(app: NativeApp, api: FakeApi) -> None:
    log_in(app)
    assert app.call_api("GET", "/notes") == [{"id": "n1", "text": "Buy milk", "created_at": 0}]
    (call,) = api.requests
    assert call.headers["authorization"] == "Bearer access-1"
    assert not call.query
    assert not call.body


def test_401_brings_one_refresh_and_one_more_try(app: NativeApp, issuer: FakeIssuer, api: FakeApi) -> None:
    log_in(app)
    api.takes = lambda token: token == "access-2"
    app.call_api("POST", "/notes", {"text": "x"})
    assert [call.headers["authorization"] for call in api.requests] == ["Bearer access-1", "Bearer access-2"]
    assert len(issuer.asked("/oauth/token")) == 2


def test_401_again_is_an_answer(app: NativeApp, issuer: FakeIssuer, api: FakeApi) -> None:
    log_in(app)
    api.takes = lambda _token: False
    with pytest.raises(RefusedError, match="even a fresh token"):
        app.call_api("GET", "/notes")
    assert len(api.requests) == 2
    assert len(issuer.asked("/oauth/token")) == 2
    assert app.store.load() is not None


def test_403_says_which_scope_is_missing_and_how_to_get_it(app: NativeApp, api: FakeApi) -> None:
    log_in(app)
    challenge = 'Bearer realm="notes", error="insufficient_scope", scope="delete:notes read:notes"'
    api.always("/notes", Answer(403, {"error": "insufficient_scope"}, {"WWW-Authenticate": challenge}))
    with pytest.raises(InsufficientScopeError, match=r"wants the scope delete:notes,") as caught:
        app.call_api("GET", "/notes")
    assert (
        "login --scope 'openid profile email offline_access read:notes write:notes delete:notes'" in caught.value.hint
    )
    assert caught.value.scope == "delete:notes read:notes"


def test_a_hint_that_is_pasted_into_a_shell_runs_nothing_of_the_servers(app: NativeApp, api: FakeApi) -> None:
    log_in(app)
    challenge = 'Bearer error="insufficient_scope", scope="$(touch${IFS}x) `id` it\'s;reboot"'
    api.always("/notes", Answer(403, {}, {"WWW-Authenticate": challenge}))
    with pytest.raises(InsufficientScopeError) as caught:
        app.call_api("GET", "/notes")
    words = shlex.split(caught.value.hint.removeprefix("Log in with it: "))
    assert words[:5] == ["python", "-m", "client", "login", "--scope"]
    assert len(words) == 6, "the scope is one word to the shell"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(403, {"error": "forbidden"}), RefusedError),
        (Answer(422, {"error": "invalid_content", "error_description": "too long\x1b[2J"}), RefusedError),
        (Answer(404, b"", {"Content-Type": "text/html"}), RefusedError),
        (Answer(429, {}), UnavailableError),
        (Answer(503, {}), UnavailableError),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), MalformedError),
        (Answer(200, b"{"), MalformedError),
        (Answer(200, b" " * (1024 * 1024 + 1)), MalformedError),
    ],
)
def test_other_answers_are_typed_errors(app: NativeApp, api: FakeApi, answer: Answer, kind: type[ClientError]) -> None:
    log_in(app)
    api.always("/notes", answer)
    with pytest.raises(kind) as caught:
        app.call_api("GET", "/notes")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_CL15_redirects_do_not_get_the_token(app: NativeApp, api: FakeApi, status: int) -> None:
    thief = FakeServer()
    try:
        log_in(app)
        for place in (f"{thief.origin}/notes", "/elsewhere"):
            api.always("/notes", Answer(status, b"", {"Location": place}))
            with pytest.raises(MalformedError, match="redirects"):
                app.call_api("GET", "/notes")
        assert not thief.requests
        assert not api.asked("/elsewhere")
    finally:
        thief.close()


def test_CL15_a_path_cannot_turn_into_another_host(app: NativeApp, settings: Settings, api: FakeApi) -> None:
    thief = FakeServer()
    try:
        log_in(app)
        for path in (f"@{thief.origin.removeprefix('http://')}/", ".evil.example/", "0/"):
            with pytest.raises(MalformedError, match="not sent"):
                app.call_api("GET", path)
        with app._http() as http, pytest.raises(MalformedError, match="not sent"):
            Caller(http, settings.api_url, "x", lambda _: app.tokens()).call("GET", f"{thief.origin}/notes")
        assert not thief.requests
        assert not api.requests
    finally:
        thief.close()


def test_CL15_plain_http_is_for_this_machine() -> None:
    with pytest.raises(ClientError, match="plain http"):
        Settings(api_url="http://notes.example")


def test_CL15_the_api_at_its_internal_address(settings: Settings, api: FakeApi, clock: Clock) -> None:
    inside = replace(settings, api_url="http://localhost:8000", api_internal_url=api.origin)
    app = NativeApp(inside, MemoryStore(), now=clock, ports=(0,))
    log_in(app)
    app.call_api("GET", "/notes")
    assert api.requests[0].headers["host"] == api.origin.removeprefix("http://")


def test_CL8_userinfo_is_about_the_same_person(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    assert app.userinfo()["sub"] == SUBJECT
    bodies: list[Any] = [{"sub": "somebody-else"}, {}, {"sub": None}, [SUBJECT]]
    for body in bodies:
        issuer.always("/userinfo", Answer(body=body))
        with pytest.raises(MalformedError, match="somebody else"):
            app.userinfo()


def test_calls_without_login(app: NativeApp, api: FakeApi) -> None:
    for call in (lambda: app.call_api("GET", "/notes"), app.userinfo, app.refresh):
        with pytest.raises(LoginNeededError):
            call()
    assert not api.requests


def test_logout_revokes_and_forgets(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    result = app.logout()
    assert result.was_logged_in
    assert result.problem is None
    assert app.store.load() is None
    (form,) = [request.form for request in issuer.asked("/oauth/revoke")]
    assert form == {"token": "refresh-1", "token_type_hint": "refresh_token", "client_id": "native-app"}
    assert not app.logout().was_logged_in


@pytest.mark.parametrize("trouble", ["down", "503", "redirect", "gone"])
def test_CL19_logout_forgets_locally_whatever_the_server_does(
    app: NativeApp, issuer: FakeIssuer, settings: Settings, trouble: str
) -> None:
    log_in(app)
    again = NativeApp(settings, open_store(settings))  # a new process: nothing is known about the server yet
    if trouble == "down":
        issuer.close()
    elif trouble == "gone":
        del issuer.metadata["revocation_endpoint"]
    else:
        status = 503 if trouble == "503" else 302
        issuer.always("/oauth/revoke", Answer(status, b"", {"Location": "/oauth/elsewhere"}))
    result = again.logout()
    assert result.problem is not None
    assert again.store.load() is None


def test_CL19_logout_interrupted_still_forgets(app: NativeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(app)

    def interrupt(_refresh_token: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app.token_endpoint, "revoke", interrupt)
    with pytest.raises(KeyboardInterrupt):
        app.logout()
    assert app.store.load() is None


def test_logout_clears_a_damaged_file(app: NativeApp) -> None:
    log_in(app)
    assert isinstance(app.store, FileStore)
    app.store.path.write_text("{")
    assert not app.logout().was_logged_in
    assert app.store.load() is None
