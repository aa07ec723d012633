"""The lessons of `--explain`: what each exchange is for, and which sections say so."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from client.wire import Exchange


@dataclass(frozen=True, slots=True)
class Lesson:
    title: str
    why: str
    standards: str
    only: tuple[str, ...] = ()
    """The members of the answer that matter here; nothing named means all."""


DISCOVERY = Lesson(
    "The app asks the server who it is",
    "One URL is all that is configured; the server names its endpoints itself. The app goes on only if the issuer is, "
    "letter for letter, the one it asked, all endpoints are at the issuer's own origin, and PKCE with S256 is offered.",
    "OpenID Connect Discovery 1.0 §4, RFC 8414 §3.3",
    only=("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "code_challenge_methods_supported"),
)
AUTHORIZATION_REQUEST = Lesson(
    "The browser takes the request to the server",
    "The person logs in over there, so the app never sees a password. What the app sends along:",
    "RFC 6749 §4.1.1, RFC 8252 §4.1",
)
AUTHORIZATION_RESPONSE = Lesson(
    "The browser brings the answer back",
    "To a listener on this machine that exists for this one login. Any page can send requests to it, hence the checks.",
    "RFC 6749 §4.1.2, RFC 8252 §7.3",
)
CODE_EXCHANGE = Lesson(
    "The app trades the code for tokens",
    "The code came through the browser, where others may see it. The code_verifier proves that this app is the one "
    "that asked: the server hashes it and compares it with the code_challenge from before. A stolen code alone is "
    "worthless.",
    "RFC 6749 §4.1.3, RFC 7636 §4.5",
)
DEVICE_REQUEST = Lesson(
    "The app asks for two codes",
    "There need not be a browser here. The app keeps the device_code, the person takes the user_code to a browser "
    "anywhere. What the app sends is what a browser would have brought: who asks, and for what.",
    "RFC 8628 §3.1, §3.2",
)
DEVICE_POLL = Lesson(
    "The app asks whether somebody has decided",
    "With the device_code, and no faster than the interval says. authorization_pending means: not yet. slow_down "
    "means: five seconds more between two questions from now on. Anything else ends the login.",
    "RFC 8628 §3.4, §3.5",
)
KEYS = Lesson(
    "The app fetches the issuer's public keys",
    "With them it checks the signature of the ID token.",
    "RFC 7517 §5, OpenID Connect Discovery 1.0 §3",
)
ID_TOKEN = Lesson(
    "The app checks the ID token",
    "It says who logged in, and is made for this app. (The access token is for the API; the app does not read it.)",
    "OpenID Connect Core 1.0 §3.1.3.7",
)
REFRESH = Lesson(
    "The app trades the refresh token for new tokens",
    "Access tokens are short-lived. The refresh token brings a new one without bothering the person. It works once: "
    "the answer brings its successor, and if the old one ever turns up again, the server ends them all.",
    "RFC 6749 §6, RFC 9700 §4.14.2",
)
USERINFO = Lesson(
    "The app asks the server about the person",
    "With the access token, as at any API. The sub in the answer has to be that of the ID token, or it is thrown away.",
    "OpenID Connect Core 1.0 §5.3",
)
REVOCATION = Lesson(
    "The app gives the refresh token back",
    "From now on it is dead, whoever has a copy. Access tokens that an API checks by itself live on until they expire.",
    "RFC 7009 §2.1",
)
API_CALL = Lesson(
    "The app calls the API",
    "The access token goes into the Authorization header, to this API and to nobody else. The API checks signature, "
    "issuer, audience, time and scope by itself.",
    "RFC 6750 §2.1, RFC 9068 §4",
)
AT_ENDPOINT = {
    "jwks_uri": KEYS,
    "userinfo_endpoint": USERINFO,
    "revocation_endpoint": REVOCATION,
    "device_authorization_endpoint": DEVICE_REQUEST,
}
AT_TOKEN_ENDPOINT = {
    "refresh_token": REFRESH,
    "urn:ietf:params:oauth:grant-type:device_code": DEVICE_POLL,
}
NAMED_ENDPOINTS = {"token_endpoint", *AT_ENDPOINT}

PURPOSES = {
    "response_type": "A code, please: the tokens themselves never pass through the browser (RFC 9700 §2.1.2).",
    "client_id": "Which app asks. A native app has no secret, so this is a name and no proof (RFC 8252 §8.4).",
    "redirect_uri": "Where to bring the answer. It has to be registered exactly like this (RFC 9700 §4.1.3).",
    "scope": "What the app would like to do. openid asks for an ID token, offline_access for a refresh token.",
    "audience": "The API that the access token is for (Auth0's name for RFC 8707's resource).",
    "state": "Random; the answer must bring it back, so that nobody can slip in theirs (RFC 6749 §10.12).",
    "nonce": "Random; the ID token must carry it, so that it cannot be one from another login (Core §3.1.2.1).",
    "code_challenge": "The hash of a secret that only this app knows until it trades the code (RFC 7636 §4.2).",
    "code_challenge_method": "SHA-256. The alternative, plain, would show the secret itself.",
    "login_hint": "Who is expected to log in. Only a hint: somebody else may (Core §3.1.2.1).",
}
CALLBACK_CHECKS = (
    "state is the one that was sent, so this answers our request (RFC 6749 §10.12)",
    "iss is the server that was asked, so no other server mixed in (RFC 9207 §2.4)",
    "there is one code and no error; the listener takes no second answer",
)
SHOWN_CLAIMS = ("iss", "sub", "aud", "iat", "exp", "name", "email")
ID_TOKEN_CHECKS = (
    "signed with one of the issuer's keys, by RS256 or ES256 (RFC 8725 §3.1)",
    "iss is the issuer, aud is this app alone, exp has not passed",
    "nonce is the one that was sent, so the token belongs to this login",
)
DEVICE_CHECKS = (*ID_TOKEN_CHECKS[:2], "no nonce was sent, and none came: it is not a token from a browser's login")
REFRESHED_CHECKS = (*ID_TOKEN_CHECKS[:2], "iss, sub and aud are those of the login: still the same person (Core §12.2)")
NOTES_SCOPES = {"GET": "read:notes", "POST": "write:notes", "DELETE": "delete:notes"}


def remarks(lesson: Lesson, exchange: Exchange) -> Iterator[str]:
    """What to notice in the answer."""
    if exchange.status in (429, 503):
        yield "The server is busy and has not said no: nothing is forgotten (RFC 9110 §10.2.3 about Retry-After)."
    elif lesson is API_CALL:
        yield from _about_api(exchange)
    elif lesson in (CODE_EXCHANGE, REFRESH, DEVICE_POLL):
        yield from _about_tokens(lesson, _members(exchange))


def _about_api(exchange: Exchange) -> Iterator[str]:
    needed = NOTES_SCOPES.get(exchange.method, "")
    if exchange.status in (200, 201, 204):
        yield f"The token was good, and its scope has what this needs: {needed}."
    elif exchange.status == 401:
        yield "The API does not take this token. The app refreshes once and tries once more (RFC 6750 §3.1)."
    elif exchange.status == 403:
        found = re.search(r'scope="([^"]*)"', exchange.headers.get("www-authenticate", ""))
        yield (
            f"The token is genuine but its scope does not suffice; {found[1] if found else needed} would. A refresh "
            "cannot add to it: only a new login can, where the person is asked again (RFC 6750 §3.1)."
        )


def _about_tokens(lesson: Lesson, answer: dict[str, Any]) -> Iterator[str]:
    if answer.get("error") == "invalid_grant":
        yield "invalid_grant is final: the server has ended this login, and its tokens are forgotten (RFC 6749 §5.2)."
    if "error" in answer or "access_token" not in answer:
        return
    yield f"The access token is valid for {answer.get('expires_in')} s by the app's own clock (RFC 6749 §5.1)."
    if lesson is REFRESH and "refresh_token" in answer:
        yield "A new refresh token came along: the one that was just sent is spent (rotation)."
    elif "refresh_token" not in answer:
        kept = "the one that was sent stays good" if lesson is REFRESH else "when this runs out, a person must log in"
        yield f"No refresh token came along: {kept}."


def _members(exchange: Exchange) -> dict[str, Any]:
    """For the eyes only: whether this is a proper answer is decided elsewhere."""
    try:
        value = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
