"""Activation: where a person enters the code that a device shows, and decides about that device.

Done: RFC 8628 §3.3, §3.3.1 (also with the code in the address nothing happens unasked), §5.1 (guessing is braked),
§5.3, §5.4 (the page says who asked, when and from where) · RFC 6749 §10.12 (one browser, one person).

Code → page about the device → login, where nobody is logged in, and back to the page → decision. The code belongs to
the browser that entered it first and, once somebody is logged in there, to that person. It travels in the `state`,
since the server keeps a digest of it alone.
"""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from authserver import attempts, interactions, personalising, sessions
from authserver.actions.outcome import Outcome
from authserver.endpoints import Endpoint, Room
from authserver.errors import DeviceCodeLost, InteractionLost, LoginDenied, NotThisBrowser
from authserver.events import DeviceActivationFailed, DeviceApproved, DeviceCancelled, Event
from authserver.interactions import Interaction
from authserver.messages import Answer, AuthorizationRequest, Cookie, Page, Redirect, Request, is_text
from authserver.rules import user_codes
from authserver.rules.consent import sentences
from authserver.sessions import LoginSession
from authserver.store import device_codes, issued, journal, once
from authserver.store.device_codes import DeviceCode
from authserver.store.issued import Grant, digest
from authserver.store.registered import find_client, find_resource_server, find_tenant_setting, find_user
from authserver.tenant import Tenant

WRONG_CODE = "The code is invalid. Compare it with your device, or start again there: codes last a quarter of an hour."
TOO_MANY = "Too many wrong codes were entered. Please wait a quarter of an hour."


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


def code_page(request: Request, tenant: Tenant) -> Answer:
    """The form, with the code of the address in it. Looking at it changes nothing."""
    browser, cookies = interactions.browser_of(request, tenant)
    return _form(request.query.opaque("user_code"), browser, cookies)


def enter(request: Request, tenant: Tenant) -> Answer:
    """Look the code up, and claim it for this browser."""
    interactions.same_origin(request, tenant)
    browser = request.cookies.get(tenant.cookie_name("browser"))
    sent = (request.body.opaque("state") or "").encode("utf-8", "surrogatepass")
    if browser is None or not hmac.compare_digest(_token(browser).encode(), sent):
        raise NotThisBrowser
    typed = request.body.opaque("user_code") or ""
    if not attempts.reserve_user_code(request, tenant):
        tenant.record(DeviceActivationFailed(reason="too many attempts"))
        return _form(typed, browser, (), error=TOO_MANY, status=429)
    code = user_codes.canonical(typed)
    device = _claimed(request, browser, code, tenant)
    if device is None:
        tenant.record(DeviceActivationFailed(reason="wrong code"))
        return _form(typed, browser, (), error=WRONG_CODE)
    asked = AuthorizationRequest(
        client_id=device.client_id,
        redirect_uri=tenant.url("/activate"),
        response_mode="query",
        scope=tuple(device.scope.split()),
        audience=device.audience,
    )
    _, state, cookies = interactions.begin(request, asked, tenant, device=device.digest, told=f".{code}")
    return Redirect(_page_about(state, tenant), cookies)


def _claimed(request: Request, browser: str, code: str, tenant: Tenant) -> DeviceCode | None:
    """The device of this code, unless it is over, decided, or somebody else's."""
    with tenant.database.read() as db:
        device = device_codes.find_by_user_code(db, digest(code))
        session = sessions.current(db, request, tenant)
    if device is None:
        return None
    with tenant.database.write() as db:
        user_id = session.user_id if session else None
        if not once.claim_device_code(db, device.digest, digest(browser), user_id, tenant.now()):
            return None
        attempts.give_back_user_code(db, request)
    return device


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
        session = sessions.current(db, request, tenant)
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
        sessions.seen(db, session, now)
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


def _form(
    typed: str | None, browser: str, cookies: tuple[Cookie, ...], error: str | None = None, status: int = 400
) -> Page:
    shown = typed if typed and is_text(typed) and len(typed) <= user_codes.MOST else ""
    context = {"state": _token(browser), "user_code": shown, "error": error}
    return Page("activate.html", context, status=status if error else 200, cookies=cookies)


def _token(browser: str) -> str:
    """Proves that the form was shown to this browser; nobody can make it who does not know the cookie."""
    return digest(f"activate\n{browser}").hex()


def _page_about(state: str, tenant: Tenant) -> str:
    return tenant.url(f"/activate/confirm?state={state}")


ROOM = Room(
    endpoints=(
        Endpoint("/activate", {"GET": code_page, "POST": enter}, "person"),
        Endpoint("/activate/confirm", {"GET": confirm_page, "POST": confirm}, "person"),
    ),
)
