"""Options of a connection, by its strategy, in the words of Auth0's connections.

Done: OpenID Connect Discovery §4.3 (which issuer an address speaks for).
Left out: endpoints without discovery · front_channel, which hands tokens through the browser · options for looks.

A client secret that is written as `${NAME}` is the environment's: neither the tenant file nor the database holds it.
"""

import os
import re
from base64 import b64decode
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from authserver.outbound import Unusable
from authserver.outbound.addresses import origin
from authserver.settings import is_loopback
from authserver.store.connections import Connection

OIDC = "oidc"
SAML = "samlp"

WELL_KNOWN = "/.well-known/openid-configuration"

NOT_PLAYED = {
    "attribute_map",
    "authorization_endpoint",
    "connection_settings",
    "domain_aliases",
    "icon_url",
    "jwks_uri",
    "non_persistent_attrs",
    "oidc_metadata",
    "schema_version",
    "set_user_root_attributes",
    "tenant_domain",
    "token_endpoint",
    "upstream_params",
    "userinfo_endpoint",
}
"""Options of Auth0's that exported files hold and that change nothing here."""

SAML_NOT_PLAYED = {
    "debug",
    "deflate",
    "digestAlgorithm",
    "disableSignout",
    "domain_aliases",
    "expires",
    "fieldsMap",
    "icon_url",
    "non_persistent_attrs",
    "set_user_root_attributes",
    "signOutEndpoint",
    "signatureAlgorithm",
    "subject",
    "tenant_domain",
    "thumbprints",
}
"""The same for SAML. Which algorithms are accepted is not the provider's choice."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,126}[A-Za-z0-9])?")
_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _a_secure_url(url: str) -> str:
    try:
        where = origin(url)
    except Unusable as error:
        raise ValueError(f"must be an https URL; this is {error}") from None
    if where.startswith("http://") and not is_loopback(where.removeprefix("http://").rpartition(":")[0]):
        raise ValueError("must be an https URL; http is for loopback alone")
    return url


SecureUrl = Annotated[str, AfterValidator(_a_secure_url)]


_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OidcOptions(BaseModel):
    """`connections[].options` of strategy oidc."""

    model_config = _STRICT

    type: Literal["back_channel"] = "back_channel"
    issuer: SecureUrl | None = None
    discovery_url: SecureUrl | None = None
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    client_secret: str | None = Field(default=None, min_length=1, repr=False)
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post"] | None = None
    scope: str = Field(default="openid profile email", validation_alias=AliasChoices("scope", "scopes"))

    @model_validator(mode="before")
    @classmethod
    def _played(cls, options: Any) -> Any:
        return {name: value for name, value in options.items() if name not in NOT_PLAYED}

    @field_validator("scope", mode="before")
    @classmethod
    def _joined(cls, scope: object) -> object:
        return " ".join(map(str, scope)) if isinstance(scope, list | tuple) else scope

    @model_validator(mode="after")
    def _addressed(self) -> Self:
        if self.issuer is None and self.discovery_url is None:
            raise ValueError("issuer or discovery_url is missing: without one nobody can be asked")
        if self.discovery_url is not None and not self.discovery_url.endswith(WELL_KNOWN):
            raise ValueError(f"discovery_url must end in {WELL_KNOWN}")
        if "openid" not in self.scope.split():
            raise ValueError("scope must contain openid")
        return self

    @property
    def document_url(self) -> str:
        """Where the provider tells of itself."""
        return self.discovery_url or (self.issuer or "").removesuffix("/") + WELL_KNOWN

    def is_issuer(self, said: object) -> bool:
        """Whether this is the issuer that was meant: to the letter, where the file names it. An address alone leaves
        open whether the issuer ends in a slash.
        """
        if self.issuer is not None:
            return said == self.issuer
        prefix = self.document_url.removesuffix(WELL_KNOWN)
        return said in (prefix, prefix + "/")

    @property
    def trusted(self) -> frozenset[str]:
        """The origins that the tenant file names."""
        return frozenset(origin(url) for url in (self.issuer, self.discovery_url) if url)

    @property
    def secret(self) -> str | None:
        """The client secret itself. Raises LookupError when the environment does not hold it."""
        named = _ENVIRONMENT.fullmatch(self.client_secret or "")
        return os.environ[named[1]] if named else self.client_secret


def _a_certificate(said: str) -> str:
    """PEM, or base64 of PEM or of DER, as Auth0's options hold it. Kept as PEM."""
    text = said.strip()
    try:
        if not text.startswith("-----"):
            decoded = b64decode("".join(text.split()), validate=True)
            is_pem = decoded.startswith(b"-----")
            certificate = load_pem_x509_certificate(decoded) if is_pem else load_der_x509_certificate(decoded)
        else:
            certificate = load_pem_x509_certificate(text.encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be a certificate in PEM, or in base64") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) and not (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048
    ):
        raise ValueError("must hold an EC key, or an RSA key of 2048 bits at least")
    return certificate.public_bytes(Encoding.PEM).decode()


class SamlOptions(BaseModel):
    """`connections[].options` of strategy samlp. `issuer`, the provider's entity id, is our addition."""

    model_config = _STRICT

    signInEndpoint: SecureUrl  # noqa: N815 - the words of Auth0's options
    signingCert: Annotated[str, AfterValidator(_a_certificate)]  # noqa: N815 - likewise
    issuer: Annotated[str, Field(min_length=1, max_length=1024)]
    entityId: Annotated[str, Field(min_length=1, max_length=1024)] | None = None  # noqa: N815 - likewise
    protocolBinding: Literal["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"] = (  # noqa: N815 - likewise
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    )
    signSAMLRequest: Literal[False] = False  # noqa: N815 - likewise

    @model_validator(mode="before")
    @classmethod
    def _played(cls, options: Any) -> Any:
        return {name: value for name, value in options.items() if name not in SAML_NOT_PLAYED}


_MODELS: dict[str, type[BaseModel]] = {OIDC: OidcOptions, SAML: SamlOptions}


def check(name: str, strategy: str, options: dict[str, object]) -> None:
    """Raises ValueError, whose text repeats no value, for what a tenant file must not say."""
    if strategy not in _MODELS:
        return
    if not _NAME.fullmatch(name) or f"{name}|".lower() == "auth0|":
        # Its people are called NAME|…: the name must end at the bar, and never be the one of our own database.
        raise ValueError("name must be letters, digits and inner hyphens, at most 128, and not auth0")
    try:
        _MODELS[strategy].model_validate(options)
    except ValidationError as error:
        mistakes = [(".".join(("options", *map(str, each["loc"]))), each["msg"]) for each in error.errors()]
        said = [f"{place}: {message.removeprefix('Value error, ')}" for place, message in mistakes]
        raise ValueError("; ".join(said)) from None


def obstacle(connection: Connection) -> str | None:
    """What on this machine keeps the connection from working; None when nothing does."""
    if connection.strategy == SAML and (find_spec("signxml") is None or find_spec("lxml") is None):
        return "strategy samlp needs two packages more: pip install 'understudy[saml]'"
    if connection.strategy == OIDC:
        try:
            _ = OidcOptions.model_validate(connection.options).secret
        except LookupError as name:
            return f"client_secret names the environment variable {name.args[0]}, which is not set"
    return None
