"""Custom claims: what an Action may add to a token, and what is silently left out, as Auth0 leaves it out.

A restricted name is ignored and never overwrites: the protocol's claims are the server's. Profile claims may be set
for the ID token, where the granted scope still decides whether they are said.
"""

import json
from typing import Any
from urllib.parse import urlsplit

_RESTRICTED = """
    acr act active amr at_hash ath attest aud auth_time authorization_details azp c_hash client_id cnf cty dest
    entitlements events exp groups gty htm htu iat internalService iss jcard jku jti jwe jwk kid may_act mky nbf nonce
    object_id org_id org_name orig origid permissions roles rph s_hash scope sid sub sub_jwk toe txn typ uuid vot vtm
    x5t#S256
"""
_PROFILE = """
    name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate
    zoneinfo locale updated_at email email_verified address phone_number phone_number_verified
"""

RESTRICTED = frozenset(_RESTRICTED.split())
PROFILE = frozenset(_PROFILE.split())
"""OpenID Connect Core §5.1: the person's, so an access token does not get them without a namespace."""

LARGEST = 100_000
"""Bytes of JSON that all custom claims of one token may take."""

_OCCUPIED = ("auth0.com", "webtask.io", "webtask.run")


def is_ignored(name: str, token: str) -> bool:
    """Whether a claim of this name is left out of `token`, `id_token` or `access_token`."""
    if name in RESTRICTED or name.startswith(("sip_", "urn:auth0")):
        return True
    if token == "access_token" and name in PROFILE:
        return True
    try:
        host = urlsplit(name).hostname or ""
    except ValueError:
        return True
    return any(host == each or host.endswith("." + each) for each in _OCCUPIED)


def checked(value: Any) -> Any:
    """`value` as JSON will say it. Raises ValueError for what JSON cannot say."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"a claim must be JSON: {error}") from None


def check_size(claims: dict[str, Any]) -> None:
    """Raises ValueError beyond LARGEST."""
    if len(json.dumps(claims).encode()) > LARGEST:
        raise ValueError(f"custom claims of one token must stay under {LARGEST} bytes")
