"""Line 13, and the API's part of line 1: what the resource API answers."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import StartApi, api, clock, issuer, start_api
from tests.api.fake_issuer import AUDIENCE, Clock, FakeIssuer, b64, jwk, rsa_key, sign
from tests.proves import proves

__all__ = ["api", "clock", "issuer", "start_api"]


HEADER = {"alg": "RS256", "typ": "JWT", "kid": "rsa"}


def get(api: TestClient, token: str, path: str = "/me") -> Response:
    return api.get(path, headers={"Authorization": f"Bearer {token}"})


def is_invalid(response: Response) -> bool:
    return (
        response.status_code == 401
        and response.json()["error"] == "invalid_token"
        and 'error="invalid_token"' in response.headers["www-authenticate"]
    )


@proves("GET /.well-known/jwks.json", "rotation")
def test_item_1_c_an_unknown_kid_is_looked_up_once_more(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    assert get(api, issuer.token()).status_code == 200
    new = rsa_key("new")
    issuer.jwks = {"keys": [jwk("new", new), jwk("rsa", rsa_key())]}
    clock.advance(3600)
    claims = issuer.claims()
    assert get(api, sign(new, {**HEADER, "kid": "new"}, claims)).status_code == 200


@proves("the API", "no token")
def test_item_13_a_no_token_is_a_bare_401(api: TestClient) -> None:
    response = api.get("/me")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="notes"')


@proves("the API", "invalid_token")
def test_item_13_b_a_bad_token_is_401_invalid_token(api: TestClient) -> None:
    assert is_invalid(get(api, "nonsense"))


@proves("the API", "insufficient_scope")
def test_item_13_c_too_little_scope_is_403_and_names_the_scope(api: TestClient, issuer: FakeIssuer) -> None:
    response = get(api, issuer.token(scope="openid"), "/notes")
    assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="read:notes"' in response.headers["www-authenticate"]


@proves("the API", "aud")
def test_item_13_d_another_audience_is_refused(api: TestClient, issuer: FakeIssuer) -> None:
    assert is_invalid(get(api, issuer.token(aud="https://other.example/api")))


@proves("the API", "iss")
def test_item_13_e_an_issuer_without_its_slash_is_refused(start_api: StartApi, issuer: FakeIssuer) -> None:
    assert get(start_api(), issuer.token()).status_code == 200
    assert is_invalid(
        get(start_api(), issuer.token(iss=issuer.url.rstrip("/") + ("" if issuer.url.endswith("/") else "/")))
    )


@proves("the API", "exp")
def test_item_13_f_an_expired_token_is_refused(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    token = issuer.token()
    clock.advance(30 * 86400)
    assert is_invalid(get(api, token))


@proves("the API", "alg=none")
def test_item_13_g_no_signature_is_refused(api: TestClient, issuer: FakeIssuer) -> None:
    header = b64(json.dumps({**HEADER, "alg": "none"}).encode())
    assert is_invalid(get(api, f"{header}.{b64(json.dumps(issuer.claims()).encode())}."))


@proves("the API", "alg=HS256")
def test_item_13_h_an_hmac_by_the_public_key_is_refused(api: TestClient, issuer: FakeIssuer) -> None:
    secret = rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = ".".join(b64(json.dumps(part).encode()) for part in ({**HEADER, "alg": "HS256"}, issuer.claims()))
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    assert is_invalid(get(api, f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"))


@proves("the API", "kid")
def test_item_13_i_an_unknown_kid_is_refused(api: TestClient, issuer: FakeIssuer) -> None:
    assert is_invalid(get(api, sign(rsa_key("stranger"), {**HEADER, "kid": "stranger"}, issuer.claims())))


@proves("the API", "ID token")
@pytest.mark.parametrize("mark", [{"nonce": "n"}, {"at_hash": "x"}, {"azp": None}])
def test_item_13_j_an_id_token_is_no_access_token(
    api: TestClient, issuer: FakeIssuer, mark: dict[str, str | None]
) -> None:
    said = {**issuer.claims(), "aud": AUDIENCE, **mark}
    claims = {name: value for name, value in said.items() if value is not None}
    assert is_invalid(get(api, sign(rsa_key(), HEADER, claims)))
