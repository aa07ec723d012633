"""Mails: what is written to people, with a link that works once. All of it lies in the outbox and never leaves.

Lifetimes in seconds: a link that sets a password is a key to the account and soon dead; one that confirms an address
opens nothing.
"""

import secrets

from sqlalchemy import Connection as Db

from authserver.events import MailPutInOutbox
from authserver.store import journal, outbox
from authserver.store.issued import digest
from authserver.store.outbox import Mail
from authserver.store.registered import User
from authserver.store.tickets import RESET_PASSWORD, VERIFY_EMAIL, Ticket, add_ticket
from authserver.tenant import Tenant

LIFETIMES = {RESET_PASSWORD: 3600, VERIFY_EMAIL: 5 * 86400}

_PATHS = {RESET_PASSWORD: "/u/reset-password", VERIFY_EMAIL: "/u/email-verification"}
_SUBJECTS = {RESET_PASSWORD: "Choose a new password", VERIFY_EMAIL: "Confirm your email address"}
_BODIES = {
    RESET_PASSWORD: "Somebody asked for a new password for your account. If that was you, choose one here, within"
    " an hour:\n\n{link}\n\nIf it was not, do nothing: your password stays as it is.\n",
    VERIFY_EMAIL: "Welcome. Confirm that this address is yours, within five days:\n\n{link}\n\nIf you made no"
    " account, do nothing.\n",
}


def write(db: Db, user: User, purpose: str, client_id: str | None, tenant: Tenant) -> None:
    """A ticket and the mail with its link, in the caller's transaction.

    The mail goes to the address of the account, whatever spelling of it somebody typed.
    """
    email, now, value = str(user.profile["email"]), tenant.now(), secrets.token_urlsafe(32)
    add_ticket(db, Ticket(digest(value), purpose, user.user_id, email, client_id, now + LIFETIMES[purpose]))
    link = tenant.url(f"{_PATHS[purpose]}?ticket={value}")
    outbox.put(db, Mail(now, email, _SUBJECTS[purpose], purpose, _BODIES[purpose].format(link=link), link))
    journal.record(db, now, MailPutInOutbox(client_id, user.user_id, reason=purpose))
