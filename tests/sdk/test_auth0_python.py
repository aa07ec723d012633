"""`auth0-python`, unmodified: GetToken, RevokeToken, Users and the token verifier, error texts included."""

import pytest
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error, TokenValidationError
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from house import API, call
from person import Person
from proves import proves
from tokens import CALLBACK, Pkce, authorize_url, wrong_tokens


def native(server):
    return GetToken(server.domain, "native-app", protocol="http")


def code(server, client_id="native-app", callback=CALLBACK, pkce=None):
    return Person(server.issuer).log_in(authorize_url(server, client_id, callback, pkce)).answer["code"]


def tokens(server):
    pkce = Pkce()
    return native(server).authorization_code_pkce(pkce.verifier, code(server, pkce=pkce), CALLBACK)


def verifier(server):
    signature = AsymmetricSignatureVerifier(f"{server.issuer}.well-known/jwks.json")
    return TokenVerifier(signature_verifier=signature, issuer=server.issuer, audience="native-app")


@proves("GET /authorize", "code_challenge", "audience", "POST /oauth/token", "grant_type=authorization_code", "application/json", "null members", "GET /userinfo")  # fmt: skip
def test_item_14_a_login_with_pkce_and_userinfo(server):
    answer = tokens(server)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 86400
    assert {"access_token", "id_token", "refresh_token", "scope"} <= set(answer)
    claims = Users(server.domain, protocol="http").userinfo(answer["access_token"])
    assert claims["email"] == "alice@example.com"


@proves("POST /oauth/token", "grant_type=authorization_code", "audience")
def test_the_api_takes_the_access_token(server, api):
    assert call(f"{api}/notes", tokens(server)["access_token"])[0] == 200


@proves("GET /.well-known/jwks.json", "GET /authorize", "nonce", "POST /oauth/token", "id_token")
def test_the_id_token_passes_the_verifier(server):
    answer = tokens(server)
    assert verifier(server).verify(answer["id_token"], nonce="n-1")["sub"].startswith("auth0|")


@proves("GET /.well-known/jwks.json", "POST /oauth/token", "id_token")
def test_the_verifier_refuses_wrong_tokens(server):
    answer = tokens(server)
    wrong = {**wrong_tokens(server), "an access token": answer["access_token"]}
    del wrong["an ID token"]
    for name, token in wrong.items():
        with pytest.raises(TokenValidationError):
            pytest.fail(f"{name}: {verifier(server).verify(token)}")
    with pytest.raises(TokenValidationError):
        verifier(server).verify(answer["id_token"], nonce="another")


@proves("POST /oauth/token", "grant_type=authorization_code", "client_secret", "grant_type=refresh_token", "rotation_type=non-rotating")  # fmt: skip
def test_confidential_client(server, ports):
    callback = f"http://localhost:{ports.web}/callback"
    web = GetToken(server.domain, "web-app", server.client_secrets["web-app"], protocol="http")
    answer = web.authorization_code(code(server, "web-app", callback), callback)
    assert "refresh_token" not in web.refresh_token(answer["refresh_token"])


@proves("POST /oauth/token", "grant_type=client_credentials", "audience", "client_secret")
def test_client_credentials(server):
    backend = GetToken(server.domain, "backend", server.client_secrets["backend"], protocol="http")
    answer = backend.client_credentials(API)
    assert answer["scope"] == "read:notes"
    assert "refresh_token" not in answer


@proves("POST /oauth/token", "grant_type=refresh_token", "scope", "rotation_type=rotating")
def test_refresh_rotates(server):
    first = tokens(server)
    second = native(server).refresh_token(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert verifier(server).verify(second["id_token"])
    narrow = native(server).refresh_token(second["refresh_token"], scope="openid")
    assert narrow["scope"] == "openid"


def refused(call, *arguments):
    with pytest.raises(Auth0Error) as caught:
        call(*arguments)
    return caught.value.status_code, caught.value.error_code, caught.value.message


@proves("POST /oauth/token", "grant_type=refresh_token", "invalid_grant", "reuse detection")
def test_a_used_refresh_token_ends_the_family(server):
    first = tokens(server)
    second = native(server).refresh_token(first["refresh_token"])
    bad_refresh = (403, "invalid_grant", "Unknown or invalid refresh token.")
    assert refused(native(server).refresh_token, first["refresh_token"]) == bad_refresh
    assert refused(native(server).refresh_token, second["refresh_token"]) == bad_refresh
    assert refused(native(server).refresh_token, "v1.unknown") == bad_refresh


@proves("POST /oauth/token", "grant_type=authorization_code", "invalid_grant", "grant_type=client_credentials", "access_denied", "grant_type=password-realm", "unauthorized_client")  # fmt: skip
def test_error_texts_that_sdks_compare(server):
    bad_code = (403, "invalid_grant", "Invalid authorization code")
    pkce, login = Pkce(), native(server).authorization_code_pkce
    assert refused(login, pkce.verifier, "unknown", CALLBACK) == bad_code
    bad_verifier = (403, "invalid_grant", "Failed to verify code verifier")
    assert refused(login, "x" * 43, code(server, pkce=pkce), CALLBACK) == bad_verifier

    wrong_secret = GetToken(server.domain, "backend", "wrong", protocol="http")
    unauthorized = (401, "access_denied", "Unauthorized")
    assert refused(wrong_secret.client_credentials, API) == unauthorized
    nobody = GetToken(server.domain, "nobody", "wrong", protocol="http")
    assert refused(nobody.client_credentials, API) == unauthorized

    forbidden = refused(native(server).login, "alice@example.com", "understudy")
    assert forbidden[0] in (400, 403)


@proves("POST /oauth/revoke", "application/json", "POST /oauth/token", "grant_type=refresh_token", "invalid_grant")
def test_a_revoked_refresh_token_is_dead(server):
    answer = tokens(server)
    RevokeToken(server.domain, "native-app", protocol="http").revoke_refresh_token(answer["refresh_token"])
    assert refused(native(server).refresh_token, answer["refresh_token"])[1] == "invalid_grant"


@proves("GET /userinfo", "invalid_token")
def test_userinfo_refuses_wrong_tokens(server):
    for token in ("nonsense", tokens(server)["id_token"]):
        assert refused(Users(server.domain, protocol="http").userinfo, token)[0] == 401
