"""Database connections: their options, in the words of Auth0's deploy file, and which one a login asks.

Left out: what `tenant_file.auth0_names` lists, such as `requires_username`, `password_history`, `mfa` and custom
scripts; a file that asks for it is told so.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection as Db

from authserver.database_errors import ConnectionNotServed
from authserver.store.connections import DATABASE_STRATEGY, Connection, connections_of, find_connection
from authserver.store.registered import DATABASE

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


class DatabaseOptions(_Options):
    """`databases[].options`. Whoever says nothing gets `good`, as a new tenant does."""

    passwordPolicy: Literal["none", "low", "fair", "good", "excellent"] = "good"  # noqa: N815 - the file's own word
    password_complexity_options: ComplexityOptions = ComplexityOptions()
    password_no_personal_info: Switch = Switch()
    password_dictionary: DictionaryOptions = DictionaryOptions()
    disable_signup: bool = False


def options_of(database: Connection) -> DatabaseOptions:
    """The options of a registered database connection."""
    return DatabaseOptions.model_validate(database.options)


def is_database(connection: Connection) -> bool:
    """Whether its people have a password here."""
    return connection.strategy == DATABASE_STRATEGY


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
