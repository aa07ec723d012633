"""A new password: asked for by mail, chosen with the link in it.

Done: OWASP Forgot Password (one answer for known and unknown names; a random link, kept as a digest, used once, dead
after an hour; the mail goes to the address of the account and not to the one that was typed) · NIST SP 800-63B
§6.1.2.3.

Whoever else had the old password, or a session or token got with it, is out: sessions and grants end with it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection as Db

from authserver import attempts, sessions
from authserver.connections import mails
from authserver.connections.database import options_of
from authserver.connections.password_policy import check_password
from authserver.errors import LinkDead, TooManyRequests
from authserver.events import PasswordChanged, PasswordResetRequested
from authserver.messages import Request, is_text
from authserver.passwords import hash_password
from authserver.store import issued, journal, once
from authserver.store.accounts import set_password
from authserver.store.connections import Connection, find_connection
from authserver.store.issued import digest
from authserver.store.registered import User, find_user, find_user_by_name
from authserver.store.tickets import RESET_PASSWORD, Ticket, find_ticket, void_tickets
from authserver.tenant import Tenant


def ask(request: Request, email: str, database: Connection | None, client_id: str | None, tenant: Tenant) -> None:
    """Mail a link, if the database has such an account; the caller cannot tell. Raises TooManyRequests."""
    if not attempts.may_ask(request, "new password", email, tenant):
        tenant.record(PasswordResetRequested(client_id, reason="too many requests"))
        raise TooManyRequests
    with tenant.database.read() as db:
        user = find_user_by_name(db, email, database.name) if database and is_text(email) else None
    with tenant.database.write() as db:
        if user and user.profile.get("email"):
            mails.write(db, user, RESET_PASSWORD, client_id, tenant)
        journal.record(db, tenant.now(), PasswordResetRequested(client_id, user.user_id if user else None))


@dataclass(frozen=True, slots=True)
class Offer:
    """Whom a link lets choose, and in which database."""

    ticket: Ticket
    user: User
    database: Connection


def follow(value: str | None, tenant: Tenant) -> Offer:
    """What this link still opens; nothing is used up. Raises LinkDead."""
    with tenant.database.read() as db:
        ticket = find_ticket(db, digest(value), RESET_PASSWORD, tenant.now()) if value else None
        user = find_user(db, ticket.user_id) if ticket else None
        database = find_connection(db, user.connection) if user else None
    if ticket is None or user is None or database is None:
        raise LinkDead
    return Offer(ticket, user, database)


def choose(offer: Offer, password: str, tenant: Tenant) -> None:
    """Change the password and use the link up. Raises PasswordRefused, which leaves the link as it is, or LinkDead."""
    check_password(password, options_of(offer.database), offer.user.profile)
    password_hash = hash_password(password)
    with tenant.database.write() as db:
        # The user's row first: whoever else changes this password, or logs in with it, waits here.
        if not set_password(db, offer.user, password_hash, tenant.now()):
            raise LinkDead
        if not once.spend_ticket(db, offer.ticket.digest, tenant.now()):
            raise LinkDead
        end_everything(db, offer.user, offer.ticket.client_id, tenant)


def end_everything(db: Db, user: User, client_id: str | None, tenant: Tenant) -> None:
    """What ends with a password: other links to change it, login sessions, and grants with all their tokens."""
    now = tenant.now()
    void_tickets(db, user.user_id, RESET_PASSWORD, now)
    sessions.end_all(db, user.user_id, now)
    issued.revoke_grants_of(db, user.user_id, now)
    journal.record(db, now, PasswordChanged(client_id, user.user_id))
