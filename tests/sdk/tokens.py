"""Tokens for the SDKs that check them: good ones, and all kinds of wrong ones."""

import base64
import hashlib
import json
import secrets
import urllib.parse
import urllib.request
from dataclasses import dataclass, field

from house import API, Server
from person import Person

CALLBACK = "http://127.0.0.1:8400/callback"
SCOPE = "openid profile email offline_access read:notes"


@dataclass
class Pkce:
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorize_url(server: Server, client_id: str, callback: str, pkce: Pkce | None = None, **changed: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": callback,
        "audience": API,
        "scope": SCOPE,
        "state": "xyz",
        "nonce": "n-1",
        **({"code_challenge": pkce.challenge, "code_challenge_method": "S256"} if pkce else {}),
        **changed,
    }
    wanted = {name: value for name, value in parameters.items() if value}
    return f"{server.issuer}authorize?{urllib.parse.urlencode(wanted)}"


def native_tokens(server: Server, **changed: str) -> dict:
    """What the native app gets, by plain HTTP."""
    pkce = Pkce()
    person = Person(server.issuer, context=server.context)
    answer = person.log_in(authorize_url(server, "native-app", CALLBACK, pkce, **changed)).answer
    form = {
        "grant_type": "authorization_code",
        "client_id": "native-app",
        "code": answer["code"],
        "code_verifier": pkce.verifier,
        "redirect_uri": CALLBACK,
    }
    return json.loads(person.open(f"{server.issuer}oauth/token", form).text)


def claims(token: str) -> dict:
    """The payload of a JWT, unverified."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def wrong_tokens(server: Server) -> dict[str, str]:
    """Each is refused by every API, and why is its name."""
    good = native_tokens(server)
    head, payload, signature = good["access_token"].split(".")

    def encoded(part: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()

    return {
        "an ID token": good["id_token"],
        "a token without an API": native_tokens(server, audience="")["access_token"],
        "a changed payload": f"{head}.{encoded({**claims(good['access_token']), 'scope': 'read:notes delete:notes'})}.{signature}",
        "a signature of something else": f"{head}.{payload}.{good['id_token'].split('.')[2]}",
        "alg none": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{payload}.",
        "no token at all": "nonsense",
        "a refresh token": good["refresh_token"],
    }
