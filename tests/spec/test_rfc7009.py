"""RFC 7009, Token Revocation."""

from tests.attacks.judge import both_dialects, json_error, on_sqlite
from tests.stage import Stage

pytestmark = [both_dialects, on_sqlite]


def test_the_answer_is_200_and_empty(stage: Stage) -> None:
    """§2.2"""
    for token in (stage.tokens()["refresh_token"], "never-issued"):
        response = stage.revoke(token)
        assert (response.status_code, response.content) == (200, b"")
        assert stage.revoke(token).status_code == 200  # again: still no error


def test_a_revoked_refresh_token_is_useless_and_so_is_what_came_of_it(stage: Stage) -> None:
    """§2.1"""
    tokens = stage.tokens()
    stage.revoke(tokens["refresh_token"])
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
    assert stage.userinfo(tokens["access_token"]).status_code == 401


def test_a_wrong_or_unknown_hint_does_not_matter(stage: Stage) -> None:
    """§2.1: the server must extend its search across all kinds"""
    for hint in ("access_token", "refresh_token", "id_token", "x"):
        tokens = stage.tokens()
        assert stage.revoke(tokens["refresh_token"], token_type_hint=hint).status_code == 200
        assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))


def test_without_a_token_the_request_is_invalid(stage: Stage) -> None:
    """§2.1, §2.2.1"""
    assert json_error(stage.http.post("/oauth/revoke", data={"client_id": "native-app"})) == (400, "invalid_request")
    if stage.dialect == "auth0":
        response = stage.http.post("/oauth/revoke", json={"client_id": "native-app", "token": None})
        assert json_error(response) == (400, "invalid_request")


def test_a_confidential_client_authenticates(stage: Stage) -> None:
    """§2.1"""
    for auth, status in ((stage.basic("backend"), 200), (("backend", "wrong"), 401)):
        assert stage.http.post("/oauth/revoke", data={"token": "x"}, auth=auth).status_code == status
