"""Settings: one frozen object; each field is an environment variable and a flag, and the flag wins.

The command line builds its options from this table, so an option exists once. Nothing is read at import.
"""

from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from client import urls
from client.errors import SettingsError

CALLBACK_PORTS = (8400, 8401, 8402)
"""All three are registered. Auth0 compares ports exactly, so RFC 8252's free choice is not ours."""


class TokenStore(StrEnum):
    auto = "auto"
    keyring = "keyring"
    file = "file"
    memory = "memory"


def _option(env: str, default: str, text: str) -> str:
    value: str = field(default=default, metadata={"env": env, "help": text})
    return value


@dataclass(frozen=True, slots=True)
class Settings:
    issuer: str = _option(
        "CLIENT_ISSUER",
        "http://localhost:9000/",
        "The authorization server, spelled exactly as it spells itself.",
    )
    issuer_internal_url: str = _option(
        "CLIENT_ISSUER_INTERNAL_URL",
        "",
        "Dial the issuer here instead (containers); the browser still gets the issuer.",
    )
    client_id: str = _option("CLIENT_ID", "native-app", "This app's client_id.")
    audience: str = _option("CLIENT_AUDIENCE", "https://notes.example/api", "The API the access token is for.")
    scope: str = _option(
        "CLIENT_SCOPE",
        "openid profile email offline_access read:notes write:notes",
        "What to ask for. offline_access brings a refresh token.",
    )
    api_url: str = _option("CLIENT_API_URL", "http://localhost:8000", "The notes API; the only place the token goes.")
    api_internal_url: str = _option("CLIENT_API_INTERNAL_URL", "", "Dial the API here instead (containers).")
    account: str = _option(
        "CLIENT_ACCOUNT", "", "Whose tokens: an email, name or sub that is logged in. Empty: the current account's."
    )
    token_store: str = _option(
        "CLIENT_TOKEN_STORE",
        "auto",
        "Where the refresh token lies. keyring: the system's; file: a 0600 file; auto: keyring if it works, else file; "
        "memory: forgotten when the command ends.",
    )
    token_dir: str = _option(
        "CLIENT_TOKEN_DIR", "", "Directory of the token file (0700). Default: this user's data directory."
    )
    page_url: str = _option(
        "CLIENT_PAGE_URL",
        "",
        "Where a browser reaches the app's page (python -m client serve), if it runs in a container.",
    )
    ca_file: str = _option("CLIENT_CA_FILE", "", "PEM file with extra certificate authorities to trust.")
    explain: bool = field(
        default=False,
        metadata={"env": "CLIENT_EXPLAIN", "help": "Tell on stderr what goes over the wire, and why."},
    )

    def __post_init__(self) -> None:
        self._check_url("issuer", required=True)
        self._check_url("api_url", required=True)
        self._check_url("issuer_internal_url", required=False, plain_http_anywhere=True)
        self._check_url("api_internal_url", required=False, plain_http_anywhere=True)
        self._check_url("page_url", required=False, plain_http_anywhere=True)
        if not self.account.isprintable() or len(self.account) > 255:
            raise SettingsError("CLIENT_ACCOUNT is no name that anybody could have.")
        if "openid" not in self.scope.split():
            raise SettingsError(
                "CLIENT_SCOPE has no 'openid'.",
                "Add it: without an ID token the app cannot tell who logged in.",
            )
        if not self.client_id or not self.audience:
            raise SettingsError("CLIENT_ID and CLIENT_AUDIENCE must not be empty.")
        if self.token_store not in list(TokenStore):
            raise SettingsError(f"CLIENT_TOKEN_STORE is {self.token_store!r}.", f"Use one of {', '.join(TokenStore)}.")
        if self.ca_file and not Path(self.ca_file).is_file():
            raise SettingsError(f"CLIENT_CA_FILE names no file: {self.ca_file}")

    def _check_url(self, name: str, *, required: bool, plain_http_anywhere: bool = False) -> None:
        value = getattr(self, name)
        if not value and not required:
            return
        # A container network is the operator's own wire: only they can name an internal address.
        flaw = urls.flaw(value, plain_http_anywhere=plain_http_anywhere) or ("?" in value and "it has a query") or None
        if flaw:
            raise SettingsError(f"{env_name(name)} cannot be {value!r}: {flaw}.")

    @property
    def dialled_at(self) -> dict[str, str]:
        """Two addresses, one identity: public origin → the origin that is really dialled."""
        pairs = ((self.issuer, self.issuer_internal_url), (self.api_url, self.api_internal_url))
        return {urls.origin(public): internal for public, internal in pairs if internal}


def env_name(field_name: str) -> str:
    return next(str(item.metadata["env"]) for item in fields(Settings) if item.name == field_name)
