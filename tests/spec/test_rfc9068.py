"""RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: always in the dialect rfc, in auth0 for APIs that choose it."""

import json

import pytest

from tests.attacks.judge import on_sqlite
from tests.stage import API, Stage, claims, header

pytestmark = on_sqlite


def choose_rfc9068(stage: Stage) -> None:
    settings = json.dumps(
        {"scopes": {"read:notes": ""}, "allow_offline_access": True, "token_dialect": "rfc9068_profile"}
    )
    stage.change("UPDATE resource_servers SET settings = :settings", settings=settings)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_header_and_claims(stage: Stage) -> None:
    """§2.1, §2.2"""
    if stage.dialect == "auth0":
        choose_rfc9068(stage)
    token = stage.tokens(scope="openid read:notes")["access_token"]
    assert (header(token)["typ"], header(token)["alg"]) == ("at+jwt", "RS256")
    said = claims(token)
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"} <= set(said)
    assert (said["iss"], said["client_id"], said["scope"]) == (stage.issuer, "native-app", "openid read:notes")
    assert said["aud"] == [API, stage.issuer + "userinfo"]
    assert {"azp", "gty"}.isdisjoint(said)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_every_token_has_a_jti_of_its_own(stage: Stage) -> None:
    """§2.2"""
    choose_rfc9068(stage)
    tokens = [stage.tokens(scope="openid offline_access read:notes")]
    tokens += [stage.refresh(tokens[0]["refresh_token"]).json()]
    assert len({claims(each["access_token"])["jti"] for each in tokens}) == 2


@pytest.mark.parametrize("dialect", ["rfc"])
def test_without_an_api_the_token_is_for_userinfo_alone(stage: Stage) -> None:
    """§3: a default audience"""
    tokens = stage.tokens(scope="openid", audience=None)
    assert claims(tokens["access_token"])["aud"] == stage.issuer + "userinfo"
    assert stage.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("dialect", ["rfc"])
def test_the_resource_parameter_names_the_api(stage: Stage) -> None:
    """§3 with RFC 8707 §2"""
    tokens = stage.tokens(scope="read:notes", audience=None, resource=API)
    assert claims(tokens["access_token"])["aud"] == API
    refused = stage.authorize(stage.browser(), audience=None, resource="https://unknown.example/")
    assert "error=invalid_target" in refused.headers["location"]
