"""Discovery: what the authorization server says about itself, and whether we may believe it.

Done: OpenID Connect Discovery 1.0 section 4; RFC 8414 section 3.3 (the issuer must be identical); RFC
9700 section 2.1.1 (S256 or no login). Everything is checked before the browser opens. Strict: endpoints
live at the issuer's own origin.
Left out: signed metadata, WebFinger, caching between commands.
"""

from dataclasses import dataclass
from typing import Any

import httpx2

from client import urls
from client.answers import fetch_document
from client.errors import MalformedError


@dataclass(frozen=True, slots=True)
class Metadata:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    end_session_endpoint: str | None
    device_authorization_endpoint: str | None = None


def discover(http: httpx2.Client, issuer: str) -> Metadata:
    document = fetch_document(http, well_known(issuer), "The authorization server's metadata")
    return check(document, issuer)


def well_known(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def check(document: dict[str, Any], issuer: str) -> Metadata:
    stated = document.get("issuer")
    if stated != issuer:
        raise MalformedError(
            f"The server at {issuer} calls itself {stated!r}.",
            "If that is the server you mean, set CLIENT_ISSUER to exactly that (a trailing slash counts).",
        )
    methods = document.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise MalformedError(
            f"{issuer} does not offer PKCE with S256, so a stolen code could be used by the thief.",
            "The login was not started.",
        )
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        userinfo_endpoint=_optional_endpoint(document, "userinfo_endpoint", issuer),
        revocation_endpoint=_optional_endpoint(document, "revocation_endpoint", issuer),
        end_session_endpoint=_optional_endpoint(document, "end_session_endpoint", issuer),
        device_authorization_endpoint=_optional_endpoint(document, "device_authorization_endpoint", issuer),
    )


def _optional_endpoint(document: dict[str, Any], name: str, issuer: str) -> str | None:
    return None if document.get(name) is None else _endpoint(document, name, issuer)


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if not isinstance(url, str):
        raise MalformedError(f"The metadata of {issuer} has no usable {name}.")
    flaw = urls.flaw(url)
    if flaw:
        raise MalformedError(f"The metadata of {issuer} names {url!r} as {name}, which is not usable: {flaw}.")
    if urls.origin(url) != urls.origin(issuer):
        raise MalformedError(f"The metadata of {issuer} sends us elsewhere: {name} is {url}.")
    return url
