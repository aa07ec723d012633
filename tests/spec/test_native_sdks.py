"""The native SDKs' wire, replayed: what Auth0.swift, Auth0.Android and react-native-auth0 send, and insist on getting back.

They run on devices alone, so their requests are repeated here member by member, and their checks of the answers too.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from authserver.rules.redirects import is_registrable
from tests.attacks.judge import is_error_page, on_sqlite
from tests.proves import proves
from tests.stage import ALICE, API, Browser, Pkce, Stage, answer, claims, header, verified

TELEMETRY = {"name": "Auth0.swift", "version": "3.1.0", "env": {"iOS": "19.0", "swift": "6.x"}}


@dataclass(frozen=True)
class Sdk:
    """How one of them writes its callback, its JSON and its logout."""

    name: str
    callback: str
    content_type: str = "application/json"
    federated: str = "federated"
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def telemetry(self) -> str:
        """Base64url without padding, as in the header and in the query."""
        return base64.urlsafe_b64encode(json.dumps({**TELEMETRY, "name": self.name}).encode()).decode().rstrip("=")


SDKS = (
    Sdk("Auth0.swift", "com.example.notes://localhost/ios/com.example.notes/callback"),
    Sdk("Auth0.swift, mixed case", "com.Example.Notes://localhost/ios/com.Example.Notes/callback"),
    Sdk("Auth0.swift, universal link", "https://notes.example.com/ios/com.example.notes/callback"),
    Sdk(
        "Auth0.Android",
        "https://notes.example.com/android/com.Example.Notes/callback",
        "application/json; charset=utf-8",
        "federated=1",
    ),
    Sdk(
        "Auth0.Android, scheme",
        "demo.notes://localhost/android/com.Example.Notes/callback",
        "application/json; charset=utf-8",
    ),
    Sdk("react-native-auth0", "com.example.notes.auth0://localhost/android/com.example.notes/callback"),
)

native = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
pytestmark = on_sqlite


class App:
    """One install: it opens the browser, and sends JSON."""

    def __init__(self, stage: Stage, sdk: Sdk) -> None:
        self.stage, self.sdk, self.pkce = stage, sdk, Pkce()
        stage.configure_client("native-app", callbacks=[sdk.callback], allowed_logout_urls=[sdk.callback])

    def post(self, path: str, **members: Any) -> httpx2.Response:
        headers = {
            "Content-Type": self.sdk.content_type,
            "Auth0-Client": self.sdk.telemetry,
            "Accept-Language": "en_US",
        }
        return self.stage.http.post(path, content=json.dumps({"client_id": "native-app", **members}), headers=headers)

    def authorize(self, browser: Browser, **changed: str) -> httpx2.Response:
        sent = {
            "response_type": "code",
            "client_id": "native-app",
            "redirect_uri": self.sdk.callback,
            "scope": "openid profile email offline_access",
            "audience": API,
            "state": "kGQ2n_2TxHJ4-0mZ",
            "nonce": "n-once",
            "code_challenge": self.pkce.challenge,
            "code_challenge_method": "S256",
            "auth0Client": self.sdk.telemetry,
            **changed,
        }
        return browser.get(self.stage.issuer + "authorize", **sent)

    def log_in(self, browser: Browser | None = None) -> httpx2.Response:
        """To the callback, which the system hands to the app."""
        browser = browser or self.stage.browser()
        page = browser.log_in(self.authorize(browser))
        return browser.decide(page) if "/u/consent" in str(page.url) else page

    def exchange(self, code: str) -> httpx2.Response:
        members = {"code": code, "code_verifier": self.pkce.verifier, "redirect_uri": self.sdk.callback}
        return self.post("/oauth/token", grant_type="authorization_code", **members)

    def tokens(self) -> dict[str, Any]:
        response = self.exchange(answer(self.log_in())["code"])
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def refresh(self, token: str) -> httpx2.Response:
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=token)


@native
@proves("GET /authorize", "redirect_uri", "auth0Client", "nonce", "state")
def test_the_callback_comes_back_as_it_was_registered(stage: Stage, sdk: Sdk) -> None:
    """Neither scheme nor package name is folded to lower case, and the query can be split without form decoding."""
    assert is_registrable(sdk.callback)
    location = App(stage, sdk).log_in().headers["location"]
    assert location.startswith(sdk.callback + "?")
    raw = dict(pair.split("=", 1) for pair in location.partition("?")[2].split("&"))  # as Android splits it
    assert raw["state"] == "kGQ2n_2TxHJ4-0mZ"
    assert "+" not in location.partition("?")[2]
    assert dict(parse_qsl(urlsplit(location).query))["code"] == raw["code"]


@native
@proves("POST /oauth/token", "application/json", "grant_type=authorization_code", "Auth0-Client")
def test_the_answer_has_what_credentials_are_made_of(stage: Stage, sdk: Sdk) -> None:
    told = App(stage, sdk).tokens()
    assert told["token_type"] == "Bearer"
    assert isinstance(told["expires_in"], int)
    assert {"access_token", "id_token", "refresh_token", "scope"} <= told.keys(), "Android refuses nulls"


@native
@proves("GET /.well-known/jwks.json", "alg", "use", "kid")
def test_the_id_token_passes_their_checks(stage: Stage, sdk: Sdk) -> None:
    """Auth0.Android takes a key by kid with alg RS256 and use sig; all compare iss, aud, nonce and the times."""
    token = App(stage, sdk).tokens()["id_token"]
    keys = {kid: key for kid, key in stage.jwks().items() if (key["alg"], key["use"]) == ("RS256", "sig")}
    said = verified(token, keys)
    assert header(token)["alg"] == "RS256"
    assert said["iss"] == stage.issuer
    assert (said["aud"], said["nonce"]) == ("native-app", "n-once")
    assert said["sub"]
    assert said["iat"] <= stage.clock() < said["exp"]


@native
@proves("POST /oauth/token", "grant_type=refresh_token", "403 invalid_grant")
def test_refresh_and_the_text_that_they_compare(stage: Stage, sdk: Sdk) -> None:
    app = App(stage, sdk)
    first = app.tokens()["refresh_token"]
    second = app.refresh(first)
    assert second.json()["refresh_token"] != first
    assert "nonce" not in claims(second.json()["id_token"])
    reused = app.refresh(first)
    # Auth0.swift: isRefreshTokenExpired … and Android: the exact sentence, with its period, and the status.
    assert reused.status_code == 403
    assert reused.json() == {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."}


@native
@proves("POST /oauth/token", "401 access_denied", "403 invalid_grant")
def test_the_other_texts_that_they_compare(stage: Stage, sdk: Sdk) -> None:
    app = App(stage, sdk)
    secret_missing = app.post("/oauth/token", client_id="web-app", grant_type="refresh_token", refresh_token="x")
    assert secret_missing.status_code == 401
    assert secret_missing.json() == {"error": "access_denied", "error_description": "Unauthorized"}
    code = answer(app.log_in())["code"]
    app.pkce = Pkce()
    assert app.exchange(code).json()["error_description"] == "Failed to verify code verifier"


@native
@proves("POST /oauth/token", "403 invalid_grant")
def test_a_deleted_user_is_told_in_the_exact_words(stage: Stage, sdk: Sdk) -> None:
    app = App(stage, sdk)
    token = app.tokens()["refresh_token"]
    # An account that goes takes its grants along here; the words are for the moment between two looks.
    stage.change("DELETE FROM users WHERE user_id = (SELECT user_id FROM users WHERE username_key = :of)", of=ALICE)
    gone = app.refresh(token)
    assert gone.status_code == 403
    assert gone.json()["error_description"] in (
        "Unknown or invalid refresh token.",
        "The refresh_token was generated for a user who doesn't exist anymore.",
    )


@native
@proves("POST /oauth/revoke", "application/json")
def test_revocation_answers_with_nothing(stage: Stage, sdk: Sdk) -> None:
    app = App(stage, sdk)
    token = app.tokens()["refresh_token"]
    for each in (token, "unknown"):
        revoked = app.post("/oauth/revoke", token=each)
        assert (revoked.status_code, revoked.content) == (200, b"")
    assert app.refresh(token).status_code == 403


@native
@proves("GET /userinfo")
def test_userinfo_and_its_refusal(stage: Stage, sdk: Sdk) -> None:
    app = App(stage, sdk)
    profile = stage.userinfo(app.tokens()["access_token"]).json()
    assert (profile["email"], profile["email_verified"]) == (ALICE, True)
    assert profile["updated_at"].endswith("Z"), "a date in ISO 8601"
    refused = stage.userinfo("nonsense")
    assert (refused.status_code, refused.text) == (401, "Unauthorized")
    challenge = refused.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="Users", error="invalid_token", error_description="')


@native
@proves("GET /v2/logout", "returnTo", "client_id", "federated", "auth0Client")
def test_logout_returns_to_the_callback(stage: Stage, sdk: Sdk) -> None:
    app, browser = App(stage, sdk), stage.browser()
    app.log_in(browser)
    away = browser.http.get(
        f"{stage.issuer}v2/logout?{sdk.federated}&{httpx2.QueryParams({'returnTo': sdk.callback, 'client_id': 'native-app', 'auth0Client': sdk.telemetry})}"
    )
    assert (away.status_code, away.headers["location"]) == (302, sdk.callback)
    assert "/u/login" in str(browser.follow(app.authorize(browser)).url)


@native
@proves("GET /authorize", "prompt=login", "access_denied")
def test_a_cancelled_login_is_access_denied(stage: Stage, sdk: Sdk) -> None:
    app, browser = App(stage, sdk), stage.browser()
    page = browser.log_in(app.authorize(browser, prompt="login consent"))
    declined = answer(browser.decide(page, "deny"))
    assert (declined["error"], declined["error_description"]) == (
        "access_denied",
        "User did not authorize the request",
    )


@pytest.mark.parametrize(
    "callback",
    [
        "notes://localhost/callback",
        "HTTP://127.0.0.1/callback",
        "HTTPS://notes.example.com/callback",
        "JavaScript:alert(1)",
    ],
)
def test_AZ11_letters_of_either_case_open_no_other_scheme(stage: Stage, callback: str) -> None:
    """A private-use scheme is a reversed domain name (RFC 8252 §7.1); http and https have one spelling."""
    assert not is_registrable(callback)
    app = App(stage, SDKS[1])
    folded = SDKS[1].callback.lower()
    assert is_error_page(app.authorize(stage.browser(), redirect_uri=folded))
