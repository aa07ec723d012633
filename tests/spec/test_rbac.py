"""Role-based access control: scope = requested ∩ permissions, looked up anew for every token.

Auth0's contract §3.3 and §10.2; RFC 6749 §3.3 lets a server grant less than was asked for, and says that it must tell.
"""

import json
from typing import Any

import pytest

from tests.attacks.judge import both_dialects
from tests.stage import ALICE, API, BOB, Stage, claims, header

pytestmark = both_dialects

ALL = "openid offline_access read:notes write:notes delete:notes"
BOBS_ID = "auth0|65f0a11ce000000000000002"


def of_notes(answer: dict[str, Any]) -> set[str]:
    """The API's scopes in an answer, which its access token says too."""
    assert answer["scope"] == claims(answer["access_token"])["scope"]
    return {scope for scope in answer["scope"].split() if scope.endswith(":notes")}


def test_AZ22_the_scope_is_what_was_asked_for_and_is_permitted(stage: Stage) -> None:
    assert of_notes(stage.tokens(user=ALICE, scope=ALL)) == {"read:notes", "write:notes", "delete:notes"}
    bobs = stage.tokens(user=BOB, scope=ALL)
    assert of_notes(bobs) == {"read:notes"}
    assert {"openid", "offline_access"} <= set(bobs["scope"].split()), "identity scopes need no permission"
    assert of_notes(stage.tokens(user=ALICE, scope="openid read:notes")) == {"read:notes"}, (
        "nothing that nobody asked for"
    )


def test_without_policies_every_user_may_have_every_scope(stage: Stage) -> None:
    stage.configure_api(enforce_policies=False)
    assert of_notes(stage.tokens(user=BOB, scope=ALL)) == {"read:notes", "write:notes", "delete:notes"}


def test_a_permission_can_be_given_by_name(stage: Stage) -> None:
    stage.change("INSERT INTO user_permissions VALUES (:user, :api, 'delete:notes')", user=BOBS_ID, api=API)
    assert of_notes(stage.tokens(user=BOB, scope=ALL)) == {"read:notes", "delete:notes"}


def test_AZ22_a_permission_at_another_api_counts_for_nothing(stage: Stage) -> None:
    other = json.dumps({"scopes": {"write:notes": ""}})
    stage.change("INSERT INTO resource_servers VALUES ('https://other.example', 'Other', :settings)", settings=other)
    stage.change("INSERT INTO user_permissions VALUES (:user, 'https://other.example', 'write:notes')", user=BOBS_ID)
    assert of_notes(stage.tokens(user=BOB, scope=ALL)) == {"read:notes"}


def test_RT4_a_change_of_roles_counts_from_the_next_refresh_on(stage: Stage) -> None:
    tokens = stage.tokens(user=BOB, scope=ALL)
    stage.change("INSERT INTO user_roles VALUES (:user, 'editor')", user=BOBS_ID)
    wider = stage.refresh(tokens["refresh_token"]).json()
    assert of_notes(wider) == {"read:notes", "write:notes", "delete:notes"}, "all of it was asked for and approved"
    stage.change("DELETE FROM user_roles WHERE user_id = :user", user=BOBS_ID)
    assert of_notes(stage.refresh(wider["refresh_token"]).json()) == set()


def test_RT4_a_new_role_gives_nothing_that_was_not_approved(stage: Stage) -> None:
    tokens = stage.tokens(user=BOB, scope="openid offline_access read:notes")
    stage.change("INSERT INTO user_roles VALUES (:user, 'editor')", user=BOBS_ID)
    narrow = stage.refresh(tokens["refresh_token"]).json()
    assert of_notes(narrow) == {"read:notes"}
    wider = stage.refresh(narrow["refresh_token"], scope=ALL)
    if stage.dialect == "rfc":
        assert wider.json()["error"] == "invalid_scope"
    else:
        assert of_notes(wider.json()) == {"read:notes"}


@pytest.mark.parametrize(
    ("token_dialect", "typ", "says_permissions"),
    [
        ("access_token", "JWT", False),
        ("access_token_authz", "JWT", True),
        ("rfc9068_profile", "at+jwt", False),
        ("rfc9068_profile_authz", "at+jwt", True),
    ],
)
def test_permissions_are_said_by_the_authz_profiles_alone(
    stage: Stage, token_dialect: str, typ: str, says_permissions: bool
) -> None:
    stage.configure_api(token_dialect=token_dialect)
    token = stage.tokens(user=ALICE, scope="openid read:notes")["access_token"]
    said = claims(token)
    assert header(token)["typ"] == typ
    assert ("azp" in said, "client_id" in said) == (typ == "JWT", typ == "at+jwt")
    assert said.get("permissions") == (["delete:notes", "read:notes", "write:notes"] if says_permissions else None)
    assert said["scope"] == "openid read:notes", "permissions are all that she has, the scope what was asked for"


def test_a_clients_permissions_are_its_grant(stage: Stage) -> None:
    stage.configure_api(token_dialect="access_token_authz")
    answer = stage.http.post(
        "/oauth/token", data={"grant_type": "client_credentials", "audience": API}, auth=stage.basic("backend")
    )
    said = claims(answer.json()["access_token"])
    assert (said["scope"], said["permissions"]) == ("read:notes", ["read:notes"])


def test_without_an_api_there_is_nothing_to_permit(stage: Stage) -> None:
    assert stage.tokens(user=BOB, scope="openid profile", audience=None)["scope"] == "openid profile"
