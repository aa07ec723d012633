"""`@auth0/auth0-spa-js`, unmodified, in a page in a real Chromium: redirect, popup, frame, rotation, logout."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from house import API, HERE, call
from proves import proves
from tokens import claims

SCOPE = "openid profile email read:notes"


class _Files(SimpleHTTPRequestHandler):
    """The page, and the SDK as its package brings it."""

    def translate_path(self, path):
        name = urlsplit(path).path.strip("/") or "index.html"
        script = HERE / "node/node_modules/@auth0/auth0-spa-js/dist" / name
        return str(script if script.suffix == ".js" else HERE / "spa/index.html")

    def log_message(self, *_):
        """Silent."""


@pytest.fixture(scope="module")
def home(ports):
    """Where the application is served."""
    with ThreadingHTTPServer(("127.0.0.1", ports.spa), partial(_Files, directory=str(HERE))) as files:
        thread = threading.Thread(target=files.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://localhost:{ports.spa}"
        files.shutdown()
        thread.join()


class Application:
    """The page in somebody's browser, and what they do there."""

    def __init__(self, page, home, server):
        self.page, self.home, self.server = page, home, server
        self.options = {}

    def start(self, client_id="spa", **options):
        """Open the page with a client of the SDK."""
        parameters = {"audience": API, "scope": SCOPE, "redirect_uri": self.home}
        domain = self.server.issuer.removesuffix("/")
        self.options = {"domain": domain, "clientId": client_id, "authorizationParams": parameters, **options}
        self.page.goto(self.home)
        self.make_client()
        return self

    def make_client(self):
        self.page.wait_for_load_state("load")
        self.page.evaluate("(options) => { window.client = new auth0.Auth0Client(options); }", self.options)

    def does(self, call, *arguments):
        """What a method of the client answers, or `error` and `description` of what it throws."""
        return self.page.evaluate(
            """([call, args]) => client[call](...args).then((value) => value ?? null,
                 (e) => ({error: e.error ?? e.name, description: e.error_description ?? e.message}))""",
            [call, list(arguments)],
        )

    def log_in(self, action="#consent-allow", page=None):
        """On the server's pages, in this window or another."""
        page = page or self.page
        page.fill("#username", "alice@example.com")
        page.fill("#password", "understudy")
        page.click("#login-submit", no_wait_after=True)
        if self.options["clientId"] == "spa":
            page.click(action, no_wait_after=True)

    def come_back(self):
        """After a redirect: the page is new, and hands the address to the SDK."""
        self.page.wait_for_url(f"{self.home}/?*")
        self.make_client()
        answer = self.does("handleRedirectCallback")
        self.page.evaluate("history.replaceState({}, '', '/')")
        return answer

    def redirect_login(self, action="#consent-allow"):
        self.page.evaluate("() => { client.loginWithRedirect({appState: {from: 'here'}}); }")
        self.log_in(action)
        return self.come_back()

    def fresh_token(self):
        """From the server, not from the cache."""
        return self.does("getTokenSilently", {"cacheMode": "off"})

    def refresh_token(self):
        """Where `cacheLocation: localstorage` keeps it."""
        kept = self.page.evaluate("() => Object.values(localStorage)")
        return next(held["body"]["refresh_token"] for held in map(json.loads, kept) if "body" in held)

    def put_back(self, refresh_token):
        self.page.evaluate(
            """([now, then]) => { for (const key of Object.keys(localStorage))
                 localStorage.setItem(key, localStorage.getItem(key).replaceAll(now, then)); }""",
            [self.refresh_token(), refresh_token],
        )


@pytest.fixture
def application(chromium, home, server):
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    yield Application(context.new_page(), home, server)
    context.close()


ROTATING = {"useRefreshTokens": True, "cacheLocation": "localstorage"}


@proves("GET /authorize", "code_challenge", "state", "nonce", "auth0Client", "response_mode=query", "POST /oauth/token", "grant_type=authorization_code", "application/x-www-form-urlencoded", "CORS", "id_token")  # fmt: skip
def test_item_14_e_login_by_redirect(application):
    application.start()
    assert application.redirect_login() == {"appState": {"from": "here"}, "response_type": "code"}
    user = application.does("getUser")
    assert (user["email"], user["sub"][:6]) == ("alice@example.com", "auth0|")
    told = application.does("getIdTokenClaims")
    assert (told["iss"], told["aud"]) == (application.server.issuer, "spa")


@proves("GET /authorize", "response_mode=web_message", "POST /oauth/token", "grant_type=authorization_code", "CORS")
@pytest.mark.parametrize("client_id", ["spa", "spa-trusted"])
def test_login_by_popup(application, client_id):
    application.start(client_id)
    with application.page.expect_popup() as popup:
        application.page.evaluate("() => { window.done = client.loginWithPopup().then(() => 'in', String); }")
    application.log_in(page=popup.value)
    assert application.page.evaluate("() => window.done") == "in"
    assert application.does("getUser")["email"] == "alice@example.com"
    assert popup.value.is_closed()


@proves("GET /authorize", "response_mode=web_message", "access_denied")
def test_denial_in_the_popup(application):
    application.start()
    with application.page.expect_popup() as popup:
        application.page.evaluate("() => { window.done = client.loginWithPopup().catch((e) => e.error); }")
    application.log_in("#consent-deny", page=popup.value)
    assert application.page.evaluate("() => window.done") == "access_denied"


@proves("POST /oauth/token", "access_token", "audience")
def test_the_page_calls_the_api(application, api):
    application.start().redirect_login()
    token = application.does("getTokenSilently")
    fetched = application.page.evaluate(
        """([url, token]) => fetch(url, {headers: {Authorization: `Bearer ${token}`}})
             .then(async (came) => [came.status, Array.isArray(await came.json())])""",
        [f"{api}/notes", token],
    )
    assert fetched == [200, True]


@proves("GET /authorize", "prompt=none", "response_mode=web_message", "SSO session")
def test_item_14_f_silent_login_in_a_frame(application, api):
    application.start("spa-trusted").redirect_login()
    with application.page.expect_request(lambda request: "response_mode=web_message" in request.url) as asked:
        token = application.fresh_token()
    assert parse_qs(urlsplit(asked.value.url).query)["prompt"] == ["none"]
    assert call(f"{api}/notes", token)[0] == 200
    # A new visit, with nothing but the session at the server.
    application.page.evaluate("() => sessionStorage.clear()")
    application.start("spa-trusted")
    assert application.does("getTokenSilently").count(".") == 2
    assert application.does("getUser")["email"] == "alice@example.com"


@proves("GET /authorize", "prompt=none", "response_mode=web_message", "login_required", "consent_required")
def test_silent_login_says_why_not(application):
    application.start()
    assert application.fresh_token() == {"error": "login_required", "description": "Login required"}
    application.redirect_login()
    assert application.fresh_token() == {"error": "consent_required", "description": "Consent required"}


@proves("POST /oauth/token", "grant_type=refresh_token", "rotation_type=rotating", "offline_access", "CORS")
@pytest.mark.parametrize("kept", ["memory", "localstorage"])
def test_item_14_g_refresh(application, api, kept):
    """In memory a worker keeps the refresh token, and sends it."""
    application.start(useRefreshTokens=True, cacheLocation=kept).redirect_login()
    assert "gty" not in claims(application.does("getTokenSilently"))
    for _ in range(2):  # the second time with what the first one brought
        token = application.fresh_token()
        assert claims(token)["gty"] == "refresh_token"
        assert call(f"{api}/notes", token)[0] == 200


@proves("POST /oauth/token", "grant_type=refresh_token", "rotation_type=rotating", "invalid_grant", "reuse detection")
def test_rotation_and_reuse(application):
    application.start(**ROTATING).redirect_login()
    first = application.refresh_token()
    application.fresh_token()
    second = application.refresh_token()
    assert second != first
    application.put_back(first)
    refused = {"error": "invalid_grant", "description": "Unknown or invalid refresh token."}
    assert application.fresh_token() == refused
    application.put_back(second)
    assert application.fresh_token() == refused


@proves("POST /oauth/token", "grant_type=refresh_token", "invalid_grant", "GET /authorize", "response_mode=web_message")
def test_a_dead_refresh_token_falls_back_to_the_frame(application):
    """`useRefreshTokensFallback` compares the error's very text."""
    application.start("spa-trusted", useRefreshTokensFallback=True, **ROTATING).redirect_login()
    application.put_back("v1.unknown")
    assert application.fresh_token().count(".") == 2
    assert application.refresh_token() != "v1.unknown"


@proves("POST /oauth/revoke", "token_type_hint", "CORS", "POST /oauth/token", "grant_type=refresh_token", "invalid_grant")  # fmt: skip
def test_a_revoked_refresh_token_is_dead(application):
    application.start(**ROTATING).redirect_login()
    held = application.refresh_token()
    assert application.does("revokeRefreshToken") is None
    answered = application.page.evaluate(
        """([url, token]) => fetch(url, {method: "POST", body: new URLSearchParams(
             {grant_type: "refresh_token", client_id: "spa", refresh_token: token})}).then((came) => came.json())""",
        [f"{application.server.issuer}oauth/token", held],
    )
    assert answered["error"] == "invalid_grant"


@proves("GET /authorize", "access_denied", "state")
def test_errors_of_the_redirect_arrive(application):
    application.start()
    denied = {"error": "access_denied", "description": "User did not authorize the request"}
    assert application.redirect_login("#consent-deny") == denied
    # What nobody asked for is nobody's answer.
    application.page.goto(f"{application.home}/?code=made-up&state=made-up")
    assert application.come_back()["error"] in ("missing_transaction", "state_mismatch", "invalid_state")


@proves("GET /v2/logout", "client_id", "returnTo", "auth0Client")
def test_logout(application):
    application.start("spa-trusted").redirect_login()
    page = application.page
    with page.expect_navigation(url=f"{application.home}/"), page.expect_request("**/v2/logout?*") as left:
        page.evaluate("(to) => { client.logout({logoutParams: {returnTo: to}}); }", application.home)
    assert parse_qs(urlsplit(left.value.url).query)["client_id"] == ["spa-trusted"]
    application.make_client()
    assert application.does("getUser") is None
    assert application.fresh_token()["error"] == "login_required"
