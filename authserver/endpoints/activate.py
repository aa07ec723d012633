"""Activation: where a person enters the code that a device shows.

Done: RFC 8628 §3.3, §3.3.1 (also with the code in the address nothing happens unasked), §5.1 (guessing is braked) · RFC
6749 §10.12 (the form was shown to this browser).

Code → page about the device (`activate_confirm`) → login, where nobody is logged in, and back to the page → decision.
The code belongs to the browser that entered it first and, once somebody is logged in there, to that person. It travels
in the `state`, since the server keeps a digest of it alone.
"""

import hmac

from authserver import attempts, interactions, sessions
from authserver.endpoints import Endpoint, Room
from authserver.errors import InvalidRequest, NotThisBrowser
from authserver.events import DeviceActivationFailed
from authserver.messages import Answer, AuthorizationRequest, Cookie, Page, Redirect, Request, is_text
from authserver.rules import user_codes
from authserver.store import device_codes, once
from authserver.store.device_codes import DeviceCode
from authserver.store.issued import digest
from authserver.tenant import Tenant

WRONG_CODE = "The code is invalid. Compare it with your device, or start again there: codes last a quarter of an hour."
TOO_MANY = "Too many wrong codes were entered. Please wait a quarter of an hour."


def code_page(request: Request, tenant: Tenant) -> Answer:
    """The form, with the code of the address in it. Looking at it changes nothing."""
    browser, cookies = interactions.browser_of(request, tenant)
    return _form(request.query.opaque("user_code"), browser, cookies)


def enter(request: Request, tenant: Tenant) -> Answer:
    """Look the code up, and claim it for this browser."""
    interactions.same_origin(request, tenant)
    if request.body.repeated:
        raise InvalidRequest("A parameter was sent more than once.")
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
    return Redirect(tenant.url(f"/activate/confirm?state={state}"), cookies)


def _claimed(request: Request, browser: str, code: str, tenant: Tenant) -> DeviceCode | None:
    """The device of this code, unless it is over, decided, or somebody else's."""
    with tenant.database.read() as db:
        device = device_codes.find_by_user_code(db, digest(code))
        session = sessions.current_for(db, request, device.client_id, tenant) if device else None
    if device is None:
        return None
    with tenant.database.write() as db:
        user_id = session.user_id if session else None
        if not once.claim_device_code(db, device.digest, digest(browser), user_id, tenant.now()):
            return None
        attempts.give_back_user_code(db, request)
    return device


def _form(
    typed: str | None, browser: str, cookies: tuple[Cookie, ...], error: str | None = None, status: int = 400
) -> Page:
    shown = typed if typed and is_text(typed) and len(typed) <= user_codes.MOST else ""
    context = {"state": _token(browser), "user_code": shown, "error": error}
    return Page("activate.html", context, status=status if error else 200, cookies=cookies)


def _token(browser: str) -> str:
    """Proves that the form was shown to this browser; nobody can make it who does not know the cookie."""
    return digest(f"activate\n{browser}").hex()


ROOM = Room(endpoints=(Endpoint("/activate", {"GET": code_page, "POST": enter}, "person"),))
