"""RFC 6749 §4.4: a client in its own name."""

import json
from typing import Any

import httpx2
import pytest

from tests.attacks.judge import both_dialects, is_invalid_client, json_error, nothing_changes, on_sqlite
from tests.stage import ALICE, API, Pkce, Stage, claims, header

pytestmark = both_dialects

OTHER = "https://other.example/api"
EMPTY = "https://empty.example/api"


def ask(stage: Stage, **changed: str | None) -> httpx2.Response:
    """The backend's good request, with these changes."""
    good: dict[str, str | None] = {"grant_type": "client_credentials", "audience": API}
    data = {name: value for name, value in {**good, **changed}.items() if value is not None}
    return stage.http.post("/oauth/token", data=data, auth=stage.basic("backend"))


def granted(stage: Stage, **changed: str | None) -> dict[str, Any]:
    response = ask(stage, **changed)
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


def add_api(stage: Stage, identifier: str, **settings: object) -> None:
    held = json.dumps({"scopes": {"read:other": ""}, **settings})
    stage.change("INSERT INTO resource_servers VALUES (:id, :id, :settings)", id=identifier, settings=held)


def allow(stage: Stage, scope: str, audience: str = API) -> None:
    stage.change("DELETE FROM client_grants WHERE client_id = 'backend' AND audience = :of", of=audience)
    stage.change("INSERT INTO client_grants VALUES ('backend', :of, :scope)", of=audience, scope=scope)


def test_TK19_the_client_gets_an_access_token_and_nothing_else(stage: Stage) -> None:
    with nothing_changes(stage):
        response = ask(stage)
        assert response.headers["cache-control"] == "no-store"
        said = response.json()
    assert set(said) == {"access_token", "token_type", "expires_in", "scope"}
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 86400, "read:notes")
    token = claims(said["access_token"])
    common = {"iss": stage.issuer, "sub": "backend@clients", "aud": API, "iat": stage.clock(), "scope": "read:notes"}
    common["exp"] = stage.clock() + 86400
    if stage.dialect == "auth0":
        assert token == {**common, "azp": "backend", "gty": "client-credentials"}
    else:
        assert token.pop("jti")
        assert token == {**common, "client_id": "backend"}
    assert header(said["access_token"])["typ"] == ("JWT" if stage.dialect == "auth0" else "at+jwt")
    # Not even where refresh tokens are allowed, and asked for.
    stage.configure_client("backend", grant_types=["client_credentials", "refresh_token", "authorization_code"])
    allow(stage, "read:notes offline_access openid")
    for scope in (None, "read:notes offline_access openid"):
        assert set(granted(stage, scope=scope)) == {"access_token", "token_type", "expires_in", "scope"}
    assert stage.events().count("ClientCredentialsExchanged") == 3


@on_sqlite
def test_TK20_it_speaks_for_no_person(stage: Stage) -> None:
    add_api(stage, OTHER, token_dialect="rfc9068_profile")
    allow(stage, "read:other", OTHER)
    for audience in (API, OTHER):
        token = granted(stage, audience=audience)["access_token"]
        assert claims(token)["sub"] == "backend@clients"
        assert stage.rows("SELECT 1 FROM users WHERE user_id LIKE '%@clients'") == []
        assert stage.userinfo(token).status_code == 401
        assert stage.revoke(token, "backend", client_secret=stage.secrets["backend"]).status_code in (200, 401)
    users = stage.tokens(user=ALICE)
    assert "@" not in claims(users["access_token"])["sub"]


@on_sqlite
def test_TK20_a_public_client_has_no_name_of_its_own(stage: Stage) -> None:
    unauthorized = (403 if stage.dialect == "auth0" else 400, "unauthorized_client")
    data = {"grant_type": "client_credentials", "audience": API, "client_id": "native-app"}
    assert json_error(stage.http.post("/oauth/token", data=data)) == unauthorized
    # Nor after a mistake in its registration.
    stage.configure_client("native-app", grant_types=["authorization_code", "client_credentials"])
    stage.change("INSERT INTO client_grants VALUES ('native-app', :of, 'read:notes')", of=API)
    assert json_error(stage.http.post("/oauth/token", data=data)) == unauthorized
    assert is_invalid_client(stage, stage.http.post("/oauth/token", data={**data, "client_secret": "x"}))
    # A confidential client that is not registered for it.
    web = {**data, "client_id": "web-app", "client_secret": stage.secrets["web-app"]}
    assert json_error(stage.http.post("/oauth/token", data=web)) == unauthorized


@on_sqlite
def test_basic_and_post_as_the_dialect_says(stage: Stage) -> None:
    data = {"grant_type": "client_credentials", "audience": API}
    assert ask(stage).status_code == 200
    posted = stage.http.post(
        "/oauth/token", data={**data, "client_id": "backend", "client_secret": stage.secrets["backend"]}
    )
    if stage.dialect == "auth0":
        assert posted.status_code == 200
        by_json = {**data, "client_id": "backend", "client_secret": stage.secrets["backend"], "scope": ["read:notes"]}
        assert stage.http.post("/oauth/token", json=by_json).json()["scope"] == "read:notes"
    else:
        assert is_invalid_client(stage, posted)  # registered for Basic
    for secret in ("", "x", stage.secrets["web-app"], stage.secrets["backend"] + "x"):
        assert is_invalid_client(stage, stage.http.post("/oauth/token", data=data, auth=("backend", secret)))
    assert is_invalid_client(stage, stage.http.post("/oauth/token", data={**data, "client_id": "backend"}))


@on_sqlite
def test_the_api_must_be_named_known_and_granted(stage: Stage) -> None:
    auth0 = stage.dialect == "auth0"
    add_api(stage, OTHER)
    add_api(stage, EMPTY)
    allow(stage, "", EMPTY)
    assert json_error(ask(stage, audience=None)) == (400, "invalid_request")
    assert json_error(ask(stage, audience="")) == (400, "invalid_request")
    unknown = (403, "access_denied") if auth0 else (400, "invalid_target")
    for audience in (
        "https://notes.example/API",
        "https://notes.example/api/",
        "https://nowhere.example/",
        "backend",
        "<b>",
    ):
        response = ask(stage, audience=audience)
        assert json_error(response) == unknown
        assert audience not in response.text
    no_grant = ask(stage, audience=OTHER)
    assert json_error(no_grant) == ((403, "access_denied") if auth0 else (400, "unauthorized_client"))
    assert no_grant.json()["error_description"] != ask(stage, audience="x").json()["error_description"]
    assert granted(stage, audience=EMPTY)["scope"] == ""
    # `resource` (RFC 8707) names the API in the dialect of the RFCs.
    by_resource = ask(stage, audience=None, resource=API)
    assert by_resource.status_code == (400 if auth0 else 200)
    if not auth0:
        assert claims(by_resource.json()["access_token"])["aud"] == API
        assert json_error(ask(stage, audience=None, resource="https://nowhere.example/")) == unknown


@on_sqlite
def test_the_scope_is_never_wider_than_the_client_grant(stage: Stage) -> None:
    allow(stage, "read:notes write:notes")
    for asked, got in {
        None: "read:notes write:notes",
        "": "read:notes write:notes",
        "write:notes": "write:notes",
        "write:notes read:notes": "write:notes read:notes",
        "read:notes read:notes": "read:notes",
    }.items():
        said = granted(stage, scope=asked)
        assert said["scope"] == claims(said["access_token"])["scope"] == got
    for wider in (
        "read:notes delete:notes",
        "delete:notes",
        "read:notes admin",
        "openid",
        "READ:notes",
        "read:notes offline_access",
    ):
        if stage.dialect == "rfc":
            assert json_error(ask(stage, scope=wider)) == (400, "invalid_scope"), wider
        else:
            said = granted(stage, scope=wider)
            kept = " ".join(value for value in wider.split() if value == "read:notes")
            assert said["scope"] == claims(said["access_token"])["scope"] == kept, wider
    for malformed in ('read:notes"', "read:notes  write:notes", "read:notes\n", "réad", " read:notes"):
        assert json_error(ask(stage, scope=malformed)) == (400, "invalid_scope")


@on_sqlite
def test_each_api_has_its_own_profile_and_lifetime(stage: Stage) -> None:
    profiles = {"access_token": ("JWT", "azp"), "rfc9068_profile": ("at+jwt", "client_id")}
    for number, (profile, (typ, member)) in enumerate(profiles.items()):
        identifier = f"https://api{number}.example/"
        add_api(stage, identifier, token_dialect=profile, token_lifetime=100 + number)
        allow(stage, "read:other", identifier)
        first, second = (granted(stage, audience=identifier) for _ in range(2))
        token = claims(first["access_token"])
        assert (header(first["access_token"])["typ"], token[member]) == (typ, "backend")
        assert (first["expires_in"], token["exp"] - token["iat"]) == (100 + number, 100 + number)
        assert ("jti" in token, "gty" in token) == (typ == "at+jwt", typ == "JWT")
        assert (first["access_token"] != second["access_token"]) is (typ == "at+jwt")  # jti tells two apart
        assert "nonce" not in token
        assert "at_hash" not in token


@on_sqlite
@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token", "password"])
def test_nothing_else_is_this_clients(stage: Stage, grant_type: str) -> None:
    pkce = Pkce()
    stolen = stage.code(pkce)
    data = {
        "grant_type": grant_type,
        "code": stolen,
        "code_verifier": pkce.verifier,
        "refresh_token": "x",
        "username": ALICE,
    }
    with nothing_changes(stage):
        said = json_error(stage.http.post("/oauth/token", data=data, auth=stage.basic("backend")))
    unauthorized = (403 if stage.dialect == "auth0" else 400, "unauthorized_client")
    assert said == ((400, "unsupported_grant_type") if grant_type == "password" else unauthorized)
    assert stage.redeem(stolen, pkce).status_code == 200
