"""Signing up: somebody makes an account in a database connection.

Done: NIST SP 800-63B §5.1.1.2 (a dictionary, a least length) · law 5 (the database decides which of two is first).

The password is checked and hashed before anybody looks whether the account exists, so both take the same time.
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection as Db

from authserver.connections import mails
from authserver.connections.database import options_of
from authserver.connections.password_policy import check_password
from authserver.database_errors import DatabaseError, FieldMalformed, InvalidSignUp, SignUpDisabled, UserExists
from authserver.events import SignUpFailed, SignUpSucceeded
from authserver.messages import is_text
from authserver.passwords import hash_password
from authserver.store import journal
from authserver.store.accounts import add_account
from authserver.store.connections import Connection
from authserver.store.registered import User, account_key, find_tenant_setting, username_key
from authserver.store.tickets import VERIFY_EMAIL
from authserver.tenant import Tenant

LONGEST_EMAIL = 254
"""Characters, after RFC 5321 §4.5.3.1.3."""

LONGEST_KEY = 255
"""Characters of the canonical form, which some scripts make longer."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants an account. `claims` are further standard claims, `user_metadata` the application's own notes."""

    email: str
    password: str
    claims: dict[str, str] = field(default_factory=dict)
    user_metadata: dict[str, str] = field(default_factory=dict)


def prepare(applicant: Applicant, database: Connection, client_id: str, tenant: Tenant) -> User:
    """The account as it would be; the slow part, outside any transaction.

    Raises DatabaseError, after an event that says why.
    """
    options = options_of(database)
    try:
        if options.disable_signup:
            raise SignUpDisabled
        email = _email(applicant.email, database)
        names = {"name": email, "nickname": email.partition("@")[0], **applicant.claims}
        profile: dict[str, Any] = {"email": email, "email_verified": False, **names}
        check_password(applicant.password, options, {**applicant.claims, "email": email})
    except DatabaseError as refused:
        tenant.record(SignUpFailed(client_id, reason=type(refused).__name__))
        raise
    now = tenant.now()
    return User(
        user_id=f"auth0|{secrets.token_hex(12)}",
        password_hash=hash_password(applicant.password),
        profile=profile,
        blocked=False,
        updated_at=now,
        connection=database.name,
        user_metadata=applicant.user_metadata,
        app_metadata={},
        created_at=now,
    )


def enter(db: Db, user: User, client_id: str, tenant: Tenant) -> bool:
    """Insert the account and mail the link that confirms its address. False when the name is taken; see `taken`."""
    if not add_account(db, user):
        journal.record(db, tenant.now(), SignUpFailed(client_id, reason="user exists"))
        return False
    journal.record(db, tenant.now(), SignUpSucceeded(client_id, user.user_id))
    mails.write(db, user, VERIFY_EMAIL, client_id, tenant)
    return True


def taken(tenant: Tenant) -> DatabaseError:
    """What to say when the account exists: as much as the tenant's flag allows."""
    with tenant.database.read() as db:
        flags = find_tenant_setting(db, "flags") or {}
    return UserExists() if flags.get("enable_public_signup_user_exists_error") else InvalidSignUp()


def _email(typed: str, database: Connection) -> str:
    email = typed.strip().lower()
    if not is_text(email) or len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise FieldMalformed("email format validation failed")
    local, _, domain = username_key(email).rpartition("@")
    if not local or not domain or len(account_key(database.name, email)) > LONGEST_KEY:
        raise FieldMalformed("email format validation failed")
    return email
