"""People of a tenant file and of a bulk-import file as rows.

People and Actions change these rows, too. So of everybody a fingerprint of what the file said is remembered, and a row
is written when the file says something else than last time: the same file twice takes back nobody's changes.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from authserver.passwords import hash_password, verify_password
from authserver.registration.changes import Change, Changes, as_json
from authserver.store.registered import account_key
from authserver.store.tables import user_permissions, user_roles, users
from authserver.tenant_file import PermissionModel, Reading, TenantFileError, UserModel
from authserver.tenant_file.models import ImportedUserModel

NO_PASSWORD = "!"
"""In place of a hash: no password is the right one."""

_NO_CLAIMS = {
    "user_id",
    "connection",
    "password",
    "password_hash",
    "blocked",
    "user_metadata",
    "app_metadata",
    "roles",
    "permissions",
}
_NO_FACTS = {"password", "password_hash"}


@dataclass(slots=True)
class Passwords:
    """Hashing is slow and belongs outside any transaction: done `ahead`, and remembered here."""

    _hashes: dict[str, str] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str], bool] = field(default_factory=dict)

    def hash(self, password: str) -> str:
        """One hash for each password."""
        if password not in self._hashes:
            self._hashes[password] = hash_password(password)
        return self._hashes[password]

    def is_same(self, password_hash: str, user: UserModel) -> bool:
        """Whether this hash is of what the file says."""
        if user.password is None:
            return password_hash == (user.password_hash or NO_PASSWORD)
        asked = (password_hash, user.password)
        if asked not in self._verdicts:
            self._verdicts[asked] = verify_password(password_hash, user.password)
        return self._verdicts[asked]

    def of(self, user: UserModel) -> str:
        """The hash to store."""
        return self.hash(user.password) if user.password is not None else user.password_hash or NO_PASSWORD

    def ahead(self, reading: Reading, remembered: dict[str, Any]) -> None:
        """Do all of the slow work that registering these people will ask for."""
        for user in reading.users:
            said_before = remembered.get(user.user_id)
            if said_before is None or not self.is_same(said_before["password"], user):
                self.of(user)


def permission_row(permission: PermissionModel) -> dict[str, Any]:
    """The columns of a permission."""
    return {"audience": permission.resource_server_identifier, "permission": permission.permission_name}


def register_people(
    db: Connection, reading: Reading, passwords: Passwords, changes: Changes, remembered: dict[str, Any], now: int
) -> None:
    """Write whom the file says anew. `remembered` is what was said before, and becomes what is said now."""
    there = {row["user_id"]: dict(row) for row in db.execute(select(users)).mappings()}
    rows: dict[str, dict[str, Any]] = {}
    for user in reading.users:
        database = reading.file.database_of(user)
        is_said = _is_said(user, remembered, there.get(user.user_id), database)
        rows[user.user_id] = {} if is_said else _row(user, database, now)
    _make_way(db, [user for user in reading.users if rows[user.user_id]], rows, there)
    for user in reading.users:
        is_new, said, changed = user.user_id not in there, remembered.get(user.user_id), rows[user.user_id]
        kept_hash = said["password"] if said and passwords.is_same(said["password"], user) else passwords.of(user)
        told = ["profile"] if changed else []
        if is_new:
            changed["password_hash"] = kept_hash
        elif said and kept_hash != said["password"]:
            changed |= {"password_hash": kept_hash, "updated_at": now}
            told.append("password")
        remembered[user.user_id] = {"facts": _fingerprint(user), "password": kept_hash}
        _write(db, user, is_new, changed, told, changes, now)
    strangers = there.keys() - {user.user_id for user in reading.users}
    if strangers:
        changes.found.append(Change("only here", f"users: {len(strangers)}", "the file does not name them; they stay"))


def _is_said(user: UserModel, remembered: dict[str, Any], before: dict[str, Any] | None, database: str) -> bool:
    """Whether the file says nothing new of them."""
    if before is None:
        return False
    if user.user_id in remembered:
        return bool(remembered[user.user_id]["facts"] == _fingerprint(user))
    return all(before[name] == as_json(value) for name, value in _row(user, database, before["updated_at"]).items())


def _write(
    db: Connection, user: UserModel, is_new: bool, changed: dict[str, Any], told: list[str], changes: Changes, now: int
) -> None:
    if not changed:
        changes.unchanged += 1
        return
    if is_new:
        db.execute(insert(users), {"user_id": user.user_id, "created_at": now, **changed})
        changes.found.append(Change("new", f"users {user.email}"))
    else:
        db.execute(update(users).where(users.c.user_id == user.user_id).values(**changed))
        changes.found.append(Change("changed", f"users {user.email}", ", ".join(told)))
    if "profile" in changed and not isinstance(user, ImportedUserModel):
        db.execute(delete(user_roles).where(user_roles.c.user_id == user.user_id))
        db.execute(delete(user_permissions).where(user_permissions.c.user_id == user.user_id))
        for name in dict.fromkeys(user.roles):
            db.execute(insert(user_roles), {"user_id": user.user_id, "role": name})
        for row in {tuple(sorted(permission_row(each).items())): None for each in user.permissions}:
            db.execute(insert(user_permissions), {"user_id": user.user_id, **dict(row)})


def _make_way(
    db: Connection, written: list[UserModel], rows: dict[str, dict[str, Any]], there: dict[str, dict[str, Any]]
) -> None:
    """Two people may exchange their addresses: nobody's new one is taken while they do.

    Raises TenantFileError where it is of somebody who keeps it.
    """
    holders = {row["username_key"]: user_id for user_id, row in there.items()}
    moving = {user.user_id for user in written}
    for user in written:
        key = rows[user.user_id]["username_key"]
        holder = holders.get(key, user.user_id)
        if holder != user.user_id and holder not in moving:
            raise TenantFileError(f"users: {user.email} belongs to {holder} in the database, who keeps it")
        if user.user_id in there and there[user.user_id]["username_key"] != key:
            nobodys = f"moving {hashlib.sha256(user.user_id.encode()).hexdigest()}"
            db.execute(update(users).where(users.c.user_id == user.user_id).values(username_key=nobodys))


def _fingerprint(user: UserModel) -> str:
    """Of what the file says; of what it leaves unsaid nothing, so that members may be added to the models."""
    said = json.dumps(user.model_dump(exclude=_NO_FACTS, exclude_unset=True), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _row(user: UserModel, database: str, now: int) -> dict[str, Any]:
    return {
        "username_key": account_key(database, user.email),
        "profile": user.model_dump(exclude=_NO_CLAIMS, exclude_none=True),
        "user_metadata": user.user_metadata,
        "app_metadata": user.app_metadata,
        "blocked": user.blocked,
        "connection": database,
        "updated_at": now,
    }
