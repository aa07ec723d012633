"""Lines 1 to 7: discovery, the token endpoint, codes, redirect URIs, state, scope, audience."""

import json
from typing import Any

import httpx2
import pytest

from authserver.rules.redirects import is_registrable
from tests.attacks.judge import ask, goes_on, is_error_page, json_error, on_sqlite
from tests.proves import proves
from tests.stage import API, BOB, CALLBACK, Pkce, Stage, answer, claims, header

pytestmark = on_sqlite

INVALID_CODE = (403, "invalid_grant", "Invalid authorization code")


def said(response: httpx2.Response) -> tuple[int, str, str]:
    status, error = json_error(response)
    return status, error, response.json()["error_description"]


def in_json(stage: Stage, **members: object) -> httpx2.Response:
    return stage.http.post("/oauth/token", json={"client_id": "native-app", **members})


def of_code(stage: Stage, pkce: Pkce) -> dict[str, Any]:
    return {
        "grant_type": "authorization_code",
        "code": stage.code(pkce),
        "code_verifier": pkce.verifier,
        "redirect_uri": CALLBACK,
    }


# 1. discovery issuer has the slash and equals `iss` in both token kinds; JWKS key has alg, use, kid; rotation ------------


@proves("GET /.well-known/openid-configuration", "issuer")
def test_item_1_a_the_issuer_has_its_slash_and_is_iss_in_both_kinds_of_token(stage: Stage) -> None:
    tokens = stage.tokens()
    issuer = stage.http.get("/.well-known/openid-configuration").json()["issuer"]
    assert issuer.endswith("/")
    assert issuer == claims(tokens["id_token"])["iss"] == claims(tokens["access_token"])["iss"]


@proves("GET /.well-known/jwks.json", "alg", "use", "kid")
def test_item_1_b_every_key_has_alg_use_and_kid(stage: Stage) -> None:
    keys = stage.http.get("/.well-known/jwks.json").json()["keys"]
    assert keys
    for key in keys:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert {"kid", "n", "e"} <= set(key)


# (1 c, rotation with a refetch for the unknown kid, is the API's: test_api.py)


# 2. JSON, form, JSON nulls, empty scope; Basic and Post for the same secret client; wrong secret 401 "Unauthorized" ------


@proves("POST /oauth/token", "application/json", "grant_type=authorization_code", "code_verifier")
def test_item_2_a_the_token_endpoint_accepts_json(stage: Stage) -> None:
    assert in_json(stage, **of_code(stage, Pkce())).status_code == 200


@proves("POST /oauth/token", "application/x-www-form-urlencoded")
def test_item_2_b_the_token_endpoint_accepts_a_form(stage: Stage) -> None:
    response = stage.token(**of_code(stage, Pkce()))
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert (response.headers["cache-control"], response.headers["pragma"]) == ("no-store", "no-cache")


@proves("POST /oauth/token", "JSON null", "organization", "realm")
def test_item_2_c_json_nulls_count_as_not_sent(stage: Stage) -> None:
    unset = {"organization": None, "realm": None, "audience": None, "client_secret": None, "made_up": {"a": [1]}}
    assert in_json(stage, **of_code(stage, Pkce()), **unset).status_code == 200


@proves("POST /oauth/token", "grant_type=refresh_token", "scope")
def test_item_2_d_an_empty_scope_at_refresh_is_the_whole(stage: Stage) -> None:
    tokens = stage.tokens()
    renewed = in_json(stage, grant_type="refresh_token", refresh_token=tokens["refresh_token"], scope="")
    assert renewed.json()["scope"] == tokens["scope"]


@proves("POST /oauth/token", "client_secret_basic", "client_secret_post")
@pytest.mark.parametrize("client_id", ["web-app", "backend"])
def test_item_2_e_basic_and_post_for_the_same_client(stage: Stage, client_id: str) -> None:
    secret = stage.secrets[client_id]
    body = {"grant_type": "refresh_token" if client_id == "web-app" else "client_credentials", "audience": API}
    posted = stage.http.post("/oauth/token", data={**body, "client_id": client_id, "client_secret": secret})
    basic = stage.http.post("/oauth/token", data=body, auth=(client_id, secret))
    assert posted.status_code == basic.status_code != 401


@proves("POST /oauth/token", "401 access_denied")
def test_item_2_f_a_wrong_secret_is_401_unauthorized(stage: Stage) -> None:
    body = {"grant_type": "client_credentials", "audience": API}
    for wrong in (
        stage.http.post("/oauth/token", data=body, auth=("backend", "wrong")),
        stage.http.post("/oauth/token", json={**body, "client_id": "backend", "client_secret": "wrong"}),
        stage.http.post("/oauth/token", data={**body, "client_id": "nobody", "client_secret": "wrong"}),
        stage.http.post("/oauth/token", data={**body, "client_id": "backend"}),
    ):
        assert said(wrong) == (401, "access_denied", "Unauthorized")


# 3. code: single use; wrong verifier; wrong redirect_uri; other client's code; expired: all 403 invalid_grant ------------


@proves("POST /oauth/token", "code", "403 invalid_grant")
def test_item_3_a_a_code_works_once(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    assert stage.redeem(code, pkce).status_code == 200
    assert said(stage.redeem(code, pkce)) == INVALID_CODE


@proves("POST /oauth/token", "code_verifier", "403 invalid_grant")
def test_item_3_b_a_wrong_verifier_is_told_in_the_exact_words(stage: Stage) -> None:
    code = stage.code(Pkce())
    assert said(stage.redeem(code, Pkce())) == (403, "invalid_grant", "Failed to verify code verifier")


@proves("POST /oauth/token", "redirect_uri", "403 invalid_grant")
def test_item_3_c_a_wrong_redirect_uri_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    wrong = stage.redeem(stage.code(pkce), pkce, redirect_uri="http://127.0.0.1:8401/callback")
    assert said(wrong)[:2] == (403, "invalid_grant")


@proves("POST /oauth/token", "client_id", "403 invalid_grant")
def test_item_3_d_another_clients_code_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    assert said(stage.redeem(stage.code(pkce), pkce, client_id="spa")) == INVALID_CODE


@proves("POST /oauth/token", "code", "403 invalid_grant")
def test_item_3_e_an_expired_code_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.clock.advance(stage.settings.code_lifetime)
    assert said(stage.redeem(code, pkce)) == INVALID_CODE


# 4. redirect_uri mismatch and unknown client never redirect; variants are refused; no wildcard ---------------------------


@proves("GET /authorize", "redirect_uri")
def test_item_4_a_a_callback_mismatch_is_a_page_that_says_so(stage: Stage) -> None:
    page = ask(stage, redirect_uri="https://elsewhere.example/callback")
    assert is_error_page(page)
    assert "Callback URL mismatch. The provided redirect_uri is not in the list of allowed callback URLs." in page.text


@proves("GET /authorize", "client_id")
def test_item_4_b_an_unknown_client_is_a_page(stage: Stage) -> None:
    assert is_error_page(ask(stage, client_id="nobody"))


@proves("GET /authorize", "redirect_uri")
@pytest.mark.parametrize(
    "variant",
    [
        CALLBACK + "#fragment",
        "http://user@127.0.0.1:8400/callback",
        "http://127.0.0.1:8400/x/../callback",
        "http://127.0.0.1:8400/CALLBACK",
        CALLBACK + "?extra=1",
    ],
)
def test_item_4_c_variants_of_a_callback_are_refused(stage: Stage, variant: str) -> None:
    assert is_error_page(ask(stage, redirect_uri=variant))


@proves("GET /authorize", "redirect_uri")
def test_item_4_d_no_wildcard_is_registered_and_none_matches(stage: Stage) -> None:
    """Stricter than Auth0, which allows one in the left-most label: a pattern is no comparison (RFC 9700 §4.1.3)."""
    assert not is_registrable("https://*.example.com/callback")
    stage.configure_client("native-app", callbacks=["https://*.example.com/callback"])
    assert is_error_page(ask(stage, redirect_uri="https://a.example.com/callback"))


# 5. state with `+ / = %` round-trips; spaces come back as %20 -----------------------------------------------------------

STATE = "aGVsbG8gd29ybGQ+/w== 100%"


@proves("GET /authorize", "state")
def test_item_5_a_state_comes_back_byte_for_byte(stage: Stage) -> None:
    assert answer(ask(stage, state=STATE, prompt="none"))["state"] == STATE


@proves("GET /authorize", "state")
def test_item_5_b_spaces_come_back_as_percent_20(stage: Stage) -> None:
    location = ask(stage, state=STATE, prompt="none").headers["location"]
    assert "%20" in location
    assert "+" not in location


# 6. unknown scope dropped; offline_access gated; RBAC; permissions only with authz; both token dialects ------------------


@proves("GET /authorize", "scope", "POST /oauth/token", "scope")
def test_item_6_a_unknown_scopes_are_dropped_and_the_answer_tells(stage: Stage) -> None:
    assert stage.tokens(scope="openid read:notes no:such")["scope"] == "openid read:notes"


@proves("GET /authorize", "scope=offline_access")
def test_item_6_b_offline_access_needs_the_apis_leave(stage: Stage) -> None:
    assert "refresh_token" in stage.tokens(scope="openid offline_access")
    stage.configure_api(allow_offline_access=False)
    without = stage.tokens(scope="openid offline_access")
    assert "refresh_token" not in without
    assert without["scope"] == "openid"


@proves("GET /authorize", "enforce_policies")
def test_item_6_c_the_scope_is_the_intersection_with_permissions(stage: Stage) -> None:
    assert stage.tokens(user=BOB, scope="openid read:notes delete:notes")["scope"] == "openid read:notes"


@proves("POST /oauth/token", "permissions")
def test_item_6_d_permissions_are_said_by_the_authz_dialects_alone(stage: Stage) -> None:
    assert "permissions" not in claims(stage.tokens()["access_token"])
    stage.configure_api(token_dialect="access_token_authz")
    assert claims(stage.tokens(user=BOB)["access_token"])["permissions"] == ["read:notes"]


@proves("POST /oauth/token", "token_dialect=access_token")
def test_item_6_e_auth0s_own_profile(stage: Stage) -> None:
    tokens = stage.tokens()
    profile = claims(tokens["access_token"])
    assert header(tokens["access_token"])["typ"] == "JWT"
    assert profile["azp"] == "native-app"
    assert {"jti", "client_id", "gty"}.isdisjoint(profile)
    renewed = stage.refresh(tokens["refresh_token"]).json()
    assert claims(renewed["access_token"])["gty"] == "refresh_token"


@proves("POST /oauth/token", "token_dialect=rfc9068_profile")
def test_item_6_f_the_rfc_9068_profile(stage: Stage) -> None:
    stage.configure_api(token_dialect="rfc9068_profile")
    token = stage.tokens()["access_token"]
    assert header(token)["typ"] == "at+jwt"
    assert claims(token)["client_id"] == "native-app"
    assert "jti" in claims(token)
    assert {"azp", "gty"}.isdisjoint(claims(token))


# 7. no audience: userinfo-only token, refused by the API; openid+audience: array aud; userinfo filters by scope ---------


@proves("GET /authorize", "audience", "GET /userinfo")
def test_item_7_a_without_an_audience_the_token_is_opaque_and_for_userinfo(stage: Stage) -> None:
    token = stage.tokens(audience=None, scope="openid email")["access_token"]
    assert "." not in token, "nothing that an API could verify"
    assert stage.userinfo(token).json()["email"] == "alice@example.com"


@proves("POST /oauth/token", "aud")
def test_item_7_b_with_openid_and_an_audience_aud_is_an_array(stage: Stage) -> None:
    assert claims(stage.tokens()["access_token"])["aud"] == [API, stage.issuer + "userinfo"]
    assert claims(stage.tokens(scope="read:notes")["access_token"])["aud"] == API, "one audience is a plain string"


@proves("GET /userinfo", "scope")
def test_item_7_c_userinfo_says_what_the_scope_opens(stage: Stage) -> None:
    def claims_of(scope: str) -> set[str]:
        return set(stage.userinfo(stage.tokens(scope=scope)["access_token"]).json())

    assert claims_of("openid") == {"sub"}
    assert claims_of("openid email") == {"sub", "email", "email_verified"}
    assert {"name", "nickname", "picture", "updated_at"} <= claims_of("openid profile")


# Beside the list: what SDKs send along ----------------------------------------------------------------------------------


@proves("GET /authorize", "audience")
def test_an_unknown_api_is_access_denied(stage: Stage) -> None:
    unknown = answer(ask(stage, audience="https://unknown.example/"))
    assert (unknown["error"], unknown["error_description"]) == ("access_denied", "Service not found")


@proves("POST /oauth/token", "403 unauthorized_client")
def test_a_forbidden_grant_type_is_403(stage: Stage) -> None:
    forbidden = stage.token(grant_type="refresh_token", refresh_token="x", client_id="api-docs")
    assert said(forbidden) == (403, "unauthorized_client", "Grant type 'refresh_token' not allowed for the client.")


@proves("GET /authorize", "auth0Client", "POST /oauth/revoke", "Auth0-Client", "OPTIONS /oauth/token", "Auth0-Client")
def test_telemetry_is_tolerated(stage: Stage) -> None:
    assert goes_on(stage, ask(stage, auth0Client="eyJuYW1lIjoiYXV0aDAtc3BhLWpzIn0="))
    sent = {"Auth0-Client": "eyJuYW1lIjoiYXV0aDAuc3dpZnQifQ"}
    revoked = stage.http.post("/oauth/revoke", data={"client_id": "native-app", "token": "x"}, headers=sent)
    assert (revoked.status_code, revoked.content) == (200, b"")
    preflight = stage.http.options(
        "/oauth/token", headers={"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "auth0-client"}
    )
    assert "auth0-client" in preflight.headers["access-control-allow-headers"]


@proves("GET /.well-known/webfinger", "POST /anonymous/token", "GET /me/v1/")
@pytest.mark.parametrize(
    "path", ["/.well-known/webfinger?resource=x", "/me/v1/factors", "/passkey/challenge", "/nothing"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_endpoints_that_only_newer_sdks_probe_are_json_404(stage: Stage, method: str, path: str) -> None:
    response = stage.http.request(method, path, json={} if method == "POST" else None)
    assert response.status_code == 404
    assert set(json.loads(response.text)) == {"error", "error_description"}
