"""`express-openid-connect`, unmodified: a web application's login, session, refresh and logout.

Its default `response_type=id_token` puts a token into the front channel, which is refused here on purpose (RFC 9700
§2.1.2); with a client secret it uses `code`, as its documentation offers.
"""

import json

import pytest
from house import API, call, node
from person import Person
from proves import proves
from tokens import SCOPE

CODE = {"authorizationParams": {"response_type": "code", "audience": API, "scope": SCOPE}, "idpLogout": True}


@pytest.fixture
def start(server, ports):
    """Start the application with a configuration of the scenario's."""

    def started(**changed):
        secret = server.client_secrets["web-app"]
        return node(
            "openid_connect", issuer=server.issuer, port=ports.web, client_secret=secret, changed=json.dumps(changed)
        )

    return started


def browser(server, app):
    """Somebody whose browser goes back and forth between the two."""
    return Person(server.issuer, app)


def session(person, app):
    return json.loads(person.open(f"{app}/session").text)


def log_in(person, app):
    page = person.log_in(f"{app}/login")
    assert page.status in (200, 404), page.text  # "/" is no page of this application
    return session(person, app)


@proves("GET /.well-known/openid-configuration", "GET /authorize", "response_type=code", "code_challenge", "nonce", "state", "audience", "POST /oauth/token", "grant_type=authorization_code", "client_secret_basic", "id_token", "GET /userinfo")  # fmt: skip
def test_login(server, start):
    with start(**CODE) as app:
        person = browser(server, app)
        assert session(person, app) == {"isAuthenticated": False}
        held = log_in(person, app)
        assert (held["isAuthenticated"], held["user"]["email"]) == (True, "alice@example.com")
        assert json.loads(person.open(f"{app}/userinfo").text)["sub"] == held["user"]["sub"]


@proves("GET /authorize", "response_mode=form_post")
def test_login_with_form_post(server, start):
    code = {**CODE["authorizationParams"], "response_mode": "form_post"}
    with start(**{**CODE, "authorizationParams": code}) as app:
        person = browser(server, app)
        page = person.log_in(f"{app}/login")
        assert f'action="{app}/callback"' in page.text
        person.submit(page)
        assert session(person, app)["isAuthenticated"] is True


@proves("POST /oauth/token", "access_token", "audience")
def test_the_api_takes_the_access_token(server, api, start):
    with start(**CODE) as app:
        assert call(f"{api}/notes", log_in(browser(server, app), app)["accessToken"])[0] == 200


@proves("POST /oauth/token", "grant_type=refresh_token", "client_secret_basic", "rotation_type=non-rotating")
def test_refresh(server, api, start):
    with start(**CODE) as app:
        person = browser(server, app)
        first = log_in(person, app)
        refreshed = json.loads(person.open(f"{app}/refreshed").text)
        assert refreshed["access_token"] != first["accessToken"]
        assert session(person, app)["accessToken"] == refreshed["access_token"]
        assert call(f"{api}/notes", refreshed["access_token"])[0] == 200


@proves("POST /oauth/revoke", "client_secret", "POST /oauth/token", "grant_type=refresh_token", "invalid_grant")
def test_a_revoked_refresh_token_is_dead(server, start):
    with start(**CODE) as app:
        person = browser(server, app)
        secret, token = server.client_secrets["web-app"], log_in(person, app)["refreshToken"]
        form = {"client_id": "web-app", "client_secret": secret, "token": token}
        assert person.open(f"{server.issuer}oauth/revoke", form).status == 200
        refused = person.open(f"{app}/refreshed")
        assert refused.status >= 400
        assert "Unknown or invalid refresh token." in refused.text


@proves("GET /authorize", "prompt=consent", "access_denied", "POST /oauth/token", "access_denied")
def test_errors_of_the_login_arrive(server, start):
    asked = {**CODE["authorizationParams"], "prompt": "consent"}
    with start(**{**CODE, "authorizationParams": asked}) as app:
        refused = browser(server, app).log_in(f"{app}/login", "deny")
        assert (refused.status, json.loads(refused.text)["error"]) == (400, "access_denied")
    with start(**CODE, clientSecret="not the secret") as app:
        refused = browser(server, app).log_in(f"{app}/login")
        assert (refused.status, json.loads(refused.text)["error"]) == (400, "access_denied")


@proves("GET /authorize", "response_type=id_token", "unsupported_response_type", "response_mode=form_post")
def test_the_implicit_default_is_refused(server, start):
    with start() as app:
        refused = browser(server, app).open(f"{app}/login")
        assert 'name="error" value="unsupported_response_type"' in refused.text


@proves("GET /oidc/logout", "id_token_hint", "client_id", "post_logout_redirect_uri")
def test_logout_by_the_standard(server, start):
    with start(**CODE) as app:
        person = browser(server, app)
        log_in(person, app)
        assert person.open(f"{app}/logout").url.rstrip("/") == app  # without a question, thanks to the hint
        assert session(person, app) == {"isAuthenticated": False}
        assert 'id="login-submit"' in person.open(f"{app}/login").text


@proves("GET /v2/logout", "client_id", "returnTo")
def test_logout_by_auth0s_own_endpoint(server, start):
    with start(**CODE, auth0Logout=True) as app:
        person = browser(server, app)
        log_in(person, app)
        assert person.open(f"{app}/logout").url.rstrip("/") == app
        assert 'id="login-submit"' in person.open(f"{app}/login").text
