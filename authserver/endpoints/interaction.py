"""Interaction pages: login and consent.

Done: RFC 6749 §10.12 (one browser, one interaction; Origin checked) · RFC 9700 §4.16 (never framed) · RFC 8252 §8.6
(the page names the real receiver) · OpenID Connect Core §3.1.2.3, §3.1.2.4 (login_hint, consent).
Left out: other factors.

Every page is a plain form that posts back to the URL that was asked; a mistake is shown there, in the element `error`.
"""

from urllib.parse import urlsplit

from sqlalchemy import Connection

from authserver import attempts, interactions, sessions
from authserver.arrivals import arrive, onwards
from authserver.connections.database import database_for, options_of
from authserver.endpoints import Endpoint, Room
from authserver.errors import InteractionLost, NotThisBrowser
from authserver.events import LoginFailed
from authserver.interactions import Interaction
from authserver.messages import Answer, Page, Redirect, Request, is_text
from authserver.passwords import hash_password, needs_rehash, verify_password
from authserver.rules.consent import sentences
from authserver.rules.redirects import form_target, is_verifiable
from authserver.sessions import LoginSession
from authserver.store.accounts import confirm_password
from authserver.store.connections import connections_of
from authserver.store.registered import (
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
        database = database_for(db, interaction.request.client_id, interaction.request.connection)
        user = find_user_by_name(db, username, database.name) if database and is_text(username) else None
    if not attempts.reserve(request, username, user, tenant):
        # The same words as for a wrong password: whether the account exists, or the guess was right, stays unsaid.
        tenant.record(LoginFailed(interaction.request.client_id, reason="too many attempts"))
        return _login_form(interaction, state, username, tenant, error=WRONG_CREDENTIALS, status=429)
    if not verify_password(user.password_hash if user else None, password) or user is None:
        reason = "wrong password" if user else "unknown user"
        tenant.record(LoginFailed(interaction.request.client_id, user.user_id if user else None, reason=reason))
        return _login_form(interaction, state, username, tenant, error=WRONG_CREDENTIALS)
    attempts.clear(request, username, tenant)
    keep = hash_password(password) if needs_rehash(user.password_hash) else user.password_hash
    with tenant.database.write() as db:
        if confirm_password(db, user, keep):
            return onwards(state, arrive(db, request, interaction, user, tenant), tenant)
    # Somebody chose a new password while this one was looked at.
    tenant.record(LoginFailed(interaction.request.client_id, user.user_id, reason="password changed meanwhile"))
    return _login_form(interaction, state, username, tenant, error=WRONG_CREDENTIALS)


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
        database = database_for(db, interaction.request.client_id, interaction.request.connection)
        sources = connections_of(db, interaction.request.client_id)
    if client is None:
        raise InteractionLost
    asked = interaction.request.connection
    elsewhere = [source for source in sources if source.is_upstream and asked in (None, source.name)]
    context = {
        "state": state,
        "client": client,
        "username": _shown(username),
        "error": error,
        "database": database,
        "signup": database and not options_of(database).disable_signup,
        "elsewhere": elsewhere,
    }
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
