"""A command-line application on auth0-python: log in through the browser, call an API, refresh, revoke.

The authorization code comes back to a listener on this machine (RFC 8252 §7.3), protected by PKCE and state.
"""
# ruff: noqa: T201 - a command line prints

import base64
import hashlib
import os
import secrets
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier

DOMAIN = os.environ.get("AUTH0_DOMAIN", "http://localhost:9000")
CLIENT_ID = os.environ.get("AUTH0_CLIENT_ID", "native-app")
AUDIENCE = "https://notes.example/api"
SCOPE = "openid profile email offline_access read:notes write:notes"
NOTES_API = os.environ.get("NOTES_API", "http://localhost:8000")
PORTS = (8400, 8401, 8402)  # the callbacks that are registered: http://127.0.0.1:PORT/callback

# The SDK takes the scheme by itself. A real tenant's domain has none, and means https.
SCHEME, _, HOST = ("https://" * ("://" not in DOMAIN) + DOMAIN).partition("://")
BASE = f"{SCHEME}://{HOST}"
SDK = {"domain": HOST, "client_id": CLIENT_ID, "protocol": SCHEME}


class Callback(BaseHTTPRequestHandler):
    """Takes the answer and tells the person to come back."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/callback":
            self.server.answer = dict(parse_qsl(urlsplit(self.path).query))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"You can close this window and go back to the terminal.\n")

    def log_message(self, *_: object) -> None:
        """Silent: the address holds the code."""


def listen() -> HTTPServer:
    """On the first registered port that is free."""
    for port in PORTS:
        try:
            return HTTPServer(("127.0.0.1", port), Callback)
        except OSError:
            continue
    sys.exit(f"The ports {PORTS} are all in use.")


def log_in() -> dict:
    """The tokens of whoever logs in."""
    verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    with listen() as server:
        server.answer = {}
        redirect_uri = f"http://127.0.0.1:{server.server_port}/callback"
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": redirect_uri,
            "audience": AUDIENCE,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = f"{BASE}/authorize?{urlencode(asked)}"
        print(f"Log in in the browser. If it does not open:\n  {url}")
        webbrowser.open(url)
        while not server.answer:
            server.handle_request()
    answer = server.answer
    if answer.get("state") != state:
        sys.exit("That was the answer to another login.")
    if "error" in answer:
        sys.exit(f"{answer['error']}: {answer.get('error_description')}")
    tokens = GetToken(**SDK).authorization_code_pkce(verifier, answer["code"], redirect_uri)
    signature = AsymmetricSignatureVerifier(f"{BASE}/.well-known/jwks.json")
    TokenVerifier(signature, issuer=f"{BASE}/", audience=CLIENT_ID).verify(tokens["id_token"], nonce=nonce)
    return tokens


def notes(access_token: str) -> list:
    """What the API has for this person."""
    headers = {"Authorization": f"Bearer {access_token}"}
    response = requests.get(f"{NOTES_API}/notes", headers=headers, timeout=10)
    response.raise_for_status()
    return response.json()


def main() -> None:
    tokens = log_in()
    user = Users(HOST, protocol=SCHEME).userinfo(tokens["access_token"])
    print(f"Logged in as {user['email']}, with scope {tokens['scope']}")
    print(f"The API has {len(notes(tokens['access_token']))} notes")

    fresh = GetToken(**SDK).refresh_token(tokens["refresh_token"])
    print(f"Refreshed; the API has {len(notes(fresh['access_token']))} notes for the new token")

    newest = fresh.get("refresh_token", tokens["refresh_token"])
    RevokeToken(**SDK).revoke_refresh_token(newest)
    try:
        GetToken(**SDK).refresh_token(newest)
    except Auth0Error as refused:
        print(f"Revoked; a refresh is now refused: {refused.message}")
    print(f"To end the session in the browser, too: {BASE}/v2/logout?client_id={CLIENT_ID}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (Auth0Error, requests.RequestException) as error:
        sys.exit(f"This did not work: {error}")
