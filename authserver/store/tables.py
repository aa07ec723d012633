"""The tables. Times are whole seconds since the epoch; of secrets only SHA-256 digests are kept.

One database is one tenant, hence no tenant_id anywhere.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _digest(name: str = "digest", *, primary_key: bool = True, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary(32), primary_key=primary_key, nullable=nullable)


# Registered facts ------------------------------------------------------------------------------------------------

clients = Table(
    "clients",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("name", String, nullable=False),
    Column("app_type", String(32), nullable=False),
    Column("token_endpoint_auth_method", String(64), nullable=False),
    Column("secret_digest", LargeBinary(32)),
    Column("is_first_party", Boolean, nullable=False),
    Column("settings", JSON, nullable=False),
)

resource_servers = Table(
    "resource_servers",
    metadata,
    Column("identifier", String(255), primary_key=True),
    Column("name", String, nullable=False),
    Column("settings", JSON, nullable=False),
)

client_grants = Table(
    "client_grants",
    metadata,
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("audience", ForeignKey("resource_servers.identifier", ondelete="CASCADE"), primary_key=True),
    Column("scope", String, nullable=False),
)

tenant_settings = Table(
    "tenant_settings",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("user_id", String(255), primary_key=True),
    Column("username_key", String(255), nullable=False, unique=True),
    Column("password_hash", String, nullable=False),
    Column("profile", JSON, nullable=False),
    Column("blocked", Boolean, nullable=False),
    _at("created_at"),
    _at("updated_at"),
    Column("connection", String(128), nullable=False, server_default="Username-Password-Authentication"),
    Column("user_metadata", JSON),
    Column("app_metadata", JSON),
    Column("logins_count", Integer, nullable=False, server_default="0"),
    _at("last_login", nullable=True),
)

# Where people come from: `settings` holds what its strategy needs.
connections = Table(
    "connections",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("strategy", String(32), nullable=False),
    Column("settings", JSON, nullable=False),
)

roles = Table(
    "roles",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("description", String, nullable=False),
)


def _permission() -> tuple[Column[str], Column[str]]:
    return (
        Column("audience", ForeignKey("resource_servers.identifier", ondelete="CASCADE"), primary_key=True),
        Column("permission", String(255), primary_key=True),
    )


role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role", ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True),
    *_permission(),
)

user_roles = Table(
    "user_roles",
    metadata,
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    Column("role", ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True),
)

user_permissions = Table(
    "user_permissions",
    metadata,
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
    *_permission(),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("alg", String(16), nullable=False),
    Column("private_key", String, nullable=False),
    _at("created_at"),
    _at("activates_at"),
)

# The browser's side ----------------------------------------------------------------------------------------------

login_sessions = Table(
    "login_sessions",
    metadata,
    _digest(),
    Column("sid", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    _at("auth_time"),
    _at("last_seen_at"),
    _at("ended_at", nullable=True),
    Column("connection", String(128)),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    _digest(),
    Column("attempts", Integer, nullable=False),
    _at("since"),
)

interactions = Table(
    "interactions",
    metadata,
    _digest(),
    _digest("browser_digest", primary_key=False),
    Column("request", JSON, nullable=False),
    _at("expires_at"),
    Column("sid", String(64)),
    _at("authenticated_at", nullable=True),
    Column("decision", String(16)),
    _at("used_at", nullable=True),
    _digest("device", primary_key=False, nullable=True),
)

tickets = Table(
    "tickets",
    metadata,
    _digest(),
    Column("purpose", String(32), nullable=False),
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("email", String, nullable=False),
    Column("client_id", String(255)),
    _at("expires_at"),
    _at("used_at", nullable=True),
)

# Mail that never leaves. The one place where something secret, the link, can be read (decision 0007).
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _at("at"),
    Column("to", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("template", String(64), nullable=False),
    Column("body", String, nullable=False),
    Column("link", String),
)

# A person on the way through somebody else's login. `identity` is what a SAML response said, until the browser that
# brought it comes back with the ticket.
upstream_logins = Table(
    "upstream_logins",
    metadata,
    _digest(),
    Column("connection", String(128), nullable=False),
    _at("expires_at"),
    _at("logged_in_since", nullable=True),
    Column("ticket_digest", LargeBinary(32)),
    Column("identity", JSON),
    _at("used_at", nullable=True),
)

# SAML assertions that were used, for as long as they would be accepted.
upstream_assertions = Table("upstream_assertions", metadata, _digest(), _at("expires_at"))

# A browser that was sent to log out elsewhere, and where it goes from there.
upstream_logouts = Table(
    "upstream_logouts",
    metadata,
    _digest(),
    Column("return_to", String),
    _at("expires_at"),
    _at("used_at", nullable=True),
)

# What was issued -------------------------------------------------------------------------------------------------

grants = Table(
    "grants",
    metadata,
    Column("grant_id", String(64), primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False),
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False),
    Column("audience", String(255)),
    Column("scope", String, nullable=False),
    Column("sid", String(64), nullable=False),
    _at("auth_time"),
    Column("auth_time_asked", Boolean, nullable=False),
    _at("created_at"),
    _at("revoked_at", nullable=True),
    Column("claims", JSON),
    Index(None, "user_id", "client_id"),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    _digest(),
    Column("grant_id", ForeignKey("grants.grant_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect_uri", String, nullable=False),
    Column("code_challenge", String(128), index=True),
    Column("nonce", String),
    _at("expires_at"),
    Column("attempts", Integer, nullable=False, default=0),
    _at("used_at", nullable=True),
)

device_codes = Table(
    "device_codes",
    metadata,
    _digest(),
    Column("user_code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False),
    Column("audience", String(255)),
    Column("scope", String, nullable=False),
    Column("source", String(64), nullable=False),
    _at("issued_at"),
    Column("expires_at", BigInteger, nullable=False, index=True),
    _at("expiry_told_at", nullable=True),
    Column("poll_interval", Integer, nullable=False),
    _at("polled_at", nullable=True),
    _digest("browser_digest", primary_key=False, nullable=True),
    Column("user_id", ForeignKey("users.user_id", ondelete="CASCADE")),
    Column("decision", String(16)),
    Column("grant_id", ForeignKey("grants.grant_id", ondelete="CASCADE"), index=True),
    _at("used_at", nullable=True),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    _digest(),
    Column("grant_id", ForeignKey("grants.grant_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parent", LargeBinary(32), index=True),
    Column("rotating", Boolean, nullable=False),
    _at("issued_at"),
    _at("expires_at", nullable=True),
    _at("idle_expires_at", nullable=True),
    Column("children", Integer, nullable=False, default=0),
    _at("used_at", nullable=True),
    _at("revoked_at", nullable=True),
)

# Auth0's access tokens carry no jti: two that are minted in one second for the same ends are the same string. Hence
# the key.
access_tokens = Table(
    "access_tokens",
    metadata,
    _digest(),
    Column("grant_id", ForeignKey("grants.grant_id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("scope", String, nullable=False),
    Column("audience", JSON, nullable=False),
    _at("expires_at"),
    _at("revoked_at", nullable=True),
)

# The ledger ------------------------------------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _at("at"),
    Column("type", String(64), nullable=False),
    Column("client_id", String(255)),
    Column("user_id", String(255)),
    Column("grant_id", String(64)),
    Column("reason", String),
    Column("connection", String(128)),
)
