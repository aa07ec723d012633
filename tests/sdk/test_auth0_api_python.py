"""`auth0-api-python`, unmodified: an API's check of access tokens, over https, as it insists."""

import asyncio

import pytest
from auth0_api_python import ApiClient, ApiClientOptions
from auth0_api_python.errors import ApiError, BaseAuthError, VerifyAccessTokenError
from catalogue import expected
from house import API
from proves import proves
from tokens import native_tokens, wrong_tokens


def api_client(server, audience=API, **more):
    return ApiClient(ApiClientOptions(domain=server.domain, audience=audience, **more))


def verified(client, token, **more):
    return asyncio.run(client.verify_access_token(token, **more))


@proves("GET /.well-known/openid-configuration", "issuer", "jwks_uri", "GET /.well-known/jwks.json", "POST /oauth/token", "access_token")  # fmt: skip
def test_item_14_b_an_access_token_passes(secure_server):
    token = native_tokens(secure_server)["access_token"]
    claims = verified(api_client(secure_server), token, required_claims=["scope", "azp"])
    assert claims["iss"] == secure_server.issuer
    assert claims["aud"] == [API, f"{secure_server.issuer}userinfo"]
    assert claims["azp"] == "native-app"


@proves("POST /oauth/token", "access_token", "id_token")
def test_wrong_tokens_are_refused(secure_server):
    client = api_client(secure_server)
    for name, token in wrong_tokens(secure_server).items():
        with pytest.raises(VerifyAccessTokenError):
            pytest.fail(f"{name}: {verified(client, token)}")
    token = native_tokens(secure_server)["access_token"]
    with pytest.raises(VerifyAccessTokenError):
        verified(api_client(secure_server, "https://other.example/api"), token)


@proves("POST /oauth/token", "access_token", "scope")
def test_a_token_of_another_issuer_is_refused(server, secure_server):
    with pytest.raises(VerifyAccessTokenError):
        verified(api_client(secure_server), native_tokens(server)["access_token"])


@proves("POST /oauth/token", "access_token")
def test_a_request_is_checked_as_a_whole(secure_server):
    client = api_client(secure_server)
    token = native_tokens(secure_server)["access_token"]

    def request(**headers):
        return asyncio.run(client.verify_request(headers=headers, http_method="GET", http_url="https://api.test/"))

    assert request(authorization=f"Bearer {token}")["azp"] == "native-app"
    for wrong in ({}, {"authorization": token}, {"authorization": f"Basic {token}"}, {"authorization": "Bearer x"}):
        with pytest.raises(BaseAuthError) as refused:
            request(**wrong)
        assert refused.value.get_status_code() in (400, 401)


@proves("POST /oauth/token", "grant_type=urn:ietf:params:oauth:grant-type:token-exchange", "unsupported_grant_type")
def test_token_exchange_is_refused_in_words_that_it_reads(secure_server):
    secret = secure_server.client_secrets["backend"]
    client = api_client(secure_server, client_id="backend", client_secret=secret)
    asked = {"subject_token": "x", "subject_token_type": "urn:example:legacy", "audience": API}
    with pytest.raises(ApiError) as refused:
        asyncio.run(client.get_token_by_exchange_profile(**asked))
    assert refused.value.code == "unsupported_grant_type"


@proves("GET /.well-known/jwks.json", "POST /oauth/token", "access_token")
def test_the_catalogue_of_wrong_tokens(steered, good, wrong):
    client = api_client(steered)

    def said(token):
        try:
            verified(client, token)
        except VerifyAccessTokenError:
            return "refused"
        except Exception:  # whatever it is, the SDK did not mean to say it
            return "fails"
        return "accepted"

    assert said(good) == "accepted"
    assert {each["name"]: said(each["token"]) for each in wrong} == expected("auth0-api-python", wrong)
