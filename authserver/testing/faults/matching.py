"""Whose request it is, and whether a fault is for it.

Done: RFC 6749 §4.1.3, §6, RFC 8628 §3.4, RFC 7009 §2.1, RFC 6750 §2.1 (what is presented, and what it hangs on).
Left out: people of other databases than the default one at `login`, before they are logged in.

Nothing is decided here but that: the rooms find the same rows once more, and judge them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import anyio.to_thread
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authserver import authorization_request, interactions, sessions
from authserver.errors import ProtocolError
from authserver.messages import AuthorizationRequest, Params, Request
from authserver.store import device_codes, issued
from authserver.store.registered import find_user_by_name
from authserver.tenant import Tenant
from authserver.testing.exchange import Asked
from authserver.testing.faults.kept import Fault, Faults
from authserver.testing.faults.kinds import Error, Order

_PROBES = ("/healthz", "/readyz", "/metrics")
"""Machines ask here all day, on nobody's behalf."""

_WITH_INTERACTION = ("authorize", "login", "consent", "signup")


@dataclass(frozen=True, slots=True)
class About:
    """`callback`: the authorization request whose client has asked properly and can be answered by a redirect."""

    client_ids: frozenset[str] = frozenset()
    user_ids: frozenset[str] = frozenset()
    grant_ids: frozenset[str] = frozenset()
    callback: AuthorizationRequest | None = None


async def take(faults: Faults, asked: Asked, cookies: Mapping[str, str], tenant: Tenant) -> tuple[Fault, About] | None:
    """The fault that this request meets, if any. Only when one could be meant is the body read and the database asked.

    A preflight meets none: a browser sends it on its own account (Fetch standard, §4.8).
    """
    near = [each for each in faults.all() if not each.is_spent and _is_at(each.order, asked)]
    if not near or asked.method == "OPTIONS":
        return None
    await asked.read_ahead()
    about = About()
    if any(each.order.is_particular or _wants_callback(each.order) for each in near):
        about = await anyio.to_thread.run_sync(look_up, asked, cookies, tenant)
    taken = faults.take(each for each in near if _is_for(each.order, asked, about))
    return (taken, about) if taken else None


def look_up(asked: Asked, cookies: Mapping[str, str], tenant: Tenant) -> About:
    """What the database tells of a request whose body has been read."""
    request = Request(asked.method, Params(asked.query), Params(asked.form), cookies=cookies)
    try:
        callback, interaction = _authorization(asked, request, tenant)
        with tenant.database.read() as db:
            hanging_on = list(_presented(db, asked))
            session = sessions.current(db, request, tenant)
            named = asked.parameters.get("username") if asked.endpoint == "login" else None
            user = find_user_by_name(db, named) if named else None
    except DBAPIError:  # the tenant was dropped meanwhile, or the database is busy: the rooms say so in their own words
        return About()
    clients = [asked.client_id, interaction.client_id if interaction else None, *(each[0] for each in hanging_on)]
    users = [user.user_id if user else None, *(each[1] for each in hanging_on)]
    if session and asked.endpoint in ("authorize", "consent"):
        users.append(session.user_id)
    grants = [each[2] for each in hanging_on]
    return About(_known(clients), _known(users), _known(grants), callback)


def _authorization(
    asked: Asked, request: Request, tenant: Tenant
) -> tuple[AuthorizationRequest | None, AuthorizationRequest | None]:
    """Where an answer can be sent, and what this browser has begun."""
    try:
        if asked.path == "/authorize":
            with tenant.database.read() as db:
                return authorization_request.validate(request.query + request.body, db, tenant), None
        if asked.endpoint in _WITH_INTERACTION:
            state = request.query.opaque("state") or request.body.opaque("state")
            begun = interactions.find(request, state, tenant)
            resumed = asked.endpoint == "authorize" and begun.device is None
            return begun.request if resumed else None, begun.request
    except (ProtocolError, authorization_request.Refused):
        pass  # the rooms will say why
    return None, None


def _presented(db: Connection, asked: Asked) -> Iterator[tuple[str, str | None, str | None]]:
    """Client, person and grant of each code or token that came along."""
    given = asked.parameters
    grants: list[issued.Grant] = []
    if code := given.get("code"):
        grants += [found[1] for found in [issued.find_code(db, issued.digest(code))] if found]
    for refresh in filter(None, (given.get("refresh_token"), given.get("token"))):
        grants += [found[1] for found in [issued.find_refresh_token(db, issued.digest(refresh))] if found]
    for access in filter(None, (asked.bearer, given.get("token"))):
        grants += [grant for _, grant in issued.find_access_token(db, issued.digest(access))]
    for grant in grants:
        yield grant.client_id, grant.user_id, grant.grant_id
    if device_code := given.get("device_code"):
        device = device_codes.find(db, issued.digest(device_code))
        if device is not None:
            yield device.client_id, device.user_id, device.grant_id


def _is_at(order: Order, asked: Asked) -> bool:
    if order.endpoint is None:
        is_unnamed = asked.endpoint is None and asked.path not in _PROBES
        return asked.endpoint in order.SENSE or (is_unnamed and order.SENSE is Order.SENSE)
    return bool(order.endpoint == asked.endpoint)


def _wants_callback(order: Order) -> bool:
    return isinstance(order, Error) and order.endpoint == "authorize"


def _is_for(order: Order, asked: Asked, about: About) -> bool:
    return (
        order.client_id in (None, *about.client_ids)
        and order.user_id in (None, *about.user_ids)
        and order.grant_id in (None, *about.grant_ids)
        and order.grant_type in (None, asked.parameters.get("grant_type"))
        and (about.callback is not None or not _wants_callback(order))
    )


def _known(values: list[str | None]) -> frozenset[str]:
    return frozenset(each for each in values if each)
