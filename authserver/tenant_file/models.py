"""What may stand in a tenant file, member by member: strict models in the words of Auth0's deploy file.

Left out: what Auth0 has and we do not play; `auth0_names` lists it.
"""

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from authserver.connections import options
from authserver.connections.database import DatabaseOptions
from authserver.messages import is_text
from authserver.rules import user_codes
from authserver.rules.redirects import is_registrable
from authserver.store.registered import AUTHORIZATION_CODE, DATABASE, DAY, REFRESH_TOKEN


def _plain(value: str) -> str:
    if not is_text(value):
        raise ValueError("must not contain control characters")
    return value


def _a_person(user_id: str) -> str:
    if user_id.endswith("@clients"):
        raise ValueError("must not end in @clients: that is how a client acting for itself is called (RFC 9700 4.15)")
    return user_id


def _a_destination(uri: str) -> str:
    if not is_registrable(uri):
        raise ValueError(
            "must be an absolute URI in ASCII: https, http on loopback, or a private-use scheme with a dot;"
            " no fragment, user, backslash or space"
        )
    return uri


def _a_password_hash(value: str) -> str:
    if not is_verifiable(value):
        raise ValueError("must be bcrypt ($2a$, $2b$, at most 14 rounds) or Argon2 in PHC form, with bounded cost")
    return value


def is_verifiable(password_hash: str) -> bool:
    """Whether a login could verify a password against it without being kept busy."""
    if _BCRYPT.fullmatch(password_hash):
        return True
    argon2 = _ARGON2.fullmatch(password_hash)
    return argon2 is not None and int(argon2[1]) <= 262144 and int(argon2[2]) <= 10 and int(argon2[3]) <= 16


_BCRYPT = re.compile(r"\$2[ab]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{16,172}"
)

Plain = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]
Destination = Annotated[Plain, AfterValidator(_a_destination)]
Seconds = Annotated[int, Field(ge=1, le=31557600)]
JwtSeconds = Annotated[int, Field(ge=1, le=30 * DAY)]
"""Of what we sign; our keys stay published for a day more (`keys.KEEP`)."""


GrantType = Literal[
    "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeviceFlowModel(_Model):
    """`tenant.device_flow`: how user codes look (RFC 8628 §6.1). Each `*` of the mask is a character of the charset."""

    charset: Literal["base20", "digits"] = "base20"
    mask: Annotated[str, Field(pattern=r"^[* -]{1,20}$")] = user_codes.MASK

    @model_validator(mode="after")
    def _hard_to_guess(self) -> Self:
        least = user_codes.LEAST[self.charset]
        if self.mask.count("*") < least:
            raise ValueError(f"mask needs at least {least} times * with charset {self.charset}")
        return self


class FlagsModel(_Model):
    """`tenant.flags`."""

    enable_public_signup_user_exists_error: bool = False


class TenantModel(_Model):
    """`tenant`: what concerns all of it."""

    friendly_name: Plain = "Understudy"
    allowed_logout_urls: tuple[Destination, ...] = ()
    default_audience: Plain | None = None
    device_flow: DeviceFlowModel = DeviceFlowModel()
    flags: FlagsModel = FlagsModel()


class RefreshTokenModel(_Model):
    """`clients[].refresh_token`; lifetimes and leeway in seconds."""

    rotation_type: Literal["rotating", "non-rotating"] = "non-rotating"
    expiration_type: Literal["expiring", "non-expiring"] = "expiring"
    leeway: Annotated[int, Field(ge=0, le=300)] = 0
    token_lifetime: Seconds = 30 * DAY
    idle_token_lifetime: Seconds = 30 * DAY
    infinite_token_lifetime: bool = False
    infinite_idle_token_lifetime: bool = False

    @model_validator(mode="after")
    def _idle_within_absolute(self) -> Self:
        # The default of one is no mistake in the other.
        said = self.model_fields_set
        if {
            "token_lifetime",
            "idle_token_lifetime",
        } <= said and self.idle_token_lifetime > self.token_lifetime:
            raise ValueError("idle_token_lifetime must not exceed token_lifetime")
        return self


class JwtConfigurationModel(_Model):
    """`clients[].jwt_configuration`: the ID token."""

    alg: Literal["RS256"] = "RS256"
    lifetime_in_seconds: JwtSeconds = 36000


class ClientModel(_Model):
    """`clients[]`. `client_id` and `client_secret` are ours to add: an export has neither."""

    client_id: Plain
    name: Plain
    app_type: Literal["native", "spa", "regular_web", "non_interactive"]
    token_endpoint_auth_method: Literal["none", "client_secret_post", "client_secret_basic"]
    grant_types: tuple[GrantType, ...] = ()
    callbacks: tuple[Destination, ...] = ()
    allowed_logout_urls: tuple[Destination, ...] = ()
    web_origins: tuple[Plain, ...] = ()
    is_first_party: bool = True
    skip_non_verifiable_callback_uri_confirmation_prompt: bool = False
    allow_insecure_missing_pkce: bool = False
    client_metadata: dict[str, str] = {}
    refresh_token: RefreshTokenModel = RefreshTokenModel()
    jwt_configuration: JwtConfigurationModel = JwtConfigurationModel()
    client_secret: Annotated[str, Field(min_length=32, max_length=255), AfterValidator(_plain)] | None = None

    @model_validator(mode="after")
    def _secret_has_a_use(self) -> Self:
        if self.client_secret is not None and self.token_endpoint_auth_method == "none":
            raise ValueError("a public client (token_endpoint_auth_method none) has no client_secret")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.token_endpoint_auth_method == "none" and "client_credentials" in self.grant_types:
            raise ValueError("a public client (token_endpoint_auth_method none) cannot use client_credentials")
        if self.token_endpoint_auth_method == "none" and self.allow_insecure_missing_pkce:
            raise ValueError(
                "allow_insecure_missing_pkce is for confidential clients alone; a public client needs PKCE"
            )
        if self.token_endpoint_auth_method != "none" and self.app_type in ("native", "spa"):
            raise ValueError(f"app_type {self.app_type} cannot keep a secret: token_endpoint_auth_method must be none")
        if REFRESH_TOKEN in self.grant_types and self.app_type == "spa":
            if self.refresh_token.rotation_type != "rotating":
                raise ValueError("app_type spa needs refresh_token.rotation_type rotating")
        if AUTHORIZATION_CODE in self.grant_types and not self.callbacks:
            raise ValueError("grant type authorization_code needs at least one entry in callbacks")
        return self


class ScopeModel(_Model):
    """`resourceServers[].scopes[]`."""

    value: Annotated[str, Field(pattern=r"^[\x21\x23-\x5B\x5D-\x7E]{1,255}$")]
    description: Plain | None = None


class ResourceServerModel(_Model):
    """`resourceServers[]`: an API. `token_lifetime` in seconds."""

    identifier: Plain
    name: Plain
    scopes: tuple[ScopeModel, ...] = ()
    allow_offline_access: bool = False
    token_lifetime: JwtSeconds = DAY
    enforce_policies: bool = False
    token_dialect: Literal["access_token", "access_token_authz", "rfc9068_profile", "rfc9068_profile_authz"] | None = (
        None
    )
    signing_alg: Literal["RS256", "ES256"] = "RS256"
    skip_consent_for_verifiable_first_party_clients: bool = True


class ClientGrantModel(_Model):
    """`clientGrants[]`: what a client may have at an API in its own name."""

    client_id: Plain
    audience: Plain
    scope: tuple[Plain, ...] = ()


class PermissionModel(_Model):
    """`roles[].permissions[]` and `users[].permissions[]`: a scope of an API."""

    permission_name: Plain
    resource_server_identifier: Plain


class RoleModel(_Model):
    """`roles[]`: permissions under one name."""

    name: Plain
    description: Plain | None = None
    permissions: tuple[PermissionModel, ...] = ()


class SourceModel(_Model):
    """Where people come from. `enabled_clients` names clients; absent, it serves them all."""

    name: Plain = DATABASE
    strategy: Literal["auth0", "oidc", "samlp"] = "auth0"
    display_name: Plain | None = None
    enabled_clients: tuple[Plain, ...] | None = None
    options: Any = {}


class DatabaseModel(SourceModel):
    """`databases[]`: people with a password here."""

    strategy: Literal["auth0"] = "auth0"
    options: DatabaseOptions = DatabaseOptions()


class ConnectionModel(SourceModel):
    """`connections[]`: people whom somebody else vouches for. The options are those of its strategy."""

    name: Plain
    strategy: Literal["oidc", "samlp"]
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _options_of_its_strategy(self) -> Self:
        options.check(self.name, self.strategy, self.options)
        return self


class TriggerModel(_Model):
    """`actions[].supported_triggers[]`."""

    id: Literal["post-login", "credentials-exchange"]
    version: Plain | None = None


class SecretModel(_Model):
    """`actions[].secrets[]`: what the Action reads as `event.secrets`."""

    name: Plain
    value: str


class ActionModel(_Model):
    """`actions[]`: a Python file, found from the tenant file's directory."""

    name: Plain
    code: Plain
    deployed: bool = True
    supported_triggers: tuple[TriggerModel, ...] = ()
    secrets: tuple[SecretModel, ...] = ()


class BindingModel(_Model):
    """`triggers[…][]`: an Action at its place in the order."""

    action_name: Plain
    display_name: Plain | None = None


class AddressModel(_Model):
    """OpenID Connect Core §5.1.1."""

    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class UserModel(_Model):
    """`users[]` (our addition): the standard claims of OpenID Connect Core §5.1, and a password or its hash."""

    needs_password: ClassVar[bool] = True

    user_id: Annotated[Plain, AfterValidator(_a_person)]
    email: Annotated[Plain, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    password: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    password_hash: Annotated[str, AfterValidator(_a_password_hash)] | None = None
    connection: Plain | None = None
    blocked: bool = False
    email_verified: bool = False
    name: Plain | None = None
    given_name: Plain | None = None
    middle_name: Plain | None = None
    family_name: Plain | None = None
    nickname: Plain | None = None
    preferred_username: Plain | None = None
    profile: Plain | None = None
    picture: Plain | None = None
    website: Plain | None = None
    gender: Plain | None = None
    birthdate: Plain | None = None
    zoneinfo: Plain | None = None
    locale: Plain | None = None
    phone_number: Plain | None = None
    phone_number_verified: bool | None = None
    address: AddressModel | None = None
    user_metadata: dict[str, Any] = {}
    app_metadata: dict[str, Any] = {}
    roles: tuple[Plain, ...] = ()
    permissions: tuple[PermissionModel, ...] = ()

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        given = (self.password, self.password_hash)
        if all(given) or (self.needs_password and not any(given)):
            raise ValueError("needs a password or a password_hash, and not both")
        return self


class ImportedUserModel(UserModel):
    """A user of a bulk-import file: may have no password that can be verified here, and says nothing of roles."""

    needs_password: ClassVar[bool] = False
