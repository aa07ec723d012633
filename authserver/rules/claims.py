"""Claims about the person, filtered by scope.

Done: OpenID Connect Core §5.1, §5.4.
Left out: the `claims` parameter (§5.5), aggregated and distributed claims (§5.6).
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from authserver.dialects import Policy
from authserver.store.registered import User

_BY_SCOPE = {
    "profile": [
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ],
    "email": ["email", "email_verified"],
    "address": ["address"],
    "phone": ["phone_number", "phone_number_verified"],
}

SUPPORTED = ["sub", *(claim for claims in _BY_SCOPE.values() for claim in claims)]


def about(
    user: User, scope: Iterable[str], policy: Policy, custom: Mapping[str, object] | None = None
) -> dict[str, object]:
    """`sub` and the claims that `scope` opens, as ID token and userinfo say them.

    `custom` are the claims of Actions: a profile claim among them is said under the same scope, others always.
    """
    said = {**_defaults(user), **user.profile, "updated_at": _updated_at(user, policy), **(custom or {})}
    known = {**said, "sub": user.user_id}
    wanted = ["sub", *(claim for value in scope for claim in _BY_SCOPE.get(value, ()))]
    own = {claim: value for claim, value in (custom or {}).items() if claim not in SUPPORTED}
    return {**own, **{claim: known[claim] for claim in wanted if known.get(claim) is not None}}


def _defaults(user: User) -> dict[str, object]:
    """What Auth0 says of a user who never told: the name is the email, the nickname its local part, the picture a
    gravatar.
    """
    email = str(user.profile.get("email", ""))
    # MD5 is Gravatar's address format, not a protection.
    mailbox = hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()
    return {
        "name": email,
        "nickname": email.partition("@")[0],
        "picture": f"https://s.gravatar.com/avatar/{mailbox}?s=480&r=pg",
    }


def _updated_at(user: User, policy: Policy) -> object:
    if policy.updated_at == "number":
        return user.updated_at
    return datetime.fromtimestamp(user.updated_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
