"""A tenant file as a whole: its sections, and what must agree between them."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from authserver.store.registered import DATABASE, account_key
from authserver.tenant_file.models import (
    ActionModel,
    BindingModel,
    ClientGrantModel,
    ClientModel,
    ConnectionModel,
    DatabaseModel,
    ResourceServerModel,
    RoleModel,
    SourceModel,
    TenantModel,
    UserModel,
)


class TenantFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    def _known_default_audience(self) -> Self:
        default = self.tenant.default_audience
        if default is not None and default not in {api.identifier for api in self.resourceServers}:
            raise ValueError("tenant.default_audience is not the identifier of an API of this file")
        return self

    @model_validator(mode="after")
    def _known_databases(self) -> Self:
        known = [database.name for database in self.databases] or [DATABASE]
        for number, user in enumerate(self.users):
            if user.connection is not None and user.connection not in known:
                raise ValueError(f"users[{number}].connection names no entry of databases")
        return self

    def database_of(self, user: UserModel) -> str:
        """The database that this user is in; the first one, where nothing is said."""
        return user.connection or next((database.name for database in self.databases), DATABASE)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [client.client_id for client in self.clients]
        apis = [api.identifier for api in self.resourceServers]
        users = [user.user_id for user in self.users]
        emails = [account_key(self.database_of(user), user.email) for user in self.users]
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
