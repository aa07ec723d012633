"""Upstream OpenID Connect: we are somebody else's client.

Done: RFC 6749 §4.1 · RFC 7636 §4 (S256, always) · RFC 9207 §2.4 · RFC 9700 §2.1, §4.4 (mix-up) · OpenID Connect Core
§3.1.2.1, §3.1.3, §5.3.2 (the same `sub` at userinfo) · OpenID Connect Discovery §4.3 · OpenID Connect RP-Initiated
Logout 1.0 §2.
Left out: response modes other than query, pushed requests, client assertions, refresh tokens, silent logins.

Authlib makes the token request; whether its answer is good is decided here. PKCE verifier and nonce are made from the
browser's cookie and the `state`, so no row holds them, and another browser cannot repeat them.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError as AuthlibError
from authlib.integrations.httpx_client import OAuth2Client

from authserver.connections import id_token
from authserver.connections.identity import Identity
from authserver.connections.options import OIDC, OidcOptions
from authserver.messages import AuthorizationRequest
from authserver.outbound import OutboundError, Reach, Unavailable, Unusable
from authserver.outbound.addresses import check
from authserver.outbound.transport import Call, read_object
from authserver.rules.pkce import s256
from authserver.settings import is_loopback
from authserver.store.connections import Connection
from authserver.tenant import Tenant

CALLBACK = "/login/callback"
LOGGED_OUT = "/v2/logout/callback"


@dataclass(frozen=True, slots=True)
class Journey:
    """One person's way there and back. `browser` is the cookie of the browser that left."""

    connection: Connection
    state: str
    browser: str
    asked: AuthorizationRequest

    def secret(self, purpose: str) -> str:
        """43 characters that nobody can know who does not hold the cookie and the state."""
        made = hmac.digest(self.browser.encode("utf-8", "surrogatepass"), f"{purpose} {self.state}".encode(), "sha256")
        return urlsafe_b64encode(made).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class _Provider:
    """What its metadata says, and may say."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    sends_iss: bool
    authenticates_by: str


def departure(journey: Journey, tenant: Tenant, *, alone: bool) -> str:
    """Where the browser goes to log in. `alone` says that no other OpenID connection exists. Raises OutboundError."""
    options, asked = _options(journey.connection), journey.asked
    with tenant.outbound.call(_reach(options, tenant)) as call:
        provider = _discover(call, options, tenant)
    params = {
        "response_type": "code",
        "client_id": options.client_id,
        "redirect_uri": _redirect_uri(journey.connection, provider, tenant, alone=alone),
        "scope": options.scope,
        "state": journey.state,
        "nonce": journey.secret("nonce"),
        "code_challenge": s256(journey.secret("code_verifier")),
        "code_challenge_method": "S256",
    }
    if prompt := [each for each in asked.prompt if each in ("login", "select_account")]:
        params["prompt"] = " ".join(prompt)
    if asked.must_be_recent:
        params["max_age"] = "0" if "login" in asked.prompt else str(asked.max_age)
    if asked.login_hint:
        params["login_hint"] = asked.login_hint
    return _with_query(provider.authorization_endpoint, params)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brought back. `came_to` is the connection in the URL that it came to, if there was one."""

    code: str | None
    error: str | None
    iss: str | None
    came_to: str | None


class Declined(Exception):
    """The provider says that the person, or itself, does not want to."""


def arrival(journey: Journey, answer: Answer, tenant: Tenant, *, alone: bool, logged_in_since: int | None) -> Identity:
    """Who came back. Raises Declined, or OutboundError for whatever proves nothing."""
    options = _options(journey.connection)
    with tenant.outbound.call(_reach(options, tenant)) as call:
        provider = _discover(call, options, tenant)
        _check_sender(journey, answer, provider, alone=alone)
        if answer.error is not None:
            if answer.error == "access_denied":
                raise Declined
            _fail(answer.error)
        if answer.code is None:
            raise Unusable("neither code nor error came back")
        redirect_uri = _redirect_uri(journey.connection, provider, tenant, alone=alone)
        tokens = _redeem(call, options, provider, journey, answer.code, redirect_uri)
        expected = id_token.Expected(
            issuer=provider.issuer,
            client_id=options.client_id,
            nonce=journey.secret("nonce"),
            access_token=tokens["access_token"],
            now=tenant.now(),
            logged_in_since=logged_in_since,
        )
        claims = _verified(call, provider, tokens["id_token"], expected, tenant)
        claims |= _userinfo(call, provider, tokens["access_token"], claims["sub"])
    return Identity(journey.connection.name, claims["sub"], claims)


def logout_url(connection: Connection, state: str, tenant: Tenant) -> str | None:
    """Where the browser logs out there, and comes back from with `state`; None where that is not offered. Raises
    OutboundError.
    """
    if connection.strategy != OIDC:
        return None
    options = _options(connection)
    with tenant.outbound.call(_reach(options, tenant)) as call:
        provider = _discover(call, options, tenant)
    if provider.end_session_endpoint is None:
        return None
    back_to = {"post_logout_redirect_uri": tenant.url(LOGGED_OUT), "state": state}
    return _with_query(provider.end_session_endpoint, {"client_id": options.client_id, **back_to})


def _options(connection: Connection) -> OidcOptions:
    return OidcOptions.model_validate(connection.options)


def _reach(options: OidcOptions, tenant: Tenant) -> Reach:
    is_rehearsal = is_loopback(tenant.settings.issuer_host)
    return Reach(options.trusted, plain_loopback=is_rehearsal, ca_file=tenant.settings.ca_file)


def _discover(call: Call, options: OidcOptions, tenant: Tenant) -> _Provider:
    said = tenant.outbound.document(call, options.document_url, "metadata", tenant.now())
    if not isinstance(said.get("issuer"), str) or not options.is_issuer(said["issuer"]):
        raise Unusable("the metadata speaks for another issuer")
    methods = said.get("token_endpoint_auth_methods_supported")
    by_post = isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods
    endpoints = {name: _endpoint(call, said, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if missing := [name for name, url in endpoints.items() if url is None]:
        raise Unusable(f"the metadata lacks {missing[0]}")
    return _Provider(
        issuer=said["issuer"],
        authorization_endpoint=str(endpoints["authorization_endpoint"]),
        token_endpoint=str(endpoints["token_endpoint"]),
        jwks_uri=str(endpoints["jwks_uri"]),
        userinfo_endpoint=_endpoint(call, said, "userinfo_endpoint"),
        end_session_endpoint=_endpoint(call, said, "end_session_endpoint"),
        sends_iss=said.get("authorization_response_iss_parameter_supported") is True,
        authenticates_by="client_secret_post" if by_post else "client_secret_basic",
    )


def _endpoint(call: Call, said: dict[str, Any], name: str) -> str | None:
    url = said.get(name)
    if url is None:
        return None
    if not isinstance(url, str):
        raise Unusable(f"the metadata has no usable {name}")
    check(url, call.reach)
    return url


def _redirect_uri(connection: Connection, provider: _Provider, tenant: Tenant, *, alone: bool) -> str:
    """RFC 9700 §4.4.2: an answer must tell whose it is, by `iss` or by where it comes to."""
    url = tenant.url(CALLBACK)
    return url if alone or provider.sends_iss else f"{url}?connection={connection.name}"


def _check_sender(journey: Journey, answer: Answer, provider: _Provider, *, alone: bool) -> None:
    if answer.iss is not None or provider.sends_iss:
        if answer.iss != provider.issuer:
            raise Unusable("the answer is not from the provider that was asked (iss)")
    elif not alone and answer.came_to != journey.connection.name:
        raise Unusable("the answer came to another connection's address")


def _fail(error: str) -> NoReturn:
    if error in ("temporarily_unavailable", "server_error"):
        raise Unavailable("the provider said that it cannot answer")
    raise Unusable("the provider refused the request")


def _redeem(
    call: Call, options: OidcOptions, provider: _Provider, journey: Journey, code: str, redirect_uri: str
) -> dict[str, str]:
    """`access_token` and `id_token`, of which the former is empty where there is none."""
    answers: list[dict[str, Any]] = []

    def read(response: httpx2.Response) -> httpx2.Response:
        # Authlib would take any status below 500.
        answers.append(_read_tokens(response))
        return response

    secret = options.secret
    method = (options.token_endpoint_auth_method or provider.authenticates_by) if secret else "none"
    with OAuth2Client(options.client_id, secret, token_endpoint_auth_method=method, **call.options()) as oauth:
        oauth.register_compliance_hook("access_token_response", read)
        try:
            oauth.fetch_token(  # the grant type is spelled out: left alone, Authlib guesses
                provider.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=journey.secret("code_verifier"),
                redirect_uri=redirect_uri,
            )
        except OutboundError:
            raise
        except httpx2.HTTPError as error:
            raise Unavailable(f"the token endpoint: {type(error).__name__}") from None
        except (AuthlibError, ValueError, TypeError, OverflowError):
            raise Unusable("the token endpoint answered with what makes no sense") from None
    return answers[0]


def _read_tokens(response: httpx2.Response) -> dict[str, Any]:
    body = read_object(response, "the token endpoint")
    access_token, said = body.get("access_token"), body.get("id_token")
    if "error" in body or not isinstance(said, str) or not said:
        raise Unusable("the token endpoint gave no ID token")
    if str(body.get("token_type")).lower() != "bearer" or not isinstance(access_token, str) or not access_token:
        raise Unusable("the token endpoint gave no access token")
    if not access_token.isascii() or not access_token.isprintable():
        raise Unusable("the token endpoint gave an access token in odd characters")
    return {"access_token": access_token, "id_token": said}


def _verified(
    call: Call, provider: _Provider, token: str, expected: id_token.Expected, tenant: Tenant
) -> dict[str, Any]:
    jwks = tenant.outbound.document(call, provider.jwks_uri, "key set", expected.now)
    try:
        return id_token.verify(token, jwks, expected)
    except id_token.UnknownKey:
        newer = tenant.outbound.document(call, provider.jwks_uri, "key set", expected.now, outdated=True)
        return id_token.verify(token, newer, expected)


def _userinfo(call: Call, provider: _Provider, access_token: str, subject: str) -> dict[str, Any]:
    if provider.userinfo_endpoint is None:
        return {}
    said = call.get_object(provider.userinfo_endpoint, "userinfo", bearer=access_token)
    if said.get("sub") != subject:
        raise Unusable("userinfo speaks of somebody else")
    return said


def _with_query(url: str, params: dict[str, str]) -> str:
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{urlencode(params, quote_via=quote)}"
