"""Actions: what a tenant's own Python does to logins, refreshes and clients, and what it cannot do.

Auth0's contract §10.3, §12; issue lines of its own checklist are in tests/spec/test_checklist.py.
"""

import json
import logging
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from authserver.actions.custom_claims import PROFILE, RESTRICTED
from authserver.settings import DEMO_TENANT
from authserver.tenant_file import TenantFileError
from tests.attacks.judge import both_dialects, on_sqlite
from tests.conftest import Prepared
from tests.devices import DENIED, approves, device, reaches_the_decision
from tests.proves import proves
from tests.stage import ALICE, API, BOB, Browser, Pkce, Stage, answer, claims

ROOT = Path(__file__).parents[2]
NS = "https://notes.example/"
ALL = "openid profile email offline_access read:notes write:notes delete:notes"
ALICES_ID = "auth0|65f0a11ce000000000000001"

Raise = Callable[..., Stage]


class Tenant:
    """The demo tenant with Actions of the test's choice."""

    def __init__(self, directory: Path, raise_stage: Raise, prepared: Prepared) -> None:
        self.directory, self.raise_stage, self.prepared = directory, raise_stage, prepared
        self.stage: Stage | None = None

    def write(self, trigger: str = "post-login", secrets: dict[str, str] | None = None, **actions: str) -> Path:
        """A tenant file that binds `actions` (name=source) in their order."""
        held = [{"name": name, "value": value} for name, value in (secrets or {}).items()]
        listed = []
        for name, source in actions.items():
            (self.directory / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")
            listed.append(
                {"name": name, "code": f"./{name}.py", "supported_triggers": [{"id": trigger}], "secrets": held}
            )
        tenant = yaml.safe_load(DEMO_TENANT.read_text(encoding="utf-8"))
        tenant |= {"actions": listed, "triggers": {trigger: [{"action_name": name} for name in actions]}}
        path = self.directory / "tenant.yaml"
        path.write_text(yaml.safe_dump(tenant), encoding="utf-8")
        return path

    def play(self, trigger: str = "post-login", secrets: dict[str, str] | None = None, **actions: str) -> Stage:
        """The server with these Actions: at first, and again after each change of them."""
        path = self.write(trigger, secrets, **actions)
        if self.stage is None:
            url = self.prepared.copy(self.directory)
            self.stage = self.raise_stage(tenant=path, database_url=url)
            self.stage.secrets = self.prepared.secrets
        else:
            self.stage.restart()
        return self.stage


@pytest.fixture
def tenant(tmp_path: Path, raise_stage: Raise, prepared: Prepared) -> Tenant:
    return Tenant(tmp_path, raise_stage, prepared)


def refused(stage: Stage, browser: Browser | None = None, **changed: str | None) -> dict[str, str]:
    """What a login is answered with that does not end in a code."""
    browser = browser or stage.browser()
    page = browser.log_in(stage.authorize(browser, **changed))
    return answer(browser.decide(page) if "/u/consent" in str(page.url) else page)


def ask_for_backend(stage: Stage, **changed: str) -> httpx2.Response:
    data = {"grant_type": "client_credentials", "audience": API, **changed}
    return stage.http.post("/oauth/token", data=data, auth=stage.basic("backend"))


NAMESPACED = f"""
    def on_execute_post_login(event, api):
        api.idToken.setCustomClaim("{NS}roles", list(event.authorization.roles))
        api.access_token.set_custom_claim("{NS}plan", {{"name": "gold", "seats": 3}})
        api.id_token.set_custom_claim("favourite_colour", "green")
"""


@both_dialects
def test_claims_of_an_action_stand_in_the_tokens_and_after_each_refresh(tenant: Tenant) -> None:
    stage = tenant.play(Roles=NAMESPACED)
    tokens = stage.tokens(scope=ALL)
    for each in (tokens, stage.refresh(tokens["refresh_token"]).json()):
        assert claims(each["id_token"])[NS + "roles"] == ["editor"]
        assert claims(each["id_token"])["favourite_colour"] == "green"
        assert claims(each["access_token"])[NS + "plan"] == {"name": "gold", "seats": 3}
        assert NS + "roles" not in claims(each["access_token"])
        assert stage.userinfo(each["access_token"]).json()[NS + "roles"] == ["editor"]


def test_a_claim_survives_a_refresh_because_actions_run_again(tenant: Tenant) -> None:
    tokens = tenant.play(Roles=NAMESPACED).tokens(scope=ALL)
    stage = tenant.play()
    refreshed = stage.refresh(tokens["refresh_token"]).json()
    assert NS + "roles" not in claims(refreshed["id_token"])
    assert NS + "roles" not in stage.userinfo(refreshed["access_token"]).json()


@both_dialects
@pytest.mark.parametrize("backend", ["sqlite"])
def test_JW4_restricted_claims_are_ignored_and_overwrite_nothing(tenant: Tenant) -> None:
    plain = tenant.play().tokens(scope=ALL)
    hostile = sorted(
        {*RESTRICTED, "sip_from", "https://x.auth0.com/a", "https://auth0.com", "urn:auth0:x", "https://webtask.io/"}
    )
    stage = tenant.play(
        Hostile=f"""
        def on_execute_post_login(event, api):
            for name in {hostile}:
                api.id_token.set_custom_claim(name, "evil")
                api.access_token.set_custom_claim(name, "evil")
        """
    )
    spoilt = stage.tokens(scope=ALL)
    for token in ("id_token", "access_token"):
        assert claims(spoilt[token]).keys() == claims(plain[token]).keys()
        assert "evil" not in json.dumps(claims(spoilt[token]))


@on_sqlite
def test_profile_claims_go_to_the_id_token_under_their_scope_and_never_to_the_access_token(tenant: Tenant) -> None:
    stage = tenant.play(
        Profile=f"""
        def on_execute_post_login(event, api):
            for name in {sorted(PROFILE)}:
                api.id_token.set_custom_claim(name, "set")
                api.access_token.set_custom_claim(name, "set")
        """
    )
    wide, narrow = stage.tokens(scope="openid profile"), stage.tokens(scope="openid")
    assert claims(wide["id_token"])["nickname"] == "set"
    assert "email" not in claims(wide["id_token"])
    assert PROFILE.isdisjoint(claims(narrow["id_token"]))
    assert PROFILE.isdisjoint(claims(wide["access_token"]))


@both_dialects
def test_a_denial_reaches_the_application_with_its_reason(tenant: Tenant) -> None:
    stage = tenant.play(
        Gate="""
        def on_execute_post_login(event, api):
            api.user.set_app_metadata("refused", True)
            api.access.deny('“Only” on \\\\ weekdays\u2013please\\n')
        """,
        Later="""
        def on_execute_post_login(event, api):
            api.user.set_app_metadata("later", True)
        """,
    )
    said = refused(stage, state="s t")
    assert said == {
        "error": "access_denied",
        "error_description": "'Only' on / weekdays-please?",
        "state": "s t",
        "iss": stage.issuer,
    }
    (event,) = stage.rows("SELECT user_id, reason FROM events WHERE type = 'ActionDenied'")
    assert (event["user_id"], event["reason"]) == (ALICES_ID, "Gate")
    assert metadata(stage) == {"refused": True}, "what was written until then stays, and nobody runs after it"
    assert not stage.rows("SELECT * FROM authorization_codes")


def metadata(stage: Stage, kind: str = "app_metadata") -> Any:
    held = stage.rows(f"SELECT {kind} FROM users WHERE user_id = :of", of=ALICES_ID)[0][kind]  # noqa: S608 - a constant
    return json.loads(held) if isinstance(held, str) else held


@both_dialects
def test_a_denied_refresh_spends_nothing(tenant: Tenant) -> None:
    tokens = tenant.play().tokens()
    stage = tenant.play(
        Gate="""
        def on_execute_post_login(event, api):
            if event.transaction.protocol == "oauth2-refresh-token":
                api.access.deny("not today")
        """
    )
    denied = stage.refresh(tokens["refresh_token"])
    assert (denied.status_code, denied.json()) == (
        403 if stage.dialect == "auth0" else 400,
        {"error": "access_denied", "error_description": "not today"},
    )
    assert tenant.play().refresh(tokens["refresh_token"]).status_code == 200


@both_dialects
def test_RT1_reuse_ends_the_family_whatever_an_action_says(tenant: Tenant) -> None:
    stage = tenant.play()
    first = stage.tokens()["refresh_token"]
    second = stage.refresh(first).json()["refresh_token"]
    stage = tenant.play(
        Gate="""
        def on_execute_post_login(event, api):
            api.access.deny("never")
        """
    )
    assert stage.bad_grant(stage.refresh(first))
    assert stage.bad_grant(tenant.play().refresh(second))


@both_dialects
def test_an_action_that_raises_fails_the_login_and_is_named_in_the_log_alone(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = tenant.play().tokens()
    stage = tenant.play(
        Early="""
        def on_execute_post_login(event, api):
            api.user.set_app_metadata("early", 1)
        """,
        Broken="""
        def on_execute_post_login(event, api):
            raise RuntimeError("the secret cause")
        """,
    )
    with caplog.at_level(logging.ERROR, "authserver"):
        said = refused(stage)
        refreshed = stage.refresh(tokens["refresh_token"])
    assert (said["error"], said["error_description"]) == ("server_error", "An Action of this tenant failed.")
    assert (refreshed.status_code, refreshed.json()["error"]) == (500, "server_error")
    assert "Broken" not in refreshed.text + json.dumps(said)
    assert "secret cause" not in refreshed.text + json.dumps(said)
    assert caplog.text.count("action Broken failed") == 2
    assert metadata(stage) in (None, {}), "a failure takes everything back"
    assert tenant.play().refresh(tokens["refresh_token"]).status_code == 200, "nothing was spent"


@both_dialects
def test_a_changed_scope_shows_in_the_answer_and_in_the_token(tenant: Tenant) -> None:
    stage = tenant.play(
        Scopes="""
        def on_execute_post_login(event, api):
            api.accessToken.removeScope("read:notes")
            api.accessToken.addScope("delete:notes")
            api.accessToken.addScope("admin:all")
        """
    )
    tokens = stage.tokens(user=BOB, scope="openid offline_access read:notes")
    for each in (tokens, stage.refresh(tokens["refresh_token"]).json()):
        assert each["scope"].split() == ["openid", "offline_access", "delete:notes", "admin:all"], (
            "asked for, permitted or not"
        )
        assert claims(each["access_token"])["scope"] == each["scope"]
    assert "read:notes" in tenant.play().refresh(each["refresh_token"]).json()["scope"].split()


@on_sqlite
def test_actions_run_in_their_order_and_the_later_word_counts(tenant: Tenant) -> None:
    source = """
        def on_execute_post_login(event, api):
            api.id_token.set_custom_claim("last", "%s")
            api.access_token.%s("delete:notes")
    """
    stage = tenant.play(First=source % ("first", "add_scope"), Second=source % ("second", "remove_scope"))
    tokens = stage.tokens(scope=ALL)
    assert claims(tokens["id_token"])["last"] == "second"
    assert "delete:notes" not in tokens["scope"]
    tokens = tenant.play(Second=source % ("second", "remove_scope"), First=source % ("first", "add_scope")).tokens(
        scope="openid"
    )
    assert (claims(tokens["id_token"])["last"], tokens["scope"]) == ("first", "openid delete:notes")


TELLS = f"""
    import json

    def plain(value):
        if hasattr(value, "items"):
            return {{name: plain(each) for name, each in value.items()}}
        return [plain(each) for each in value] if isinstance(value, tuple) else value

    def on_execute_post_login(event, api):
        api.id_token.set_custom_claim("{NS}event", plain(event))
"""


@on_sqlite
@proves("GET /authorize", "ext-*, acr_values, ui_locales")
def test_the_event_says_who_logs_in_where_and_how(tenant: Tenant) -> None:
    stage = tenant.play(Tells=TELLS, secrets={"KEY": "s3cret"})
    browser, pkce = stage.browser(), Pkce()
    browser.http.headers["User-Agent"] = "Netscape/4"
    extra = {"ext-campaign": "spring", "id_token_hint": stage.tokens()["id_token"], "acr_values": "a b"}
    extra |= {"client_secret": "by-mistake", "password": "by-mistake"}
    code = stage.code(pkce, browser=browser, login_hint=ALICE, **extra)
    event = claims(stage.redeem(code, pkce).json()["id_token"])[NS + "event"]
    assert event["client"] == {"client_id": "native-app", "name": "Notes (native app)", "metadata": {}}
    user = event["user"]
    assert (user["user_id"], user["email"], user["email_verified"], user["given_name"]) == (
        ALICES_ID,
        ALICE,
        True,
        "Alice",
    )
    assert user["identities"] == [
        {
            "connection": "Username-Password-Authentication",
            "provider": "auth0",
            "user_id": "65f0a11ce000000000000001",
            "isSocial": False,
        }
    ]
    assert event["authorization"] == {"roles": ["editor"]}
    assert event["resource_server"] == {"identifier": API}
    assert event["stats"] == {"logins_count": 2}
    assert event["secrets"] == {"KEY": "s3cret"}
    assert [method["name"] for method in event["authentication"]["methods"]] == ["pwd"]
    transaction = event["transaction"]
    assert (transaction["protocol"], transaction["login_hint"]) == ("oidc-basic-profile", ALICE)
    assert transaction["acr_values"] == ["a", "b"]
    assert {"read:notes", "openid"} <= set(transaction["requested_scopes"])
    request = event["request"]
    assert (request["ip"], request["user_agent"]) == ("127.0.0.1", "Netscape/4")
    assert request["query"]["ext-campaign"] == "spring"
    assert {"id_token_hint", "client_secret", "password"}.isdisjoint(request["query"]), "no secret reaches an Action"
    assert "by-mistake" not in str(stage.rows("SELECT request FROM interactions")), "nor a row"


@on_sqlite
def test_I12_without_actions_nothing_besides_the_request_is_kept(stage: Stage) -> None:
    stage.authorize(stage.browser(), **{"ext-campaign": "spring"})
    assert "spring" not in str(stage.rows("SELECT request FROM interactions"))


@on_sqlite
def test_what_the_page_says_runs(tenant: Tenant) -> None:
    page = (ROOT / "docs/actions.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    tokens = tenant.play(secrets={"PLAN": "gold"}, Roles=snippet).tokens()
    assert claims(tokens["id_token"])[NS + "roles"] == ["editor"]
    assert claims(tokens["access_token"])[NS + "plan"] == "gold"


@on_sqlite
def test_the_event_of_a_refresh_holds_no_secret(tenant: Tenant) -> None:
    stage = tenant.play(Tells=TELLS)
    refresh_token = stage.tokens()["refresh_token"]
    event = claims(stage.refresh(refresh_token, **{"ext-x": "1"}).json()["id_token"])[NS + "event"]
    assert event["transaction"]["protocol"] == "oauth2-refresh-token"
    assert event["request"]["body"] == {"client_id": "native-app", "grant_type": "refresh_token", "ext-x": "1"}
    assert event["refresh_token"]["client_id"] == "native-app"
    assert refresh_token not in json.dumps(event)


@on_sqlite
def test_facts_are_read_only_and_what_is_absent_is_none(tenant: Tenant) -> None:
    stage = tenant.play(
        Reads=f"""
        def on_execute_post_login(event, api):
            assert event.user.no_such_thing is None and event.organization is None
            assert event["user"]["email"] == event.user.email
            for change in (lambda: setattr(event.user, "email", "x"), lambda: event.user.__setitem__("email", "x")):
                try:
                    change()
                except (TypeError, AttributeError):
                    continue
                raise AssertionError("the event was changed")
            api.id_token.set_custom_claim("{NS}ok", True)
        """
    )
    assert claims(stage.tokens()["id_token"])[NS + "ok"] is True


@both_dialects
def test_actions_run_on_silent_logins_too(tenant: Tenant) -> None:
    stage = tenant.play()
    browser, web = stage.browser(), {"client_id": "spa", "redirect_uri": "http://localhost:3000/callback"}
    page = browser.log_in(stage.authorize(browser, **web))
    browser.decide(page)
    stage.configure_client("spa", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    stage = tenant.play(
        Gate="""
        def on_execute_post_login(event, api):
            if "none" in event.transaction.prompt:
                api.access.deny("come and show yourself")
        """
    )
    said = answer(stage.authorize(browser, prompt="none", **web))
    assert (said["error"], said["error_description"]) == ("access_denied", "come and show yourself")


@both_dialects
@proves("Actions", "api.user.setUserMetadata, setAppMetadata")
def test_metadata_is_kept_merged_and_deleted(tenant: Tenant) -> None:
    source = """
        def on_execute_post_login(event, api):
            api.user.setUserMetadata("colour", "green")
            api.user.setAppMetadata("visits", (event.user.app_metadata.visits or 0) + 1)
    """
    stage = tenant.play(Counts=source)
    stage.clock.advance(100)
    tokens = stage.tokens()
    stage.refresh(tokens["refresh_token"])
    assert (metadata(stage, "user_metadata"), metadata(stage)) == ({"colour": "green"}, {"visits": 2})
    tenant.play(
        Forgets="""
        def on_execute_post_login(event, api):
            api.user.set_user_metadata("colour", None)
        """
    ).tokens()
    assert (metadata(stage, "user_metadata"), metadata(stage)) == ({}, {"visits": 2})


@on_sqlite
@pytest.mark.parametrize(
    "statement",
    [
        'api.redirect.sendUserTo("https://elsewhere.example")',
        'api.multifactor.enable("any")',
        "api.cache.get('x')",
        "api.access.allow()",
        'api.id_token.set_custom_claim("x", float("nan"))',
        'api.id_token.set_custom_claim("x", object())',
        'api.id_token.set_custom_claim("x", "y" * 100_001)',
        'api.access_token.add_scope("two words")',
        "api.access_token.add_scope(None)",
        "undefined_name",
    ],
)
def test_what_is_not_played_or_makes_no_sense_fails_the_login(
    tenant: Tenant, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage = tenant.play(Wishes=f"def on_execute_post_login(event, api):\n    {statement}\n")
    assert refused(stage)["error"] == "server_error"
    assert "action Wishes failed" in caplog.text


@both_dialects
def test_actions_run_when_a_person_lets_a_device_in(tenant: Tenant) -> None:
    stage = tenant.play(
        Tells=f"""
        def on_execute_post_login(event, api):
            api.access_token.set_custom_claim("{NS}protocol", event.transaction.protocol)
        """
    )
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    assert claims(tv.waits().json()["access_token"])[NS + "protocol"] == "oauth2-device-code"


@both_dialects
def test_a_denied_device_is_told_so_and_its_person_why(tenant: Tenant) -> None:
    stage = tenant.play(
        Gate="""
        def on_execute_post_login(event, api):
            api.access.deny("no devices here")
        """
    )
    tv, browser = device(stage), stage.browser()
    page = browser.decide(reaches_the_decision(browser, tv.user_code))
    assert 'id="error"' in page.text
    assert "no devices here" in page.text
    assert tv.hears(tv.waits(), DENIED)


# Clients in their own name ---------------------------------------------------------------------------------------


@both_dialects
def test_a_client_in_its_own_name_gets_claims_within_its_grant(tenant: Tenant) -> None:
    stage = tenant.play(
        "credentials-exchange",
        Exchange=f"""
        def on_execute_credentials_exchange(event, api):
            api.accessToken.setCustomClaim("{NS}for", event.client.name)
            api.accessToken.setCustomClaim("sub", "auth0|alice")
            api.transaction.addTargetScope("delete:notes")
        """,
    )
    answered = ask_for_backend(stage).json()
    said = claims(answered["access_token"])
    assert said[NS + "for"] == "Notes (backend)"
    assert said["sub"] == "backend@clients"
    assert answered["scope"] == said["scope"] == "read:notes", "not beyond the grant"
    stage = tenant.play(
        "credentials-exchange",
        Exchange="""
        def on_execute_credentials_exchange(event, api):
            api.transaction.set_target_scopes([])
        """,
    )
    assert ask_for_backend(stage).json()["scope"] == ""


@both_dialects
@pytest.mark.parametrize("code", ["invalid_scope", "invalid_request", "server_error"])
def test_a_client_in_its_own_name_can_be_denied(tenant: Tenant, code: str) -> None:
    stage = tenant.play(
        "credentials-exchange",
        Exchange=f"""
        def on_execute_credentials_exchange(event, api):
            api.access.deny("{code}", "not at this hour")
        """,
    )
    response = ask_for_backend(stage)
    assert response.json() == {"error": code, "error_description": "not at this hour"}
    assert response.status_code in (400, 403, 500)


# The older signatures --------------------------------------------------------------------------------------------


@both_dialects
@proves("Actions", "rules")
def test_a_rule_changes_claims_and_replaces_the_scope(tenant: Tenant) -> None:
    stage = tenant.play(
        Rule=f"""
        def rule(user, context, callback):
            assert context.clientID == "native-app" and context.protocol == "oidc-basic-profile", context
            context.idToken["{NS}email"] = user.email
            context.accessToken["{NS}logins"] = context.stats.loginsCount
            context.accessToken.scope = ["openid", "read:notes"]
            callback(None, user, context)
        """
    )
    tokens = stage.tokens(scope=ALL)
    assert claims(tokens["id_token"])[NS + "email"] == ALICE
    assert claims(tokens["access_token"])[NS + "logins"] == 1
    assert tokens["scope"] == "openid read:notes"


@both_dialects
def test_a_rule_refuses_with_unauthorized(tenant: Tenant) -> None:
    stage = tenant.play(
        Rule="""
        def rule(user, context, callback):
            callback(UnauthorizedError("Access denied on weekends."), user, context)
        """
    )
    said = refused(stage)
    assert (said["error"], said["error_description"]) == ("unauthorized", "Access denied on weekends.")


@on_sqlite
@pytest.mark.parametrize(
    "body",
    [
        "pass",
        'callback("boom")',
        "callback(ValueError('x'))",
        'context.redirect = {"url": "x"}; callback(None, user, context)',
    ],
)
def test_a_rule_that_does_not_end_well_fails_the_login(tenant: Tenant, body: str) -> None:
    assert refused(tenant.play(Rule=f"def rule(user, context, callback):\n    {body}\n"))["error"] == "server_error"


@both_dialects
@proves("Actions", "hooks")
def test_a_hook_adds_claims_and_replaces_scopes(tenant: Tenant) -> None:
    stage = tenant.play(
        "credentials-exchange",
        secrets={"COLOUR": "red"},
        Hook=f"""
        def client_credentials_exchange(client, scope, audience, context, callback):
            token = {{"{NS}audience": audience, "{NS}colour": context.webtask.secrets.COLOUR, "scope": ["read:notes"]}}
            token["{NS}client"] = client.id
            callback(None, token)
        """,
    )
    answered = ask_for_backend(stage).json()
    said = claims(answered["access_token"])
    assert (said[NS + "audience"], said[NS + "colour"], said[NS + "client"]) == (API, "red", "backend")
    assert answered["scope"] == "read:notes"


@on_sqlite
def test_a_hook_that_errs_fails_the_exchange(tenant: Tenant) -> None:
    stage = tenant.play(
        "credentials-exchange",
        Hook="def client_credentials_exchange(client, scope, audience, context, callback):\n    callback('no')\n",
    )
    assert ask_for_backend(stage).json()["error"] == "server_error"


# Loading ---------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def other(): ...", "defines neither on_execute_post_login(event, api) nor rule(…)"),
        ("on_execute_post_login = 3", "is no function"),
        ("def on_execute_post_login(event, api)", "SyntaxError"),
        ("import no_such_module", "no_such_module"),
    ],
)
def test_an_action_that_cannot_be_loaded_stops_the_start_and_is_named(
    tenant: Tenant, source: str, sentence: str
) -> None:
    with pytest.raises(TenantFileError, match=r"tenant\.yaml: action Wrong: ") as refusal:
        tenant.play(Wrong=source)
    assert sentence in str(refusal.value)


@on_sqlite
def test_a_missing_file_is_named(tenant: Tenant) -> None:
    path = tenant.write(Gone="def on_execute_post_login(event, api): ...")
    (tenant.directory / "Gone.py").unlink()
    with pytest.raises(TenantFileError, match=r"action Gone: .*Gone\.py cannot be read: No such file"):
        tenant.raise_stage(tenant=path, database_url=tenant.prepared.copy(tenant.directory))
