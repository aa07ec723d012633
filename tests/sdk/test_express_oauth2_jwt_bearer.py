"""`express-oauth2-jwt-bearer`, unmodified: an Express API whose routes need tokens and scopes of ours."""

import pytest
from catalogue import expected, found, status
from house import API, call, node
from proves import proves
from tokens import native_tokens, wrong_tokens


@pytest.fixture(scope="module")
def app(server):
    with node("jwt_bearer", issuer=server.issuer, audience=API) as address:
        yield address


@pytest.fixture(scope="module")
def secure_app(secure_server):
    with node("jwt_bearer", issuer=secure_server.issuer, audience=API) as address:
        yield address


@proves("GET /.well-known/openid-configuration", "issuer", "jwks_uri", "id_token_signing_alg_values_supported", "GET /.well-known/jwks.json", "POST /oauth/token", "access_token", "scope")  # fmt: skip
def test_item_14_d_a_call_with_the_scope_passes(server, app):
    token = native_tokens(server)["access_token"]
    for path in ("/me", "/notes"):
        status, payload, _ = call(app + path, token)
        assert (status, payload["iss"], payload["azp"]) == (200, server.issuer, "native-app")
    assert call(f"{app}/aud", token)[0] == 200


@proves("GET /.well-known/openid-configuration", "https", "GET /.well-known/jwks.json")
def test_a_call_passes_over_https(secure_server, secure_app):
    assert call(f"{secure_app}/notes", native_tokens(secure_server)["access_token"])[0] == 200


@proves("POST /oauth/token", "scope")
def test_a_call_without_the_scope_is_refused(server, app):
    status, body, headers = call(f"{app}/deleted", native_tokens(server)["access_token"])
    assert (status, body["error"]) == (403, "insufficient_scope")
    assert 'scope="read:notes delete:notes"' in headers["WWW-Authenticate"]


@proves("POST /oauth/token", "access_token", "id_token")
def test_wrong_tokens_are_refused(server, secure_server, app):
    wrong = {**wrong_tokens(server), "another issuer's": native_tokens(secure_server)["access_token"]}
    for name, token in wrong.items():
        status, body, headers = call(f"{app}/me", token)
        assert (status, body["error"]) == (401, "invalid_token"), name
        assert 'error="invalid_token"' in headers["WWW-Authenticate"], name
    assert call(f"{app}/me")[0] == 401


@proves("GET /.well-known/jwks.json", "POST /oauth/token", "access_token")
def test_the_catalogue_of_wrong_tokens(steered, good, wrong):
    with node("jwt_bearer", issuer=steered.issuer, audience=API) as address:
        assert status(f"{address}/notes", good) == 200
        assert found(f"{address}/notes", wrong) == expected("express-oauth2-jwt-bearer", wrong)
