"""Settings: facts of the process, one frozen object.

Every field is an environment variable (`AUTHSERVER_` and its name) and a flag (`--` and its name); the flag wins. An
empty variable counts as absent, because compose files write `AUTHSERVER_CA_FILE=` for "none".
Combinations that would be unsafe are refused at start; what weakens a check is spelled `allow_insecure_…`.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEMO_TENANT = Path(__file__).with_name("tenant.yaml")


class Settings(BaseSettings):
    """Raises pydantic.ValidationError (a ValueError) naming the option and what it expected."""

    model_config = SettingsConfigDict(env_prefix="AUTHSERVER_", env_ignore_empty=True, frozen=True, extra="forbid")

    issuer: str = Field(
        default="",
        description="Identity of this server: an absolute URL with trailing slash."
        " Empty: http://localhost:PORT/, or https under TLS.",
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
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM): serve https.")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of that certificate, not encrypted.")
    ca_file: Path | None = Field(
        default=None, description="Authorities (PEM) that calls of this server trust, besides the machine's."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host headers accepted besides the issuer's, comma-separated, with port if any.",
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
    testing: bool = Field(
        default=False, description="Switch the test harness on: tenants under /t/NAME/, steered by /_testing/."
    )
    testing_token: str = Field(
        default="",
        repr=False,
        description="Bearer token of /_testing/, at least 16 characters. Empty: made at each start and printed once.",
    )
    allow_insecure_testing: bool = Field(
        default=False, description="Testing although others than this machine can reach the server."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Lines on stderr: JSON, or text on a terminal; or always the one or the other."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines that are written."
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

    @field_validator("testing_token")
    @classmethod
    def _is_token(cls, token: str) -> str:
        if token and not re.fullmatch(r"[A-Za-z0-9._~+/-]{16,255}=*", token):
            raise ValueError("must be 16 to 255 letters, digits or ._~+/-")
        return token

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
        if not is_loopback(self.host) and not self.serves_tls and not self.allow_insecure_listen:
            raise ValueError(
                "host: without TLS only loopback addresses are listened on; name tls_cert and tls_key,"
                " or use allow_insecure_listen behind something that speaks TLS"
            )
        return self

    @model_validator(mode="after")
    def _refuse_stray_testing(self) -> Self:
        reachable = not is_loopback(self.host) or bool(self.issuer and not is_loopback(self.issuer_host))
        if self.testing and reachable and not self.allow_insecure_testing:
            raise ValueError(
                "testing: who steers /_testing/ owns every tenant, so host and issuer must be on loopback;"
                " or use allow_insecure_testing"
            )
        if self.testing and self.workers > 1:
            raise ValueError("testing: its tenants live in one process; use workers 1")
        return self

    @model_validator(mode="after")
    def _check_tls(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are needed together")
        for name in ("tls_cert", "tls_key", "ca_file"):
            file = getattr(self, name)
            if file is not None and not file.is_file():
                raise ValueError(f"{name}: there is no file {file}")
        if self.serves_tls and self.issuer.startswith("http://"):
            raise ValueError("issuer: an http issuer contradicts tls_cert, with which this server speaks https alone")
        return self

    @property
    def serves_tls(self) -> bool:
        """Whether this server itself speaks https; an https issuer without it has TLS in front."""
        return self.tls_cert is not None

    @property
    def issuer_host(self) -> str:
        """Host of the issuer without port; empty while the issuer is not fixed."""
        return urlsplit(self.issuer).hostname or ""

    def resolved(self, *, bound: int = 0) -> "Settings":
        """The settings alone, without a command's options, and with the issuer fixed once: as asked for, else by port.

        `bound` is the port that was taken where any would do.
        """
        scheme = "https" if self.serves_tls else "http"
        by_port = f"{scheme}://127.0.0.1:{bound}/" if bound else f"{scheme}://localhost:{self.port}/"
        values = {name: getattr(self, name) for name in Settings.model_fields}
        return Settings.model_construct(**{**values, "issuer": self.issuer or by_port})


def is_loopback(host: str) -> bool:
    """True for `localhost` and literal loopback addresses."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
