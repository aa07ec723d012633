"""RFC 6750, Bearer Token Usage, at the userinfo endpoint."""

import re

from tests.attacks.judge import both_dialects, on_sqlite
from tests.stage import Stage

pytestmark = [both_dialects, on_sqlite]


def challenge(header: str) -> dict[str, str]:
    """The attributes of a Bearer challenge."""
    scheme, _, attributes = header.partition(" ")
    assert scheme == "Bearer"
    assert re.fullmatch(r'\w+="[^"\\]*"(?:, \w+="[^"\\]*")*', attributes), attributes
    return dict(re.findall(r'(\w+)="([^"]*)"', attributes))


def test_no_token_no_error_code(stage: Stage) -> None:
    """§3.1: without authentication information no error code is given"""
    response = stage.http.get("/userinfo")
    assert response.status_code == 401
    assert set(challenge(response.headers["www-authenticate"])) == {"realm"}


def test_a_bad_token_is_invalid_token(stage: Stage) -> None:
    """§3, §3.1"""
    response = stage.userinfo("not-a-token")
    assert response.status_code == 401
    said = challenge(response.headers["www-authenticate"])
    assert said["error"] == "invalid_token"
    if stage.dialect == "auth0":
        assert (response.text, said["realm"]) == ("Unauthorized", "Users")
    else:
        assert response.json()["error"] == "invalid_token"
        assert response.json()["error_description"] == said["error_description"]


def test_too_little_scope_names_what_is_needed(stage: Stage) -> None:
    """§3.1"""
    response = stage.userinfo(stage.tokens(scope="read:notes")["access_token"])
    said = challenge(response.headers["www-authenticate"])
    assert (response.status_code, said["error"], said["scope"]) == (403, "insufficient_scope", "openid")


def test_the_scheme_is_case_insensitive_and_post_works_too(stage: Stage) -> None:
    """§2.1 with RFC 9110 §11.1; OpenID Connect Core §5.3.1"""
    token = stage.tokens()["access_token"]
    for scheme in ("Bearer", "bearer", "BEARER"):
        for method in ("GET", "POST"):
            response = stage.http.request(method, "/userinfo", headers={"Authorization": f"{scheme} {token}"})
            assert response.status_code == 200


def test_more_than_one_method_is_invalid_request(stage: Stage) -> None:
    """§2, §3.1"""
    token = stage.tokens()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for response in (
        stage.http.get("/userinfo", params={"access_token": token}, headers=headers),
        stage.http.post("/userinfo", data={"access_token": token}, headers=headers),
    ):
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
