"""Redaction: what a recorded exchange shows instead of secrets. One secret has one fingerprint, wherever it turns up.

Names are allowed and not forbidden: the value of a parameter that nobody thought of is a secret. What looks like one
is one, whatever its name; and what has been a secret once in this tenant is one in every later place, such as a
password that was typed where the name belongs. A fingerprint cannot be guessed at, not even that of a weak password:
its key is the tenant's own, and dies with it.

Left out: a short secret that stands where none belongs before it was ever seen where it does.
"""

import base64
import binascii
import hmac
import re
import secrets
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from starlette.datastructures import Headers

from authserver.rules.user_codes import canonical
from authserver.store.issued import digest

_SHOWN = frozenset(
    """
    client_id redirect_uri response_type response_mode scope audience resource grant_type prompt max_age ui_locales
    display acr_values connection realm screen_hint login_hint username email code_challenge_method token_type_hint
    action returnTo post_logout_redirect_uri federated auth0Client organization
    error error_description error_uri token_type expires_in interval verification_uri iss sub aud azp typ exp iat
    name nickname given_name family_name email_verified picture updated_at locale zoneinfo statusCode _id
    """.split()  # noqa: SIM905 - fifty lines of one word each are harder to read
)
_HIDDEN = frozenset(
    """
    code state nonce code_challenge code_verifier client_secret client_assertion password new_password ticket token
    access_token refresh_token id_token id_token_hint device_code user_code verification_uri_complete
    """.split()  # noqa: SIM905 - likewise
)
"""Names that are said even where their value is empty; of others nobody knows whether the name is the secret."""

_PUBLIC = ("metadata", "jwks")
_HEADERS = frozenset(
    """
    accept content-type origin user-agent auth0-client cache-control retry-after www-authenticate allow
    access-control-allow-origin understudy-fault
    """.split()  # noqa: SIM905 - likewise
)
_IS_URL = (
    *("redirect_uri", "returnTo", "post_logout_redirect_uri", "verification_uri", "verification_uri_complete"),
    *("error_uri", "iss", "picture"),
)
_SCHEMES = ("basic", "bearer", "dpop", "digest")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\[\]-]*")
_WORD = re.compile(r"""[^\s"'<>&?#=,;/@:()\\{}\[\]|]{8,}""")
_LOOKS_SECRET = re.compile(r"[A-Za-z0-9_+-]{40,}|eyJ[A-Za-z0-9_-]+\.")

MOST = 500
"""Characters of one value."""

MOST_MEMBERS = 100
"""Parameters, members or elements of one thing."""

DEEPEST = 8
"""Levels of an answer's JSON."""

MOST_SEEN = 10_000
"""Secrets that are known again where they do not belong; beyond it those are forgotten that came longest ago."""


class Redaction:
    """The eyes of one tenant's recording."""

    def __init__(self) -> None:
        self._key, self._turn = secrets.token_bytes(32), Lock()
        self._seen = dict[int, str]()  # by Python's own hash, 64 bits under a key of the process: asked for every word

    def fingerprint(self, secret: str) -> str:
        """`#` and twelve hexadecimal digits: the same for the same secret, as long as the tenant lives."""
        return self.of_digest(digest(secret))

    def of_digest(self, digest: bytes) -> str:
        """The same for a secret of which the database has the digest alone."""
        return "#" + hmac.digest(self._key, digest, "sha256").hex()[:12]

    def secret(self, secret: str, meant: str | None = None) -> str:
        """Its fingerprint, or that of what is `meant` by it; from now on it is known wherever it turns up."""
        own = hash(secret)
        with self._turn:
            said = self._seen.pop(own, None) or self.fingerprint(secret if meant is None else meant)
            self._seen[own] = said
            if len(self._seen) > MOST_SEEN:
                del self._seen[next(iter(self._seen))]
        return said

    def value(self, name: str, value: str) -> str:
        """What is shown of a parameter."""
        if name in _IS_URL:
            return self.url(value)
        if not value or (name in _SHOWN and "{" not in value):  # within an object stands anything
            return self.text(value)
        return self.secret(value, canonical(value)) if name == "user_code" else self.secret(value)

    def text(self, text: str) -> str:
        """What is shown of words that should hold no secret."""
        if len(text) >= 6 and (known := self._seen.get(hash(text))):
            return known
        # JSON can hold what UTF-8 cannot.
        return _WORD.sub(self._word, text)[:MOST].encode("utf-8", "replace").decode()

    def name(self, name: str, value: object) -> str:
        """What is shown of a parameter's name; one without a value may be a value itself."""
        if name in _SHOWN or name in _HIDDEN:
            return name
        return self.text(name) if value not in ("", None) and _NAME.fullmatch(name) else self.secret(name)

    def pairs(self, pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
        """Parameters by name; a list for what stands there twice."""
        shown: dict[str, Any] = {}
        for name, value in pairs[:MOST_MEMBERS]:
            named, said = self.name(name, value), self.value(name, value)
            shown[named] = said if named not in shown else [*_listed(shown[named]), said]
        return shown

    def url(self, url: str) -> str:
        """A URL: where it leads in clear words, its parameters like any others."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return self.secret(url)
        user, _, host = parts.netloc.rpartition("@")
        if user:
            self.secret(user.rpartition(":")[2])
        if len(parts.scheme) > 40 or (not host and "@" in parts.path):
            return self.secret(url)
        begin = f"{parts.scheme}://{host}" if host else f"{parts.scheme}:" if parts.scheme else ""
        shown = self.text(begin + parts.path)
        for mark, encoded in (("?", parts.query), ("#", parts.fragment)):
            if encoded:
                pairs = parse_qsl(encoded, keep_blank_values=True)[:MOST_MEMBERS]
                said = [f"{self.name(name, value)}={self.value(name, value)}" for name, value in pairs]
                shown += mark + ("&".join(said) if said else self.secret(encoded))
        return shown[: 4 * MOST]

    def json(self, endpoint: str | None, name: str, value: Any, depth: int = 0) -> Any:
        """A JSON answer, name by name. Metadata and keys are public, and shown as they are."""
        if depth > DEEPEST:
            return "…"
        if isinstance(value, dict):
            members = list(value.items())[:MOST_MEMBERS]
            return {self.name(key, each): self.json(endpoint, key, each, depth + 1) for key, each in members}
        if isinstance(value, list):
            return [self.json(endpoint, name, each, depth + 1) for each in value[:MOST_MEMBERS]]
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode() if endpoint in _PUBLIC else self.value(name, value)
        return value

    def headers(self, headers: Headers) -> dict[str, str]:
        """Those that tell something; of credentials the scheme, and fingerprints."""
        shown = {name: self.text(value) for name, value in headers.items() if name in _HEADERS}
        if "authorization" in headers:
            shown["authorization"] = ", ".join(map(self._credentials, headers.getlist("authorization")))
        return shown

    def _credentials(self, header: str) -> str:
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() not in _SCHEMES or not credentials:
            return self.secret(header)
        if basic := basic_credentials(header):
            return f"{scheme} {self.text(basic[0])}:{self.secret(basic[1])}"
        return f"{scheme} {self.secret(credentials)}"

    def _word(self, found: re.Match[str]) -> str:
        """One word of a text; a full stop behind it ends the sentence, or an unsigned JWT."""
        word = found[0]
        core = word if word.startswith("eyJ") and word.count(".") == 2 else word.rstrip(".!")
        for each in (word, core):
            if known := self._seen.get(hash(each)):
                return known + word[len(each) :]
        return self.secret(core) + word[len(core) :] if _LOOKS_SECRET.search(core) else word


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Client and secret of an `Authorization: Basic` (RFC 6749 §2.3.1); None when it is another, or cannot be read."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (unquote_plus(client_id), unquote_plus(secret)) if colon else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
