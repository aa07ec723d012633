"""Our own native app logs in as a device, at the real server; its clock is the server's."""

from pathlib import Path

import pytest

from client.app import NativeApp
from client.device import Pause
from client.errors import LoginFailedError
from client.settings import Settings
from client.store import open_store
from tests.devices import approves, denies
from tests.stage import Stage

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])


@pytest.fixture
def app(stage: Stage, tmp_path: Path) -> NativeApp:
    settings = Settings(issuer=stage.issuer, token_dir=str(tmp_path / "tokens"), token_store="file")
    return NativeApp(
        settings,
        open_store(settings),
        now=stage.clock,
        sleep=lambda seconds: stage.clock.advance(int(seconds)),
    )


def test_from_the_code_to_a_refresh(stage: Stage, app: NativeApp) -> None:
    login, pauses = app.begin_device_login(), list[Pause]()

    def look(pause: Pause) -> None:
        pauses.append(pause)
        if len(pauses) == 3:
            approves(stage.browser(), login.invitation.user_code)

    tokens, _ = login.finish(look)
    assert len(pauses) == 3
    assert tokens.identity["email"] == "alice@example.com"
    assert app.userinfo()["email"] == "alice@example.com"
    assert app.refresh().access_token != tokens.access_token
    assert app.logout().problem is None


def test_a_device_that_is_too_fast_learns_it(stage: Stage, app: NativeApp) -> None:
    login, pauses = app.begin_device_login(), list[Pause]()

    def look(pause: Pause) -> None:
        pauses.append(pause)
        if len(pauses) == 2:
            stage.clock.now -= 3  # the server's interval is not over when ours is
        if len(pauses) == 4:
            approves(stage.browser(), login.invitation.user_code)

    login.finish(look)
    assert [pause.seconds for pause in pauses] == [5, 5, 10, 10]


def test_a_person_declines(stage: Stage, app: NativeApp) -> None:
    login = app.begin_device_login()
    denies(stage.browser(), login.invitation.user_code)
    with pytest.raises(LoginFailedError, match="declined"):
        login.finish(lambda _: None)
    assert app.store.load() is None


def test_nobody_comes(stage: Stage, app: NativeApp) -> None:
    with pytest.raises(LoginFailedError, match="expired"):
        app.begin_device_login().finish(lambda _: None)
    assert stage.rows("SELECT 1 FROM grants") == []
