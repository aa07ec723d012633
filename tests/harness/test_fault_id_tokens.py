"""ID tokens that lie: each is true but for one thing, and our own app keeps none of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authserver.testing.faults.lies import LIES
from authserver.testing.handle import Authserver
from client.app import NativeApp
from client.errors import ClientError
from client.settings import Settings
from client.store import open_store
from tests.harness.faulty import World
from tests.stage import claims, header

ROOT = Path(__file__).parents[2]

UNSEEN_AT_LOGIN = "other-subject"
"""Nobody can tell at a first login who should have come."""


@pytest.fixture
def here(authserver: Authserver) -> World:
    return World(authserver)


@pytest.fixture
def app(here: World, tmp_path: Path) -> NativeApp:
    """The native app of this repository."""
    settings = Settings(
        issuer=here.authserver.issuer,
        client_id="app",
        scope="openid offline_access read:notes",
        token_dir=str(tmp_path / "tokens"),
        token_store="file",
    )
    return NativeApp(settings, open_store(settings))


def log_in(app: NativeApp, here: World) -> None:
    attempt = app.attempt_login()
    callback = str(here.app.redirect_uri)
    login = here.authserver.visit(attempt.url(callback), here.alice)
    attempt.redeem(list(login.parameters.items()), callback)


@pytest.mark.parametrize("lie", sorted(set(LIES) - {UNSEEN_AT_LOGIN}))
def test_our_app_notices(app: NativeApp, here: World, lie: str) -> None:
    fault = here.authserver.faults.id_token(lie)
    with pytest.raises(ClientError, match="ID token"):
        log_in(app, here)
    assert (fault.hits, fault.name) == (1, f"id_token:{lie}")
    assert app.store.load() is None
    log_in(app, here)
    assert app.store.load() is not None


@pytest.mark.parametrize("lie", [UNSEEN_AT_LOGIN, "wrong-nonce", "wrong-issuer", "bad-signature"])
def test_our_app_notices_at_a_refresh(app: NativeApp, here: World, lie: str) -> None:
    log_in(app, here)
    before = app.store.load()
    here.authserver.faults.id_token(lie, grant_type="refresh_token")
    assert before
    with pytest.raises(ClientError, match="ID token"):
        app._session.tokens(rejected=before.access_token)


def test_a_refresh(here: World) -> None:
    here.authserver.faults.id_token("other-subject", endpoint="token", grant_type="refresh_token")
    spoiled = here.refresh(here.tokens()["refresh_token"])
    assert claims(spoiled.json()["id_token"])["sub"] == "auth0|somebody-else"
    assert spoiled.headers["understudy-fault"] == "id_token:other-subject"


CHANGED: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "wrong-nonce": lambda lie, true: lie["nonce"] != true["nonce"],
    "no-nonce": lambda lie, _: "nonce" not in lie,
    "wrong-issuer": lambda lie, _: lie["iss"] == "https://other.example/",
    "wrong-audience": lambda lie, _: lie["aud"] != "app",
    "expired": lambda lie, true: lie["exp"] < true["iat"],
    "wrong-at-hash": lambda lie, true: lie["at_hash"] and "at_hash" not in true,
    "further-audience": lambda lie, _: "app" in lie["aud"] and lie["azp"] != "app",
    "from-the-future": lambda lie, true: lie["iat"] > true["iat"] + 3000,
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_everything_else_is_true(here: World, lie: str) -> None:
    """Members of the answer, the access token, and all claims that the lie is not about."""
    here.authserver.clock.freeze(1_900_000_000)
    true = here.authserver.login(here.alice, here.app, nonce="n", audience="https://notes.example/api").tokens()
    here.authserver.faults.id_token(lie)
    response = here.authserver.login(here.alice, here.app, nonce="n", audience="https://notes.example/api").exchange()
    told = response.json()
    assert (response.status_code, list(told)) == (200, list(true))
    assert int(response.headers["content-length"]) == len(response.content)
    assert claims(told["access_token"])["sub"] == "auth0|alice"
    said, meant = claims(told["id_token"]), claims(true["id_token"])
    differing = {name for name in {*said, *meant} - {"sid"} if said.get(name) != meant.get(name)}
    signed_with = header(told["id_token"]), header(true["id_token"])
    assert bool(differing) != (
        lie in ("bad-signature", "alg-none", "unknown-kid", "other-issuers-key", "hs256-with-public-key")
    )
    assert len(differing) <= 2, differing
    assert (signed_with[0] != signed_with[1]) is (lie in ("alg-none", "unknown-kid", "hs256-with-public-key"))
    if lie in CHANGED:
        assert CHANGED[lie](said, meant)


def test_an_answer_without_an_id_token_passes_and_does_not_count(here: World) -> None:
    fault = here.authserver.faults.id_token("wrong-nonce")
    login = here.authserver.login(here.alice, here.app, scope="read:notes", audience="https://notes.example/api")
    for response in (here.refresh("nothing"), login.exchange()):
        assert not here.is_spoiled(response)
        assert "id_token" not in response.json()
    assert [each.fault for each in here.authserver.exchanges if each.endpoint == "token"] == [None, None]
    assert fault.hits == 0
    assert here.is_spoiled(here.authserver.login(here.alice, here.app).exchange())


def test_the_page_tells_every_lie() -> None:
    page = (ROOT / "docs/how-to-test/lying-id-tokens.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", page, re.MULTILINE) == list(LIES.items())
