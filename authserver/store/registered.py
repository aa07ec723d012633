"""Registered facts: clients, APIs and users, as frozen objects.

Names are those of Auth0's deploy file, which are the registration names of RFC 7591 §2 where that has one.
"""

import unicodedata
from dataclasses import dataclass, field, fields
from typing import Any, Self

from sqlalchemy import Connection, bindparam, select

from authserver.store.tables import client_grants, clients, resource_servers, tenant_settings, users

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

DATABASE = "Username-Password-Authentication"
"""The connection whose people have a password here, as Auth0 names the first one."""

DAY = 86400

DEFAULT_AUDIENCE = "default_audience"
"""The tenant setting that names the API of requests which name none."""

AUTHZ = "_authz"
"""How a `token_dialect` ends whose access tokens carry `permissions`."""


class _Settings:
    """Reads itself from the JSON column, in which only known members stand."""

    @classmethod
    def load(cls, settings: dict[str, Any]) -> Self:
        lists = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
        return cls(**lists)


@dataclass(frozen=True, slots=True)
class RefreshTokenSettings(_Settings):
    """A client's `refresh_token` block; lifetimes and leeway in seconds."""

    rotation_type: str = "rotating"
    expiration_type: str = "expiring"
    leeway: int = 0
    token_lifetime: int = 30 * DAY
    idle_token_lifetime: int = 30 * DAY
    infinite_token_lifetime: bool = False
    infinite_idle_token_lifetime: bool = False


@dataclass(frozen=True, slots=True)
class ClientSettings(_Settings):
    """What of a client no statement needs to search by."""

    grant_types: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    allowed_logout_urls: tuple[str, ...] = ()
    web_origins: tuple[str, ...] = ()
    id_token_lifetime: int = 36000
    skip_non_verifiable_callback_uri_confirmation_prompt: bool = False
    allow_insecure_missing_pkce: bool = False
    client_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Client:
    """RFC 6749 §2. `secret_digest` is SHA-256 of a generated secret; None for a public client."""

    client_id: str
    name: str
    app_type: str
    token_endpoint_auth_method: str
    secret_digest: bytes | None
    is_first_party: bool
    settings: ClientSettings
    refresh_token: RefreshTokenSettings

    @property
    def is_public(self) -> bool:
        """RFC 6749 §2.1: cannot keep a secret."""
        return self.token_endpoint_auth_method == "none"

    def may_use(self, grant_type: str) -> bool:
        """Whether the client is registered for `grant_type`."""
        return grant_type in self.settings.grant_types


@dataclass(frozen=True, slots=True)
class ResourceServer(_Settings):
    """An API. `scopes` pairs each value with the sentence that the consent page shows; `token_lifetime` in seconds."""

    identifier: str
    name: str
    scopes: dict[str, str] = field(default_factory=dict)
    allow_offline_access: bool = False
    token_lifetime: int = DAY
    enforce_policies: bool = False
    token_dialect: str | None = None
    signing_alg: str = "RS256"
    skip_consent_for_verifiable_first_party_clients: bool = True

    @property
    def looks_at_permissions(self) -> bool:
        """Whether anything about its tokens depends on what a person may do."""
        return self.enforce_policies or (self.token_dialect or "").endswith(AUTHZ)


@dataclass(frozen=True, slots=True)
class User:
    """A person. `profile` holds the standard claims of OpenID Connect Core §5.1, as they will be said.

    `connection` is where they come from; `user_metadata` they may change themselves, `app_metadata` they may not.
    """

    user_id: str
    password_hash: str
    profile: dict[str, Any]
    blocked: bool
    updated_at: int
    connection: str = DATABASE
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None
    created_at: int = 0
    logins_count: int = 0
    last_login: int | None = None


_CLIENT = select(clients).where(clients.c.client_id == bindparam("client_id"))
_CLIENTS = select(clients)
_RESOURCE_SERVER = select(resource_servers).where(resource_servers.c.identifier == bindparam("identifier"))
_CLIENT_GRANT = select(client_grants.c.scope).where(
    client_grants.c.client_id == bindparam("client"), client_grants.c.audience == bindparam("api")
)
_TENANT_SETTING = select(tenant_settings.c.value).where(tenant_settings.c.name == bindparam("of"))
_USER_COLUMNS = [users.c[f.name] for f in fields(User)]
_USER = select(*_USER_COLUMNS).where(users.c.user_id == bindparam("user_id"))
_USER_BY_NAME = select(*_USER_COLUMNS).where(users.c.username_key == bindparam("username_key"))


def find_client(db: Connection, client_id: str) -> Client | None:
    """The client with exactly this id."""
    row = db.execute(_CLIENT, {"client_id": client_id}).mappings().one_or_none()
    return _client(dict(row)) if row else None


def all_clients(db: Connection) -> list[Client]:
    """Every client."""
    return [_client(dict(row)) for row in db.execute(_CLIENTS).mappings()]


def _client(row: dict[str, Any]) -> Client:
    settings = dict(row.pop("settings"))
    refresh_token = RefreshTokenSettings.load(settings.pop("refresh_token", {}))
    return Client(**row, settings=ClientSettings.load(settings), refresh_token=refresh_token)


def find_resource_server(db: Connection, identifier: str) -> ResourceServer | None:
    """The API with exactly this identifier."""
    row = db.execute(_RESOURCE_SERVER, {"identifier": identifier}).mappings().one_or_none()
    return ResourceServer(row["identifier"], row["name"], **row["settings"]) if row else None


def find_client_grant(db: Connection, client_id: str, audience: str) -> tuple[str, ...] | None:
    """The scopes that this client may have at this API in its own name; None when it may have nothing."""
    scope = db.execute(_CLIENT_GRANT, {"client": client_id, "api": audience}).scalar_one_or_none()
    return tuple(scope.split()) if scope is not None else None


def find_tenant_setting(db: Connection, name: str) -> Any:
    """A setting of the whole tenant; None when it is not set."""
    return db.execute(_TENANT_SETTING, {"of": name}).scalar_one_or_none()


def find_user(db: Connection, user_id: str) -> User | None:
    """The user with exactly this id."""
    row = db.execute(_USER, {"user_id": user_id}).one_or_none()
    return User(*row) if row else None


def find_user_by_name(db: Connection, username: str, connection: str = DATABASE) -> User | None:
    """The user of this database whose name or email means `username`."""
    row = db.execute(_USER_BY_NAME, {"username_key": account_key(connection, username)}).one_or_none()
    return User(*row) if row else None


def account_key(connection: str, username: str) -> str:
    """What is unique of an account: one name may stand in two databases, once in each.

    The line break separates them, because no name keeps one.
    """
    key = username_key(username)
    return key if connection == DATABASE else f"{connection}\n{key}"


def username_key(username: str) -> str:
    """The one canonical form under which two spellings are one account (after RFC 8265 §3.3).

    Compatibility forms, case and invisible format characters fold away, so that no look-alike can register beside a
    user.
    """
    folded = unicodedata.normalize("NFKC", username.strip()).casefold()
    visible = "".join(ch for ch in folded if unicodedata.category(ch) not in ("Cf", "Cc", "Cs", "Cn", "Co"))
    return unicodedata.normalize("NFKC", visible)
