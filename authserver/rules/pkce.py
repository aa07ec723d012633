"""Proof Key for Code Exchange.

Done: RFC 7636 §4.1, §4.2, §4.3, §4.6 with S256 · RFC 9700 §2.1.1 and §4.8 (no downgrade, in both directions).
Left out on purpose: `plain` (RFC 9700 §2.1.1), in every dialect.
"""

import base64
import hashlib
import hmac
import re

from authserver.errors import BadVerifier, InvalidRequest, MissingParameter

METHODS = ("S256",)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url has exactly this form
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def s256(code_verifier: str) -> str:
    """BASE64URL(SHA256(ASCII(code_verifier))), RFC 7636 §4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def check_challenge(challenge: str | None, method: str | None, *, required: bool) -> None:
    """At the authorization endpoint.

    Raises InvalidRequest unless the pair is a well-formed S256 challenge, or absent and not required.
    """
    if challenge is None and method is None:
        if required:
            raise MissingParameter("code_challenge")
        return
    if challenge is None:
        raise MissingParameter("code_challenge")
    if method not in METHODS:
        # An absent method means plain (RFC 7636 §4.3), which is refused like any other.
        raise InvalidRequest("code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be the base64url form of a SHA-256 hash: 43 characters, no padding.")


def is_wellformed(code_verifier: str) -> bool:
    """RFC 7636 §4.1."""
    return _VERIFIER.fullmatch(code_verifier) is not None


def check_verifier(challenge: str | None, verifier: str | None) -> None:
    """At the token endpoint. Raises BadVerifier unless verifier and challenge belong together, or both are absent."""
    if challenge is None and verifier is None:
        return
    if challenge is None or verifier is None or not is_wellformed(verifier):
        raise BadVerifier
    if not hmac.compare_digest(s256(verifier), challenge):
        raise BadVerifier
