"""JW1-JW6: metadata tells the truth, keys keep their private half, and tokens say who, for whom and until when."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.attacks.judge import both_dialects, on_sqlite
from tests.stage import API, Stage, claims, header

pytestmark = [both_dialects, on_sqlite]

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def keys(stage: Stage) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = stage.http.get("/.well-known/jwks.json").json()["keys"]
    return listed


def test_JW1_metadata_is_ours_and_on_one_origin(stage: Stage) -> None:
    document = stage.http.get("/.well-known/openid-configuration").json()
    assert document["issuer"] == stage.issuer == claims(stage.tokens()["id_token"])["iss"]
    urls = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"} <= set(
        urls
    )
    for name, value in urls.items():
        assert value.startswith(stage.issuer), name
        assert stage.http.request("GET", value).status_code in (200, 400, 401, 405), name
    said = json.dumps(document)
    assert '"plain"' not in said
    assert '"HS256"' not in said
    assert "none" not in document["id_token_signing_alg_values_supported"]


def test_JW2_the_keys_are_public_strong_and_told_apart(stage: Stage) -> None:
    listed = keys(stage)
    assert listed
    assert len({key["kid"] for key in listed}) == len(listed)
    for key in listed:
        assert not PRIVATE & set(key)
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        modulus = base64.urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
        assert int.from_bytes(modulus).bit_length() >= 2048
        assert key["e"] == "AQAB"


def test_JW2_every_install_has_a_key_of_its_own(
    stage: Stage, raise_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    ours = {key["kid"] for key in keys(stage)}
    other = raise_stage(database_url=f"sqlite:///{tmp_path / 'another.db'}")
    assert ours.isdisjoint(key["kid"] for key in keys(other))


def test_JW4_tokens_name_their_key_and_bring_none_along(stage: Stage) -> None:
    tokens = stage.tokens()
    kinds = {"id_token": "JWT", "access_token": "JWT" if stage.dialect == "auth0" else "at+jwt"}
    published = KeySet([RSAKey.import_key(key) for key in keys(stage)])
    for kind, typ in kinds.items():
        assert header(tokens[kind]) == {"alg": "RS256", "typ": typ, "kid": header(tokens[kind])["kid"]}
        assert header(tokens[kind])["kid"] in {key["kid"] for key in keys(stage)}
        verified = jwt.decode(tokens[kind], published, algorithms=["RS256"])
        assert verified.claims["iss"] == stage.issuer


def test_JW4_an_id_token_is_for_one_client_and_one_request(stage: Stage) -> None:
    said = claims(stage.tokens(nonce="of-this-request")["id_token"])
    assert said["aud"] == "native-app"
    assert said["nonce"] == "of-this-request"
    assert isinstance(said["sub"], str)
    assert ("at_hash" in said) == (stage.dialect == "rfc")
    assert {"azp", "scope", "client_id", "gty"}.isdisjoint(said)


def test_JW4_the_two_kinds_cannot_be_confused(stage: Stage) -> None:
    tokens = stage.tokens()
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert API in access["aud"]
    assert identity["aud"] not in access["aud"]
    assert not {"nonce", "at_hash", "email"} & set(access)
    assert {"azp", "client_id"} & set(access)
    assert stage.userinfo(tokens["id_token"]).status_code == 401


def test_JW4_a_profile_cannot_overwrite_what_the_protocol_says(stage: Stage) -> None:
    names = ("iss", "aud", "exp", "iat", "sid", "nonce", "auth_time", "azp", "email")
    stage.change("UPDATE users SET profile = :profile", profile=json.dumps(dict.fromkeys(names, "forged")))
    tokens = stage.tokens(max_age="60")
    said = {**claims(tokens["access_token"]), **claims(tokens["id_token"])}
    assert [name for name in names if said.get(name) == "forged"] == ["email"]
    userinfo = stage.userinfo(tokens["access_token"]).json()
    assert [name for name in names if userinfo.get(name) == "forged"] == ["email"]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles"])
def test_JW6_times_are_utc_seconds_wherever_the_server_stands(
    stage: Stage, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", zone)
        time.tzset()
        try:
            tokens = stage.tokens(max_age="60")
            updated_at = stage.userinfo(tokens["access_token"]).json()["updated_at"]
        finally:
            elsewhere.undo()
            time.tzset()
    for kind, lifetime in (("id_token", 36000), ("access_token", 86400)):
        said = claims(tokens[kind])
        assert (said["iat"], said["exp"]) == (stage.clock.now, stage.clock.now + lifetime)
        assert type(said["iat"]) is type(said["exp"]) is int
    assert claims(tokens["id_token"])["auth_time"] == stage.clock.now
    assert stage.userinfo(tokens["access_token"]).json()["updated_at"] == updated_at
