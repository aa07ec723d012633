"""The product against itself: what our app and our API claim to survive, they survive."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import api
from authserver.testing.handle import Authserver, Fault
from client.app import NativeApp
from client.errors import ClientError, LoginNeededError, UnavailableError
from client.settings import Settings
from client.store import TokenSet, open_store
from tests.client.conftest import Clock
from tests.harness.conftest import AUDIENCE
from tests.harness.faulty import World
from tests.stage import header


@pytest.fixture
def here(authserver: Authserver) -> World:
    return World(authserver)


@dataclass
class Phone:
    """Our native app, on which Alice is logged in."""

    app: NativeApp

    @property
    def kept(self) -> TokenSet:
        kept = self.app.store.load()
        assert kept is not None
        return kept

    def refresh(self) -> TokenSet:
        """As after a 401: the access token is of no use any more."""
        return self.app._session.tokens(rejected=self.kept.access_token)


@pytest.fixture
def phone(here: World, tmp_path: Path) -> Phone:
    settings = Settings(
        issuer=here.authserver.issuer,
        client_id="app",
        scope="openid offline_access read:notes",
        token_dir=str(tmp_path / "tokens"),
        token_store="file",
    )
    phone = Phone(NativeApp(settings, open_store(settings)))
    log_in(phone.app, here)
    return phone


def log_in(app: NativeApp, here: World) -> None:
    attempt, callback = app.attempt_login(), str(here.app.redirect_uri)
    login = here.authserver.visit(attempt.url(callback), here.alice)
    attempt.redeem(list(login.parameters.items()), callback)


def test_the_app_survives_keys_that_change_while_it_refreshes(here: World, phone: Phone) -> None:
    """It fetched the keys before it spent its refresh token, and the answer is signed with one that came after."""
    before = phone.kept
    fault = here.authserver.faults.rotate_keys(withdraw=True, grant_type="refresh_token")
    assert phone.refresh().refresh_token not in (None, before.refresh_token)
    assert fault.hits == 1
    assert phone.kept.refresh_token != before.refresh_token
    asked = [each.endpoint for each in here.authserver.exchanges][-3:]
    assert asked == ["jwks", "token", "jwks"]
    assert phone.refresh().id_token
    asked = [each.endpoint for each in here.authserver.exchanges][-2:]
    assert asked == ["jwks", "token"]  # once more is for a missing key alone


FAILURES: dict[str, Callable[[Authserver], Fault]] = {
    "503": lambda of: of.faults.error("temporarily_unavailable", grant_type="refresh_token"),
    "500": lambda of: of.faults.error("server_error", grant_type="refresh_token"),
    "429": lambda of: of.faults.rate_limit(endpoint="token"),
    "HTML": lambda of: of.faults.html(endpoint="token"),
    "HTML with 502": lambda of: of.faults.html(502, endpoint="token"),
    "cut": lambda of: of.faults.cut(endpoint="token"),
    "a bare 401": lambda of: of.faults.answer(401, "who are you", endpoint="token"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_the_app_forgets_no_tokens_because_a_server_is_in_trouble(here: World, phone: Phone, failure: str) -> None:
    before = phone.kept
    fault = FAILURES[failure](here.authserver)
    with pytest.raises(ClientError) as told:
        phone.refresh()
    assert not isinstance(told.value, LoginNeededError)
    assert fault.hits == 1  # it did not try again by itself
    assert phone.kept == before
    assert phone.refresh().access_token != before.access_token


def test_the_app_forgets_them_at_invalid_grant_alone(here: World, phone: Phone) -> None:
    here.authserver.faults.error("invalid_grant", grant_type="refresh_token")
    with pytest.raises(LoginNeededError):
        phone.refresh()
    assert phone.app.store.load() is None


@pytest.mark.parametrize("failure", ["lost", "truncated"])
def test_the_app_survives_a_lost_answer_within_the_leeway(here: World, phone: Phone, failure: str) -> None:
    """The token it holds is spent; its next attempt repeats it, and the server takes that for what it is."""
    rotating = {"rotation_type": "rotating", "leeway": 30}
    here.authserver.register_client("app", ask_consent=False, refresh_token=rotating)
    before, faults = phone.kept, here.authserver.faults
    (faults.lose_answer if failure == "lost" else faults.truncate)(endpoint="token")
    with pytest.raises(ClientError):
        phone.refresh()
    assert phone.kept == before
    assert phone.refresh().refresh_token != before.refresh_token
    assert "RefreshTokenReused" not in {each.type for each in here.authserver.events}


def test_the_app_is_told_to_log_in_again_without_one(here: World, phone: Phone) -> None:
    here.authserver.faults.lose_answer(endpoint="token")
    with pytest.raises(UnavailableError):
        phone.refresh()
    with pytest.raises(LoginNeededError, match="invalid_grant"):
        phone.refresh()


def test_the_app_takes_a_key_that_came_in_the_middle_of_a_login(here: World, phone: Phone) -> None:
    """Withdrawn is the one that signed until the code was redeemed."""
    before = phone.kept.id_token
    here.authserver.faults.rotate_keys(withdraw=True, endpoint="token")
    log_in(phone.app, here)
    assert header(phone.kept.id_token)["kid"] != header(before)["kid"]


@contextmanager
def notes(of: Authserver, clock: Clock, directory: Path) -> Iterator[Callable[[str], int]]:
    """Our API on a clock of its own; called with a token it tells the status."""
    values: dict[str, Any] = {"issuer": of.issuer, "database_url": f"sqlite:///{directory}/notes.db"}
    with TestClient(api.create_app(api.Settings.model_validate(values), clock)) as http:
        yield lambda token: http.get("/notes", headers={"Authorization": f"Bearer {token}"}).status_code


def test_the_api_goes_on_with_the_keys_that_it_has(here: World, tmp_path: Path) -> None:
    """Beyond the time after which it would fetch them anew; then the issuer's outage is over."""
    clock = Clock()
    token = here.authserver.issue_token(here.alice, AUDIENCE, "read:notes", expires_in=86400)
    with notes(here.authserver, clock, tmp_path) as status:
        assert status(token) == 200
        with here.authserver.faults.outage("jwks") as outage:
            clock.time += api.keys.TTL + 1
            assert status(token) == 200
            assert outage.hits == 1  # it asked, and was not impressed
            clock.time += api.keys.STALE_LIMIT
            assert status(token) == 503
        clock.time += api.keys.COOL_DOWN
        assert status(token) == 200


@pytest.mark.parametrize("kind", ["outage", "html", "truncate", "rate_limit", "cut", "cut in the body"])
@pytest.mark.parametrize("endpoint", ["jwks", "metadata"])
def test_an_api_that_never_had_keys_lets_nobody_in(here: World, tmp_path: Path, kind: str, endpoint: str) -> None:
    """503 and no 401: the caller's token is not to blame."""
    faults, clock = here.authserver.faults, Clock()
    fault = {
        "outage": faults.outage,
        "html": faults.html,
        "truncate": faults.truncate,
        "rate_limit": faults.rate_limit,
        "cut": faults.cut,
        "cut in the body": lambda **match: faults.cut(9, **match),
    }[kind](endpoint=endpoint, times=None)  # type: ignore[operator]  # each takes these two
    token = here.authserver.issue_token(here.alice, AUDIENCE, "read:notes")
    with notes(here.authserver, clock, tmp_path) as status:
        assert status(token) == 503
        assert fault.hits == 1
        fault.remove()
        clock.time += api.keys.COLD_COOL_DOWN
        assert status(token) == 200


def test_the_api_refuses_what_a_withdrawn_key_signed(here: World, tmp_path: Path) -> None:
    clock = Clock()
    old = here.authserver.issue_token(here.alice, AUDIENCE, "read:notes")
    here.authserver.faults.rotate_keys(withdraw=True, endpoint="jwks")
    with notes(here.authserver, clock, tmp_path) as status:
        assert status(old) == 401
        clock.time += api.keys.COOL_DOWN
        assert status(here.authserver.issue_token(here.alice, AUDIENCE, "read:notes")) == 200
