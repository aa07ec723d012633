"""Redaction: what a recorded exchange shows instead of secrets. One secret has one fingerprint, wherever it turns up.

Names are allowed and not forbidden: the value of a parameter that nobody thought of is a secret. What looks like one
is one, whatever its name. A fingerprint cannot be guessed at, not even that of a weak password: its key is the
tenant's own, and dies with it.
"""

import hmac
import re
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers

_SHOWN = frozenset(
    """
    client_id redirect_uri response_type response_mode scope audience resource grant_type prompt max_age ui_locales
    display acr_values connection realm screen_hint login_hint username email code_challenge_method token_type_hint
    action returnTo post_logout_redirect_uri federated auth0Client organization
    error error_description error_uri token_type expires_in interval verification_uri iss sub aud azp typ exp iat
    name nickname given_name family_name email_verified picture updated_at locale zoneinfo statusCode _id
    """.split()  # noqa: SIM905 - fifty lines of one word each are harder to read
)
_PUBLIC = ("metadata", "jwks")
_HEADERS = """
    accept content-type origin user-agent auth0-client cache-control retry-after www-authenticate allow
    access-control-allow-origin understudy-fault
    """.split()  # noqa: SIM905 - likewise
_LOOKS_SECRET = re.compile(r"[A-Za-z0-9_-]{40,}|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+")
_IS_URL = ("redirect_uri", "returnTo", "post_logout_redirect_uri", "verification_uri", "error_uri", "iss", "picture")

MOST = 2000
"""Characters of one value."""


class Redaction:
    """The eyes of one tenant's recording."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def fingerprint(self, secret: str) -> str:
        """`#` and twelve hexadecimal digits: the same for the same secret, as long as the tenant lives."""
        return "#" + hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256").hex()[:12]

    def value(self, name: str, value: str) -> str:
        """What is shown of a parameter."""
        if name in _IS_URL:
            return self.url(value)
        return self.text(value) if name in _SHOWN or not value else self.fingerprint(value)

    def text(self, text: str) -> str:
        """What is shown of words that should hold no secret."""
        speakable = text[:MOST].encode("utf-8", "replace").decode()  # JSON can hold what UTF-8 cannot
        return _LOOKS_SECRET.sub(lambda found: self.fingerprint(found[0]), speakable)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Parameters by name; a list for what stands there twice."""
        shown: dict[str, Any] = {}
        for name, value in pairs:
            name, said = self.text(name), self.value(name, value)
            shown[name] = said if name not in shown else [*_listed(shown[name]), said]
        return shown

    def url(self, url: str) -> str:
        """A URL: where it leads in clear words, its parameters like any others."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.fingerprint(url)
        host = parts.netloc.rpartition("@")[2]
        begin = f"{parts.scheme}://{host}" if host else f"{parts.scheme}:" if parts.scheme else ""
        shown = begin + self.text(parts.path)
        for mark, encoded in (("?", parts.query), ("#", parts.fragment)):
            if encoded:
                pairs = parse_qsl(encoded, keep_blank_values=True)
                said = [f"{self.text(name)}={self.value(name, value)}" for name, value in pairs]
                shown += mark + ("&".join(said) if said else self.fingerprint(encoded))
        return shown

    def json(self, endpoint: str | None, name: str, value: Any) -> Any:
        """A JSON answer, name by name. Metadata and keys are public, and shown as they are."""
        if endpoint in _PUBLIC:
            return value
        if isinstance(value, dict):
            return {self.text(str(key)): self.json(endpoint, str(key), each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.json(endpoint, name, each) for each in value]
        if isinstance(value, str):
            return self.value(name, value)
        return value

    def headers(self, headers: Headers) -> dict[str, str]:
        """Those that tell something; of credentials the scheme, and a fingerprint."""
        shown = {name: self.text(headers[name]) for name in _HEADERS if name in headers}
        if "authorization" in headers:
            scheme, _, credentials = headers["authorization"].partition(" ")
            shown["authorization"] = f"{self.text(scheme)} {self.fingerprint(credentials)}"
        return shown


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
