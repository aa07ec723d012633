"""What travels inside: requests as the rooms see them, and the answers they give.

The door alone knows HTTP objects. A room gets a `Request` and returns an `Answer`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from authserver.errors import InvalidRequest, MissingParameter


class Params:
    """Name/value pairs as they were sent.

    A value that is empty counts as absent (RFC 6749 §3.1 and §3.2). Bytes that are not UTF-8 survive as lone
    surrogates, so that an artefact which is only hashed can still be looked up, and anything meant to be read is
    refused.
    """

    __slots__ = ("_values", "pairs", "repeated")

    def __init__(self, pairs: Iterable[tuple[str, str | None]] = ()) -> None:
        """`None` as a value marks a JSON member that is no string: harmless until somebody asks for it."""
        self.pairs = tuple(pairs)
        self.repeated = frozenset(name for name, n in Counter(name for name, _ in self.pairs).items() if n > 1)
        self._values = {name: value for name, value in self.pairs if value != ""}

    def __add__(self, other: "Params") -> "Params":
        return Params(self.pairs + other.pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def opaque(self, name: str) -> str | None:
        """A value that will be hashed and compared, never read: any bytes will do."""
        value = self._values.get(name)
        if value is None and name in self._values:
            raise InvalidRequest(f"The parameter {name} must be a string.")
        return value

    def text(self, name: str, *, limit: int = 4096) -> str | None:
        """A value that will be read: well-formed Unicode without control characters, at most `limit` characters.

        Raises InvalidRequest otherwise. `name` is always one of our constants, so it may stand in the description.
        """
        value = self.opaque(name)
        if value is not None and not is_text(value):
            raise InvalidRequest(f"The parameter {name} contains control characters or is not UTF-8.")
        if value is not None and len(value) > limit:
            raise InvalidRequest(f"The parameter {name} is too long.")
        return value

    def required(self, name: str) -> str:
        """Like `text`; raises MissingParameter when absent."""
        value = self.text(name)
        if value is None:
            raise MissingParameter(name)
        return value


def is_text(value: str) -> bool:
    """True for well-formed Unicode without C0, DEL and C1 control characters."""
    return not any(ch < " " or "\x7f" <= ch <= "\x9f" or "\ud800" <= ch <= "\udfff" for ch in value)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a room sees it. `authorization` holds every Authorization header that was sent."""

    method: str
    query: Params = field(default_factory=Params)
    body: Params = field(default_factory=Params)
    authorization: tuple[str, ...] = ()
    cookies: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None
    fetch_site: str | None = None
    source: str = ""
    user_agent: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Cookie:
    """To be set for the whole issuer; `value` None deletes it. `max_age` in seconds, None for the browser session."""

    name: str
    value: str | None
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document."""

    body: Mapping[str, object]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, possibly none at all."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "text/plain"
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A template for a person.

    `form_targets` are the CSP sources that a form on it may lead to, besides ourselves; `scripts` allows our own
    static ones, on an answer that is a script by nature. `framed_by` is the CSP source of the pages that may frame it.
    """

    template: str
    context: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    form_targets: tuple[str, ...] = ()
    scripts: bool = False
    framed_by: str = "'none'"
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """To `location`, an absolute URI. The door sends 303 after a POST and 302 after a GET."""

    location: str
    cookies: tuple[Cookie, ...] = ()


Answer = Json | Text | Page | Redirect


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The validated parameters of RFC 6749 §4.1.1, RFC 7636 §4.3 and OpenID Connect Core §3.1.2.1.

    `scope` is what may be granted (after the dialect's rule for unknown values); `audience` the API's identifier;
    `expected_user` the `sub` of a good id_token_hint. Auth0's `connection` names where the person comes from, and
    `screen_hint` the page that is shown first; `extra` is what else was sent and can be read, for Actions.
    """

    client_id: str
    redirect_uri: str
    response_mode: str
    scope: tuple[str, ...]
    audience: str | None = None
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str | None = None
    expected_user: str | None = None
    connection: str | None = None
    screen_hint: str | None = None
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def must_be_recent(self) -> bool:
        """Whether the person must show anew who they are, or lately."""
        return "login" in self.prompt or self.max_age is not None

    def oldest_login(self, now: int) -> int | None:
        """The earliest moment at which the person may have logged in; None when any will do."""
        if "login" in self.prompt:
            return now
        return None if self.max_age is None else now - self.max_age


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """RFC 6749 §3.2, after client authentication. `http` is what it came as."""

    grant_type: str
    params: Params
    http: Request = field(default_factory=lambda: Request("POST"))


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """RFC 6749 §5.1 and OpenID Connect Core §3.1.3.3. `expires_in` in seconds."""

    access_token: str
    expires_in: int
    scope: tuple[str, ...]
    id_token: str | None = None
    refresh_token: str | None = None
    token_type: str = "Bearer"

    def members(self) -> dict[str, object]:
        """The JSON members in the order of RFC 6749 §5.1; what is absent is left out."""
        return {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            **({"refresh_token": self.refresh_token} if self.refresh_token else {}),
            **({"id_token": self.id_token} if self.id_token else {}),
            "scope": " ".join(self.scope),
        }
