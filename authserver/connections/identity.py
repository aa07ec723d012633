"""Identity: what somebody else vouches for, and the user that it makes here.

Done: OpenID Connect Core §5.1, §5.7 (only issuer and subject say who somebody is; an email address never does) · RFC
9700 §4.15 (no user is called like a client).

A user of a connection is called `<connection>|<subject>`. The profile is what was said at the last login. Whoever has
the same email address elsewhere is somebody else.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection as Db
from sqlalchemy import bindparam, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles it to the same words

from authserver.messages import is_text
from authserver.store.registered import User, find_user
from authserver.store.tables import users

_TEXTS = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
]
_TRUTHS = ("email_verified", "phone_number_verified")
_ADDRESS = ("formatted", "street_address", "locality", "region", "postal_code", "country")
_LONGEST_TEXT = 2048
_LONGEST_ID = 255

NO_PASSWORD = "!"
"""No hash: no password is ever the right one."""

_INSERT = insert(users).on_conflict_do_nothing()
_UPDATE = (
    update(users)
    .where(users.c.user_id == bindparam("of"))
    .values(profile=bindparam("said"), updated_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Identity:
    """`subject` is unique and stays the same within the connection; `claims` are what it said, unfiltered."""

    connection: str
    subject: str
    claims: Mapping[str, Any]

    @property
    def user_id(self) -> str:
        """Different for every pair of connection and subject, at most 255 plain characters."""
        subject = quote(self.subject, safe="!$&'()+,-./:;=?@_|~")
        if subject.endswith("@clients"):
            subject = subject.removesuffix("@clients") + "%40clients"
        whole = f"{self.connection}|{subject}"
        if len(whole) > _LONGEST_ID:  # the star is never a character of a quoted subject
            whole = f"{self.connection}|*{hashlib.sha256(self.subject.encode()).hexdigest()}"
        return whole

    @property
    def profile(self) -> dict[str, object]:
        """The standard claims among them, each of its type and of a bearable length."""
        said: dict[str, object] = {name: self.claims[name] for name in _TEXTS if _is_short(self.claims.get(name))}
        said |= {name: self.claims[name] for name in _TRUTHS if isinstance(self.claims.get(name), bool)}
        address = self.claims.get("address")
        if isinstance(address, dict):
            lines = {name: address[name] for name in _ADDRESS if _is_short(address.get(name), lines=True)}
            said |= {"address": lines} if lines else {}
        return said


def _is_short(value: object, *, lines: bool = False) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        return False
    return is_text("".join(value.split("\n")) if lines else value)


def admit(db: Db, identity: Identity, now: int) -> User | None:
    """The user of this identity, made at the first login, with the profile as it is said now. None when the id belongs
    to somebody who comes from elsewhere.
    """
    user_id, profile = identity.user_id, identity.profile
    row = {
        "user_id": user_id,
        # No name that anybody types leads here: those have no capital letters.
        "username_key": f"U:{hashlib.sha256(user_id.encode()).hexdigest()}",
        "password_hash": NO_PASSWORD,
        "profile": profile,
        "blocked": False,
        "created_at": now,
        "updated_at": now,
        "connection": identity.connection,
        "user_metadata": {},
        "app_metadata": {},
    }
    db.execute(_INSERT, row)
    user = find_user(db, user_id)
    if user is None or user.connection != identity.connection:
        return None
    if user.profile != profile:
        db.execute(_UPDATE, {"of": user_id, "said": profile, "now": now})
    return user
