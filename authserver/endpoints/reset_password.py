"""Reset pages: asking for a link by mail, and choosing a new password with it.

Done: OWASP Forgot Password (one answer for known and unknown names) · RFC 6749 §10.12 (Origin checked) · RFC 9110
§9.2.1 (opening the link uses nothing up; a link preview may have done so before).

Whoever chooses a new password is not logged in by that: the next login shows who they are.
"""

from authserver import interactions
from authserver.connections import new_password
from authserver.connections.database import database_for, options_of
from authserver.connections.new_password import Offer
from authserver.connections.password_policy import explain
from authserver.database_errors import PasswordRefused
from authserver.endpoints import Endpoint, Room
from authserver.errors import InteractionLost
from authserver.interactions import Interaction
from authserver.messages import Answer, Page, Request, is_text
from authserver.store.registered import find_client
from authserver.tenant import Tenant


def request_page(request: Request, tenant: Tenant) -> Answer:
    """For which account?"""
    state = request.query.opaque("state")
    interaction = interactions.find(request, state, tenant)
    return _request_form(interaction, state, _text(interaction.request.login_hint), tenant)


def request_link(request: Request, tenant: Tenant) -> Answer:
    """The same page for everybody: if there is such an account, a mail is on its way."""
    interactions.same_origin(request, tenant)
    state = request.body.opaque("state")
    interaction = interactions.find(request, state, tenant)
    email, asked = _text(request.body.opaque("username") or request.body.opaque("email")), interaction.request
    if "@" not in email:
        return _request_form(interaction, state, email, tenant, error="Please give an email address.")
    with tenant.database.read() as db:
        database = database_for(db, asked.client_id, asked.connection)
    new_password.ask(request, email, database, asked.client_id, tenant)
    return Page("reset_password_sent.html", {"state": state, "email": email})


def choose_page(request: Request, tenant: Tenant) -> Answer:
    """The form for a new password, as long as the link is good."""
    ticket = request.query.opaque("ticket")
    return _choose_form(new_password.follow(ticket, tenant), ticket)


def choose(request: Request, tenant: Tenant) -> Answer:
    """Change it. A refused password leaves the link as it is."""
    interactions.same_origin(request, tenant)
    ticket = request.body.opaque("ticket")
    offer = new_password.follow(ticket, tenant)
    password, again = request.body.opaque("password") or "", request.body.opaque("password-again")
    if again is not None and again != password:
        return _choose_form(offer, ticket, error="The two passwords differ.")
    try:
        new_password.choose(offer, password, tenant)
    except PasswordRefused as refused:
        return _choose_form(offer, ticket, error=tenant.policy.say(refused)[2])
    return Page("reset_password_done.html")


def _request_form(
    interaction: Interaction, state: str | None, email: str, tenant: Tenant, error: str | None = None
) -> Page:
    with tenant.database.read() as db:
        client = find_client(db, interaction.request.client_id)
    if client is None:
        raise InteractionLost
    context = {"state": state, "client": client, "username": email, "error": error}
    return Page("reset_password_request.html", context, status=400 if error else 200)


def _choose_form(offer: Offer, ticket: str | None, error: str | None = None) -> Page:
    context = {
        "ticket": ticket,
        "account": offer.ticket.email,
        "error": error,
        "policy": explain(options_of(offer.database)).splitlines(),
    }
    return Page("reset_password.html", context, status=400 if error else 200)


def _text(typed: str | None) -> str:
    return typed if typed and is_text(typed) and len(typed) <= 255 else ""


ROOM = Room(
    endpoints=(
        Endpoint("/u/reset-password/request", {"GET": request_page, "POST": request_link}, "person"),
        Endpoint("/u/reset-password", {"GET": choose_page, "POST": choose}, "person"),
    ),
)
