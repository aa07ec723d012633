"""RFC 8414 and OpenID Connect Discovery: the document is truthful, value by value, in both directions."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.attacks.judge import WEB_APP, ask, both_dialects, goes_on, is_invalid_client, logged_in, on_sqlite
from tests.stage import API, Pkce, Stage, answer, claims, header

pytestmark = [both_dialects, on_sqlite]

METADATA = "/.well-known/oauth-authorization-server"


def metadata(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = stage.http.get(METADATA).json()
    return document


def test_both_addresses_give_the_one_document(stage: Stage) -> None:
    """RFC 8414 §3, §5; Discovery §4"""
    response = stage.http.get("/.well-known/openid-configuration")
    assert response.json() == metadata(stage)
    assert response.headers["content-type"] == "application/json"


def test_the_issuer_is_the_one_that_was_asked(stage: Stage) -> None:
    """RFC 8414 §3.3"""
    assert metadata(stage)["issuer"] == stage.issuer
    assert stage.issuer.endswith("/")


def test_required_members_are_there(stage: Stage) -> None:
    """RFC 8414 §2; Discovery §3"""
    required = {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }
    assert required <= set(metadata(stage))
    for name, value in metadata(stage).items():
        assert value != [], name  # RFC 8414 §3.2: claims with zero elements are omitted


def test_every_endpoint_is_served(stage: Stage) -> None:
    """RFC 8414 §2"""
    for name, url in metadata(stage).items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            responses = [stage.http.request(method, url) for method in ("GET", "POST")]
            assert 404 not in [response.status_code for response in responses], name
            assert {response.status_code for response in responses} != {405}, name


def test_every_response_type_and_mode_is_accepted_and_no_other(stage: Stage) -> None:
    """RFC 8414 §2"""
    document = metadata(stage)
    for value in ("code", "token", "id_token", "code token", "code id_token", "id_token token", "none"):
        accepted = goes_on(stage, ask(stage, response_type=value))
        assert accepted == (value in document["response_types_supported"]), value
    stage.configure_client("native-app", web_origins=["http://127.0.0.1:8400"])  # which web_message asks for
    for value in ("query", "fragment", "form_post", "web_message", "jwt", "query.jwt", "okta_post_message"):
        accepted = goes_on(stage, ask(stage, response_mode=value))
        assert accepted == (value in document["response_modes_supported"]), value


def test_every_challenge_method_and_prompt_is_accepted_and_no_other(stage: Stage) -> None:
    """RFC 8414 §2; Initiating User Registration via OpenID Connect §5"""
    document = metadata(stage)
    for value in ("S256", "plain", "S512", "none"):
        assert goes_on(stage, ask(stage, code_challenge_method=value)) == (
            value in document["code_challenge_methods_supported"]
        )
    for value in ("login", "consent", "select_account", "create", "register"):
        assert goes_on(stage, ask(stage, prompt=value)) == (value in document["prompt_values_supported"]), value
    assert "none" in document["prompt_values_supported"]
    assert answer(ask(stage, prompt="none"))["error"] == "login_required"


def test_every_grant_type_is_known_and_no_other(stage: Stage) -> None:
    """RFC 8414 §2"""
    advertised = metadata(stage)["grant_types_supported"]
    others = ["password", "implicit", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]
    others += ["urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange"]
    for grant_type in {*advertised, *others}:
        code = stage.token(grant_type=grant_type).json()["error"]
        assert (code != "unsupported_grant_type") == (grant_type in advertised), grant_type
    assert {"authorization_code", "refresh_token"} <= set(advertised)


@pytest.mark.parametrize("endpoint", ["token", "revocation"])
def test_every_authentication_method_works_for_somebody_and_no_other(stage: Stage, endpoint: str) -> None:
    """RFC 8414 §2"""
    advertised = set(metadata(stage)[f"{endpoint}_endpoint_auth_methods_supported"])
    body = {"token": "x", "grant_type": "refresh_token", "refresh_token": "x"}
    url = metadata(stage)[f"{endpoint}_endpoint"]
    assertion = {
        "client_assertion": "e30.e30.e30",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    attempts: dict[str, Callable[[], Any]] = {
        "none": lambda: stage.http.post(url, data={**body, "client_id": "native-app"}),
        "client_secret_basic": lambda: stage.http.post(url, data=body, auth=stage.basic("backend")),
        "client_secret_post": lambda: stage.http.post(
            url, data={**body, "client_id": "web-app", "client_secret": stage.secrets["web-app"]}
        ),
        "private_key_jwt": lambda: stage.http.post(url, data={**body, "client_id": "web-app", **assertion}),
    }
    for method, attempt in attempts.items():
        if method in advertised:
            assert not is_authentication_failure(stage, attempt()), method
        else:
            assert is_invalid_client(stage, attempt()), method
    assert advertised <= set(attempts)


def is_authentication_failure(stage: Stage, response: Any) -> bool:
    return response.status_code == 401 and is_invalid_client(stage, response)


def test_scopes_and_claims_are_given(stage: Stage) -> None:
    """RFC 8414 §2; Discovery §3"""
    document = metadata(stage)
    scopes = document["scopes_supported"]
    tokens = stage.tokens(scope=" ".join(scopes), audience=None, max_age="600")
    assert set(tokens["scope"].split()) == set(scopes)
    said = set(claims(tokens["id_token"])) | set(stage.userinfo(tokens["access_token"]).json())
    said.discard("at_hash")
    # Which of them a person has depends on the person; nothing is said that is not announced.
    assert said <= set(document["claims_supported"])
    assert {"sub", "iss", "name", "email", "phone_number", "address"} <= said


def test_what_is_said_to_be_unsupported_is_refused(stage: Stage) -> None:
    """OpenID Connect Core §6.1, §6.2; Discovery §3 (the default of request_uri_parameter_supported is true)"""
    document = metadata(stage)
    assert document["request_parameter_supported"] is False
    assert document["request_uri_parameter_supported"] is False
    assert answer(ask(stage, request="e30.e30."))["error"] == "request_not_supported"
    assert answer(ask(stage, request_uri="https://x.example/"))["error"] == "request_uri_not_supported"
    for name in ("registration_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint"):
        if name not in document:
            path = {"registration_endpoint": "oidc/register", "device_authorization_endpoint": "oauth/device/code"}
            assert stage.http.post(path.get(name, "oauth/par")).status_code == 404, name


def test_the_signing_algorithms_are_those_of_the_tokens(stage: Stage) -> None:
    """Discovery §3"""
    tokens = stage.tokens()
    assert [header(tokens["id_token"])["alg"]] == metadata(stage)["id_token_signing_alg_values_supported"]
    assert API in claims(tokens["access_token"])["aud"]


def test_the_subject_is_public(stage: Stage) -> None:
    """OpenID Connect Core §8: the same sub for every client"""
    assert metadata(stage)["subject_types_supported"] == ["public"]
    pkce = Pkce()
    other = stage.redeem(stage.code(pkce, **WEB_APP), pkce, **WEB_APP, client_secret=stage.secrets["web-app"]).json()
    assert claims(other["id_token"])["sub"] == claims(stage.tokens()["id_token"])["sub"]
    assert logged_in(stage)
