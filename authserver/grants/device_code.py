"""Device Authorization Grant: the device polls until somebody has decided.

Done: RFC 8628 §3.4, §3.5 (pending, slow_down with five seconds more, denied, expired), §5.2 (bound to the client, used
once) · RFC 6749 §4.1.2 in spirit (a code used twice revokes what it gave).

Which answer goes first: a code that is unknown, another client's, or used is told at once; then the pace counts,
whatever the state of the code; then its time; then the person's decision.
"""

from typing import NoReturn

from authserver.errors import (
    AuthorizationPending,
    BadDeviceCode,
    DeviceDenied,
    DeviceUserBlocked,
    ExpiredToken,
    MissingParameter,
    OAuthError,
    SlowDown,
)
from authserver.events import DeviceCodeExchanged, DeviceCodeRefused, DeviceCodeReplayed
from authserver.messages import TokenRequest, TokenResponse
from authserver.rules.scopes import check_target
from authserver.store import device_codes, issued, journal, once
from authserver.store.device_codes import DeviceCode
from authserver.store.issued import Grant
from authserver.store.registered import DEVICE_CODE as GRANT_TYPE
from authserver.store.registered import Client, User, find_user
from authserver.tenant import Tenant
from authserver.tokens import mint

__all__ = ["GRANT_TYPE", "exchange"]


def exchange(request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    """Redeem a device code. Raises AuthorizationPending, SlowDown, and refusals, each of which is an event."""
    presented = request.params.opaque("device_code")
    if presented is None:
        raise MissingParameter("device_code")
    try:
        return _redeem(issued.digest(presented), request, client, tenant)
    except (AuthorizationPending, SlowDown):
        raise
    except OAuthError as refusal:
        tenant.record(DeviceCodeRefused(client_id=client.client_id, reason=type(refusal).__name__))
        raise


def _redeem(of: bytes, request: TokenRequest, client: Client, tenant: Tenant) -> TokenResponse:
    now = tenant.now()
    with tenant.database.read() as db:
        code = device_codes.find(db, of)
    if code is None or code.client_id != client.client_id:
        raise BadDeviceCode
    if code.used_at is not None:
        _revoke_family(code, tenant, now)
    _keep_the_pace(code, tenant, now)
    if code.is_over(now):
        _expire(code, tenant, now)
    grant, user = _decided(code, tenant)
    check_target(request.params, grant.audience, tenant.policy)
    scope = tuple(grant.scope.split())
    with tenant.database.read() as db:
        minted = mint(db, tenant, client, user, grant, scope, now=now)

    with tenant.database.write() as db:
        won = once.spend_device_code(db, of, now)
        if won:
            issued.add(db, *minted.rows)
            if minted.response.refresh_token is not None:
                issued.revoke_surplus(db, grant, now)
            journal.record(db, now, DeviceCodeExchanged(client.client_id, grant.user_id, grant.grant_id))
    if not won:
        _revoke_family(code, tenant, now)
    return minted.response


def _keep_the_pace(code: DeviceCode, tenant: Tenant, now: int) -> None:
    """One answer for each interval, however many polls come at once; the moment is taken before anything is said."""
    with tenant.database.write() as db:
        in_time = once.reserve_device_poll(db, code.digest, now)
        if not in_time:
            device_codes.slow_down(db, code.digest)
    if not in_time:
        raise SlowDown(code.poll_interval)


def _expire(code: DeviceCode, tenant: Tenant, now: int) -> NoReturn:
    with tenant.database.write() as db:
        is_first = once.expire_device_code(db, code.digest, now)
    if is_first or tenant.policy.expired_device_code == "always":
        raise ExpiredToken
    raise BadDeviceCode


def _decided(code: DeviceCode, tenant: Tenant) -> tuple[Grant, User]:
    if code.decision is None:
        raise AuthorizationPending
    if code.decision == once.BLOCKED:
        raise DeviceUserBlocked
    if code.decision != once.ALLOW or code.grant_id is None:
        raise DeviceDenied
    with tenant.database.read() as db:
        grant = issued.find_grant(db, code.grant_id)
        user = find_user(db, grant.user_id) if grant else None
    if grant is None or grant.revoked_at is not None or user is None or user.blocked:
        raise BadDeviceCode
    return grant, user


def _revoke_family(code: DeviceCode, tenant: Tenant, now: int) -> NoReturn:
    """Two hold this code, and nobody can tell which of them is the device: nobody keeps what it gave."""
    if code.grant_id is not None:
        with tenant.database.write() as db:
            issued.revoke_grant(db, code.grant_id, now)
            journal.record(db, now, DeviceCodeReplayed(code.client_id, code.user_id, code.grant_id))
    raise BadDeviceCode
