"""Database connections: their options, in the words of Auth0's deploy file, and which one a login asks.

Left out, and refused in the tenant file where that would weaken what it asks for: `requires_username`,
`password_history`, `mfa`, custom scripts, and switching `brute_force_protection` off.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Connection as Db

from authserver.database_errors import ConnectionNotServed
from authserver.store.connections import Connection, connections_of, find_connection
from authserver.store.registered import DATABASE

STRATEGY = "auth0"

Word = Annotated[str, Field(min_length=1, max_length=255)]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ComplexityOptions(_Options):
    """`min_length` in characters; it stands in for the policy's own least length."""

    min_length: Annotated[int, Field(ge=1, le=128)] | None = None


class Switch(_Options):
    """Something that is on or off."""

    enable: bool = False


class DictionaryOptions(Switch):
    """Passwords that everybody tries first: a small list that is built in, and words of the tenant's own."""

    dictionary: Annotated[tuple[Word, ...], Field(max_length=200)] = ()


class HistoryOptions(Switch):
    """Not done here: no password but the present one is remembered."""

    size: int | None = None


class DatabaseOptions(_Options):
    """`databases[].options`. Whoever says nothing gets `good`, as a new tenant does."""

    passwordPolicy: Literal["none", "low", "fair", "good", "excellent"] = "good"  # noqa: N815 - the file's own word
    password_complexity_options: ComplexityOptions = ComplexityOptions()
    password_no_personal_info: Switch = Switch()
    password_dictionary: DictionaryOptions = DictionaryOptions()
    password_history: HistoryOptions = HistoryOptions()
    disable_signup: bool = False
    requires_username: bool = False
    brute_force_protection: bool = True
    mfa: dict[str, bool] = {}

    @model_validator(mode="after")
    def _only_what_is_done(self) -> Self:
        if self.requires_username:
            raise ValueError("requires_username is not done here: people log in with their email address")
        if self.password_history.enable:
            raise ValueError("password_history is not done here: former passwords are not kept; take it out")
        if not self.brute_force_protection:
            raise ValueError("brute_force_protection cannot be switched off; take it out")
        if self.mfa.get("active"):
            raise ValueError("mfa is not done here: there is no second factor; take it out")
        return self


def options_of(database: Connection) -> DatabaseOptions:
    """The options of a registered database connection."""
    return DatabaseOptions.model_validate(database.options)


def is_database(connection: Connection) -> bool:
    """Whether its people have a password here."""
    return connection.strategy == STRATEGY


def find_database(db: Db, name: str, client_id: str) -> Connection | None:
    """The database with this name, if it serves the client."""
    found = find_connection(db, name)
    return found if found and is_database(found) and found.serves(client_id) else None


def database_named(db: Db, name: str, client_id: str) -> Connection:
    """The same. Raises ConnectionNotServed when there is none."""
    database = find_database(db, name, client_id)
    if database is None:
        raise ConnectionNotServed
    return database


def database_for(db: Db, client_id: str, asked: str | None) -> Connection | None:
    """The one database that a login page of this client asks.

    That is the one that `connection` names; else Auth0's first one, or the first by name that serves the client.
    """
    if asked is not None:
        return find_database(db, asked, client_id)
    serving = [each for each in connections_of(db, client_id) if is_database(each)]
    return next((each for each in serving if each.name == DATABASE), serving[0] if serving else None)
