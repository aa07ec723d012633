"""Policy: one field for each question on which the dialects differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from authserver.errors import ActionDenied, ProtocolError


@dataclass(frozen=True, slots=True)
class Wording:
    """How an error is said: HTTP status, code on the wire, description. None keeps the RFCs' own.

    `unverified`: nobody has seen Auth0 say it, so do not build on the words.
    """

    status: int | None = None
    error: str | None = None
    description: str | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The manner of an answer, row by row."""

    name: str

    loopback_any_port: bool
    """A loopback literal in a redirect URI matches on any port (RFC 8252 §7.3)."""

    unknown_scope: Literal["drop", "refuse"]
    """A scope value that the API does not define; the answer's `scope` tells what was dropped."""

    wider_scope_at_refresh: Literal["drop", "refuse"]
    """A scope value beyond the grant (RFC 6749 §6)."""

    client_authentication: Literal["any secret method", "registered method"]
    """Which of client_secret_basic and client_secret_post a client with a secret may use."""

    json_bodies: bool
    """Protocol endpoints read application/json besides forms."""

    resource_parameter: bool
    """`resource` (RFC 8707) names the API, besides `audience`."""

    default_token_profile: Literal["access_token", "rfc9068_profile"]
    """Access tokens of an API that does not choose for itself."""

    opaque_without_audience: bool
    """Without an API the access token is opaque; otherwise a JWT for userinfo alone."""

    updated_at: Literal["ISO 8601", "number"]
    """Form of the claim (OpenID Connect Core §5.1 says number)."""

    at_hash: bool
    """ID tokens from the token endpoint carry `at_hash` (OpenID Connect Core §3.1.3.6, optional there)."""

    auth_time: Literal["asked", "always"]
    """When ID tokens carry `auth_time`: with max_age or prompt=login, or always."""

    access_tokens_revocable: bool
    """The revocation endpoint takes access tokens too (RFC 7009 §2, optional there)."""

    foreign_token_at_revocation: Literal["error", "error for confidential clients"]
    """Who learns that the token belongs to another client; nobody revokes it."""

    userinfo_challenge: Literal["plain", "bearer"]
    """The 401 of /userinfo: the bare word with realm "Users", or RFC 6750 with JSON."""

    device_clients: Literal["public", "any"]
    """Which clients that are registered for the device grant may ask for a device code."""

    expired_device_code: Literal["once", "always"]
    """How often a device is told `expired_token` before the code is unknown (RFC 8628 §3.5)."""

    wording: Mapping[type[ProtocolError], Wording] = field(default_factory=dict)
    """Errors that are said differently from the RFCs; a class speaks for its subclasses."""

    def say(self, error: ProtocolError) -> tuple[int, str, str]:
        """Status, code and description of `error`; each comes from the nearest class that says it."""
        said = [self.wording[cls] for cls in type(error).__mro__ if cls in self.wording]
        if isinstance(error, ActionDenied):
            said = [Wording(error=error.code), *said]
        status = next((w.status for w in said if w.status is not None), error.status)
        code = next((w.error for w in said if w.error is not None), error.error)
        description = next((w.description for w in said if w.description is not None), None)
        return status, code, error.detail or description or error.description
