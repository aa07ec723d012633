"""What is in the tokens: RFC 9068 and Auth0's own profile, OpenID Connect Core §2, and which key signs what."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from authserver.settings import DEMO_TENANT
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import WEB_APP, both_dialects, json_error, on_sqlite, refusal
from tests.stage import ALICE, API, Browser, Pkce, Stage, answer, header, verified

pytestmark = [both_dialects, on_sqlite]

ALICES_ID = "auth0|65f0a11ce000000000000001"
AUTH0S, RFCS, CURVED = "https://auth0.example/api", "https://rfc.example/api", "https://curved.example/api"
WITHOUT: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}


@pytest.fixture
def apis(raise_stage: Callable[..., Stage], tmp_path: Path) -> Stage:
    """The demo tenant and three more APIs: one of each profile, and one that selected ES256."""
    demo = yaml.safe_load(DEMO_TENANT.read_text())
    chosen: dict[str, dict[str, object]] = {
        AUTH0S: {"token_dialect": "access_token", "token_lifetime": 100},
        RFCS: {"token_dialect": "rfc9068_profile", "token_lifetime": 200},
        CURVED: {"signing_alg": "ES256", "allow_offline_access": False},
    }
    for identifier, settings in chosen.items():
        demo["resourceServers"].append(
            {**demo["resourceServers"][0], "identifier": identifier, **settings, "enforce_policies": False}
        )
    tenant = tmp_path / "apis.yaml"
    tenant.write_text(yaml.safe_dump(demo))
    return raise_stage(tenant=tenant, database_url=f"sqlite:///{tmp_path / 'apis.db'}")


def test_access_tokens_in_both_profiles(apis: Stage) -> None:
    stage, browser = apis, apis.browser()
    own = "JWT" if stage.dialect == "auth0" else "at+jwt"
    for audience, typ, lifetime in (
        (API, own, 86400),
        (AUTH0S, "JWT", 100),
        (RFCS, "at+jwt", 200),
        (CURVED, own, 86400),
    ):
        alg = "ES256" if audience == CURVED else "RS256"
        tokens = stage.tokens(browser=browser, audience=audience)
        tail = "" if audience == CURVED else " offline_access"
        scope = "openid profile email" + tail + " read:notes write:notes"
        assert (set(tokens["scope"].split()), tokens["expires_in"]) == (set(scope.split()), lifetime)
        assert ("refresh_token" in tokens) is bool(tail)
        refreshed = stage.refresh(tokens["refresh_token"]).json() if tail else None
        for answered, gty in ((tokens, None), (refreshed, "refresh_token")):
            if answered is None:
                continue
            said = verified(answered["access_token"], stage.jwks())
            expected = {
                "iss": stage.issuer,
                "sub": ALICES_ID,
                "aud": [audience, stage.issuer + "userinfo"],
                "iat": stage.clock(),
                "exp": stage.clock() + lifetime,
                "scope": answered["scope"],
            }
            if typ == "at+jwt":
                assert len(said.pop("jti")) >= 20
                expected["client_id"] = "native-app"
            else:
                expected |= {"azp": "native-app"} | ({"gty": gty} if gty else {})
            assert said == expected, audience
            assert header(answered["access_token"]) == {
                "alg": alg,
                "typ": typ,
                "kid": header(answered["access_token"])["kid"],
            }
            assert stage.userinfo(answered["access_token"]).json()["sub"] == ALICES_ID
            assert verified(answered["id_token"], stage.jwks())["aud"] == "native-app"
            assert header(answered["id_token"])["alg"] == "RS256"
    # Without openid it is for the API alone: a plain string.
    plain = stage.tokens(browser=browser, scope="read:notes")
    assert set(plain) == {"access_token", "token_type", "expires_in", "scope"}
    assert verified(plain["access_token"], stage.jwks())["aud"] == API
    assert stage.userinfo(plain["access_token"]).status_code == 403


def test_an_elliptic_key_exists_only_where_an_api_selected_it(apis: Stage, raise_stage: Callable[..., Stage]) -> None:
    """auth0-python refuses a whole JWKS for one EC key in it."""
    assert sorted(key["alg"] for key in apis.jwks().values()) == ["ES256", "RS256"]
    curved = next(key for key in apis.jwks().values() if key["alg"] == "ES256")
    assert set(curved) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (curved["kty"], curved["crv"], curved["use"]) == ("EC", "P-256", "sig")
    apis.rotate_keys()
    assert sorted(key["alg"] for key in apis.jwks().values()) == ["ES256", "ES256", "RS256", "RS256"]
    assert apis.http.get("/.well-known/openid-configuration").json()["id_token_signing_alg_values_supported"] == [
        "RS256"
    ]
    usual = raise_stage()
    usual.rotate_keys()
    assert [key["kty"] for key in usual.jwks().values()] == ["RSA", "RSA"]


def test_without_an_api_the_token_is_for_userinfo(raise_stage: Callable[..., Stage]) -> None:
    stage = raise_stage(opaque_token_lifetime=500)
    tokens = stage.tokens(
        audience=None,
        scope="openid email offline_access read:notes" if stage.dialect == "auth0" else "openid email offline_access",
    )
    assert (tokens["scope"], tokens["expires_in"]) == ("openid email offline_access", 500)
    token = tokens["access_token"]
    if stage.dialect == "auth0":
        assert "." not in token
        assert len(token) >= 32
    else:
        said = verified(token, stage.jwks())
        assert (header(token)["typ"], said["aud"]) == ("at+jwt", stage.issuer + "userinfo")
        assert (said["client_id"], said["exp"]) == ("native-app", stage.clock() + 500)
    assert set(stage.userinfo(token).json()) == {"sub", "email", "email_verified"}
    assert stage.refresh(tokens["refresh_token"]).json()["access_token"] != token
    stage.clock.advance(499)
    assert stage.userinfo(token).status_code == 200
    stage.clock.advance(1)
    assert stage.userinfo(token).status_code == 401
    nothing = stage.tokens(audience=None, scope=None)
    assert "id_token" not in nothing
    assert stage.userinfo(nothing["access_token"]).status_code == 403


def test_the_id_token(stage: Stage) -> None:
    tokens = stage.tokens(scope="openid email")
    said = verified(tokens["id_token"], stage.jwks())
    assert header(tokens["id_token"]) == {"alg": "RS256", "typ": "JWT", "kid": header(tokens["id_token"])["kid"]}
    expected = {
        "iss": stage.issuer,
        "aud": "native-app",  # a string, hence no azp
        "sub": ALICES_ID,
        "iat": stage.clock(),
        "exp": stage.clock() + 36000,
        "nonce": "n-0S6_WzA2Mj",
        "email": ALICE,
        "email_verified": True,
        "sid": said["sid"],
    }
    if stage.dialect == "rfc":
        half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
        expected["at_hash"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        expected["auth_time"] = stage.clock()
    assert said == expected
    assert said["sid"] == stage.rows("SELECT sid FROM login_sessions")[0]["sid"]

    stage.configure_client("native-app", id_token_lifetime=60)
    more = verified(stage.tokens(scope="openid profile", nonce=None)["id_token"], stage.jwks())
    assert more["exp"] == stage.clock() + 60
    assert "nonce" not in more
    assert "email" not in more
    assert isinstance(more["updated_at"], str if stage.dialect == "auth0" else int)
    asked = verified(stage.tokens(max_age="1000")["id_token"], stage.jwks())
    assert asked["auth_time"] == stage.clock()


def web_code(stage: Stage, browser: Browser, **changed: str | None) -> str:
    return stage.code(Pkce(), browser=browser, **{**WEB_APP, **changed})


def web_redeem(stage: Stage, code: str, **more: str) -> Any:
    good = {"grant_type": "authorization_code", "code": code, **WEB_APP, "client_secret": stage.secrets["web-app"]}
    return stage.token(**{**good, **more})


def test_TK13_a_client_that_waives_the_proof_key_must_not_send_a_verifier(stage: Stage) -> None:
    browser = stage.browser()
    assert refusal(stage, stage.authorize(browser, **WEB_APP, **WITHOUT)) == "invalid_request"
    stage.configure_client("web-app", allow_insecure_missing_pkce=True)
    # Half a challenge is still a mistake.
    for half in ({"code_challenge": None}, {"code_challenge_method": None}, {"code_challenge_method": "plain"}):
        assert refusal(stage, stage.authorize(browser, **WEB_APP, **half)) == "invalid_request"
    code = web_code(stage, browser, **WITHOUT)
    for verifier in (Pkce().verifier, "x" * 43, "x"):
        assert stage.bad_grant(web_redeem(stage, code, code_verifier=verifier))
    assert web_redeem(stage, code, code_verifier="").status_code == 200  # empty is absent
    # Whoever sent a challenge has to answer it: stripping the verifier is no way around.
    pkce = Pkce()
    code = answer(stage.authorize(browser, pkce, **WEB_APP))["code"]
    assert stage.bad_grant(web_redeem(stage, code))
    assert stage.bad_grant(web_redeem(stage, code, code_verifier=Pkce().verifier))
    assert web_redeem(stage, code, code_verifier=pkce.verifier).status_code == 200
    # The secret is still needed.
    code = answer(stage.authorize(browser, **WEB_APP, **WITHOUT))["code"]
    assert json_error(stage.token(grant_type="authorization_code", code=code, **WEB_APP))[0] == 401


def test_TK13_a_public_client_can_waive_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.configure_client("native-app", allow_insecure_missing_pkce=True)
    browser = stage.browser()
    assert refusal(stage, stage.authorize(browser, **WITHOUT)) == "invalid_request"
    pkce = Pkce()
    assert stage.redeem(stage.code(pkce, browser=browser), pkce).status_code == 200
    demo = yaml.safe_load(DEMO_TENANT.read_text())
    demo["clients"][0]["allow_insecure_missing_pkce"] = True
    file = tmp_path / "waived.yaml"
    file.write_text(yaml.safe_dump(demo))
    with pytest.raises(TenantFileError, match="a public client needs PKCE"):
        read_tenant_file(file)
