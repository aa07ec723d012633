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
    connection: str | None = None


class LoginSucceeded(Event):
    """A person proved who they are."""


class LoginFailed(Event):
    """Wrong password, unknown user, or blocked; `reason` says which, for the operator alone."""


class SignUpSucceeded(Event):
    """Somebody made an account for themselves."""


class SignUpFailed(Event):
    """No account was made; `reason` says why, for the operator alone."""


class MailPutInOutbox(Event):
    """A mail lies in the outbox; `reason` is its template. Address and link stand nowhere but there."""


class PasswordResetRequested(Event):
    """Somebody asked for a link with which to choose a new password; without `user_id`, for an account that is not."""


class PasswordChanged(Event):
    """A new password; the sessions and the grants of its owner ended with the old one."""


class EmailVerified(Event):
    """Whoever reads this user's mail followed the link in it."""


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


class DeviceRequestRefused(Event):
    """A client asked for a device code in vain."""


class DeviceActivationFailed(Event):
    """A user code was entered in vain, or its person may not log in; `reason` says why, for the operator alone."""


class DeviceApproved(Event):
    """A person let a device in."""


class DeviceCancelled(Event):
    """A person declined on the confirmation page of a device."""


class DeviceCodeExchanged(Event):
    """A device code became tokens."""


class DeviceCodeRefused(Event):
    """A device code was presented in vain: unknown, over, or declined. Waiting is no refusal."""


class DeviceCodeReplayed(Event):
    """A used device code came again from its owner; the grant is revoked."""

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
