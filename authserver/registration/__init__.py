"""Registration: the facts of a tenant file as rows, written the first time and brought up to date after that.

What the file says anew is written; what it no longer names stays and is reported. Secrets and passwords are those of
the first time until the file says others. All of it belongs into the caller's one transaction.
"""

from authserver.registration.changes import Change, Changes
from authserver.registration.facts import register, seeded_people
from authserver.registration.people import Passwords

__all__ = ["Change", "Changes", "Passwords", "register", "seeded_people"]
