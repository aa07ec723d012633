"""Roles and permissions: what a person may do at an API, by what they are and by name.

Read anew each time tokens are made, so that a change takes effect at the next refresh.
"""

from sqlalchemy import Connection, bindparam, select

from authserver.store.tables import role_permissions, user_permissions, user_roles

_ROLES = select(user_roles.c.role).where(user_roles.c.user_id == bindparam("user")).order_by(user_roles.c.role)
_PERMISSIONS = (
    select(role_permissions.c.permission)
    .join(user_roles, user_roles.c.role == role_permissions.c.role)
    .where(user_roles.c.user_id == bindparam("user"), role_permissions.c.audience == bindparam("api"))
    .union(
        select(user_permissions.c.permission).where(
            user_permissions.c.user_id == bindparam("user"), user_permissions.c.audience == bindparam("api")
        )
    )
)


def roles_of(db: Connection, user_id: str) -> tuple[str, ...]:
    """The names of this person's roles, in order."""
    return tuple(db.execute(_ROLES, {"user": user_id}).scalars())


def permissions_of(db: Connection, user_id: str, audience: str) -> tuple[str, ...]:
    """What this person may do at this API, through roles or directly, in order."""
    return tuple(sorted(db.execute(_PERMISSIONS, {"user": user_id, "api": audience}).scalars()))
