"""Settings: what a deployment decides, read once at start.

Every field is an environment variable (`API_ISSUER`) and a flag (`--issuer`); the flag wins. An empty
value counts as absent, because compose files write `API_CA_FILE=` for "none"; only for `docs_client_id` and
`web_origins` emptiness means something. Cache times and size limits are not settings: they are constants beside the
code they bound.
"""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from api.logs import LogFormat, LogLevel

_MAY_BE_EMPTY = ("docs_client_id", "web_origins")


def _http_url(value: str) -> str:
    parts = urlsplit(value)  # raises ValueError for a broken port or IPv6 literal
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("must be an http or https URL")
    if not value.isascii() or not value.isprintable() or set(value) & set(' "<>\\^`{|}'):
        raise ValueError("must be an http or https URL in ASCII, without spaces")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must not have a query, a fragment or a user name")
    return value


def _origin(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if value != f"{parts.scheme}://{parts.netloc}".lower() or parts.port == {"http": 80, "https": 443}[parts.scheme]:
        raise ValueError(
            "must be an origin as browsers write it: scheme, host and port, such as https://app.example.com"
        )
    return value


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError as error:
        raise ValueError("must be a database URL such as sqlite:///notes.db") from error
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("must be a sqlite or postgresql URL")
    if url.drivername == "sqlite" and (url.database in (None, "", ":memory:") or url.query):
        raise ValueError("must name a file: threads do not share an in-memory database")
    return url.render_as_string(hide_password=False)


class Settings(BaseSettings):
    """The notes API: a resource server that checks the scopes of access tokens."""

    model_config = SettingsConfigDict(
        env_prefix="API_",
        frozen=True,
        cli_prog_name="python -m api",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_show_env_vars=True,
        cli_exit_on_error=False,
    )

    issuer: Annotated[str, AfterValidator(_http_url)] = Field(
        "http://localhost:9000/", description="whose tokens count: compared with `iss` byte for byte"
    )
    metadata_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        None,
        description="another address to dial for the issuer's metadata: the document's or the issuer's",
    )
    audience: str = Field(
        "https://notes.example/api", min_length=1, description="this API's identifier, demanded in `aud`"
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///.understudy/notes.db", description="where the notes are kept: SQLite file or PostgreSQL"
    )
    host: str = Field("127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM): serve https")
    tls_key: Path | None = Field(None, description="private key (PEM) of that certificate")
    ca_file: Path | None = Field(None, description="additional certificate authorities (PEM) for calls to the issuer")
    require_at_jwt: bool = Field(
        default=False, description="take only tokens of type at+jwt (RFC 9068), not Auth0's plain JWT"
    )
    docs_client_id: Annotated[str, Field(pattern="^[ -~]*$", max_length=255)] = Field(
        "api-docs", description="client_id with which the page at /docs logs people in; empty: no such page"
    )
    web_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode] = Field(
        ("http://localhost:3000",),
        description="origins of web pages that may call this API, comma-separated; empty: none",
    )
    log_format: LogFormat = Field("auto", description="JSON lines, or text; auto: text on a terminal, else JSON")
    log_level: LogLevel = Field("info", description="what is worth a line")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value != "" or name in _MAY_BE_EMPTY}

    @field_validator("web_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _files_come_together_and_exist(self) -> "Settings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are needed together")
        for path in (self.tls_cert, self.tls_key, self.ca_file):
            if path is not None and not path.is_file():
                raise ValueError(f"no such file: {str(path)!r}")
        return self
