"""RT1-RT10: a refresh token is one client's, rotates, never widens and never outlives what it stands on."""

from typing import Any

import pytest

from tests.attacks.judge import WEB_APP, both_dialects, is_invalid_client, json_error, nothing_changes, on_sqlite
from tests.stage import ALICE, API, Pkce, Stage, claims

pytestmark = [both_dialects, on_sqlite]


def web_tokens(stage: Stage) -> dict[str, Any]:
    pkce = Pkce()
    response = stage.redeem(stage.code(pkce, **WEB_APP), pkce, **WEB_APP, client_secret=stage.secrets["web-app"])
    assert response.status_code == 200, response.text
    tokens: dict[str, Any] = response.json()
    return tokens


def test_RT1_a_spent_token_ends_the_family(stage: Stage) -> None:
    generations = [stage.tokens()]
    for _ in range(3):
        generations.append(stage.refresh(generations[-1]["refresh_token"]).json())
    stage.clock.advance(1)  # Auth0's access tokens have no jti: in the same second they would be the same token
    bystander = stage.tokens()
    assert len({tokens["refresh_token"] for tokens in generations}) == 4
    assert all(stage.userinfo(tokens["access_token"]).status_code == 200 for tokens in generations)

    assert stage.bad_grant(stage.refresh(generations[1]["refresh_token"]))

    assert "RefreshTokenReused" in stage.events()
    with nothing_changes(stage):
        for tokens in generations:
            assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
            assert stage.userinfo(tokens["access_token"]).status_code == 401
    # Nobody else's family.
    assert stage.userinfo(bystander["access_token"]).status_code == 200
    assert stage.refresh(bystander["refresh_token"]).status_code == 200


def test_RT1_a_stolen_token_used_first_ends_with_the_victims(stage: Stage) -> None:
    victim = stage.tokens()
    thief = stage.refresh(victim["refresh_token"]).json()
    assert stage.bad_grant(stage.refresh(victim["refresh_token"]))
    assert stage.bad_grant(stage.refresh(thief["refresh_token"]))
    assert stage.userinfo(thief["access_token"]).status_code == 401


def test_RT1_reuse_is_told_apart_also_long_after(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    stage.clock.advance(20 * 86400)  # idle for longer than a token lives unused
    assert stage.bad_grant(stage.refresh(first["refresh_token"]))
    assert "RefreshTokenReused" in stage.events()
    assert stage.bad_grant(stage.refresh(second["refresh_token"]))


def test_RT1_a_refusal_spends_nothing(stage: Stage) -> None:
    token = stage.tokens()["refresh_token"]
    with nothing_changes(stage):
        for wrong in (
            token[:-1],
            token + "x",
            token.swapcase(),
            " " + token,
            token + "\n",
            "\x00",
            "ä",
            "x" * 65536,
            "v1.M",
        ):
            assert stage.bad_grant(stage.refresh(wrong)), wrong[:10]
        assert json_error(stage.refresh("")) == (400, "invalid_request")
    assert stage.refresh(token).status_code == 200


def test_RT3_another_client_gets_nothing_and_ends_nothing(stage: Stage) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    other = {"client_id": "web-app", "client_secret": stage.secrets["web-app"]}
    with nothing_changes(stage):
        for token in (first["refresh_token"], second["refresh_token"]):  # spent, and live
            assert stage.bad_grant(stage.refresh(token, client_id="spa"))
            assert stage.bad_grant(stage.refresh(token, **other))
            assert is_invalid_client(stage, stage.refresh(token, client_id="nobody"))
    assert "RefreshTokenReused" not in stage.events()
    assert stage.userinfo(second["access_token"]).status_code == 200
    assert stage.refresh(second["refresh_token"]).status_code == 200


def test_RT3_a_confidential_clients_token_needs_its_secret(stage: Stage) -> None:
    token = web_tokens(stage)["refresh_token"]
    with nothing_changes(stage):
        assert is_invalid_client(stage, stage.refresh(token, client_id="web-app"))
        assert is_invalid_client(stage, stage.refresh(token, client_id="web-app", client_secret="wrong"))
        assert stage.bad_grant(stage.refresh(token))
        backend = stage.http.post(
            "/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token}, auth=stage.basic("backend")
        )
        assert json_error(backend)[1] == "unauthorized_client"
    renewed = stage.refresh(token, client_id="web-app", client_secret=stage.secrets["web-app"])
    assert renewed.status_code == 200
    assert "refresh_token" not in renewed.json()  # this client's do not rotate


def test_RT4_no_refresh_widens_the_scope(stage: Stage) -> None:
    tokens = stage.tokens(scope="openid offline_access read:notes")
    wider = (
        "openid offline_access read:notes write:notes",
        "read:notes read:notes delete:notes",
        "write:notes",
        "read:notes openid openid admin offline_access",
        "profile",
        "READ:NOTES",
        "read:notes2",
    )
    for scope in wider:
        if stage.dialect == "rfc":
            with nothing_changes(stage):
                assert json_error(stage.refresh(tokens["refresh_token"], scope=scope)) == (400, "invalid_scope"), scope
        else:
            tokens = stage.refresh(tokens["refresh_token"], scope=scope).json()
            assert set(tokens["scope"].split()) <= {"openid", "offline_access", "read:notes"}, scope
            assert claims(tokens["access_token"])["scope"] == tokens["scope"]
    with nothing_changes(stage):
        for malformed in ('read:notes"', "read:notes\x00", " ", "x" * 5000, "r\u00e9ad"):
            response = stage.refresh(tokens["refresh_token"], scope=malformed)
            assert json_error(response) == (400, "invalid_scope"), malformed[:9]


def test_RT4_narrowing_shrinks_the_answer_and_not_the_grant(stage: Stage) -> None:
    tokens = stage.tokens(scope="openid offline_access read:notes write:notes")
    narrow = stage.refresh(tokens["refresh_token"], scope="read:notes").json()
    assert narrow["scope"] == claims(narrow["access_token"])["scope"] == "read:notes"
    assert claims(narrow["access_token"])["aud"] == API
    assert stage.userinfo(narrow["access_token"]).status_code == 403
    assert "id_token" not in narrow
    full = stage.refresh(narrow["refresh_token"]).json()
    assert full["scope"] == "openid offline_access read:notes write:notes"


def test_RT6_idle_to_the_second(stage: Stage) -> None:
    idle = 15 * 86400
    kept, lost = stage.tokens(), stage.tokens()
    stage.clock.advance(idle - 1)
    renewed = stage.refresh(kept["refresh_token"])
    assert renewed.status_code == 200
    stage.clock.advance(1)
    with nothing_changes(stage):
        assert stage.bad_grant(stage.refresh(lost["refresh_token"]))
    assert stage.refresh(renewed.json()["refresh_token"]).status_code == 200


def test_RT6_rotation_never_stretches_the_absolute_lifetime(stage: Stage) -> None:
    day, token = 86400, stage.tokens()["refresh_token"]
    for _ in range(2):
        stage.clock.advance(14 * day)
        token = stage.refresh(token).json()["refresh_token"]
    stage.clock.advance(2 * day - 1)
    token = stage.refresh(token).json()["refresh_token"]
    stage.clock.advance(1)
    with nothing_changes(stage):
        assert stage.bad_grant(stage.refresh(token))


def test_RT8_no_other_artefact_is_a_refresh_token(stage: Stage) -> None:
    tokens, pkce = stage.tokens(), Pkce()
    code = stage.code(pkce)
    with nothing_changes(stage):
        for other in (tokens["access_token"], tokens["id_token"], code):
            assert stage.bad_grant(stage.refresh(other))
        assert stage.bad_grant(stage.redeem(tokens["refresh_token"], pkce))
        assert stage.userinfo(tokens["refresh_token"]).status_code == 401
        assert stage.userinfo(code).status_code == 401
    assert stage.redeem(code, pkce).status_code == 200
    assert stage.refresh(tokens["refresh_token"]).status_code == 200


def test_RT9_the_new_id_token_is_about_the_same_login(stage: Stage) -> None:
    tokens = stage.tokens(max_age="3600")
    before = claims(tokens["id_token"])
    stage.clock.advance(1000)
    renewed = stage.refresh(tokens["refresh_token"]).json()
    after = claims(renewed["id_token"])
    for name in ("iss", "sub", "aud", "auth_time", "sid"):
        assert after[name] == before[name], name
    assert after["auth_time"] == stage.clock.now - 1000
    assert after["iat"] == before["iat"] + 1000
    assert after["exp"] == before["exp"] + 1000
    assert "nonce" not in after


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET blocked = true WHERE user_id LIKE '%1'",
        "DELETE FROM users WHERE user_id LIKE '%1'",
        "UPDATE grants SET revoked_at = 1",
    ],
    ids=["blocked", "deleted", "revoked"],
)
def test_RT10_nothing_to_stand_on_nothing_to_get(stage: Stage, change: str) -> None:
    tokens = stage.tokens(user=ALICE)
    assert stage.userinfo(tokens["access_token"]).status_code == 200
    stage.change(change)
    with nothing_changes(stage):
        response = stage.refresh(tokens["refresh_token"])
        assert response.status_code == (403 if stage.dialect == "auth0" else 400)
        assert json_error(response)[1] in ("invalid_grant", "unauthorized")
        assert stage.userinfo(tokens["access_token"]).status_code == 401
