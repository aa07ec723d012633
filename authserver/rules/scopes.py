"""Scopes and the API they are for.

Done: RFC 6749 §3.3 and §6 · OpenID Connect Core §3.1.2.1, §5.4, §11 · RFC 8707 §2 with a single resource.
Left out: several resources in one request (RFC 8707 §2.2).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from authserver.dialects import Policy
from authserver.errors import InvalidScope, InvalidTarget
from authserver.messages import Params
from authserver.store.registered import REFRESH_TOKEN, Client, ResourceServer

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
IDENTITY_SCOPES = (OPENID, "profile", "email", "phone", "address", OFFLINE_ACCESS)

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*")


def parse_scope(value: str | None) -> tuple[str, ...]:
    """The scope tokens, each once, in the order sent. Raises InvalidScope for anything outside RFC 6749 §3.3."""
    if value is None:
        return ()
    if len(value) > 4096 or not _SCOPE.fullmatch(value):
        raise InvalidScope
    return tuple(dict.fromkeys(value.split(" ")))


def grantable(
    requested: tuple[str, ...], client: Client, api: ResourceServer | None, policy: Policy
) -> tuple[str, ...]:
    """What of `requested` may be granted. Unknown values are dropped or refused, as the policy says.

    `offline_access` is dropped in every dialect where no refresh token could follow (OpenID Connect Core §11).
    """
    known = {*IDENTITY_SCOPES, *(api.scopes if api else ())}
    if policy.unknown_scope == "refuse" and not known.issuperset(requested):
        raise InvalidScope
    offline = client.may_use(REFRESH_TOKEN) and (api is None or api.allow_offline_access)
    return tuple(scope for scope in requested if scope in known and (scope != OFFLINE_ACCESS or offline))


def permitted(scope: Iterable[str], api: ResourceServer | None, permissions: Iterable[str]) -> tuple[str, ...]:
    """What of `scope` this person may have: where the API enforces its policies, its scopes need a permission each.

    RFC 6749 §3.3 leaves it to the server to grant less than was asked for; the answer's `scope` tells.
    """
    if api is None or not api.enforce_policies:
        return tuple(scope)
    allowed = {*IDENTITY_SCOPES, *permissions}
    return tuple(value for value in scope if value in allowed)


def personalised(scope: Iterable[str], claims: Mapping[str, Any] | None) -> tuple[str, ...]:
    """`scope` after the tenant's Actions, which may grant what nobody asked for and take what was permitted."""
    if not claims:
        return tuple(scope)
    removed, added = claims.get("removed", ()), claims.get("added", ())
    return tuple(dict.fromkeys([*(value for value in scope if value not in removed), *added]))


def check_target(params: Params, audience: str | None, policy: Policy) -> None:
    """RFC 8707 §2.2: a token request may repeat the grant's API, and name no other. Raises InvalidTarget."""
    if policy.resource_parameter and params.opaque("resource") not in (None, audience):
        raise InvalidTarget


def narrowed(requested: tuple[str, ...], granted: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """RFC 6749 §6: the scope of refreshed tokens; never wider than the grant, which itself stays as it is."""
    granted = tuple(granted)
    if not requested:
        return granted
    if policy.wider_scope_at_refresh == "refuse" and not set(granted).issuperset(requested):
        raise InvalidScope
    return tuple(scope for scope in requested if scope in granted)
