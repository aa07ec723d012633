"""What makes a string an access token (API5 to API8, API10, API11, API15, API16 and the corpus P2)."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import StartApi
from tests.api.fake_issuer import (
    AUDIENCE,
    P256_ORDER,
    START,
    Clock,
    FakeIssuer,
    Json,
    b64,
    ec_key,
    jwk,
    rsa_key,
    sign,
    signature,
)

HEADER: Json = {"alg": "RS256", "typ": "JWT", "kid": "rsa"}


def get_me(api: TestClient, token: str) -> Response:
    return api.get("/me", headers={"Authorization": f"Bearer {token}"})


def assert_invalid_token(response: Response) -> None:
    assert response.status_code == 401, response.text
    assert response.json()["error"] == "invalid_token"
    assert response.headers["www-authenticate"].startswith('Bearer realm="notes", error="invalid_token"')


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "AT+JWT", "application/at+jwt", "jwt"])
def test_good_tokens_are_taken(api: TestClient, issuer: FakeIssuer, typ: str) -> None:
    assert get_me(api, issuer.token(typ)).status_code == 200
    assert get_me(api, issuer.token(typ, aud=["https://other.example", AUDIENCE])).status_code == 200
    assert get_me(api, issuer.token(typ, header={"x5t": "abc", "unknown": 1})).status_code == 200
    assert get_me(api, issuer.ec_token()).status_code == 200


def test_P2_none_and_hmac_with_the_public_key_are_refused(api: TestClient, issuer: FakeIssuer) -> None:
    claims = b64(json.dumps(issuer.claims()).encode())
    for alg in ("none", "None", "nOnE"):
        header = b64(json.dumps({**HEADER, "alg": alg}).encode())
        assert_invalid_token(get_me(api, f"{header}.{claims}."))
    public = rsa_key().public_key()
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(jwk("rsa", rsa_key())).encode(),
    ):
        signed = b64(json.dumps({**HEADER, "alg": "HS256"}).encode()) + "." + claims
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert_invalid_token(get_me(api, f"{signed}.{b64(mac)}"))


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "ES384", "EdDSA", "rs256", "", None, 1, ["RS256"], {}])
def test_P2_other_algorithms_are_refused(api: TestClient, issuer: FakeIssuer, alg: object) -> None:
    assert_invalid_token(get_me(api, issuer.token(header={"alg": alg})))
    assert issuer.fetches == 0


def test_P2_the_algorithm_must_be_the_keys_own(api: TestClient, issuer: FakeIssuer) -> None:
    assert_invalid_token(get_me(api, issuer.token(header={"kid": "ec"})))
    assert_invalid_token(get_me(api, sign(ec_key(), {**HEADER, "kid": "rsa", "alg": "ES256"}, issuer.claims())))


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"kty": "oct", "k": b64(b"k" * 32)},
        {"kid": 7},
        {"n": b64(b"n")},
        {"n": "n" * 400 + "+"},
        {"e": 65537},
        {"e": "AA"},
    ],
)
def test_P2_keys_that_are_not_for_this_are_passed_over(api: TestClient, issuer: FakeIssuer, members: Json) -> None:
    issuer.jwks = {"keys": [None, jwk("rsa", rsa_key()) | members, jwk("ec", ec_key())]}
    assert_invalid_token(get_me(api, issuer.token()))
    assert get_me(api, issuer.ec_token()).status_code == 200


def test_P2_a_short_rsa_key_is_passed_over(api: TestClient, issuer: FakeIssuer) -> None:
    weak = rsa_key("weak", 1024)
    issuer.jwks = {"keys": [jwk("weak", weak), jwk("ec", ec_key())]}
    assert_invalid_token(get_me(api, sign(weak, {**HEADER, "kid": "weak"}, issuer.claims())))
    assert get_me(api, issuer.ec_token()).status_code == 200


def test_API5_broken_signatures(api: TestClient, issuer: FakeIssuer) -> None:
    for good in (issuer.token(), issuer.ec_token()):
        signed, _, encoded = good.rpartition(".")
        raw = base64.urlsafe_b64decode(encoded + "==")
        flipped = bytes([raw[0] ^ 1]) + raw[1:]
        for bad in (b"", raw[:-1], raw + b"\0", flipped, b"\0" * len(raw), b"\xff" * len(raw), raw[32:] + raw[:32]):
            assert_invalid_token(get_me(api, f"{signed}.{b64(bad)}"))
    signed = issuer.ec_token().rpartition(".")[0]
    order = P256_ORDER.to_bytes(32, "big")
    for bad in (order + order, b"\0" * 32 + order):
        assert_invalid_token(get_me(api, f"{signed}.{b64(bad)}"))


def test_API5_the_signature_covers_header_and_claims(api: TestClient, issuer: FakeIssuer) -> None:
    header, claims, encoded = issuer.token().split(".")
    other = b64(json.dumps(issuer.claims(sub="auth0|bob")).encode())
    assert_invalid_token(get_me(api, f"{header}.{other}.{encoded}"))
    other = b64(json.dumps({**HEADER, "typ": "at+jwt"}).encode())
    assert_invalid_token(get_me(api, f"{other}.{claims}.{encoded}"))
    assert_invalid_token(get_me(api, sign(rsa_key("another"), HEADER, issuer.claims())))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_API6_keys_in_the_header_are_neither_used_nor_fetched(api: TestClient, issuer: FakeIssuer, name: str) -> None:
    own = rsa_key("attacker")
    value = {"jwk": jwk("rsa", own), "x5c": ["MIIB"]}.get(name, f"{issuer.origin}/attacker.json")
    assert_invalid_token(get_me(api, sign(own, {**HEADER, name: value}, issuer.claims())))
    assert_invalid_token(get_me(api, issuer.token(header={name: value})))  # even with the right signature
    assert "/attacker.json" not in issuer.requests


@pytest.mark.parametrize("kid", ["../../../dev/null", "/etc/passwd", "' OR 1=1 --", "RSA", "k" * 255])
def test_API6_strange_kids_are_unknown(api: TestClient, issuer: FakeIssuer, kid: str) -> None:
    assert_invalid_token(get_me(api, issuer.token(header={"kid": kid})))


@pytest.mark.parametrize("kid", ["k" * 256, "k" * 5000, "", 1, None, ["rsa"], "r\0", "\ud800", "ä"])
def test_API6_kids_that_are_no_kids_are_not_looked_for(api: TestClient, issuer: FakeIssuer, kid: object) -> None:
    assert_invalid_token(get_me(api, issuer.token(header={"kid": kid})))
    assert issuer.fetches == 0


def test_API6_a_missing_kid_is_refused_also_with_one_key(api: TestClient, issuer: FakeIssuer) -> None:
    issuer.jwks = {"keys": [jwk("rsa", rsa_key())]}
    token = sign(rsa_key(), {"alg": "RS256", "typ": "JWT"}, issuer.claims())
    assert_invalid_token(get_me(api, token))


@pytest.mark.parametrize(
    "header", [{"crit": ["x"], "x": 1}, {"crit": []}, {"crit": ["b64"], "b64": True}, {"b64": True}, {"crit": None}]
)
def test_API7_critical_headers(api: TestClient, issuer: FakeIssuer, header: Json) -> None:
    assert_invalid_token(get_me(api, issuer.token(header=header)))


def test_API7_an_unencoded_payload(api: TestClient, issuer: FakeIssuer) -> None:
    header = b64(json.dumps({**HEADER, "b64": False, "crit": ["b64"]}).encode())
    payload = json.dumps(issuer.claims()).replace(".", "")
    encoded = b64(signature(rsa_key(), f"{header}.{payload}".encode()))
    assert_invalid_token(get_me(api, f"{header}.{b64(payload.encode())}.{encoded}"))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "p2c": 2**31, "p2s": "c2FsdA"},
        {"alg": "RSA1_5", "enc": "A128CBC-HS256"},
        {**HEADER},
    ],
)
def test_API8_encrypted_tokens_are_refused_unread(api: TestClient, issuer: FakeIssuer, header: Json) -> None:
    token = ".".join(map(b64, (json.dumps(header).encode(), b"key", b"iv", b"text" * 100, b"tag")))
    assert_invalid_token(get_me(api, token))
    assert issuer.fetches == 0


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6])
def test_API8_only_three_parts(api: TestClient, issuer: FakeIssuer, count: int) -> None:
    parts = [*issuer.token().split("."), "e30", "e30", "e30"]
    assert_invalid_token(get_me(api, ".".join(parts[:count])))


def test_API8_json_serialisation_is_no_bearer_token(api: TestClient, issuer: FakeIssuer) -> None:
    protected, payload, encoded = issuer.token().split(".")
    text = json.dumps({"protected": protected, "payload": payload, "signature": encoded})
    assert get_me(api, text).status_code == 400  # its characters cannot stand in the header


def test_P2_a_token_over_the_size_limit_is_refused_unread(api: TestClient, issuer: FakeIssuer) -> None:
    assert_invalid_token(get_me(api, issuer.token(padding="x" * 6000)))
    assert issuer.fetches == 0
    assert get_me(api, issuer.token(padding="x" * 4000)).status_code == 200


@pytest.mark.parametrize(
    "typ", [None, "", 1, ["JWT"], "JOSE", "id+jwt", "logout+jwt", "dpop+jwt", "client-authentication+jwt", "at+jwtx"]
)
def test_API10_other_types_of_token(api: TestClient, issuer: FakeIssuer, typ: object) -> None:
    assert_invalid_token(get_me(api, issuer.token(header={"typ": typ})))
    header = {"alg": "RS256", "kid": "rsa"}
    assert_invalid_token(get_me(api, sign(rsa_key(), header, issuer.claims())))


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "n"},
        {"nonce": ""},
        {"at_hash": "h"},
        {"azp": None},
        {"aud": "native-app"},  # the ID token
        {"aud": ["native-app"], "nonce": None, "azp": None},
        {"azp": None, "events": {"http://schemas.openid.net/event/backchannel-logout": {}}},  # an older logout token
        {"azp": None, "iss": "native-app", "sub": "native-app"},  # a client assertion
    ],
)
def test_API10_a_plain_jwt_that_is_no_access_token(api: TestClient, issuer: FakeIssuer, changes: Json) -> None:
    assert_invalid_token(get_me(api, issuer.token("JWT", **changes)))


def test_API10_only_at_jwt_when_told_so(start_api: StartApi, issuer: FakeIssuer) -> None:
    api = start_api(require_at_jwt=True)
    assert_invalid_token(get_me(api, issuer.token("JWT")))
    assert get_me(api, issuer.token("at+jwt")).status_code == 200


def test_API10_a_sender_constrained_token_is_no_bearer_token(api: TestClient, issuer: FakeIssuer) -> None:
    for cnf in ({"jkt": "thumbprint"}, {"x5t#S256": "thumbprint"}, {}):
        assert_invalid_token(get_me(api, issuer.token("at+jwt", cnf=cnf)))


def test_API11_wrong_issuers(api: TestClient, issuer: FakeIssuer) -> None:
    url = issuer.url
    for iss in (url[:-1], url + "/", url + "x", url.upper(), url[:-2], "", None, [url], 1, f" {url}", f"{url}?"):
        assert_invalid_token(get_me(api, issuer.token(iss=iss)))


def test_API11_wrong_audiences(api: TestClient, issuer: FakeIssuer) -> None:
    wrong: list[object] = [f"x {AUDIENCE}", f"{AUDIENCE},{AUDIENCE}", [AUDIENCE, 1], [[AUDIENCE]]]
    for aud in (*wrong, AUDIENCE + "/", AUDIENCE[:-1], AUDIENCE.upper(), "", None, [], [AUDIENCE[:-1]], {AUDIENCE: 1}):
        assert_invalid_token(get_me(api, issuer.token(aud=aud)))


def test_API11_our_issuers_name_on_another_issuers_signature(api: TestClient, issuer: FakeIssuer) -> None:
    other = FakeIssuer()
    other.jwks = {"keys": [jwk("rsa", rsa_key("other issuer"))]}
    try:
        assert get_me(api, issuer.token()).status_code == 200
        assert_invalid_token(get_me(api, sign(rsa_key("other issuer"), HEADER, issuer.claims())))
        assert_invalid_token(get_me(api, sign(rsa_key("other issuer"), HEADER, issuer.claims(iss=other.url))))
        assert other.requests == []
    finally:
        other.close()


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", ["1900000000", True, [], {}, "", -1, 10**400, 1e300, b"NaN", b"Infinity", b"-Infinity", b"1e999", b"null"]
)
def test_P2_times_that_are_no_times(api: TestClient, issuer: FakeIssuer, name: str, value: Any) -> None:
    claims = json.dumps(issuer.claims(**{name: "HERE"})).encode()
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    assert_invalid_token(get_me(api, sign(rsa_key(), HEADER, claims.replace(b'"HERE"', text))))


def test_P2_times_to_the_second(api: TestClient, issuer: FakeIssuer, clock: Clock) -> None:
    now = int(START)
    good: list[Json] = [{"exp": now + 1}, {"nbf": now}, {"nbf": now - 0.5}, {"iat": now + 60}, {"iat": 0}]
    for changes in good:
        assert get_me(api, issuer.token(**changes)).status_code == 200
    bad: list[Json] = [{"exp": now}, {"exp": now - 1}, {"exp": 0}, {"nbf": now + 1}, {"iat": now + 61}]
    for changes in bad:
        assert_invalid_token(get_me(api, issuer.token(**changes)))
    token = issuer.token(exp=now + 30)
    clock.advance(29.9)
    assert get_me(api, token).status_code == 200
    clock.advance(0.1)
    assert_invalid_token(get_me(api, token))


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
def test_P2_required_claims(api: TestClient, issuer: FakeIssuer, name: str) -> None:
    assert_invalid_token(get_me(api, issuer.token("at+jwt", **{name: None})))


@pytest.mark.parametrize("value", ["", 1, True, [], {}, "a\0b", "a\nb", "\ud800", "s" * 256])
@pytest.mark.parametrize("name", ["sub", "azp"])
def test_P2_names_that_are_no_names(api: TestClient, issuer: FakeIssuer, name: str, value: Any) -> None:
    assert_invalid_token(get_me(api, issuer.token(**{name: value})))


def test_API15_duplicate_names(api: TestClient, issuer: FakeIssuer) -> None:
    claims = json.dumps(issuer.claims()).encode()
    header = json.dumps(HEADER).encode()
    assert get_me(api, sign(rsa_key(), header, claims)).status_code == 200
    for doubled in (b'{"sub": "auth0|bob", ', b'{"scope": "x", ', b'{"s\\u0075b": "auth0|alice", '):
        assert_invalid_token(get_me(api, sign(rsa_key(), header, claims.replace(b"{", doubled, 1))))
    for doubled in (b'{"alg": "none", ', b'{"typ": "JWT", ', b'{"kid": "rsa", '):
        assert_invalid_token(get_me(api, sign(rsa_key(), header.replace(b"{", doubled, 1), claims)))
    nested = claims.replace(b"{", b'{"act": {"a": 1, "a": 1}, ', 1)
    assert_invalid_token(get_me(api, sign(rsa_key(), header, nested)))


@pytest.mark.parametrize(
    "text", [b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 5000, b'{"a":' * 1500]
)
def test_API15_header_and_claims_must_be_json_objects(api: TestClient, issuer: FakeIssuer, text: bytes) -> None:
    assert_invalid_token(get_me(api, sign(rsa_key(), text, issuer.claims())))
    assert_invalid_token(get_me(api, sign(rsa_key(), HEADER, text)))
    assert_invalid_token(get_me(api, sign(rsa_key(), HEADER, json.dumps(issuer.claims()).encode("utf-16"))))


def test_API16_other_spellings_of_a_good_token(api: TestClient, issuer: FakeIssuer) -> None:
    token = issuer.token(padding="?>?>?>~~~")
    while "-" not in token or "_" not in token:  # pragma: no cover - the signature alone has 342 characters
        token = issuer.token(padding=token[:50])
    header, claims, encoded = token.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare_bits = encoded[:-1] + alphabet[alphabet.index(encoded[-1]) + 1]
    for other in (
        f"{token}=",
        f"{token}==",
        token.replace("-", "+").replace("_", "/"),
        f"{header}.{claims}.{spare_bits}",
    ):
        assert_invalid_token(get_me(api, other))
    assert issuer.fetches == 0
    assert get_me(api, token).status_code == 200
    assert get_me(api, f"{header}=.{claims}.{encoded}").status_code == 400  # no such character within a token


def test_API16_the_other_ecdsa_signature_is_the_same_token(api: TestClient, issuer: FakeIssuer) -> None:
    """(r, n-s) verifies wherever (r, s) does. Harmless: nothing here is keyed on the token's text."""
    signed, _, encoded = issuer.ec_token().rpartition(".")
    raw = base64.urlsafe_b64decode(encoded + "==")
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert get_me(api, f"{signed}.{b64(other)}").json() == get_me(api, issuer.ec_token()).json()
