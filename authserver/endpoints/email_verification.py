"""Email verification: whoever reads the mail confirms that the address is theirs.

Done: RFC 9110 §9.2.1 (a mail scanner or a link preview that opens the link confirms nothing; the button does).
"""

from authserver import interactions
from authserver.endpoints import Endpoint, Room
from authserver.errors import LinkDead
from authserver.events import EmailVerified
from authserver.messages import Answer, Page, Request
from authserver.store import journal, once
from authserver.store.accounts import verify_email
from authserver.store.issued import digest
from authserver.store.tickets import VERIFY_EMAIL, Ticket, find_ticket
from authserver.tenant import Tenant


def verification_page(request: Request, tenant: Tenant) -> Answer:
    """The button."""
    value = request.query.opaque("ticket")
    ticket = _follow(value, tenant)
    return Page("email_verification.html", {"ticket": value, "account": ticket.email})


def verify(request: Request, tenant: Tenant) -> Answer:
    """Note it, once."""
    interactions.same_origin(request, tenant)
    ticket, now = _follow(request.body.opaque("ticket"), tenant), tenant.now()
    with tenant.database.write() as db:
        if not once.spend_ticket(db, ticket.digest, now) or not verify_email(db, ticket.user_id, ticket.email, now):
            raise LinkDead
        journal.record(db, now, EmailVerified(ticket.client_id, ticket.user_id))
    return Page("email_verified.html", {"account": ticket.email})


def _follow(value: str | None, tenant: Tenant) -> Ticket:
    with tenant.database.read() as db:
        ticket = find_ticket(db, digest(value), VERIFY_EMAIL, tenant.now()) if value else None
    if ticket is None:
        raise LinkDead
    return ticket


ROOM = Room(endpoints=(Endpoint("/u/email-verification", {"GET": verification_page, "POST": verify}, "person"),))
