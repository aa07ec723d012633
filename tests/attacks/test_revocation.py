"""RV1-RV5: revocation ends what it should, tells nothing, and never lies."""

import pytest

from tests.attacks.judge import WEB_APP, both_dialects, is_invalid_client, json_error, nothing_changes, on_sqlite
from tests.stage import Pkce, Stage

pytestmark = [both_dialects, on_sqlite]


def test_RV1_an_unknown_token_is_no_error(stage: Stage) -> None:
    live, code = stage.tokens(), stage.code(Pkce())
    with nothing_changes(stage):
        for unknown in ("x", "\x00", "ä", "x" * 65536, live["id_token"], live["refresh_token"][:-1], code):
            response = stage.revoke(unknown)
            assert (response.status_code, response.content) == (200, b""), unknown[:9]
    assert stage.refresh(live["refresh_token"]).status_code == 200


def test_RV2_another_clients_token_is_not_revoked(stage: Stage) -> None:
    tokens = stage.tokens()
    secret = stage.secrets["web-app"]
    with nothing_changes(stage):
        for token in (tokens["refresh_token"], tokens["access_token"]):
            by_confidential = stage.revoke(token, "web-app", client_secret=secret)
            by_public = stage.revoke(token, "spa")
            if stage.dialect == "rfc":
                assert json_error(by_confidential) == (400, "unauthorized_client")
                assert (by_public.status_code, by_public.content) == (200, b"")
            elif token == tokens["refresh_token"]:
                assert json_error(by_confidential) == json_error(by_public) == (403, "unauthorized_client")
    assert stage.userinfo(tokens["access_token"]).status_code == 200
    assert stage.refresh(tokens["refresh_token"]).status_code == 200


def test_RV2_revoking_needs_the_clients_authentication(stage: Stage) -> None:
    pkce, secret = Pkce(), {"client_secret": stage.secrets["web-app"]}
    tokens = stage.redeem(stage.code(pkce, **WEB_APP), pkce, **WEB_APP, **secret).json()
    with nothing_changes(stage):
        assert is_invalid_client(stage, stage.revoke(tokens["refresh_token"], "web-app"))
        assert is_invalid_client(stage, stage.revoke(tokens["refresh_token"], "web-app", client_secret="wrong"))
        assert is_invalid_client(stage, stage.revoke(tokens["refresh_token"], "nobody"))
        for method in ("GET", "PUT", "DELETE"):
            response = stage.http.request(method, "/oauth/revoke", params={"token": tokens["refresh_token"]})
            assert (response.status_code, response.headers["allow"]) == (405, "POST")
        assert json_error(stage.http.post("/oauth/revoke", data={"client_id": "native-app"})) == (
            400,
            "invalid_request",
        )
    assert stage.revoke(tokens["refresh_token"], "web-app", **secret).status_code == 200
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"], client_id="web-app", **secret))


@pytest.mark.parametrize("hint", [None, "refresh_token", "access_token", "made_up"])
def test_RV4_a_refresh_token_takes_its_family_along(stage: Stage, hint: str | None) -> None:
    first = stage.tokens()
    second = stage.refresh(first["refresh_token"]).json()
    stage.clock.advance(1)  # Auth0's access tokens have no jti: in the same second they would be the same token
    other = stage.tokens()
    more = {"token_type_hint": hint} if hint else {}
    assert stage.revoke(second["refresh_token"], **more).status_code == 200
    # Nothing here may present the spent token: its reuse would end the family, whatever revocation did.
    for tokens in (first, second):
        assert stage.userinfo(tokens["access_token"]).status_code == 401
    assert stage.bad_grant(stage.refresh(second["refresh_token"]))
    assert stage.userinfo(other["access_token"]).status_code == 200
    assert "GrantRevoked" in stage.events()


def test_RV4_an_access_token_ends_alone_where_it_can_be_revoked(stage: Stage) -> None:
    first = stage.tokens()
    stage.clock.advance(1)
    second = stage.refresh(first["refresh_token"]).json()
    assert stage.revoke(first["access_token"]).status_code == 200
    assert stage.userinfo(first["access_token"]).status_code == (200 if stage.dialect == "auth0" else 401)
    assert stage.userinfo(second["access_token"]).status_code == 200
    assert stage.refresh(second["refresh_token"]).status_code == 200


def test_RV5_a_storage_error_is_never_a_success(stage: Stage) -> None:
    tokens = stage.tokens()
    stage.change("ALTER TABLE events RENAME TO elsewhere")
    failed = stage.revoke(tokens["refresh_token"])
    assert json_error(failed) in ((503, "temporarily_unavailable"), (500, "server_error"))
    stage.change("ALTER TABLE elsewhere RENAME TO events")
    # All or nothing: what was not acknowledged did not happen either.
    assert stage.userinfo(tokens["access_token"]).status_code == 200
    assert stage.revoke(tokens["refresh_token"]).status_code == 200
    assert stage.userinfo(tokens["access_token"]).status_code == 401


def test_RV5_a_storage_error_spends_no_code_and_no_refresh_token(stage: Stage) -> None:
    pkce = Pkce()
    code, tokens = stage.code(pkce), stage.tokens()
    stage.change("ALTER TABLE events RENAME TO elsewhere")
    with nothing_changes(stage):
        for failed in (stage.redeem(code, pkce), stage.refresh(tokens["refresh_token"])):
            assert json_error(failed)[0] in (500, 503)
            assert "access_token" not in failed.text
    stage.change("ALTER TABLE elsewhere RENAME TO events")
    assert stage.redeem(code, pkce).status_code == 200
    assert stage.refresh(tokens["refresh_token"]).status_code == 200
