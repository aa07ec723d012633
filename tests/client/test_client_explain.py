"""`--explain`: what is told of each exchange, on stderr, and nothing secret or hostile in it."""

import io
import re
from contextlib import suppress

import pytest
from rich.console import Console

from client.app import NativeApp
from client.errors import ClientError
from client.explaining import Explainer
from client.settings import Settings
from client.store import open_store
from tests.client.conftest import Cli, Clock, log_in
from tests.client.fake_server import Answer, FakeApi, FakeIssuer


class Lesson:
    """An app that explains, and what it has said since the last look."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._screen = io.StringIO()
        explainer = Explainer(Console(file=self._screen, width=80, highlight=False))
        self.app = NativeApp(
            settings,
            open_store(settings),
            now=clock,
            sleep=clock.sleep,
            on_exchange=explainer.exchange_happened,
            on_moment=explainer.moment,
            ports=(0,),
        )

    def said(self) -> str:
        said = self._screen.getvalue()
        self._screen.seek(0)
        self._screen.truncate()
        assert all(len(line) <= 80 for line in said.splitlines())
        for secret in ("the-secret-code", "access-", "refresh-1", "refresh-2", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0"):
            assert secret not in said
        return " ".join(said.split())


@pytest.fixture
def lesson(settings: Settings, clock: Clock) -> Lesson:
    return Lesson(settings, clock)


def test_a_login_is_told_in_order_with_the_sections(lesson: Lesson) -> None:
    log_in(lesson.app)
    said = lesson.said()
    order = [
        "asks the server who it is",
        "RFC 8414 §3.3",
        "The browser takes the request",
        "RFC 8252 §4.1",
        "code_challenge",
        "RFC 7636 §4.2",
        "The browser brings the answer back",
        "✓ state",
        "✓ iss",
        "RFC 9207 §2.4",
        "trades the code for tokens",
        "code_verifier … (",
        "RFC 7636 §4.5",
        "valid for 3600 s",
        "public keys",
        "checks the ID token",
        "✓ nonce",
    ]
    places = [said.find(part.replace("… (", "")) for part in order]
    assert -1 not in places, [part for part, place in zip(order, places, strict=True) if place == -1]
    for name in ("response_type", "client_id", "redirect_uri", "scope", "audience", "state", "nonce"):
        assert re.search(rf" {name} \S", said)


def test_calls_refreshes_and_the_end(lesson: Lesson, clock: Clock, issuer: FakeIssuer) -> None:
    log_in(lesson.app)
    lesson.said()
    lesson.app.call_api("GET", "/notes")
    said = lesson.said()
    assert "has what this needs: read:notes" in said
    assert "Authorization Bearer … (8 chars)" in said
    assert re.search(r"traceparent 00-[0-9a-f]{32}-[0-9a-f]{16}-01", said)
    clock.time += 3600
    lesson.app.userinfo()
    said = lesson.said()
    assert "RFC 9700 §4.14.2" in said
    assert "is spent (rotation)" in said
    assert "still the same person" in said
    assert "OpenID Connect Core 1.0 §5.3" in said
    issuer.answer = {"refresh_token": None}
    lesson.app.refresh()
    assert "the one that was sent stays good" in lesson.said()
    lesson.app.logout()
    assert "RFC 7009 §2.1" in lesson.said()


def test_refusals_are_explained(lesson: Lesson, api: FakeApi, issuer: FakeIssuer) -> None:
    log_in(lesson.app)
    lesson.said()
    challenge = 'Bearer error="insufficient_scope", scope="delete:notes"'
    for answer, words in (
        (Answer(403, {}, {"WWW-Authenticate": challenge}), "delete:notes would. A refresh cannot"),
        (Answer(401, {}), "refreshes once and tries once more"),
        (Answer(503, {}), "The same request follows in"),
    ):
        api.always("/notes", answer)
        with pytest.raises(ClientError):
            lesson.app.call_api("GET", "/notes")
        assert words in lesson.said()
    issuer.token_route = lambda _request: Answer(403, {"error": "invalid_grant"})
    with pytest.raises(ClientError):
        lesson.app.refresh()
    assert "invalid_grant is final" in lesson.said()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 900 + b"]" * 900,
        b'{"x\x1b[2J": "\xe2\x80\xae[red]"}',
        b"{" + b",".join(b'"k%d": "%s"' % (n, b"v " * 99) for n in range(3000)) + b"}",
        b"\xff\x00",
        b"",
    ],
    ids=["deep", "deep list", "controls", "wide", "bytes", "empty"],
)
def test_whatever_a_server_answers_can_be_told(lesson: Lesson, api: FakeApi, body: bytes) -> None:
    log_in(lesson.app)
    lesson.said()
    api.always("/notes", Answer(200, body))
    with suppress(ClientError):
        lesson.app.call_api("GET", "/notes")
    said = lesson.said()
    assert "The app calls the API" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert len(said) < 50_000


def test_stdout_is_left_to_the_answer(cli: Cli, app: NativeApp) -> None:
    log_in(app)
    for said in (cli("notes", "--explain"), cli("notes", CLIENT_EXPLAIN="1")):
        assert said.out == "n1  Buy milk\n"
        assert "RFC 6750 §2.1" in said.err
    assert "RFC" not in cli("notes", CLIENT_EXPLAIN="0").err
