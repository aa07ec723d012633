"""Passwords: hashed with Argon2id, compared in the same time whether or not the user exists.

Done: RFC 9106 §4 (parameters after OWASP's second choice: 19 MiB, 2 passes, 1 lane).
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

LONGEST = 1024
"""Characters of a password that are looked at; more is refused, so that hashing cannot be made expensive."""


def hash_password(password: str) -> str:
    """An encoded Argon2id hash."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the right one. With None (no such user) the same work is done, and the answer is no."""
    if len(password) > LONGEST:
        return False
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
