"""The tenant file: registered facts as YAML, in the vocabulary of Auth0's deploy file.

A mistake is answered with the line that it stands on and with what was expected there. Sections and members that are
not known here are mistakes too: a typo in a security setting must not pass as a comment.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from authserver.connections import options
from authserver.messages import is_text
from authserver.rules.redirects import is_registrable
from authserver.store.registered import AUTHORIZATION_CODE, DATABASE, DAY, REFRESH_TOKEN, username_key


class TenantFileError(Exception):
    """Where the mistake is and what was expected, one line each: `tenant.yaml:12: clients[0].callbacks: …`."""


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


Plain = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)]
Destination = Annotated[Plain, AfterValidator(_a_destination)]
Seconds = Annotated[int, Field(ge=1, le=31557600)]
JwtSeconds = Annotated[int, Field(ge=1, le=30 * DAY)]
"""Of what we sign; our keys stay published for a day more (`keys.KEEP`)."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TenantModel(_Model):
    """`tenant`: what concerns all of it."""

    friendly_name: Plain = "Understudy"
    allowed_logout_urls: tuple[Destination, ...] = ()


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
    """`clients[]`; `client_id` is our addition."""

    client_id: Plain
    name: Plain
    app_type: Literal["native", "spa", "regular_web", "non_interactive"]
    token_endpoint_auth_method: Literal["none", "client_secret_post", "client_secret_basic"]
    grant_types: tuple[Literal["authorization_code", "refresh_token", "client_credentials"], ...] = ()
    callbacks: tuple[Destination, ...] = ()
    allowed_logout_urls: tuple[Destination, ...] = ()
    web_origins: tuple[Plain, ...] = ()
    is_first_party: bool = True
    skip_non_verifiable_callback_uri_confirmation_prompt: bool = False
    allow_insecure_missing_pkce: bool = False
    refresh_token: RefreshTokenModel = RefreshTokenModel()
    jwt_configuration: JwtConfigurationModel = JwtConfigurationModel()

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
    options: dict[str, Any] = {}


class DatabaseModel(SourceModel):
    """`databases[]`: people with a password here."""

    strategy: Literal["auth0"] = "auth0"


class ConnectionModel(SourceModel):
    """`connections[]`: people whom somebody else vouches for. The options are those of its strategy."""

    name: Plain
    strategy: Literal["oidc", "samlp"]

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
    """`users[]` (our addition): the standard claims of OpenID Connect Core §5.1, and a password."""

    user_id: Annotated[Plain, AfterValidator(_a_person)]
    email: Annotated[Plain, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
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


class TenantFile(_Model):
    """The whole file."""

    tenant: TenantModel = TenantModel()
    clients: tuple[ClientModel, ...] = ()
    resourceServers: tuple[ResourceServerModel, ...] = ()  # noqa: N815 - the word of the deploy file
    clientGrants: tuple[ClientGrantModel, ...] = ()  # noqa: N815 - likewise
    databases: tuple[DatabaseModel, ...] = ()
    connections: tuple[ConnectionModel, ...] = ()
    roles: tuple[RoleModel, ...] = ()
    actions: tuple[ActionModel, ...] = ()
    triggers: dict[Literal["post-login", "credentials-exchange"], tuple[BindingModel, ...]] = {}
    users: tuple[UserModel, ...] = ()

    @model_validator(mode="after")
    def _known_roles_and_permissions(self) -> Self:
        defined = {(api.identifier, scope.value) for api in self.resourceServers for scope in api.scopes}
        holders = [("roles", number, role.permissions) for number, role in enumerate(self.roles)]
        holders += [("users", number, user.permissions) for number, user in enumerate(self.users)]
        for kind, number, permissions in holders:
            for each in permissions:
                if (each.resource_server_identifier, each.permission_name) not in defined:
                    missing = each.permission_name
                    raise ValueError(f"{kind}[{number}].permissions: no API of this file defines {missing}")
        names = {role.name for role in self.roles}
        for number, user in enumerate(self.users):
            if unknown := sorted(set(user.roles) - names):
                raise ValueError(f"users[{number}].roles: this file has no role {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _known_actions(self) -> Self:
        triggers = {action.name: {trigger.id for trigger in action.supported_triggers} for action in self.actions}
        for trigger, bound in self.triggers.items():
            for number, each in enumerate(bound):
                if trigger not in triggers.get(each.action_name, ()):
                    raise ValueError(f"triggers.{trigger}[{number}]: no Action of this name supports the trigger")
        return self

    @model_validator(mode="after")
    def _known_clients(self) -> Self:
        known = {client.client_id for client in self.clients} | {client.name for client in self.clients}
        sources: tuple[SourceModel, ...] = (*self.databases, *self.connections)
        for each in sources:
            if unknown := sorted(set(each.enabled_clients or ()) - known):
                raise ValueError(f"{each.name}: enabled_clients names no client of this file: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [client.client_id for client in self.clients]
        apis = [api.identifier for api in self.resourceServers]
        users = [user.user_id for user in self.users]
        emails = [username_key(user.email) for user in self.users]
        roles = [role.name for role in self.roles]
        actions = [action.name for action in self.actions]
        connections = [database.name for database in self.databases] + [source.name for source in self.connections]
        for kind, names in (
            ("client_id", ids),
            ("identifier", apis),
            ("user_id", users),
            ("email", emails),
            ("role", roles),
            ("action", actions),
            ("connection", connections),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{kind} must be unique: {', '.join(sorted(twice))} stands twice")
        for number, grant in enumerate(self.clientGrants):
            if grant.client_id not in ids or grant.audience not in apis:
                raise ValueError(f"clientGrants[{number}] must name a client_id and an identifier of this file")
            known = next(
                {s.value for s in api.scopes} for api in self.resourceServers if api.identifier == grant.audience
            )
            if unknown := sorted(set(grant.scope) - known):
                raise ValueError(f"clientGrants[{number}].scope: the API does not define {', '.join(unknown)}")
        # An ID token's audience is a client_id, an access token's an identifier: they must never be confusable.
        if both := set(ids) & set(apis):
            raise ValueError(f"a client_id must not equal an API identifier: {', '.join(sorted(both))}")
        return self


def read_tenant_file(path: Path) -> TenantFile:
    """Parse and check the file. Raises TenantFileError naming file, line, place and expectation of every mistake."""
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise TenantFileError(f"{path}: cannot be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TenantFileError(f"{path}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise TenantFileError(f"{path}:1: not YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise TenantFileError(f"{path}:1: expected a mapping with tenant, clients, resourceServers and users")
    try:
        _refuse_duplicates(path, root)
        return TenantFile.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError):
        raise TenantFileError(f"{path}:1: not YAML that ends: an alias contains itself, or a key is no text") from None
    except ValidationError as error:
        lines = [_explain(path, root, dict(mistake)) for mistake in error.errors()]
        raise TenantFileError("\n".join(lines)) from None


def _explain(path: Path, root: yaml.Node, mistake: dict[str, Any]) -> str:
    place, node = "", root
    for step in mistake["loc"]:
        child = _child(node, step)
        if child is None and mistake["type"] not in ("missing", "extra_forbidden"):
            break  # pydantic's own steps into unions; the node above is where the mistake stands
        node = child or node
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        message = "is not known here; check the spelling, or take it out"
    elif mistake["type"] == "missing":
        message = "is missing here"
    return f"{path}:{node.start_mark.line + 1}: {place.lstrip('.') or 'file'}: {message}"


def _child(node: yaml.Node, step: object) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        child: yaml.Node = node.value[step]
        return child
    return None


def _refuse_duplicates(path: Path, node: yaml.Node) -> None:
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise TenantFileError(f"{path}:{key.start_mark.line + 1}: a name was expected here")
            if key.value in seen:
                raise TenantFileError(f"{path}:{key.start_mark.line + 1}: {key.value} stands twice; keep one")
            seen.add(key.value)
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children:
        _refuse_duplicates(path, child)
