"""Several people and servers on one computer: `--account`, `accounts`, `use`, `logout --all` (row CL18)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from client.app import NativeApp
from client.errors import LoginNeededError
from client.settings import Settings
from client.store import open_store
from tests.client.conftest import Cli, Clock, log_in
from tests.client.fake_server import SUBJECT, Answer, FakeApi, FakeIssuer

BOB = {"sub": "auth0|bob", "email": "bob@example.com", "name": "Bob"}


@pytest.fixture
def both(app: NativeApp, issuer: FakeIssuer) -> NativeApp:
    """Alice (access-1), then Bob (access-2), who is current."""
    log_in(app)
    issuer.claims = dict(BOB)
    log_in(app)
    issuer.claims = {}
    return app


def acting_for(account: str, app: NativeApp, clock: Clock) -> NativeApp:
    settings = replace(app.settings, account=account)
    return NativeApp(settings, open_store(settings), now=clock, ports=(0,))


def test_CL18_each_command_acts_for_the_one_it_names(cli: Cli, both: NativeApp, api: FakeApi) -> None:
    assert both.tokens().identity["sub"] == BOB["sub"], "whoever logged in last"
    cli("notes")
    cli("notes", "--account", "alice@example.com")
    cli("notes", CLIENT_ACCOUNT="Alice")
    cli("notes", "--account", BOB["sub"])
    sent = [call.headers["authorization"] for call in api.requests]
    assert sent == ["Bearer access-2", "Bearer access-1", "Bearer access-1", "Bearer access-2"]


def test_use_switches_and_says_so(cli: Cli, both: NativeApp, api: FakeApi) -> None:
    assert "Alice" in cli("use", "alice@example.com").out
    cli("notes")
    assert api.requests[-1].headers["authorization"] == "Bearer access-1"
    said = cli("use", "carol@example.com", status=3).err
    assert "carol@example.com" in said
    assert "client accounts" in said
    assert both.tokens().identity["sub"] == SUBJECT


def test_CL18_a_refresh_does_not_switch(both: NativeApp, clock: Clock) -> None:
    alice = acting_for("alice@example.com", both, clock)
    assert alice.refresh().access_token == "access-3"
    assert both.tokens().access_token == "access-2"
    assert alice.tokens().access_token == "access-3"


def test_CL18_invalid_grant_forgets_one_person(both: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    issuer.token_route = lambda _request: Answer(403, {"error": "invalid_grant"})
    with pytest.raises(LoginNeededError):
        acting_for("alice@example.com", both, clock).refresh()
    assert acting_for("alice@example.com", both, clock).store.load() is None
    assert both.tokens().access_token == "access-2"


def test_accounts_lists_everybody(cli: Cli, both: NativeApp, issuer: FakeIssuer) -> None:
    assert both
    said = cli("accounts").out
    assert "● Bob <bob@example.com>" in said
    assert "  Alice <alice@example.com>" in said
    assert issuer.issuer in said
    listed = cli("accounts", "--json").document
    assert [(one["account"]["email"], one["current"], one["refresh_token"]) for one in listed] == [
        ("alice@example.com", False, "file"),
        ("bob@example.com", True, "file"),
    ]
    assert "Nobody is logged in here" in cli("accounts", CLIENT_TOKEN_DIR="/nonexistent").out


def test_after_a_logout_nobody_acts_unasked(cli: Cli, both: NativeApp, issuer: FakeIssuer, api: FakeApi) -> None:
    assert both
    cli("logout")
    assert [request.form["token"] for request in issuer.asked("/oauth/revoke")] == ["refresh-2"]
    said = cli("notes", status=3).err
    assert "client use ACCOUNT" in said
    assert not api.requests
    cli("notes", "--account", "alice@example.com")


def test_logout_all_tells_each_server(cli: Cli, both: NativeApp, issuer: FakeIssuer, clock: Clock) -> None:
    other = FakeIssuer(clock)
    try:
        elsewhere = replace(both.settings, issuer=other.issuer, client_id="native-app")
        log_in(NativeApp(elsewhere, open_store(elsewhere), now=clock, ports=(0,)))
        result = cli("logout", "--all", "--json").document
        assert len(result) == 3
        assert all(one["was_logged_in"] and one["problem"] is None for one in result)
        assert sorted(request.form["token"] for request in issuer.asked("/oauth/revoke")) == ["refresh-1", "refresh-2"]
        assert [request.form["token"] for request in other.asked("/oauth/revoke")] == ["refresh-1"]
    finally:
        other.close()
    assert not list(Path(both.settings.token_dir).glob("*.json"))
    assert "Nobody was logged in" in cli("logout", "--all").out


def test_logout_all_goes_on_past_a_server_that_is_down_and_a_damaged_file(
    cli: Cli, both: NativeApp, issuer: FakeIssuer
) -> None:
    (Path(both.settings.token_dir) / f"{'0' * 32}.json").write_text("{")
    (Path(both.settings.token_dir) / f"{'0' * 32}.json").chmod(0o600)
    issuer.close()
    said = cli("logout", "--all").out
    assert "was damaged" in said
    assert said.count("could not be told") == 2
    assert not list(Path(both.settings.token_dir).glob("*.json"))


def test_logout_all_does_not_dial_our_internal_address_for_another_server(
    cli: Cli, both: NativeApp, issuer: FakeIssuer, clock: Clock
) -> None:
    """Whoever stands at the internal address of our server shall not get tokens of another one."""
    other = FakeIssuer(clock)
    try:
        settings = Settings(issuer="http://localhost:1/", token_dir=both.settings.token_dir, token_store="file")
        cli("logout", "--all", CLIENT_ISSUER=settings.issuer, CLIENT_ISSUER_INTERNAL_URL=other.origin)
        assert not other.requests
        assert len(issuer.asked("/oauth/revoke")) == 2
    finally:
        other.close()


def test_a_file_of_one_account_can_be_left(cli: Cli, app: NativeApp, issuer: FakeIssuer) -> None:
    """Written by the version before: no context in it, its issuer is that of the ID token."""
    tokens = log_in(app).tokens
    (path,) = Path(app.settings.token_dir).glob("*.json")
    content = json.loads(path.read_text())["accounts"][tokens.identity["sub"]]
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in ("clock_difference", "refresh_token_in")}))
    cli("notes")
    assert "Logged out" in cli("logout", "--all", CLIENT_ISSUER="http://localhost:1/").out
    assert len(issuer.asked("/oauth/revoke")) == 1


def test_whom_to_expect_is_sent_as_a_hint(app: NativeApp, clock: Clock) -> None:
    def hint(account: str) -> str | None:
        with acting_for(account, app, clock).begin_login() as pending:
            return pending.parameters.get("login_hint")

    assert hint("") is None
    assert hint("carol@example.com & co") == "carol@example.com & co"
    log_in(app)
    assert hint(SUBJECT) == "alice@example.com", "in words that the server knows"


def test_somebody_else_than_asked_for(app: NativeApp, clock: Clock, issuer: FakeIssuer) -> None:
    assert log_in(acting_for("ALICE@example.com", app, clock)).is_who_was_asked_for
    issuer.claims = dict(BOB)
    done = log_in(acting_for("alice@example.com", app, clock))
    assert not done.is_who_was_asked_for
    assert app.tokens().identity["sub"] == BOB["sub"]
    assert not issuer.asked("/oauth/revoke"), "Alice is still logged in"


def test_a_login_over_a_login_ends_the_older_one(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    log_in(app)
    assert [request.form["token"] for request in issuer.asked("/oauth/revoke")] == ["refresh-1"]
    assert app.refresh().access_token == "access-3"
    issuer.always("/oauth/revoke", Answer(503, {}))
    log_in(app)
    stored = app.store.load()
    assert stored is not None
    assert stored.refresh_token == "refresh-4", "quietly, and whether or not the server hears it"
