"""Arrivals: somebody has just proved who they are, and goes on with what they had begun.

Done: OpenID Connect Core §3.1.2.3 (the session that single sign-on rests on).

Every way to log in ends here, whatever proved it.
"""

from sqlalchemy import Connection

from authserver import interactions, sessions
from authserver.events import LoginFailed, LoginSucceeded
from authserver.interactions import Interaction
from authserver.messages import Cookie, Redirect, Request
from authserver.store import journal, people
from authserver.store.registered import User
from authserver.tenant import Tenant


def arrive(
    db: Connection,
    request: Request,
    interaction: Interaction,
    user: User,
    tenant: Tenant,
    connection: str | None = None,
) -> tuple[Cookie, ...]:
    """Begin a session in the caller's transaction, unless the person is blocked. Returns the cookies to set.

    `connection` is the one that vouched for them, when somebody else did.
    """
    client_id, now = interaction.request.client_id, tenant.now()
    if user.blocked:
        # Only who proved to be this person learns that the account is blocked, and the application is told.
        interactions.authenticated(db, interaction, None, now, decision="blocked")
        journal.record(db, now, LoginFailed(client_id, user.user_id, reason="blocked", connection=connection))
        return ()
    session, cookie = sessions.start(db, request, user, tenant, connection)
    interactions.authenticated(db, interaction, session.sid, now)
    people.logged_in(db, user.user_id, now)
    journal.record(db, now, LoginSucceeded(client_id, user.user_id, connection=connection))
    return (cookie,)


def onwards(state: str | None, cookies: tuple[Cookie, ...], tenant: Tenant) -> Redirect:
    """Back to the dispatcher."""
    return Redirect(tenant.url(f"/authorize/resume?state={state}"), cookies)
