"""What a tenant records: every exchange, whatever came in, without changing what goes out; bounded, and its own."""

import asyncio
import json
import socket
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from authserver import Settings, create_app
from authserver.events import CodeExchanged
from authserver.testing.exchange import Answered, Asked
from authserver.testing.handle import Authserver, Control, Exchanges
from authserver.testing.live import LiveServer
from authserver.testing.recording import MOST, Recording, note_event
from authserver.testing.turnable_clock import TurnableClock
from tests.harness.application import Application
from tests.harness.conftest import AUDIENCE
from tests.stage import http_client

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}

ODD: dict[str, dict[str, Any]] = {
    "lone surrogates in JSON": {
        "content": rb'{"client_id": "\ud800", "redirect_uri": "https://\udfff/"}',
        "headers": JSON,
    },
    "a surrogate as a name": {"content": rb'{"\ud800": "\ud800", "scope": {"\ud800": 1}}', "headers": JSON},
    "percents that encode nothing": {"content": b"client_id=%ZZ&scope=%FF%00&%=%&redirect_uri=%", "headers": FORM},
    "bytes that are no text": {"content": bytes(range(256)), "headers": FORM},
    "deep JSON": {"content": b'{"scope":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "headers": JSON},
    "JSON that is no object": {"content": b"[1, null]", "headers": JSON},
    "numbers without end": {"content": b'{"client_id": 1e999, "scope": NaN, "a": -0}', "headers": JSON},
    "150 parameters": {"data": {f"name{number}": "value" for number in range(150)}},
    "one name 150 times": {"content": b"scope=x&" * 150, "headers": FORM},
    "a body over the limit": {"content": b"client_id=app&x=" + b"y" * 2_000_000, "headers": FORM},
    "an unknown kind": {"content": b"client_id=app", "headers": {"content-type": b"\xff/json;;;"}},
    "credentials that are none": {"headers": {"authorization": b"Basic \xff=="}},
    "nothing": {},
}


@pytest.fixture(scope="module")
def unrecorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server without harness, and with nobody in it."""
    directory, issuer = tmp_path_factory.mktemp("unrecorded"), "http://127.0.0.1:9000/"
    (directory / "nobody.yaml").write_text("tenant: {}\n")
    values = {"issuer": issuer, "database_url": f"sqlite:///{directory}/x.db", "tenant": directory / "nobody.yaml"}
    app = create_app(Settings.model_validate(values))
    yield TestClient(app, base_url=issuer, raise_server_exceptions=False)
    app.state.tenant.database.close()


@pytest.mark.parametrize("odd", ODD)
def test_whatever_comes_in_is_recorded_and_answered_as_ever(
    authserver: Authserver, unrecorded: TestClient, odd: str
) -> None:
    with http_client() as http:
        recorded = http.post(authserver.issuer + "oauth/token", **ODD[odd])
        plain = unrecorded.post("/oauth/token", **ODD[odd])
    assert recorded.status_code < 500
    assert (recorded.status_code, recorded.text) == (plain.status_code, plain.text)
    assert authserver.exchanges.one(endpoint="token").status == recorded.status_code
    assert authserver.story()


@pytest.mark.parametrize("path", ["authorize?client_id=%ED%A0%80", "a/%2e%2e/%00?%", "authorize?" + "scope=x&" * 150])
@pytest.mark.parametrize("method", ["GET", "BREW", "OPTIONS"])
def test_odd_paths_and_methods_too(authserver: Authserver, unrecorded: TestClient, path: str, method: str) -> None:
    with http_client() as http:
        recorded = http.request(method, authserver.issuer + path)
        plain = unrecorded.request(method, "/" + path)
    assert recorded.status_code == plain.status_code < 500
    assert authserver.exchanges.one(method=method).status == recorded.status_code


def test_whoever_goes_away_is_recorded_without_an_answer(authserver: Authserver) -> None:
    url = httpx2.URL(authserver.issuer + "oauth/token")
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: 100\r\n"
    with socket.create_connection((url.host, url.port)) as gone:
        gone.sendall(f"{head}Content-Type: {FORM['content-type']}\r\n\r\nclient_id=app&".encode())
    while not authserver.exchanges:
        pass  # until the server has noticed
    assert authserver.exchanges.one(endpoint="token").body in ({"client_id": "app"}, {})


def test_a_slow_body_is_read_to_its_end(authserver: Authserver) -> None:
    def slowly() -> Any:
        yield b"client_id=app&grant_"
        assert authserver.exchanges == []
        yield b"type=password"

    with http_client() as http:
        http.post(authserver.issuer + "oauth/token", content=slowly(), headers=FORM)
    assert authserver.exchanges.one().body == {"client_id": "app", "grant_type": "password"}


def test_files_are_not_recorded(authserver: Authserver) -> None:
    with http_client() as http:
        assert http.get(authserver.issuer + "static/understudy.css").status_code == 200
    assert authserver.exchanges == []


def test_what_nobody_names_is_attributed_by_what_was_presented(authserver: Authserver) -> None:
    app = Application(authserver, ask_consent=False)
    tokens = app.login().tokens()
    (granted,) = {each.grant_id for each in authserver.exchanges if each.grant_id}
    assert app.userinfo(tokens["access_token"]).status_code == 200
    assert app.refresh(tokens["refresh_token"], client_id="nobody").status_code >= 400
    app.post("oauth/revoke", token=tokens["refresh_token"])
    assert app.refresh(tokens["refresh_token"]).status_code >= 400
    app.get("oidc/logout", params={"id_token_hint": tokens["id_token"]})
    later = authserver.exchanges[-5:]
    assert [each.endpoint for each in later] == ["userinfo", "token", "revoke", "token", "logout"]
    assert {(each.user_id, each.grant_id) for each in later} == {(app.alice.user_id, granted)}
    assert [each.client_id for each in later] == ["app", "nobody", "app", "app", "app"]


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_code_is_issued_by_redirect_or_by_a_page(authserver: Authserver, mode: str) -> None:
    app = Application(authserver, ask_consent=False)
    app.login(response_mode=mode)
    ((code,),) = authserver.families
    issued = authserver.exchanges.one(number=code.issued_in or 0)
    assert issued.issued == {"code": code.fingerprint}
    assert [each["type"] for each in issued.events] == ["AuthorizationGranted"]


def test_refusals_of_a_resource_are_read_from_their_challenge(authserver: Authserver) -> None:
    Application(authserver).userinfo("nonsense")
    refused = authserver.exchanges.one(endpoint="userinfo")
    assert (refused.error, refused.refusal) == ("invalid_token", "InvalidToken")


def test_DE4_a_recording_is_of_its_tenant_alone_and_goes_with_it(live: LiveServer) -> None:
    control = Control(live.url, live.token)
    here, there = control.make_tenant("here"), control.make_tenant("there")
    Application(here).login(login_hint="canary-7f3a9c@example.com").tokens()
    assert "canary-7f3a9c@example.com" in json.dumps(here.call("GET", "exchanges"))
    assert there.exchanges == []
    assert there.families == []
    here.drop()
    again = control.make_tenant("here")
    assert again.exchanges == []
    assert again.families == []
    assert again.story() == "Nothing came in."
    control.close()


# One recording by itself ------------------------------------------------------------------------------------------


def play(recording: Recording, query: bytes = b"", answer: bytes = b"{}", path: str = "/oauth/token") -> None:
    """One exchange, as the stage plays it."""

    async def nothing() -> Message:
        return {"type": "http.request", "body": query}

    async def sent(message: Message) -> None:
        pass

    async def playing() -> None:
        scope = {"type": "http", "method": "POST", "path": path, "root_path": "", "query_string": query, "headers": []}
        asked, answered = Asked(scope, nothing), Answered(sent)
        with recording.taking(asked, answered):
            await asked.receive()
            kind = [(b"content-type", b"application/json")]
            await answered.send({"type": "http.response.start", "status": 200, "headers": kind})
            await answered.send({"type": "http.response.body", "body": answer})

    asyncio.run(playing())


def test_the_oldest_are_forgotten() -> None:
    recording = Recording(TurnableClock())
    for _ in range(MOST + 5):
        play(recording)
    kept = [each.number for each in recording.all()]
    assert kept == list(range(6, MOST + 6))


def test_one_exchange_takes_a_bounded_room() -> None:
    recording = Recording(TurnableClock())
    value = b"z z " * 20_000
    play(
        recording,
        b"&".join(b"scope=" + value for _ in range(200)),
        b'{"scope": "' + value * 10 + b'"}',
        "/" + "a" * 9999,
    )
    play(recording, b"&".join(b"redirect_uri=https://a/?" + b"b=c%26" * 2000 for _ in range(200)))
    play(recording, b"", json.dumps({"scope": "a " * 20_000, "b": [{"c": ["d"] * 5000}] * 5}).encode())
    for each in recording.all():
        assert len(json.dumps(asdict(each))) < 512 * 1024


def test_a_deep_answer_is_shown_as_deep_as_anybody_looks() -> None:
    recording = Recording(TurnableClock())
    play(recording, answer=b'{"scope":' + b"[" * 500 + b"]" * 500 + b"}")
    assert "…" in json.dumps(recording.all()[0].answer, ensure_ascii=False)


def test_an_event_outside_of_any_exchange_is_nobodys() -> None:
    recording = Recording(TurnableClock())
    note_event(CodeExchanged())
    play(recording)
    assert recording.all()[0].events == ()


# As a test asks for them ------------------------------------------------------------------------------------------


@pytest.fixture
def played(authserver: Authserver) -> Authserver:
    app = Application(authserver, ask_consent=False)
    login = app.login()
    login.tokens()
    login.exchange()
    return authserver


def test_exchanges_are_chosen_by_what_they_are(played: Authserver) -> None:
    app = played.register_client("other")
    tokens = played.exchanges.select(endpoint="token", client="app", grant_type="authorization_code")
    assert isinstance(tokens, Exchanges)
    assert [each.status for each in tokens] == [200, 403]
    assert tokens.one(error="invalid_grant", refusal="BadCode").events[0]["type"] == "CodeReplayed"
    assert tokens.one(error=None).issued.keys() == {"access_token", "refresh_token", "id_token"}
    assert played.exchanges.select(client=app) == []
    played.exchanges.none(client=app)
    played.exchanges.none(fault="delay")
    assert played.events.one(type="CodeExchanged").client_id == "app"
    played.events.none(type="CodeExchanged", client=app)


def test_an_assertion_that_fails_tells_what_was_expected_and_what_there_is(played: Authserver) -> None:
    with pytest.raises(AssertionError) as two:
        played.exchanges.one(endpoint="token", client="app")
    first, *told = str(two.value).splitlines()
    assert first == "Expected exactly one exchange with endpoint='token', client='app'; there are 2."
    assert len([line for line in told if line.startswith(">#")]) == 2
    assert "✗ invalid_grant: Invalid authorization code [BadCode]" in str(two.value)
    with pytest.raises(AssertionError, match="Expected no exchange with status=403; there is one"):
        played.exchanges.none(status=403)
    with pytest.raises(
        AssertionError, match=r"Expected exactly one event with type='X'; there is none[^$]*CodeExchanged"
    ):
        played.events.one(type="X")
    with pytest.raises(AttributeError, match="nonsense"):
        played.exchanges.one(nonsense=1)  # type: ignore[call-arg] # what a test without types may write


def test_a_story_fits_its_columns_and_tells_what_counts(played: Authserver) -> None:
    played.clock.advance(3900)
    with http_client() as http:
        http.get(
            played.issuer + "authorize", params={"client_id": "n" * 300, "scope": "s " * 300, "audience": AUDIENCE}
        )
    told = played.story()
    assert max(map(len, told.splitlines())) <= 120
    assert "… 1 h 5 min later …" in told
    spent = played.exchanges.one(endpoint="token", status=200)
    code, access = spent.presented["code"][:7], spent.issued["access_token"][:7]
    assert f"authorization_code code={code} → 200 access_token={access}" in told
    assert "CodeReplayed" in told
