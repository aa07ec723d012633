"""The rules that `problems` judges a client by, as a catalogue: what it did, what to do instead, and who says so.

Done: RFC 9700 (security best current practice) · RFC 6749 · RFC 6750 · RFC 7636 · RFC 8252 · RFC 8628 · RFC 9207 ·
OpenID Connect Core 1.0.
Left out: what one exchange cannot prove without crying wolf: refreshing too early, trying a token that is over, asking
again with `prompt=none`.

`sentence` goes on after the client's name.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["must", "should"]


@dataclass(frozen=True, slots=True)
class ProblemRule:
    """`sentence`: what the client did; `advice`: what to do instead; `rfc`: where it is written, and how strictly."""

    name: str
    sentence: str
    advice: str
    rfc: str
    severity: Severity = "must"

    def __str__(self) -> str:
        return self.name


CATALOGUE: tuple[ProblemRule, ...] = (
    # the authorization request
    ProblemRule(
        "no-pkce",
        "sent an authorization request without code_challenge",
        "Send a code_challenge with method S256, and its code_verifier with the code; clients with a secret, too.",
        "RFC 9700 2.1.1",
    ),
    ProblemRule(
        "pkce-plain",
        "sent a code_challenge whose method is not S256",
        "Send code_challenge_method=S256; without it the method is plain, which shows the verifier to everybody.",
        "RFC 9700 2.1.1",
    ),
    ProblemRule(
        "challenge-reused",
        "sent the same code_challenge in two logins",
        "Make a new code_verifier for each login.",
        "RFC 9700 2.1.1",
    ),
    ProblemRule(
        "no-csrf-protection",
        "sent an authorization request with neither state nor nonce nor code_challenge",
        "Send a state that is made for this login and kept in this browser's session, and compare it.",
        "RFC 9700 2.1",
    ),
    ProblemRule(
        "state-reused",
        "sent the same state in two logins, and nothing else protects them from a forged callback",
        "Make a new state for each login, or use PKCE.",
        "RFC 9700 4.7.1",
    ),
    ProblemRule(
        "no-nonce",
        "asked for an ID token without nonce",
        "Send a nonce that is made for this login, and compare it with the one in the ID token.",
        "OpenID Connect Core 15.5.2",
        "should",
    ),
    ProblemRule(
        "nonce-reused",
        "sent the same nonce in two logins",
        "Make a new nonce for each login.",
        "RFC 9700 2.1.1",
    ),
    ProblemRule(
        "implicit-flow",
        "asked for tokens in the redirect (response_type token or id_token)",
        "Use response_type=code with PKCE.",
        "RFC 9700 2.1.2",
        "should",
    ),
    ProblemRule(
        "http-redirect",
        "asked to be answered at a redirect_uri with http: that is not on loopback",
        "Use https:, or in a native app http://127.0.0.1 or http://[::1].",
        "RFC 9700 2.6",
    ),
    ProblemRule(
        "localhost-redirect",
        "is a native app and asked to be answered at localhost",
        "Use 127.0.0.1 or [::1]: the name localhost may lead elsewhere, and other interfaces may listen.",
        "RFC 8252 8.3",
        "should",
    ),
    ProblemRule(
        "unregistered-redirect",
        "asked to be answered at a redirect_uri that it has not registered",
        "Send one of its registered callbacks, character for character.",
        "RFC 9700 2.1",
    ),
    ProblemRule(
        "unknown-scope",
        "asked for a scope that the API does not have",
        "Ask for the scopes that the API defines; Auth0 drops the others without a word.",
        "RFC 6749 3.3",
        "should",
    ),
    # the answer to it, which `visit(…, tamper=…)` spoils
    ProblemRule(
        "state-not-checked",
        "redeemed the code of a callback whose state was not the one that it had sent",
        "Compare state with the one in the session of this browser before anything else, and refuse the callback.",
        "RFC 6749 10.12",
    ),
    ProblemRule(
        "state-not-bound",
        "redeemed the code of a callback that came in a browser which had not begun the login",
        "Keep state in the session of the browser that begins the login; a list of all valid ones is not enough.",
        "RFC 9700 4.7.1",
    ),
    ProblemRule(
        "iss-not-checked",
        "redeemed the code of a callback that named another issuer, or none although the metadata promise it",
        "Compare iss with the issuer that this login was begun at, and refuse the callback.",
        "RFC 9207 2.4",
    ),
    ProblemRule(
        "error-not-checked",
        "redeemed the code of a callback that said error",
        "Look for error first; an answer with error is a refusal, whatever else it brings.",
        "RFC 6749 4.1.2.1",
    ),
    # the token request
    ProblemRule(
        "malformed-verifier",
        "sent a code_verifier that is too short, too long, or has other characters than are allowed",
        "43 to 128 characters of A-Z a-z 0-9 - . _ ~, from a secure random source.",
        "RFC 7636 4.1",
    ),
    ProblemRule(
        "code-reused",
        "redeemed a code again after it had got its tokens",
        "Redeem a code once; the second time may revoke what the first one gave.",
        "RFC 6749 4.1.2",
    ),
    ProblemRule(
        "other-redirect-uri",
        "redeemed a code with another redirect_uri than it was asked for with",
        "Repeat the redirect_uri of the authorization request.",
        "RFC 6749 4.1.3",
    ),
    ProblemRule(
        "refresh-token-reused",
        "sent a refresh token again after it had got the next one",
        "Put the new refresh token in the place of the old one, and let one request at a time refresh.",
        "RFC 6749 6",
    ),
    ProblemRule(
        "password-grant",
        "asked for tokens with the person's password",
        "Use the authorization code flow with PKCE; the device flow where there is no browser.",
        "RFC 9700 2.4",
    ),
    ProblemRule(
        "public-client-secret",
        "is registered without a secret and sent one",
        "Send client_id alone; a secret in an app that people install is none.",
        "RFC 8252 8.5",
    ),
    ProblemRule(
        "two-credentials",
        "authenticated twice in one request: in the Authorization header and with client_secret",
        "Use one method of client authentication.",
        "RFC 6749 2.3",
    ),
    ProblemRule(
        "token-request-by-get",
        "sent a token request by GET",
        "Use POST, and put the parameters into the body.",
        "RFC 6749 3.2",
    ),
    ProblemRule(
        "json-body",
        "sent JSON where a form is read",
        "Send application/x-www-form-urlencoded; Auth0 reads JSON, other servers do not.",
        "RFC 6749 4.1.3",
    ),
    ProblemRule(
        "polling-too-fast",
        "asked for the device's tokens again before the interval was over",
        "Wait `interval` seconds between two requests, and five more after each slow_down.",
        "RFC 8628 3.5",
    ),
    # everywhere
    ProblemRule(
        "parameter-twice",
        "sent a parameter more than once",
        "Send each parameter once.",
        "RFC 6749 3.1",
    ),
    ProblemRule(
        "token-in-query",
        "sent a token or a code in the query of a URL",
        "Send access tokens in the Authorization header and everything else in the body: URLs are logged and kept.",
        "RFC 9700 4.3.2",
    ),
    ProblemRule(
        "secret-in-query",
        "sent a secret in the query of a URL",
        "Send secrets in the body or in the Authorization header: URLs are logged and kept.",
        "RFC 6749 2.3.1",
    ),
    ProblemRule(
        "wrong-kind-of-token",
        "sent a token where one of another kind belongs, such as an ID token instead of an access token",
        "Call APIs and userinfo with access tokens; an ID token is for the client, a refresh token for /oauth/token.",
        "RFC 6750 2.1",
    ),
)


def find(name: str) -> ProblemRule:
    """The rule of this name. Raises LookupError."""
    for each in CATALOGUE:
        if each.name == name:
            return each
    raise LookupError(name)
