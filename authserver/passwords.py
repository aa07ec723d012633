"""Passwords: hashed with Argon2id, compared in the same time whether or not the user exists.

Done: RFC 9106 §4 (parameters after OWASP's second choice: 19 MiB, 2 passes, 1 lane).
Left out: equal times for bcrypt hashes that came from elsewhere; until its first login here such an account can be
told apart by how long a wrong password takes.

bcrypt looks at 72 bytes and may stop at NUL: a longer password is refused where such a hash stands, because its tail
would count for nothing.
"""

import re
import secrets
from functools import cache

import bcrypt
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# 2x marks hashes of a defective implementation; more rounds than 2^14 would be a way to keep the server busy.
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}")
_BCRYPT_BYTES = 72

LONGEST = 1024
"""Characters of a password that are looked at; more is refused, so that hashing cannot be made expensive."""


def hash_password(password: str) -> str:
    """An encoded Argon2id hash."""
    return _HASHER.hash(_bytes(password))


def is_hash(password_hash: str) -> bool:
    """Whether a password could be verified against this: Argon2, or bcrypt as others export it."""
    if _BCRYPT.fullmatch(password_hash):
        return True
    try:
        extract_parameters(password_hash)
    except InvalidHashError:
        return False
    return True


def needs_rehash(password_hash: str) -> bool:
    """Whether a hash that just verified should be replaced: another scheme, or other parameters than ours."""
    return not password_hash.startswith("$argon2id$") or _HASHER.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    """Of a password that nobody knows, not even a reader of this file."""
    return hash_password(secrets.token_urlsafe(32))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether `password` is the right one.

    With None (no such user), or with what is no hash (someone who has no password here), the same work is done and
    the answer is no.
    """
    if len(password) > LONGEST:
        return False
    presented = _bytes(password)
    if password_hash and _BCRYPT.fullmatch(password_hash):
        whole = len(presented) <= _BCRYPT_BYTES and b"\0" not in presented
        return bcrypt.checkpw(presented[:_BCRYPT_BYTES], password_hash.encode()) and whole
    is_usable = password_hash is not None and is_hash(password_hash)
    try:
        _HASHER.verify(password_hash if password_hash and is_usable else _nobodys_hash(), presented)
    except (VerificationError, InvalidHashError):
        return False
    return is_usable


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
