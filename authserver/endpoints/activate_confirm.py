"""Confirmation: where a person decides about a device whose code was entered at `activate`.

Done: RFC 8628 §3.3, §5.3, §5.4 (the page says who asked, for what, when and from where) · RFC 6749 §10.12 (one
browser, one person, one decision).
Left out: an approval that is remembered. A device proves nothing about itself, so each one is asked about.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from authserver import interactions, personalising, sessions
from authserver.actions.outcome import Outcome
from authserver.endpoints import Endpoint, Room
from authserver.errors import DeviceCodeLost, InteractionLost, InvalidRequest, LoginDenied, NotThisBrowser
from authserver.events import DeviceActivationFailed, DeviceApproved, DeviceCancelled, Event
from authserver.interactions import Interaction
from authserver.messages import Answer, Page, Redirect, Request
from authserver.rules import user_codes
from authserver.rules.consent import sentences
from authserver.sessions import LoginSession
from authserver.store import device_codes, issued, journal, once
from authserver.store.device_codes import DeviceCode
from authserver.store.issued import Grant
from authserver.store.registered import find_client, find_resource_server, find_tenant_setting, find_user
from authserver.tenant import Tenant


@dataclass(frozen=True, slots=True)
class _Visit:
    """What is known when the page about a device is asked for."""

    interaction: Interaction
    state: str
    device: DeviceCode
    session: LoginSession | None

    @property
    def user_id(self) -> str | None:
        return self.session.user_id if self.session else None


def confirm_page(request: Request, tenant: Tenant) -> Answer:
    """Which device asks, for what; whoever is logged in when it is shown is the one who decides."""
    visit = _visit(request, request.query.opaque("state"), tenant)
    device, session = visit.device, visit.session
    if session and device.user_id is None:
        with tenant.database.write() as db:
            once.claim_device_code(db, device.digest, visit.interaction.browser_digest, session.user_id, tenant.now())
    with tenant.database.read() as db:
        client = find_client(db, device.client_id)
        api = find_resource_server(db, device.audience) if device.audience else None
        user = find_user(db, session.user_id) if session else None
        look = find_tenant_setting(db, "device_flow") or {}
    if client is None:
        raise InteractionLost
    context = {
        "state": visit.state,
        "client": client,
        "api": api,
        "account": user.profile.get("email", user.user_id) if user else None,
        "permissions": sentences(device.scope.split(), api),
        "user_code": user_codes.shown(visit.state.partition(".")[2], look.get("mask", user_codes.MASK)),
        "minutes": max(0, tenant.now() - device.issued_at) // 60,
        "at": datetime.fromtimestamp(device.issued_at, UTC),
        "source": device.source,
        "is_near": device.source == request.source[:64],
    }
    return Page("activate_confirm.html", context)


def confirm(request: Request, tenant: Tenant) -> Answer:
    """The decision. To allow takes somebody who is logged in; anything but an allowance declines."""
    interactions.same_origin(request, tenant)
    if request.body.repeated:
        raise InvalidRequest("A parameter was sent more than once.")
    visit = _visit(request, request.body.opaque("state"), tenant)
    if request.body.opaque("action") != "default":
        return _decline(visit, tenant)
    if visit.session is None:
        return Redirect(tenant.url(f"/u/login?state={visit.state}"))
    return _approve(request, visit, visit.session, tenant)


def _visit(request: Request, state: str | None, tenant: Tenant) -> _Visit:
    """Raises NotThisBrowser, DeviceCodeLost, and LoginDenied for somebody who is blocked."""
    interaction = interactions.find(request, state, tenant)
    if interaction.device is None or state is None:
        raise InteractionLost
    with tenant.database.read() as db:
        session = sessions.current_for(db, request, interaction.request.client_id, tenant)
        user = find_user(db, session.user_id) if session else None
        device = device_codes.find(db, interaction.device)
    # Whoever logged in on the way must be the one who goes on, and so must whoever claimed the code.
    if interaction.sid is not None and (session is None or session.sid != interaction.sid):
        raise NotThisBrowser
    if device is None or device.decision is not None or device.is_over(tenant.now()):
        raise DeviceCodeLost
    if session and device.user_id not in (None, session.user_id):
        raise NotThisBrowser
    visit = _Visit(interaction, state, device, session)
    if interaction.decision == once.BLOCKED or (session and (user is None or user.blocked)):
        blocked = DeviceActivationFailed(device.client_id, visit.user_id, reason="blocked")
        _refuse(visit, once.BLOCKED, blocked, tenant)
        raise LoginDenied
    return visit


def _approve(request: Request, visit: _Visit, session: LoginSession, tenant: Tenant) -> Answer:
    """The grant is made here, as for a code at /authorize, and Actions may change it or say no."""
    device, now = visit.device, tenant.now()
    grant = Grant(
        grant_id=secrets.token_urlsafe(16),
        client_id=device.client_id,
        user_id=session.user_id,
        audience=device.audience,
        scope=device.scope,
        sid=session.sid,
        auth_time=session.auth_time,
        auth_time_asked=False,
        created_at=now,
    )
    outcome = _personalised(request, visit, grant, tenant)
    grant = replace(grant, claims=outcome.kept())
    browser, digest_of = visit.interaction.browser_digest, device.digest
    with tenant.database.write() as db:
        issued.add(db, grant)  # the code refers to it; if the decision is lost, this is undone
        if not once.decide_device_code(db, digest_of, browser, session.user_id, now, once.ALLOW, grant.grant_id):
            raise DeviceCodeLost
        if not once.spend_interaction(db, visit.interaction.digest, now):
            raise InteractionLost
        if not sessions.seen(db, session, now):
            raise NotThisBrowser
        personalising.settle(db, outcome, device.client_id, session.user_id, tenant)
        journal.record(db, now, DeviceApproved(device.client_id, session.user_id, grant.grant_id))
    return _end(visit, tenant, is_allowed=True)


def _personalised(request: Request, visit: _Visit, grant: Grant, tenant: Tenant) -> Outcome:
    """Raises ActionDenied, which the person sees; the device hears that it was refused."""
    with tenant.database.read() as db:
        user = find_user(db, grant.user_id)
    if user is None:
        raise InteractionLost
    outcome = personalising.at_login(request, visit.interaction.request, grant, user, tenant, personalising.DEVICE)
    if denied := personalising.refusal(outcome):
        failed = DeviceActivationFailed(grant.client_id, user.user_id, reason="action")
        _refuse(visit, once.DENY, failed, tenant, outcome)
        raise denied
    return outcome


def _decline(visit: _Visit, tenant: Tenant) -> Answer:
    _refuse(visit, once.DENY, DeviceCancelled(visit.device.client_id, visit.user_id), tenant)
    return _end(visit, tenant, is_allowed=False)


def _refuse(visit: _Visit, choice: str, event: Event, tenant: Tenant, outcome: Outcome | None = None) -> None:
    browser, now = visit.interaction.browser_digest, tenant.now()
    with tenant.database.write() as db:
        if not once.decide_device_code(db, visit.device.digest, browser, visit.user_id, now, choice, None):
            raise DeviceCodeLost
        if outcome:
            personalising.settle(db, outcome, visit.device.client_id, visit.user_id, tenant)
        journal.record(db, now, event)


def _end(visit: _Visit, tenant: Tenant, *, is_allowed: bool) -> Page:
    with tenant.database.read() as db:
        client = find_client(db, visit.device.client_id)
    return Page("activate_done.html", {"client": client, "is_allowed": is_allowed})


ROOM = Room(endpoints=(Endpoint("/activate/confirm", {"GET": confirm_page, "POST": confirm}, "person"),))
