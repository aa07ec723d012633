"""Sign-up page: an account, a login, and on to the application.

Done: RFC 6749 §10.12 (one browser, one interaction; Origin checked) · RFC 9700 §4.16 (never framed).
Left out: user names besides the email address, and fields of an application's own.

Reached by a link on the login page, or at once with `screen_hint=signup` at the authorization endpoint.
"""

from authserver import attempts, interactions
from authserver.arrivals import arrive, onwards
from authserver.connections import sign_up
from authserver.connections.database import database_for, options_of
from authserver.connections.password_policy import explain
from authserver.connections.sign_up import Applicant
from authserver.database_errors import ConnectionNotServed, DatabaseError, SignUpDisabled
from authserver.endpoints import Endpoint, Room
from authserver.errors import InteractionLost, TooManyRequests
from authserver.events import SignUpFailed
from authserver.interactions import Interaction
from authserver.messages import Answer, Page, Request, is_text
from authserver.rules.redirects import form_target
from authserver.store.connections import Connection
from authserver.store.registered import find_client
from authserver.tenant import Tenant


def signup_page(request: Request, tenant: Tenant) -> Answer:
    """The form."""
    state = request.query.opaque("state")
    interaction = interactions.find(request, state, tenant)
    return _form(interaction, state, interaction.request.login_hint, _database(interaction, tenant), tenant)


def signup(request: Request, tenant: Tenant) -> Answer:
    """Make the account, open a session for it, and lead back to the dispatcher."""
    interactions.same_origin(request, tenant)
    state = request.body.opaque("state")
    interaction = interactions.find(request, state, tenant)
    database, client_id = _database(interaction, tenant), interaction.request.client_id
    email = request.body.opaque("username") or request.body.opaque("email") or ""
    applicant = Applicant(email, request.body.opaque("password") or "")
    if not attempts.may_ask(request, "sign-up", email, tenant):
        tenant.record(SignUpFailed(client_id, reason="too many requests"))
        return _form(interaction, state, email, database, tenant, error=TooManyRequests())
    try:
        user = sign_up.prepare(applicant, database, client_id, tenant)
    except DatabaseError as refused:
        return _form(interaction, state, email, database, tenant, error=refused)
    with tenant.database.write() as db:
        if sign_up.enter(db, user, client_id, tenant):
            return onwards(state, arrive(db, request, interaction, user, tenant), tenant)
    return _form(interaction, state, email, database, tenant, error=sign_up.taken(tenant))


def _database(interaction: Interaction, tenant: Tenant) -> Connection:
    with tenant.database.read() as db:
        database = database_for(db, interaction.request.client_id, interaction.request.connection)
    if database is None:
        raise ConnectionNotServed
    if options_of(database).disable_signup:
        raise SignUpDisabled
    return database


def _form(
    interaction: Interaction,
    state: str | None,
    email: str | None,
    database: Connection,
    tenant: Tenant,
    error: DatabaseError | TooManyRequests | None = None,
) -> Page:
    with tenant.database.read() as db:
        client = find_client(db, interaction.request.client_id)
    if client is None:
        raise InteractionLost
    status, _, description = tenant.policy.say(error) if error else (200, "", "")
    context = {
        "state": state,
        "client": client,
        "username": email if email and is_text(email) and len(email) <= 255 else "",
        "error": description,
        "policy": explain(options_of(database)).splitlines(),
    }
    return Page("signup.html", context, status, form_targets=(form_target(interaction.request.redirect_uri),))


ROOM = Room(endpoints=(Endpoint("/u/signup", {"GET": signup_page, "POST": signup}, "person"),))
