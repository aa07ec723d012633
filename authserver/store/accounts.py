"""Accounts: what changes about people with a password here.

Done: law 5 (of two sign-ups with one name the database takes one; a login counts only while the hash that it verified
is still the one).
"""

from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles it to the same words

from authserver.store.registered import User, account_key
from authserver.store.tables import users

_INSERT = insert(users).on_conflict_do_nothing().returning(users.c.user_id)
_CONFIRM = (
    update(users)
    .where(users.c.user_id == bindparam("of"), users.c.password_hash == bindparam("verified"))
    .values(password_hash=bindparam("keep"))
    .returning(users.c.user_id)
)
_SET_PASSWORD = (
    update(users)
    .where(users.c.user_id == bindparam("of"), users.c.connection == bindparam("within"))
    .values(password_hash=bindparam("to"), updated_at=bindparam("now"))
    .returning(users.c.user_id)
)
_PROFILE = select(users.c.profile).where(users.c.user_id == bindparam("of")).with_for_update()
_SET_PROFILE = (
    update(users).where(users.c.user_id == bindparam("of")).values(profile=bindparam("to"), updated_at=bindparam("now"))
)


def add_account(db: Connection, user: User) -> bool:
    """Insert someone who signed up, by the email in the profile. False when the database has this name already."""
    values: dict[str, Any] = {
        "user_id": user.user_id,
        "username_key": account_key(user.connection, user.profile["email"]),
        "password_hash": user.password_hash,
        "profile": user.profile,
        "blocked": user.blocked,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "connection": user.connection,
        "user_metadata": user.user_metadata,
        "app_metadata": user.app_metadata,
    }
    return db.execute(_INSERT, values).one_or_none() is not None


def confirm_password(db: Connection, user: User, keep: str) -> bool:
    """False when the password was changed since it was verified. `keep` is the hash from here on."""
    values = {"of": user.user_id, "verified": user.password_hash, "keep": keep}
    return db.execute(_CONFIRM, values).one_or_none() is not None


def set_password(db: Connection, user: User, password_hash: str, now: int) -> bool:
    """Replace the hash; holds the user's row until the transaction ends. False when the user is gone."""
    values = {"of": user.user_id, "within": user.connection, "to": password_hash, "now": now}
    return db.execute(_SET_PASSWORD, values).one_or_none() is not None


def verify_email(db: Connection, user_id: str, email: str, now: int) -> bool:
    """Note that this address is the user's own. False when the user is gone or has another one by now."""
    profile = db.execute(_PROFILE, {"of": user_id}).scalar_one_or_none()
    if profile is None or profile.get("email") != email:
        return False
    db.execute(_SET_PROFILE, {"of": user_id, "to": {**profile, "email_verified": True}, "now": now})
    return True
