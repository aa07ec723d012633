"""Independent peers judge the authorization server: Authlib as a foreign client, PyJWT as a foreign API.

Nothing here computes what the server claims: URLs come from discovery, challenges and `state` from Authlib, keys and
verdicts from PyJWT. Two peers, because two implementations rarely make the same mistake.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.errors import InvalidClaimError

from tests.stage import API, CALLBACK, SCOPE, Stage

WEB_CALLBACK = "http://localhost:3001/callback"
VERIFIER = "a-verifier-of-the-foreign-client-0123456789~."
NONCE = "nonce of the foreign client"

pytestmark = pytest.mark.parametrize("dialect", ["auth0", "rfc"])


@pytest.fixture
def backend() -> str:
    """The peers see the wire alone; what differs between the databases is tested elsewhere."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _real_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The peers bring clocks of their own, so here the server goes by the same time; and ask nobody's proxy."""
    stage.clock.now = int(time.time())
    monkeypatch.setenv("no_proxy", "*")


@dataclass(frozen=True)
class Kind:
    """A kind of client."""

    client_id: str
    method: str
    redirect_uri: str

    def __str__(self) -> str:
        return f"{self.client_id}-{self.method}"


PUBLIC = Kind("native-app", "none", CALLBACK)
POST = Kind("web-app", "client_secret_post", WEB_CALLBACK)
BASIC = Kind("web-app", "client_secret_basic", WEB_CALLBACK)

each_kind = pytest.mark.parametrize("kind", [PUBLIC, POST, BASIC], ids=str)


def discovered(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = stage.http.get("/.well-known/openid-configuration").json()
    return document


@contextmanager
def foreign_client(stage: Stage, kind: Kind, *, scope: str = SCOPE) -> Iterator[OAuth2Client]:
    stage.change(
        "UPDATE clients SET token_endpoint_auth_method = :method WHERE client_id = :client_id",
        method=kind.method,
        client_id=kind.client_id,
    )
    with OAuth2Client(
        client_id=kind.client_id,
        client_secret=stage.secrets.get(kind.client_id),
        token_endpoint_auth_method=kind.method,
        revocation_endpoint_auth_method=kind.method,  # otherwise Authlib takes client_secret_basic there
        redirect_uri=kind.redirect_uri,
        scope=scope,
        code_challenge_method="S256",
        token_endpoint=discovered(stage)["token_endpoint"],
        trust_env=False,
        timeout=30,
    ) as client:
        yield client


def arrive(stage: Stage, client: OAuth2Client) -> str:
    """The URL at which the browser arrives at the application again, after login and consent."""
    endpoint = discovered(stage)["authorization_endpoint"]
    asked = {"audience": API, "nonce": NONCE}
    url, client.state = client.create_authorization_url(endpoint, code_verifier=VERIFIER, **asked)
    browser = stage.browser()
    page = browser.log_in(browser.get(url))
    location: str = browser.decide(page).headers["location"]
    assert location.startswith(client.redirect_uri + "?")
    return location


def log_in(stage: Stage, client: OAuth2Client) -> dict[str, Any]:
    tokens: dict[str, Any] = client.fetch_token(authorization_response=arrive(stage, client), code_verifier=VERIFIER)
    return dict(tokens)


@each_kind
def test_authlib_logs_in_refreshes_and_revokes(stage: Stage, kind: Kind) -> None:
    endpoints = discovered(stage)
    with foreign_client(stage, kind) as client:
        tokens = log_in(stage, client)
        assert tokens["token_type"] == "Bearer"
        assert set(tokens["scope"].split()) == set(SCOPE.split())
        userinfo = client.get(endpoints["userinfo_endpoint"])
        assert userinfo.status_code == 200
        assert userinfo.json()["sub"] == "auth0|65f0a11ce000000000000001"

        refreshed = client.refresh_token()
        assert refreshed["access_token"] != tokens["access_token"]
        rotates = kind is PUBLIC
        assert (refreshed["refresh_token"] != tokens["refresh_token"]) == rotates
        assert client.get(endpoints["userinfo_endpoint"]).status_code == 200

        revoked = client.revoke_token(
            endpoints["revocation_endpoint"], token=refreshed["refresh_token"], token_type_hint="refresh_token"
        )
        assert revoked.status_code == 200
        with pytest.raises(OAuthError) as refused:
            client.refresh_token()
        assert refused.value.error == "invalid_grant"
        assert client.get(endpoints["userinfo_endpoint"]).status_code == 401


@each_kind
def test_authlib_is_refused_with_another_verifier(stage: Stage, kind: Kind) -> None:
    with foreign_client(stage, kind) as client:
        location = arrive(stage, client)
        with pytest.raises(OAuthError) as refused:
            client.fetch_token(authorization_response=location, code_verifier=VERIFIER[::-1])
        assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize("kind", [POST, BASIC], ids=str)
def test_authlib_is_refused_with_another_secret(stage: Stage, dialect: str, kind: Kind) -> None:
    with foreign_client(stage, kind) as client:
        location = arrive(stage, client)
        client.client_secret += "x"
        with pytest.raises(OAuthError) as refused:
            client.fetch_token(authorization_response=location, code_verifier=VERIFIER)
        assert refused.value.error == {"auth0": "access_denied", "rfc": "invalid_client"}[dialect]


def test_only_the_rfc_dialect_insists_on_the_registered_method(stage: Stage, dialect: str) -> None:
    with foreign_client(stage, POST) as client:
        location = arrive(stage, client)
        client.token_endpoint_auth_method = "client_secret_basic"
        if dialect == "auth0":
            assert "access_token" in client.fetch_token(authorization_response=location, code_verifier=VERIFIER)
            return
        with pytest.raises(OAuthError) as refused:
            client.fetch_token(authorization_response=location, code_verifier=VERIFIER)
        assert refused.value.error == "invalid_client"


@each_kind
def test_pyjwt_verifies_both_tokens(stage: Stage, dialect: str, kind: Kind) -> None:
    with foreign_client(stage, kind) as client:
        tokens = log_in(stage, client)
    keys = jwt.PyJWKClient(discovered(stage)["jwks_uri"])
    id_token = _verified(keys, tokens["id_token"], audience=kind.client_id, issuer=stage.issuer)
    access_token = _verified(keys, tokens["access_token"], audience=API, issuer=stage.issuer)
    assert id_token["nonce"] == NONCE
    assert id_token["sub"] == access_token["sub"]
    assert set(access_token["scope"].split()) == set(SCOPE.split())
    types = {name: jwt.get_unverified_header(tokens[name])["typ"] for name in ("id_token", "access_token")}
    assert types == {"id_token": "JWT", "access_token": {"auth0": "JWT", "rfc": "at+jwt"}[dialect]}


def _verified(keys: jwt.PyJWKClient, token: str, *, audience: str, issuer: str) -> dict[str, Any]:
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    key = keys.get_signing_key_from_jwt(token)
    required = {"require": ["iss", "sub", "aud", "exp", "iat"], "strict_aud": False}
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=audience,
        issuer=issuer,
        options=required,  # type: ignore[arg-type] # PyJWT's TypedDict wants a literal
    )
    return claims


def test_pyjwt_refuses_what_is_meant_for_others(stage: Stage) -> None:
    with foreign_client(stage, PUBLIC) as client:
        tokens = log_in(stage, client)
    keys = jwt.PyJWKClient(discovered(stage)["jwks_uri"])
    id_token, access_token = tokens["id_token"], tokens["access_token"]
    with pytest.raises(jwt.InvalidAudienceError):  # an ID token is no access token
        _verified(keys, id_token, audience=API, issuer=stage.issuer)
    with pytest.raises(jwt.InvalidAudienceError):  # and the other way round
        _verified(keys, access_token, audience="native-app", issuer=stage.issuer)
    with pytest.raises(jwt.InvalidIssuerError):  # the slash is part of the name
        _verified(keys, access_token, audience=API, issuer=stage.issuer.removesuffix("/"))
    with pytest.raises(jwt.InvalidSignatureError):
        _verified(keys, ".".join((*id_token.split(".")[:2], access_token.split(".")[2])), audience=API, issuer="")
    key = keys.get_signing_key_from_jwt(access_token)
    for algorithm in ("HS256", "RS512", "PS256", "ES256", "none"):
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(access_token, key, algorithms=[algorithm], audience=API, issuer=stage.issuer)


def test_authlib_accepts_the_metadata(stage: Stage) -> None:
    openid = discovered(stage)
    OpenIDProviderMetadata(openid).validate(metadata_classes=[AuthorizationServerMetadata])
    oauth = stage.http.get("/.well-known/oauth-authorization-server").json()
    AuthorizationServerMetadata(oauth).validate()
    assert openid["issuer"] == oauth["issuer"] == stage.issuer
    for name, url in openid.items():
        if name.endswith(("_endpoint", "_uri")):
            assert urlsplit(url).netloc == urlsplit(stage.issuer).netloc


def test_authlib_accepts_the_id_token(stage: Stage, dialect: str) -> None:
    with foreign_client(stage, PUBLIC) as client:
        first = log_in(stage, client)
        second = dict(client.refresh_token())
    keys = jwt.PyJWKClient(discovered(stage)["jwks_uri"])
    for tokens, nonce in ((first, NONCE), (second, None)):
        claims = _verified(keys, tokens["id_token"], audience="native-app", issuer=stage.issuer)
        assert ("at_hash" in claims) == (dialect == "rfc")
        _judge(claims, tokens["access_token"], nonce)
    if dialect == "rfc":
        with pytest.raises(InvalidClaimError, match="at_hash"):
            _judge(claims, first["access_token"], None)


def _judge(claims: dict[str, Any], access_token: str, nonce: str | None) -> None:
    params = {"client_id": "native-app", "nonce": nonce, "access_token": access_token}
    options = {"aud": {"essential": True, "value": "native-app"}, "exp": {"essential": True}}
    CodeIDToken(claims, {"alg": "RS256"}, options, params).validate()
