"""What the control API takes and gives, as typed models: the words of the tenant file, with defaults for tests."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from authserver.dialects import POLICIES
from authserver.tenant_file import ClientModel, ResourceServerModel, UserModel
from authserver.tenant_file.models import Destination, GrantType, Plain, RefreshTokenModel
from authserver.testing.lineage.token import Token
from authserver.testing.person import Decision
from authserver.testing.tampering import Tamper

PASSWORD = "understudy"
CALLBACK = "http://127.0.0.1:8400/callback"
CLIENT_ID = "testing-client"
"""Whose a token is that was issued for no client in particular; nobody can log in with it."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
BaseUrl = Annotated[
    str, Field(pattern=r"^https?://([a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[1-9][0-9]{0,4})?/$")
]
Epoch = Annotated[int, Field(ge=0, le=4_102_444_800)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewTenant(_Model):
    """All of it may be left out. `base_url`: where its users reach this server, if not at the configured issuer.

    A container's port on the host may be any, for example. The tenant's issuer is this and `t/NAME/`.
    """

    name: Name | None = None
    base_url: BaseUrl | None = None
    dialect: Annotated[str, Field(json_schema_extra={"enum": sorted(POLICIES)})] | None = None


class MadeTenant(_Model):
    """`issuer` is the tenant's identity; `metadata_url` tells everything else."""

    name: str
    issuer: str
    metadata_url: str
    jwks_uri: str


class NewUser(UserModel):
    """A person. A `user_id`, an address and the password `understudy` are given to who has none."""

    user_id: Plain = Field(default_factory=lambda: f"auth0|{secrets.token_hex(12)}")
    email: Annotated[Plain, Field(pattern=r"^[^@\s]+@[^@\s]+$")] = Field(
        default_factory=lambda: f"user-{secrets.token_hex(6)}@example.com"
    )
    password: Annotated[str, Field(min_length=1, max_length=1024)] | None = PASSWORD


class MadeUser(_Model):
    """`password` is the one to log in with."""

    user_id: str
    email: str
    password: str


class NewClient(ClientModel):
    """An application: a native one with PKCE and rotating refresh tokens, unless it says otherwise."""

    client_id: Plain = Field(default_factory=lambda: secrets.token_urlsafe(24))
    name: Plain = "An application under test"
    app_type: Literal["native", "spa", "regular_web", "non_interactive"] = "native"
    token_endpoint_auth_method: Literal["none", "client_secret_post", "client_secret_basic"] = "none"
    grant_types: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
    callbacks: tuple[Destination, ...] = (CALLBACK,)
    refresh_token: RefreshTokenModel = RefreshTokenModel(rotation_type="rotating")


class MadeClient(_Model):
    """`client_secret` is readable here alone; a public client has none."""

    client_id: str
    client_secret: str | None
    callbacks: tuple[str, ...]


class NewApi(ResourceServerModel):
    """An API; `identifier` is its audience."""

    name: Plain = "An API under test"
    allow_offline_access: bool = True


class NewClientGrant(_Model):
    """What a client may have at an API in its own name."""

    client_id: Plain
    audience: Plain
    scope: tuple[Plain, ...] = ()


class TokenOrder(_Model):
    """An access token without a login. `scope` is space-separated; `claims` are added, and overwrite nothing."""

    subject: Plain
    audience: Plain
    scope: str = ""
    client_id: Plain = CLIENT_ID
    expires_in: Annotated[int, Field(ge=1, le=2_592_000)] | None = None
    claims: dict[str, Any] = {}


class IssuedToken(_Model):
    """RFC 6749 §5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    scope: str


class WrongTokenOrder(_Model):
    """`audience` and `scope` as the API demands them."""

    audience: Plain
    scope: Plain
    subject: Plain = "auth0|somebody"
    client_id: Plain = CLIENT_ID


class DescribedWrongToken(_Model):
    """One entry of the catalogue. `statuses`: what a correct API may answer, the usual one first."""

    name: str
    sentence: str
    rfc: str
    statuses: tuple[int, ...]


class ForgedToken(DescribedWrongToken):
    """With the token itself."""

    token: str


class Login(_Model):
    """Who opens `url`, and what they do. One `browser` keeps its cookies.

    `url` is of this tenant: an authorization request, or the address with the code in it that a device shows.
    `tamper`: what is changed in the callback afterwards, to see whether the application notices.
    """

    url: Annotated[str, Field(min_length=1, max_length=16384)]
    username: str
    password: str = PASSWORD
    decision: Decision = "approve"
    browser: Name | None = None
    tamper: Tamper | None = None


class LoginOutcome(_Model):
    """`location`: where the application is told `parameters`; None when the walk ended on `page`.

    `response_mode`: `query` or `fragment` of a redirect to it, a `form_post` to it, a `web_message` to that origin.
    `error` is what the page says; `asked` are the pages that the person had to fill in.
    """

    location: str | None
    parameters: dict[str, str]
    response_mode: str | None
    page: str | None
    status: int
    error: str | None
    asked: tuple[str, ...]


class ClockReading(_Model):
    """`now` in epoch seconds."""

    now: int
    frozen: bool


class ClockChange(_Model):
    """In this order: `resume`, `set`, `advance` (seconds), `freeze`."""

    resume: bool = False
    set: Epoch | None = None
    advance: Annotated[int, Field(ge=-315_360_000, le=315_360_000)] = 0
    freeze: bool = False


class Rotation(_Model):
    """`lead`: seconds between publishing the key and signing with it."""

    lead: Annotated[int, Field(ge=0, le=2_592_000)] = 0


class RotatedKey(_Model):
    """The successor's `kid`."""

    kid: str


class HappenedEvent(_Model):
    """One event, oldest first. `log_type` is Auth0's code for it; `reason` is for the operator alone."""

    id: int
    at: int
    type: str
    log_type: str | None
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    reason: str | None
    connection: str | None


class Whose(_Model):
    """A code or token itself, or its fingerprint, or the beginning of that (`#` and at least four digits)."""

    token: Annotated[str, Field(min_length=1, max_length=65536)]


class Lineage(_Model):
    """The `token` and its whole `family`, oldest first."""

    token: Token
    family: tuple[Token, ...]
