"""`login --device`: RFC 8628 as a client should live it, rows CL8, CL9, CL14, CL15 and CL19."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from client.app import NativeApp
from client.device import Pause
from client.errors import (
    ClientError,
    LoginFailedError,
    MalformedError,
    RefusedError,
    StoreError,
    UnavailableError,
)
from client.explaining import Explainer
from client.settings import Settings
from client.store import TokenSet, open_store
from tests.client.conftest import ROOT, Cli, Clock, Run, end
from tests.client.fake_server import SUBJECT, Answer, FakeIssuer, Request


def says(error: str, status: int = 400, **more: Any) -> Answer:
    return Answer(status, {"error": error, "error_description": "Said by the server."}, **more)


PENDING, PENDING_403 = says("authorization_pending"), says("authorization_pending", 403)


@pytest.fixture
def app(settings: Settings, clock: Clock) -> NativeApp:
    """Time passes while it sleeps, and only then."""

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        clock.time += seconds

    return NativeApp(settings, open_store(settings), now=clock, sleep=sleep)


def no_matter(_: Pause) -> None:
    """Nobody looks on."""


def device_login(app: NativeApp, on_pause: Callable[[Pause], None] = no_matter) -> TokenSet:
    return app.begin_device_login().finish(on_pause)[0]


def fails(app: NativeApp, kind: type[ClientError]) -> ClientError:
    with pytest.raises(kind) as caught:
        device_login(app)
    assert app.store.load() is None, "nothing may be stored"
    return caught.value


def test_it_waits_and_stores_what_was_granted(
    app: NativeApp, issuer: FakeIssuer, settings: Settings, clock: Clock
) -> None:
    issuer.polls = [PENDING, PENDING_403, PENDING]
    pauses: list[Pause] = []
    tokens = device_login(app, pauses.append)
    assert app.store.load() == tokens
    assert (tokens.access_token, tokens.refresh_token, tokens.identity["sub"]) == ("access-1", "refresh-1", SUBJECT)
    assert clock.slept == [5, 5, 5, 5], "also before the first question"
    assert [pause.left for pause in pauses] == [900, 895, 890, 885]
    (asked,) = [request.form for request in issuer.asked("/oauth/device/code")]
    assert asked == {"client_id": "native-app", "scope": settings.scope, "audience": settings.audience}
    polled = [request.form for request in issuer.asked("/oauth/token")]
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    assert polled == [{"client_id": "native-app", "grant_type": grant_type, "device_code": "the-secret-code"}] * 4
    assert not issuer.asked("/authorize")


@pytest.mark.parametrize("status", [400, 403, 429])
def test_slow_down_adds_five_seconds_for_good(app: NativeApp, issuer: FakeIssuer, clock: Clock, status: int) -> None:
    slow_down = says("slow_down", status)
    issuer.polls = [PENDING, slow_down, PENDING, slow_down, PENDING]
    device_login(app)
    assert clock.slept == [5, 5, 10, 10, 15, 15]


def test_the_interval_is_the_server_s_and_five_by_default(app: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    issuer.invitation = {"interval": None}
    device_login(app)
    issuer.invitation = {"interval": 7}
    device_login(app)
    assert clock.slept == [5, 7]


def test_CL14_no_answer_doubles_the_pause_until_there_is_one(app: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    away = Answer(503, {"error": "temporarily_unavailable"})
    cut = Answer(200, b"{", {"Content-Length": "999"}, chunks=iter([b"{"]))
    busy, mute = Answer(429, {"error": "too_many_requests"}), Answer(429, [1])
    issuer.polls = [away, cut, busy, mute, PENDING]
    pauses: list[Pause] = []
    device_login(app, pauses.append)
    assert clock.slept == [5, 10, 20, 40, 60, 5]
    assert [pause.problem is None for pause in pauses] == [True, False, False, False, False, True]
    assert "busy" in str(pauses[3].problem)


def test_CL14_a_server_that_stays_away_is_waited_for_until_the_code_expires(
    app: NativeApp, issuer: FakeIssuer, clock: Clock
) -> None:
    issuer.polls = [Answer(503, {})] * 99
    assert "expired" in str(fails(app, LoginFailedError))
    assert max(clock.slept) == 60
    assert sum(clock.slept) == 900


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (says("access_denied", 403), LoginFailedError, "declined"),
        (says("expired_token"), LoginFailedError, "expired"),
        (says("invalid_grant", 403), LoginFailedError, "invalid_grant"),
        (says("unauthorized_client"), RefusedError, "unauthorized_client"),
        (says("slow\x1b[2Jdown"), RefusedError, "slow"),
        (Answer(400, {"error": 7}), MalformedError, "broken error"),
        (Answer(200, {"error": "authorization_pending"}), MalformedError, "broken error"),
        (Answer(302, {}, {"Location": "https://evil.example/"}), MalformedError, "302"),
    ],
)
def test_anything_else_ends_it(
    app: NativeApp, issuer: FakeIssuer, answer: Answer, kind: type[ClientError], text: str
) -> None:
    issuer.polls = [PENDING, answer]
    problem = fails(app, kind)
    assert text in str(problem)
    assert "\x1b" not in str(problem)
    if kind is LoginFailedError:
        assert "login --device" in problem.hint


def test_the_code_expires_by_the_app_s_own_clock(app: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    issuer.invitation = {"expires_in": 12}
    issuer.polls = [PENDING] * 9
    assert "expired" in str(fails(app, LoginFailedError))
    assert clock.slept == [5, 5, 2]
    assert len(issuer.polls) == 6


@pytest.mark.parametrize(
    "invitation",
    [
        {"device_code": None},
        {"device_code": 7},
        {"user_code": None},
        {"user_code": ""},
        {"user_code": "BCDF\x1b[2J"},
        {"user_code": "B" * 65},
        {"user_code": "\u202eBCDF"},
        {"verification_uri": None},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "https://evil.example/activate"},
        {"verification_uri": "http://127.0.0.1/activate"},
        {"verification_uri_complete": "https://evil.example/?user_code=BCDF-GHJK"},
        {"verification_uri_complete": ["x"]},
        {"expires_in": None},
        {"expires_in": True},
        {"expires_in": "900"},
        {"expires_in": 0},
        {"interval": 0},
        {"interval": -5},
        {"interval": 5.5},
        {"error": "server_error"},
    ],
    ids=json.dumps,
)
def test_CL9_invitations_that_make_no_sense(app: NativeApp, issuer: FakeIssuer, invitation: dict[str, Any]) -> None:
    issuer.invitation = invitation
    problem = fails(app, MalformedError)
    assert "\x1b" not in str(problem)
    assert not issuer.asked("/oauth/token")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says("unauthorized_client", 403), RefusedError),
        (Answer(429, {"error": "too_many_requests"}), UnavailableError),
        (Answer(503, {}), UnavailableError),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), MalformedError),
        (Answer(302, {}, {"Location": "https://evil.example/"}), MalformedError),
    ],
)
def test_requests_that_are_not_granted(
    app: NativeApp, issuer: FakeIssuer, answer: Answer, kind: type[ClientError]
) -> None:
    issuer.always("/oauth/device/code", answer)
    fails(app, kind)


def test_a_server_without_this_flow(app: NativeApp, issuer: FakeIssuer) -> None:
    del issuer.metadata["device_authorization_endpoint"]
    assert "no login for devices" in str(fails(app, LoginFailedError))


def test_CL15_the_codes_are_asked_for_at_the_issuer_alone(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.metadata["device_authorization_endpoint"] = "https://evil.example/oauth/device/code"
    assert "sends us elsewhere" in str(fails(app, MalformedError))


@pytest.mark.parametrize(
    "claims", [{"nonce": "n"}, {"aud": "other"}, {"iss": "https://evil.example/"}, {"sub": None}], ids=json.dumps
)
def test_CL8_the_id_token_is_checked_as_at_any_login(
    app: NativeApp, issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    issuer.claims = claims
    fails(app, MalformedError)


def test_CL8_without_an_id_token_nobody_knows_who_it_is(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.answer = {"id_token": None}
    fails(app, MalformedError)


def test_keys_that_cannot_be_had_again_are_those_of_before(app: NativeApp, issuer: FakeIssuer) -> None:
    login = app.begin_device_login()
    issuer.always("/.well-known/jwks.json", Answer(503, {}))
    login.finish(no_matter)
    assert app.store.load() is not None


def test_no_code_is_asked_for_when_the_keys_are_away(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.always("/.well-known/jwks.json", Answer(503, {}))
    fails(app, UnavailableError)
    assert not issuer.asked("/oauth/device/code")


def test_no_code_is_asked_for_when_tokens_cannot_be_kept(settings: Settings, clock: Clock, issuer: FakeIssuer) -> None:
    Path(settings.token_dir).write_text("a file where a directory should be")
    with pytest.raises(StoreError):
        NativeApp(settings, open_store(settings), now=clock).begin_device_login()
    assert not issuer.asked("/oauth/device/code")


def test_the_former_refresh_token_is_given_back(app: NativeApp, issuer: FakeIssuer) -> None:
    device_login(app)
    device_login(app)
    assert [request.form["token"] for request in issuer.asked("/oauth/revoke")] == ["refresh-1"]


def test_CL19_ctrl_c_while_the_tokens_come_loses_no_login(app: NativeApp, issuer: FakeIssuer) -> None:
    def interrupted(request: Request) -> Answer:
        os.kill(os.getpid(), signal.SIGINT)
        return issuer.token(request)

    issuer.token_route = interrupted
    with pytest.raises(KeyboardInterrupt):
        device_login(app)
    assert app.store.load() is not None


def test_the_command(cli: Cli, issuer: FakeIssuer) -> None:
    issuer.invitation = {"interval": 1}
    said = cli("login", "--device")
    assert said.out.splitlines()[0] == f"{issuer.origin}/activate?user_code=BCDF-GHJK"
    assert "Logged in as Alice" in said.out
    for part in (f"address  {issuer.origin}/activate\n", "code     BCDF-GHJK", "on this machine", "15 min at most"):
        assert part in said.err
    assert "█" not in said.err, "nothing to scan in a file"
    assert cli("status", "--json").document["account"]["sub"] == SUBJECT


def test_the_command_for_scripts(cli: Cli, issuer: FakeIssuer) -> None:
    issuer.invitation = {"interval": 1, "verification_uri_complete": None}
    said = cli("login", "--device", "--json")
    document = json.loads(said.out)
    assert document["account"]["sub"] == SUBJECT
    assert document["is_who_was_asked_for"]
    assert "BCDF-GHJK" in said.err
    issuer.polls = [says("access_denied", 403)]
    failed = cli("login", "--device", "--json", status=7)
    assert json.loads(failed.err.splitlines()[-1])["error"] == "login_failed"


def test_in_a_container_this_is_a_way(cli: Cli, issuer: FakeIssuer) -> None:
    issuer.invitation = {"interval": 1}
    page = "http://127.0.0.1:8400/"
    assert "--device" in cli("login", status=7, CLIENT_PAGE_URL=page).err
    assert "Logged in as Alice" in cli("login", "--device", CLIENT_PAGE_URL=page).out


def test_CL19_ctrl_c_while_waiting(start: Run, issuer: FakeIssuer) -> None:
    issuer.polls = [PENDING] * 99
    login = start("login", "--device")
    assert login.stdout is not None
    assert login.stdout.readline().startswith(f"{issuer.origin}/activate")
    login.send_signal(signal.SIGINT)
    assert "Stopped" in end(login, status=130)


def test_it_is_told_with_the_sections(settings: Settings, clock: Clock, issuer: FakeIssuer) -> None:
    issuer.polls = [PENDING, PENDING, says("slow_down", 429), PENDING]
    screen = io.StringIO()
    explainer = Explainer(Console(file=screen, width=80, highlight=False))
    app = NativeApp(
        settings,
        open_store(settings),
        now=clock,
        sleep=clock.sleep,
        on_exchange=explainer.exchange_happened,
        on_moment=explainer.moment,
    )
    device_login(app)
    said = " ".join(screen.getvalue().split())
    for secret in ("the-secret-code", "access-1", "refresh-1"):
        assert secret not in said
    parts = [
        "asks for two codes",
        "RFC 8628 §3.1",
        "BCDF-GHJK",
        "whether somebody has decided",
        "RFC 8628 §3.4",
        "→ 400",
        "→ 429",
        "valid for 3600 s",
        "no nonce was sent",
    ]
    places = [said.find(part) for part in parts]
    assert places == sorted(places)
    assert places[0] >= 0
    assert said.count("asks whether somebody has decided") == 2, "the first question, and the answer; in between lines"


def test_on_a_terminal_there_is_something_to_scan(settings: Settings, issuer: FakeIssuer) -> None:
    """The picture is right when it has the size and the three corners of a QR code, light on dark."""
    issuer.invitation = {"interval": 1}
    terminal, theirs = pty.openpty()
    ours = {
        "CLIENT_ISSUER": settings.issuer,
        "CLIENT_TOKEN_DIR": settings.token_dir,
        "CLIENT_TOKEN_STORE": "file",
        "TERM": "xterm-256color",
        "COLUMNS": "100",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-m", "client", "login", "--device"]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | ours, stdin=theirs, stdout=theirs, stderr=theirs
    ) as login:
        os.close(theirs)
        seen, until = b"", time.monotonic() + 60
        while time.monotonic() < until and select.select([terminal], [], [], 60)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:  # how Linux says that the other side has closed it
                break
        os.close(terminal)
        assert login.wait(60) == 0
    shown = seen.decode()
    lines = [line for line in shown.splitlines() if "\x1b[97;40m" in line]
    code = [line.partition("\x1b[97;40m")[2].partition("\x1b[0m")[0] for line in lines]
    assert {len(line) for line in code} == {len(code[0])}
    assert (len(code[0]) - 4 - 17) % 4 == 0, "4 modules a side for each version, and a border of two"
    assert code[1][2:9] == code[1][-9:-2] == " ▄▄▄▄▄ ", "the corners above"
    assert code[-3][2:9] == " █▄▄▄█ " or code[-2][2:9] == "▄▄▄▄▄▄▄", "the corner below"
    assert "Waiting for you" in shown
    assert "Logged in as" in shown
