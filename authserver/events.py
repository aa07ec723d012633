"""What happened, as frozen facts without secrets.

An event is written in the same transaction as what it tells of. It never changes an answer.
Ids and names only: no token, code, password or secret ever becomes a field here.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; the class name is the event's type. `alarms` says that somebody should look."""

    alarms: ClassVar[bool] = False

    client_id: str | None = None
    user_id: str | None = None
    grant_id: str | None = None
    reason: str | None = None


class LoginSucceeded(Event):
    """A person proved who they are."""


class LoginFailed(Event):
    """Wrong password, unknown user, or blocked; `reason` says which, for the operator alone."""


class LoggedOut(Event):
    """The browser's session ended at the person's or an application's request."""


class AuthorizationGranted(Event):
    """An authorization code was issued."""


class ChallengeRepeated(Event):
    """The same code_challenge came in two authorization requests: the application's verifier is no secret any more."""

    alarms = True


class AuthorizationDenied(Event):
    """The person declined."""


class ActionDenied(Event):
    """An Action of the tenant denied access; `reason` names it."""


class CodeExchanged(Event):
    """A code became tokens."""


class CodeRefused(Event):
    """A code was presented in vain."""


class CodeReplayed(Event):
    """A used code came again from its owner; the grant is revoked."""

    alarms = True


class ClientCredentialsExchanged(Event):
    """A client got a token in its own name."""


class RefreshTokenExchanged(Event):
    """A refresh token became new tokens."""


class RefreshTokenRefused(Event):
    """A refresh token was presented in vain."""


class RefreshTokenReused(Event):
    """A spent refresh token came again; the grant is revoked."""

    alarms = True


class GrantRevoked(Event):
    """Revoked by request of its client."""
