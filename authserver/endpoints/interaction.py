"""Interaction pages: login and consent.

Done: RFC 6749 §10.12 (one browser, one interaction; Origin checked) · RFC 9700 §4.16 (never framed) · RFC 8252 §8.6
(the page names the real receiver) · OpenID Connect Core §3.1.2.3, §3.1.2.4 (login_hint, consent).
Left out: sign-up, password reset, other factors.

Every page is a plain form that posts back to the URL that was asked; a mistake is shown there, in the element `error`.
"""

from urllib.parse import urlsplit

from sqlalchemy import Connection

from authserver import attempts, interactions, sessions
from authserver.endpoints import Endpoint, Room
from authserver.errors import InteractionLost, NotThisBrowser
from authserver.events import LoginFailed, LoginSucceeded
from authserver.interactions import Interaction
from authserver.messages import Answer, Cookie, Page, Redirect, Request, is_text
from authserver.passwords import verify_password
from authserver.rules.consent import sentences
from authserver.rules.redirects import form_target, is_verifiable
from authserver.sessions import LoginSession
from authserver.store import journal, people
from authserver.store.registered import (
    User,
    find_client,
    find_resource_server,
    find_user,
    find_user_by_name,
)
from authserver.tenant import Tenant

WRONG_CREDENTIALS = "Wrong email or password."


def login_page(request: Request, tenant: Tenant) -> Answer:
    """The form."""
    state = request.query.opaque("state")
    interaction = interactions.find(request, state, tenant)
    return _login_form(interaction, state, interaction.request.login_hint, tenant)


def login(request: Request, tenant: Tenant) -> Answer:
    """Check the password; a right one opens a new session and leads back to the dispatcher."""
    interactions.same_origin(request, tenant)
    state = request.body.opaque("state")
    interaction = interactions.find(request, state, tenant)
    username, password = request.body.opaque("username") or "", request.body.opaque("password") or ""
    with tenant.database.read() as db:
        user = find_user_by_name(db, username) if is_text(username) else None
    if not attempts.reserve(request, username, user, tenant):
        # The same words as for a wrong password: whether the account exists, or the guess was right, stays unsaid.
        tenant.record(LoginFailed(interaction.request.client_id, reason="too many attempts"))
        return _login_form(interaction, state, username, tenant, error=WRONG_CREDENTIALS, status=429)
    if not verify_password(user.password_hash if user else None, password) or user is None:
        reason = "wrong password" if user else "unknown user"
        tenant.record(LoginFailed(interaction.request.client_id, user.user_id if user else None, reason=reason))
        return _login_form(interaction, state, username, tenant, error=WRONG_CREDENTIALS)
    attempts.clear(request, username, tenant)
    return _logged_in(request, interaction, state, user, tenant)


def _logged_in(request: Request, interaction: Interaction, state: str | None, user: User, tenant: Tenant) -> Answer:
    client_id, now = interaction.request.client_id, tenant.now()
    with tenant.database.write() as db:
        if user.blocked:
            # Only who knows the password learns that the account is blocked, and the application is told.
            interactions.authenticated(db, interaction, None, now, decision="blocked")
            journal.record(db, now, LoginFailed(client_id, user.user_id, reason="blocked"))
            cookies: tuple[Cookie, ...] = ()
        else:
            session, cookie = sessions.start(db, request, user, tenant)
            interactions.authenticated(db, interaction, session.sid, now)
            people.logged_in(db, user.user_id, now)
            journal.record(db, now, LoginSucceeded(client_id, user.user_id))
            cookies = (cookie,)
    return Redirect(tenant.url(f"/authorize/resume?state={state}"), cookies)


def consent_page(request: Request, tenant: Tenant) -> Answer:
    """Who asks, for what, and where the answer would go."""
    state = request.query.opaque("state")
    with tenant.database.read() as db:
        interaction, session = _decider(db, request, state, tenant)
        asked = interaction.request
        client = find_client(db, asked.client_id)
        api = find_resource_server(db, asked.audience) if asked.audience else None
        user = find_user(db, session.user_id)
    if client is None or user is None:
        raise InteractionLost
    context = {
        "state": state,
        "client": client,
        "account": user.profile.get("email", user.user_id),
        "receiver": _receiver(asked.redirect_uri),
        "verifiable": is_verifiable(asked.redirect_uri),
        "permissions": sentences(asked.scope, api),
        "api": api,
    }
    return Page("consent.html", context, form_targets=(form_target(asked.redirect_uri),))


def consent(request: Request, tenant: Tenant) -> Answer:
    """Record the decision about what the server stored; nothing else in the form counts."""
    interactions.same_origin(request, tenant)
    state = request.body.opaque("state")
    with tenant.database.read() as db:
        interaction, session = _decider(db, request, state, tenant)
    decision = "allow" if request.body.opaque("action") == "default" else "deny"
    with tenant.database.write() as db:
        interactions.decided(db, interaction, session.sid, decision)
    return Redirect(tenant.url(f"/authorize/resume?state={state}"))


def _decider(db: Connection, request: Request, state: str | None, tenant: Tenant) -> tuple[Interaction, LoginSession]:
    interaction = interactions.find(request, state, tenant)
    session = sessions.current(db, request, tenant)
    if session is None or (interaction.sid is not None and interaction.sid != session.sid):
        raise NotThisBrowser
    return interaction, session


def _login_form(
    interaction: Interaction,
    state: str | None,
    username: str | None,
    tenant: Tenant,
    error: str | None = None,
    status: int = 400,
) -> Page:
    with tenant.database.read() as db:
        client = find_client(db, interaction.request.client_id)
    if client is None:
        raise InteractionLost
    context = {"state": state, "client": client, "username": _shown(username), "error": error}
    target = form_target(interaction.request.redirect_uri)
    return Page("login.html", context, status=status if error else 200, form_targets=(target,))


def _shown(username: str | None) -> str:
    return username if username and is_text(username) and len(username) <= 255 else ""


def _receiver(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in ("http", "https") else f"{parts.scheme}://"


ROOM = Room(
    endpoints=(
        Endpoint("/u/login", {"GET": login_page, "POST": login}, "person"),
        Endpoint("/u/consent", {"GET": consent_page, "POST": consent}, "person"),
    ),
)
