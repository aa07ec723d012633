"""`auth0-python`, unmodified: GetToken, RevokeToken, Users and the token verifier, error texts included."""

import pytest
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from conftest import CALLBACKS


def native(server):
    return GetToken(server.domain, "native-app", protocol="http")


def tokens(server):
    code = server.code("native-app")
    return native(server).authorization_code_pkce(server.verifier, code, CALLBACKS["native-app"])


def test_authorization_code_with_pkce(server):
    answer = tokens(server)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 86400
    assert {"access_token", "id_token", "refresh_token", "scope"} <= set(answer)
    claims = Users(server.domain, protocol="http").userinfo(answer["access_token"])
    assert claims["email"] == "alice@example.com"


def test_the_id_token_passes_the_sdks_verifier(server):
    answer = tokens(server)
    signature = AsymmetricSignatureVerifier(f"{server.issuer}.well-known/jwks.json")
    verifier = TokenVerifier(signature_verifier=signature, issuer=server.issuer, audience="native-app")
    assert verifier.verify(answer["id_token"], nonce="n-1")["sub"].startswith("auth0|")


def test_confidential_client(server):
    code = server.code("web-app", pkce=False)
    web = GetToken(server.domain, "web-app", server.client_secrets["web-app"], protocol="http")
    answer = web.authorization_code(code, CALLBACKS["web-app"])
    assert "refresh_token" not in web.refresh_token(answer["refresh_token"])


def test_client_credentials(server):
    backend = GetToken(server.domain, "backend", server.client_secrets["backend"], protocol="http")
    answer = backend.client_credentials("https://notes.example/api")
    assert answer["scope"] == "read:notes"
    assert "refresh_token" not in answer


def test_refresh_rotates(server):
    first = tokens(server)
    second = native(server).refresh_token(first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]


def refused(call, *arguments):
    with pytest.raises(Auth0Error) as caught:
        call(*arguments)
    return caught.value.status_code, caught.value.error_code, caught.value.message


def test_error_texts_that_sdks_compare(server):
    first = tokens(server)
    native(server).refresh_token(first["refresh_token"])
    bad_refresh = (403, "invalid_grant", "Unknown or invalid refresh token.")
    assert refused(native(server).refresh_token, first["refresh_token"]) == bad_refresh
    assert refused(native(server).refresh_token, "v1.unknown") == bad_refresh

    bad_code = (403, "invalid_grant", "Invalid authorization code")
    pkce = native(server).authorization_code_pkce
    assert refused(pkce, server.verifier, "unknown", CALLBACKS["native-app"]) == bad_code
    bad_verifier = (403, "invalid_grant", "Failed to verify code verifier")
    code = server.code("native-app")
    assert refused(pkce, "x" * 43, code, CALLBACKS["native-app"]) == bad_verifier

    wrong_secret = GetToken(server.domain, "backend", "wrong", protocol="http")
    unauthorized = (401, "access_denied", "Unauthorized")
    assert refused(wrong_secret.client_credentials, "https://notes.example/api") == unauthorized
    nobody = GetToken(server.domain, "nobody", "wrong", protocol="http")
    assert refused(nobody.client_credentials, "https://notes.example/api") == unauthorized

    forbidden = refused(native(server).login, "alice@example.com", "understudy")
    assert forbidden[0] in (400, 403)


def test_revoke_refresh_token(server):
    answer = tokens(server)
    RevokeToken(server.domain, "native-app", protocol="http").revoke_refresh_token(answer["refresh_token"])
    assert refused(native(server).refresh_token, answer["refresh_token"])[1] == "invalid_grant"
