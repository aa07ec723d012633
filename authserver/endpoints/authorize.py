"""Authorization endpoint: the dispatcher of an interaction.

Done: RFC 6749 §3.1, §4.1.1, §4.1.2 · RFC 9207 · OpenID Connect Core §3.1.2 (prompt, max_age, auth_time) · RFC 9110
§9.2.1 (a safe method that merely looks ahead consumes nothing).
Left out: acr_values.

Login and consent pages record what happened and come back here; this room alone decides what comes next, and when the
answer leaves.
"""

import secrets
from dataclasses import replace

from authserver import authorization_request as checks
from authserver import interactions, personalising, sessions, trace
from authserver.actions.outcome import Outcome
from authserver.connections.database import database_for, options_of
from authserver.endpoints import Endpoint, Room
from authserver.errors import (
    AccessDenied,
    ActionFailed,
    ConsentRequired,
    InteractionLost,
    LoginDenied,
    LoginRequired,
    NotThisBrowser,
    OAuthError,
    UpstreamFailed,
    UpstreamUnavailable,
)
from authserver.events import AuthorizationDenied, AuthorizationGranted, ChallengeRepeated
from authserver.interactions import Interaction
from authserver.messages import Answer, AuthorizationRequest, Cookie, Redirect, Request
from authserver.rules import pkce
from authserver.rules.authorization_response import RESPONSE_MODES, respond
from authserver.rules.consent import needs_consent
from authserver.rules.redirects import form_target
from authserver.sessions import LoginSession
from authserver.store import issued, journal, once
from authserver.store.connections import admits, find_connection
from authserver.store.issued import AuthorizationCode, Grant
from authserver.store.registered import User, find_client, find_resource_server, find_user
from authserver.tenant import Tenant

_ENDINGS: dict[str, type[OAuthError]] = {
    "blocked": LoginDenied,
    "refused": AccessDenied,
    "unavailable": UpstreamUnavailable,
    "failed": UpstreamFailed,
}
"""How an interaction ends that can lead to no login any more, by its decision."""


def authorize(request: Request, tenant: Tenant) -> Answer:
    """Check the request, open an interaction for this browser, and take the first step."""
    try:
        with tenant.database.read() as db:
            asked = checks.validate(request.query + request.body, db, tenant)
            session = sessions.current(db, request, tenant)
    except checks.Refused as refused:
        return _respond(refused, _said(refused.error, tenant), tenant)
    interaction, state, cookies = interactions.begin(request, asked, tenant)
    return _next(request, interaction, state, session, tenant, cookies)


def resume(request: Request, tenant: Tenant) -> Answer:
    """Continue where login or consent left off."""
    state = request.query.opaque("state")
    interaction = interactions.find(request, state, tenant)
    if interaction.device is not None:
        return Redirect(tenant.url(f"/activate/confirm?state={state}"))
    with tenant.database.read() as db:
        session = sessions.current(db, request, tenant)
    # Whoever logged in or decided must be the one who goes on; the pre-login cookie alone opens nothing.
    if interaction.sid is not None and (session is None or session.sid != interaction.sid):
        raise NotThisBrowser
    return _next(request, interaction, state or "", session, tenant, ())


def _next(
    request: Request,
    interaction: Interaction,
    state: str,
    session: LoginSession | None,
    tenant: Tenant,
    cookies: tuple[Cookie, ...],
) -> Answer:
    asked = interaction.request
    silent = "none" in asked.prompt
    if ending := _ENDINGS.get(interaction.decision or ""):
        return _close(interaction, ending(), tenant, cookies)
    if session is None or _must_log_in_again(interaction, session, tenant):
        if silent:
            return _close(interaction, LoginRequired(), tenant, cookies)
        return Redirect(tenant.url(f"{_entrance(asked, tenant)}?state={state}"), cookies)
    if _is_blocked(session, tenant):
        return _close(interaction, LoginDenied(), tenant, cookies)
    if asked.expected_user not in (None, session.user_id) or interaction.decision == "deny":
        # Somebody else logged in than the application expects: for it, nobody said yes.
        return _close(interaction, AccessDenied(), tenant, cookies)
    if interaction.decision != "allow" and _must_ask(asked, session, tenant):
        if silent:
            return _close(interaction, ConsentRequired(), tenant, cookies)
        return Redirect(tenant.url(f"/u/consent?state={state}"), cookies)
    return _issue(request, interaction, session, tenant, cookies)


def _must_log_in_again(interaction: Interaction, session: LoginSession, tenant: Tenant) -> bool:
    asked = interaction.request
    if interaction.authenticated_at is not None:
        return False
    if {"login", "select_account"} & set(asked.prompt):
        return True
    if asked.expected_user not in (None, session.user_id):
        return True
    if _is_from_elsewhere(asked, session, tenant):
        return True
    return asked.max_age is not None and tenant.now() - session.auth_time >= asked.max_age


def _is_from_elsewhere(asked: AuthorizationRequest, session: LoginSession, tenant: Tenant) -> bool:
    """Whether this person came by another connection than the one that is asked for, or one that the client has not."""
    with tenant.database.read() as db:
        user = find_user(db, session.user_id)
        if user is None or asked.connection is not None:
            return user is not None and user.connection != asked.connection
        return not admits(db, user.connection, asked.client_id)


def _entrance(asked: AuthorizationRequest, tenant: Tenant) -> str:
    """What somebody sees first who is not logged in: the login page, the one to sign up, or somebody else's."""
    with tenant.database.read() as db:
        connection = find_connection(db, asked.connection) if asked.connection else None
        database = database_for(db, asked.client_id, asked.connection)
    if connection is not None and connection.is_upstream:
        return "/u/login/connection"
    may_sign_up = database is not None and not options_of(database).disable_signup
    return "/u/signup" if asked.screen_hint == "signup" and may_sign_up else "/u/login"


def _is_blocked(session: LoginSession, tenant: Tenant) -> bool:
    with tenant.database.read() as db:
        user = find_user(db, session.user_id)
    return user is None or user.blocked


def _must_ask(asked: AuthorizationRequest, session: LoginSession, tenant: Tenant) -> bool:
    with tenant.database.read() as db:
        client = find_client(db, asked.client_id)
        if client is None:
            raise InteractionLost
        api = find_resource_server(db, asked.audience) if asked.audience else None
        remembered = issued.live_grants(db, session.user_id, asked.client_id, asked.audience)
        return needs_consent(asked, client, api, remembered)


def _issue(
    request: Request, interaction: Interaction, session: LoginSession, tenant: Tenant, cookies: tuple[Cookie, ...]
) -> Answer:
    asked, now, code = interaction.request, tenant.now(), secrets.token_urlsafe(32)
    grant = Grant(
        grant_id=secrets.token_urlsafe(16),
        client_id=asked.client_id,
        user_id=session.user_id,
        audience=asked.audience,
        scope=" ".join(asked.scope),
        sid=session.sid,
        auth_time=session.auth_time,
        auth_time_asked=asked.max_age is not None or "login" in asked.prompt,
        created_at=now,
    )
    with tenant.database.read() as db:
        user = find_user(db, session.user_id)
    if user is None:
        raise InteractionLost
    try:
        outcome = personalising.at_login(request, asked, grant, user, tenant)
    except ActionFailed as failure:
        return _close(interaction, failure, tenant, cookies)
    if denied := personalising.refusal(outcome):
        return _close(interaction, denied, tenant, cookies, outcome, user)
    grant = replace(grant, claims=outcome.kept())
    row = AuthorizationCode(
        digest=issued.digest(code),
        grant_id=grant.grant_id,
        redirect_uri=asked.redirect_uri,
        code_challenge=asked.code_challenge,
        nonce=asked.nonce,
        expires_at=now + tenant.settings.code_lifetime,
    )
    with tenant.database.write() as db:
        if not once.spend_interaction(db, interaction.digest, now):
            raise InteractionLost
        if asked.code_challenge and issued.is_challenge_seen(db, asked.code_challenge):
            journal.record(db, now, ChallengeRepeated(asked.client_id, session.user_id, grant.grant_id))
        issued.add(db, grant, row)
        if not sessions.seen(db, session, now):
            raise NotThisBrowser
        personalising.settle(db, outcome, asked.client_id, user.user_id, tenant)
        journal.record(db, now, AuthorizationGranted(asked.client_id, session.user_id, grant.grant_id))
    return _respond(asked, {"code": code}, tenant, cookies)


def _close(
    interaction: Interaction,
    error: OAuthError,
    tenant: Tenant,
    cookies: tuple[Cookie, ...],
    outcome: Outcome | None = None,
    user: User | None = None,
) -> Answer:
    asked, now = interaction.request, tenant.now()
    with tenant.database.write() as db:
        if not once.spend_interaction(db, interaction.digest, now):
            raise InteractionLost
        if outcome and user:
            personalising.settle(db, outcome, asked.client_id, user.user_id, tenant)
        journal.record(db, now, AuthorizationDenied(asked.client_id, reason=type(error).__name__))
    return _respond(asked, _said(error, tenant), tenant, cookies)


def _said(error: OAuthError, tenant: Tenant) -> dict[str, str]:
    _, code, description = tenant.policy.say(error)
    trace.note_refusal(code, error)
    return {"error": code, "error_description": description}


def _respond(
    to: AuthorizationRequest | checks.Refused,
    params: dict[str, str],
    tenant: Tenant,
    cookies: tuple[Cookie, ...] = (),
) -> Answer:
    """RFC 9207 §2: whatever is answered, `iss` says by whom."""
    said = {**params, "state": to.state, "iss": tenant.issuer}
    target = form_target(to.redirect_uri)
    return respond(to.redirect_uri, to.response_mode, said, form_target=target, cookies=cookies)


def _metadata(tenant: Tenant) -> dict[str, object]:
    return {
        "authorization_endpoint": tenant.url("/authorize"),
        "response_types_supported": list(checks.RESPONSE_TYPES),
        "response_modes_supported": list(RESPONSE_MODES),
        "code_challenge_methods_supported": list(pkce.METHODS),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": list(checks.PROMPTS),
    }


ROOM = Room(
    endpoints=(
        Endpoint("/authorize", {"GET": authorize, "POST": authorize}, "person"),
        Endpoint("/authorize/resume", {"GET": resume}, "person"),
    ),
    metadata=_metadata,
)
