"""Dialects: the manner of an answer, never a protection.

A `Policy` is frozen and passed as an argument, like the clock. Rooms ask `policy.unknown_scope`, never which dialect
it is.
"""

from authserver.dialects.auth0 import AUTH0
from authserver.dialects.policy import Policy, Wording
from authserver.dialects.rfc import RFC

POLICIES = {policy.name: policy for policy in (AUTH0, RFC)}

__all__ = ["POLICIES", "Policy", "Wording"]
