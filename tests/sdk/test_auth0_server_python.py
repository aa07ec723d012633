"""`auth0-server-python`, unmodified: a web application's login, session, refresh and logout, over https."""

import asyncio
from urllib.parse import urlencode

import pytest
from auth0_server_python.auth_server import ServerClient
from auth0_server_python.auth_types import LogoutOptions, StartInteractiveLoginOptions
from auth0_server_python.error import AccessTokenError, ApiError
from auth0_server_python.store import StateStore, TransactionStore
from house import API, call
from proves import proves
from tokens import SCOPE


class _InMemory:
    """What the SDK leaves to the application: where sessions and transactions lie."""

    def __init__(self):
        super().__init__({})
        self.held = {}

    async def set(self, identifier, state, *_, **__):
        self.held[identifier] = state

    async def get(self, identifier, *_, **__):
        return self.held.get(identifier)

    async def delete(self, identifier, *_, **__):
        self.held.pop(identifier, None)


class Sessions(_InMemory, StateStore):
    """One person's."""


class Transactions(_InMemory, TransactionStore):
    """One person's."""


class App:
    """The application, for one person."""

    def __init__(self, server, ports, client_id, client_secret=None):
        self.home = f"http://localhost:{ports.web}"
        self.sessions = Sessions()
        self.client = ServerClient(
            domain=server.domain,
            client_id=client_id,
            client_secret=client_secret or server.client_secrets[client_id],
            redirect_uri=f"{self.home}/callback",
            secret="of the application, not of the server",
            state_store=self.sessions,
            transaction_store=Transactions(),
            authorization_params={"audience": API, "scope": SCOPE},
        )

    def start(self, **more):
        options = StartInteractiveLoginOptions(authorization_params=more or None)
        return asyncio.run(self.client.start_interactive_login(options))

    def log_in(self, person, action="default", **more):
        """Returns the session."""
        page = person.log_in(self.start(**more), action)
        assert page.location.startswith(f"{self.home}/callback?")
        return asyncio.run(self.client.complete_interactive_login(page.location))

    def access_token(self):
        return asyncio.run(self.client.get_access_token())

    def let_it_expire(self):
        """As time would."""
        (held,) = self.sessions.held.values()
        sets = held["token_sets"] if isinstance(held, dict) else held.token_sets
        for each in sets:
            if isinstance(each, dict):
                each["expires_at"] = 0
            else:
                each.expires_at = 0

    def refresh_token(self):
        (held,) = self.sessions.held.values()
        return held["refresh_token"] if isinstance(held, dict) else held.refresh_token


@proves("GET /.well-known/openid-configuration", "GET /authorize", "code_challenge", "audience", "scope", "POST /oauth/token", "grant_type=authorization_code", "client_secret_basic", "id_token", "GET /.well-known/jwks.json")  # fmt: skip
@pytest.mark.parametrize("client_id", ["web-app", "web-rotating"])
def test_item_14_c_login(secure_server, secure_person, ports, client_id):
    app = App(secure_server, ports, client_id)
    app.log_in(secure_person)
    user = asyncio.run(app.client.get_user())
    user = user if isinstance(user, dict) else user.model_dump()
    assert (user["email"], user["iss"]) == ("alice@example.com", secure_server.issuer)


@proves("POST /oauth/token", "access_token", "audience")
def test_the_api_takes_the_access_token(secure_server, secure_person, secure_api, ports):
    app = App(secure_server, ports, "web-app")
    app.log_in(secure_person)
    assert call(f"{secure_api}/notes", app.access_token())[0] == 200


@proves("POST /oauth/token", "grant_type=refresh_token", "client_secret_basic", "audience", "scope", "rotation_type=non-rotating")  # fmt: skip
def test_refresh_without_rotation(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-app")
    app.log_in(secure_person)
    first, held = app.access_token(), app.refresh_token()
    assert app.access_token() == first  # from the session
    app.let_it_expire()
    assert app.access_token() != first
    assert app.refresh_token() == held


@proves("POST /oauth/token", "grant_type=refresh_token", "rotation_type=rotating", "invalid_grant", "reuse detection")
def test_refresh_with_rotation_and_reuse(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-rotating")
    app.log_in(secure_person)
    first = app.refresh_token()
    app.let_it_expire()
    app.access_token()
    assert app.refresh_token() != first
    with pytest.raises(ApiError) as refused:
        asyncio.run(app.client.get_token_by_refresh_token({"refresh_token": first}))
    assert (refused.value.code, str(refused.value)) == ("invalid_grant", "Unknown or invalid refresh token.")
    app.let_it_expire()
    with pytest.raises(AccessTokenError):
        app.access_token()


@proves("POST /oauth/revoke", "client_secret", "POST /oauth/token", "grant_type=refresh_token", "invalid_grant")
def test_a_revoked_refresh_token_is_dead(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-app")
    app.log_in(secure_person)
    secret = secure_server.client_secrets["web-app"]
    form = {"client_id": "web-app", "client_secret": secret, "token": app.refresh_token()}
    assert secure_person.open(f"{secure_server.issuer}oauth/revoke", form).status == 200
    app.let_it_expire()
    with pytest.raises(AccessTokenError, match="Unknown or invalid refresh token"):
        app.access_token()


@proves("GET /authorize", "access_denied", "prompt=none", "login_required")
def test_errors_of_the_login_arrive(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-app")
    with pytest.raises(ApiError) as refused:
        app.log_in(secure_person, prompt="none")
    assert (refused.value.code, str(refused.value)) == ("login_required", "Login required")
    with pytest.raises(ApiError) as refused:
        app.log_in(secure_person, "deny", prompt="consent")
    assert (refused.value.code, str(refused.value)) == ("access_denied", "User did not authorize the request")


@proves("POST /oauth/token", "grant_type=authorization_code", "access_denied")
def test_a_wrong_secret_is_refused(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-app", "not the secret")
    with pytest.raises(ApiError, match="access_denied"):
        app.log_in(secure_person)


@proves("GET /v2/logout", "client_id", "returnTo")
def test_logout(secure_server, secure_person, ports):
    app = App(secure_server, ports, "web-app")
    app.log_in(secure_person)
    url = asyncio.run(app.client.logout(LogoutOptions(return_to=app.home)))
    assert url.startswith(f"{secure_server.issuer}v2/logout?")
    assert secure_person.open(url).location == app.home
    assert app.sessions.held == {}
    with pytest.raises(ApiError, match="Login required"):
        app.log_in(secure_person, prompt="none")
    elsewhere = urlencode({"client_id": "web-app", "returnTo": "https://evil.test/"})
    assert secure_person.open(f"{secure_server.issuer}v2/logout?{elsewhere}").status == 400
