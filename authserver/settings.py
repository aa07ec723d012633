"""Settings: facts of the process, one frozen object.

Every field is an environment variable (`AUTHSERVER_` and its name) and a flag (`--` and its name); the flag wins.
Combinations that would be unsafe are refused at start; what weakens a check is spelled `allow_insecure_…`.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEMO_TENANT = Path(__file__).with_name("tenant.yaml")


class Settings(BaseSettings):
    """Raises pydantic.ValidationError (a ValueError) naming the option and what it expected."""

    model_config = SettingsConfigDict(env_prefix="AUTHSERVER_", frozen=True, extra="forbid")

    issuer: str = Field(
        default="",
        description="Identity of this server: an absolute URL with trailing slash. Empty: http://localhost:PORT/",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=9000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Number of worker processes.")
    database_url: str = Field(
        default="sqlite:///.understudy/authserver.db",
        description="sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/NAME for several replicas.",
    )
    tenant: Path = Field(default=DEMO_TENANT, description="YAML file with clients, APIs, roles and users to seed from.")
    dialect: Literal["auth0", "rfc"] = Field(
        default="auth0", description="Manner of the answers: as Auth0 gives them, or as the RFCs say."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host headers accepted besides the issuer's, comma-separated, with port if any.",
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM): serve https.")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of that certificate.")
    ca_file: Path | None = Field(
        default=None, description="Additional certificate authorities (PEM) for calls that this server makes."
    )
    allow_insecure_listen: bool = Field(
        default=False, description="Listen beyond loopback without TLS (a container whose port is published)."
    )
    allow_insecure_http_issuer: bool = Field(
        default=False, description="Accept an http issuer that is not on loopback."
    )
    allow_insecure_demo_tenant: bool = Field(
        default=False,
        description="Serve the demo tenant, whose passwords are public, beyond a loopback issuer.",
    )
    code_lifetime: int = Field(
        default=60, ge=1, le=600, description="Seconds that an authorization code lives (RFC 6749 4.1.2)."
    )
    interaction_lifetime: int = Field(
        default=900, ge=10, le=86400, description="Seconds that a person has for login and consent."
    )
    idle_session_lifetime: int = Field(
        default=72 * 3600, ge=1, description="Seconds after which an unused login session ends."
    )
    session_lifetime: int = Field(default=168 * 3600, ge=1, description="Seconds after which any login session ends.")
    opaque_token_lifetime: int = Field(
        default=86400, ge=1, le=2592000, description="Seconds that an access token for userinfo alone lives."
    )

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("issuer")
    @classmethod
    def _is_issuer(cls, issuer: str) -> str:
        """RFC 8414 §2: scheme and host, no query and no fragment; ours end in a slash, as Auth0's do."""
        if not issuer:
            return issuer
        parts = urlsplit(issuer)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("must be an absolute http or https URL such as http://localhost:9000/")
        if parts.path != "/" or "?" in issuer or "#" in issuer or not issuer.isascii():
            raise ValueError("must end in a single slash after host and port, without path, query or fragment")
        return issuer

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if self.issuer.startswith("http://") and not is_loopback(self.issuer_host):
            if not self.allow_insecure_http_issuer:
                raise ValueError("issuer: an http issuer must be on loopback; use https, or allow_insecure_http_issuer")
        if not is_loopback(self.host) and not self.allow_insecure_listen:
            raise ValueError(
                "host: without TLS only loopback addresses are listened on; use allow_insecure_listen behind TLS"
            )
        return self

    @property
    def issuer_host(self) -> str:
        """Host of the issuer without port; empty while the issuer is not fixed."""
        return urlsplit(self.issuer).hostname or ""

    def resolved(self, *, bound: str = "") -> Self:
        """A copy whose issuer is fixed, once: the one that was asked for, else `bound`, else by the port."""
        return self.model_copy(update={"issuer": self.issuer or bound or f"http://localhost:{self.port}/"})

    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for worker processes."""
        said = self.model_dump(mode="json", include=set(Settings.model_fields))
        values = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in said.items()}
        return {f"AUTHSERVER_{name.upper()}": value for name, value in values.items()}


def is_loopback(host: str) -> bool:
    """True for `localhost` and literal loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
