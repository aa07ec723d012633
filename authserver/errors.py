"""The error vocabulary, as one tree.

    ProtocolError
    ├── PageError                    a person sees a page; nothing is ever redirected
    │   ├── UntrustedRequest         before client and redirect URI are known to belong together
    │   ├── InteractionLost · NotThisBrowser   not this browser's interaction, or no longer open
    │   │   └── DeviceCodeLost       the code of a device is over, decided, or somebody else's
    │   └── LinkDead                 a mailed link that was used, replaced, or waited too long
    ├── OAuthError                   JSON at the token endpoint, parameters at the redirect URI
    │   ├── InvalidRequest
    │   │   ├── MissingParameter
    │   │   ├── ConnectionUnknown
    │   │   └── UnsupportedMediaType
    │   ├── InvalidClient
    │   ├── InvalidGrant
    │   │   ├── BadCode · BadVerifier · BadRedirectUri
    │   │   ├── BadRefreshToken · UserGone · UserBlocked
    │   │   └── BadDeviceCode
    │   ├── UnauthorizedClient
    │   │   └── GrantTypeNotAllowed · NoClientGrant
    │   ├── UnsupportedGrantType · UnsupportedResponseType · InvalidScope
    │   ├── InvalidTarget
    │   │   └── ServiceNotEnabled
    │   ├── AccessDenied
    │   │   ├── LoginDenied · ActionDenied
    │   │   └── DeviceDenied · DeviceUserBlocked
    │   ├── AuthorizationPending · SlowDown · ExpiredToken
    │   ├── LoginRequired · ConsentRequired
    │   ├── RequestNotSupported · RequestUriNotSupported
    │   ├── TooLarge · TooManyRequests
    │   ├── TemporarilyUnavailable
    │   │   └── UpstreamUnavailable
    │   └── ServerError
    │       └── ActionFailed · UpstreamFailed
    └── BearerError                  the challenge of a protected resource
        ├── NoToken
        ├── InvalidToken
        └── InsufficientScope

Done: RFC 6749 §4.1.2.1 and §5.2 · OpenID Connect Core 1.0 §3.1.2.6 and §6.1 · RFC 6750 §3.1 · RFC 8628 §3.5 ·
RFC 8707 §2.
The texts here are the RFCs' (dialect `rfc`); a policy's `wording` replaces what another dialect says differently.
Descriptions are constants: nothing that a caller sent is ever echoed, so every text stays within the
characters of RFC 6749 §5.2 (%x20-21 / %x23-5B / %x5D-7E).
"""

from typing import ClassVar


class ProtocolError(Exception):
    """A refusal in the protocol's own words.

    `status` is the HTTP status, `error` the code on the wire, `description` the sentence for the developer.
    """

    status: ClassVar[int] = 400
    error: ClassVar[str] = "invalid_request"
    description: ClassVar[str] = "The request is malformed."

    def __init__(self, description: str | None = None) -> None:
        self.detail = description
        super().__init__(description or self.description)


class PageError(ProtocolError):
    """Shown to the person; there is nobody who could safely be redirected to."""


class UntrustedRequest(PageError):
    """RFC 6749 §4.1.2.1: with a wrong client or redirect URI the user agent must not be redirected."""


class InteractionLost(PageError):
    """The page belongs to another browser, is already finished, or waited too long."""

    error = "interaction_lost"
    description = "This login page is no longer open in this browser. Please start again from the application."


class NotThisBrowser(InteractionLost):
    """RFC 6749 §10.12: what one browser began, no other continues."""

    status = 403


class DeviceCodeLost(InteractionLost):
    """RFC 8628 §3.3: the person took too long, or it has been decided already."""

    description = "The code of your device is no longer valid. Please start again on the device."


class LinkDead(PageError):
    """A mailed link opens nothing any more, or never did."""

    error = "invalid_ticket"
    description = (
        "This link has been used already, is too old, or was replaced by another one. Please ask for a new one."
    )


class OAuthError(ProtocolError):
    """An error of RFC 6749 or an extension of it."""


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated, contradictory or malformed."""


class MissingParameter(InvalidRequest):
    """Names the parameter, always one of our constants."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Missing required parameter: {name}")


class UnsupportedMediaType(InvalidRequest):
    """The body is in a format that this endpoint does not read."""

    description = "The request body must be application/x-www-form-urlencoded in UTF-8."


class TooLarge(OAuthError):
    """The body exceeds what any honest request needs."""

    status = 413
    error = "invalid_request"
    description = "The request is too large."


class TooManyRequests(OAuthError):
    """RFC 6749 §2.3.1: guessing a client's secret is braked. Said to known and unknown clients alike."""

    status = 429
    error = "too_many_requests"
    description = "Too many failed attempts. Please try again later."


class InvalidClient(OAuthError):
    """Client authentication failed; unknown client and wrong secret are told apart by nobody."""

    status = 401
    error = "invalid_client"
    description = "Client authentication failed."


class InvalidGrant(OAuthError):
    """The presented artefact gives no right to tokens."""

    error = "invalid_grant"
    description = "The grant is invalid, expired, revoked, or was issued to another client."


class BadCode(InvalidGrant):
    """Unknown, expired, used, revoked, or somebody else's authorization code."""

    description = "The authorization code is unknown, expired, already used, or was issued to another client."


class BadVerifier(InvalidGrant):
    """RFC 7636 §4.6."""

    description = "The code_verifier does not match the code_challenge of the authorization request."


class BadRedirectUri(InvalidGrant):
    """RFC 6749 §4.1.3."""

    description = "The redirect_uri is not the one of the authorization request."


class BadRefreshToken(InvalidGrant):
    """Unknown, expired, used, revoked, or somebody else's refresh token."""

    description = "The refresh token is unknown, expired, already used, or was issued to another client."


class UserGone(InvalidGrant):
    """The user was deleted after the grant."""

    description = "The user of this grant does not exist anymore."


class UserBlocked(InvalidGrant):
    """The user was blocked after the grant."""

    description = "The user of this grant is blocked."


class BadDeviceCode(InvalidGrant):
    """Unknown, used, revoked, or somebody else's device code."""

    description = "The device code is unknown, already used, or was issued to another client."


class ConnectionUnknown(InvalidRequest):
    """`connection` names nothing, or nothing that serves this client."""

    description = "The connection is unknown, or not enabled for this client."


class UnauthorizedClient(OAuthError):
    """The client may not do this."""

    error = "unauthorized_client"
    description = "The client is not authorized to make this request."


class GrantTypeNotAllowed(UnauthorizedClient):
    """The grant type exists, but not for this client."""

    description = "The client is not registered for this grant type."


class NoClientGrant(UnauthorizedClient):
    """The client may use the grant type, but has nothing at this API."""

    description = "The client has no grant for this API."


class UnsupportedGrantType(OAuthError):
    """No such grant type here."""

    error = "unsupported_grant_type"
    description = "The grant type is not supported."


class UnsupportedResponseType(OAuthError):
    """RFC 9700 §2.1.2: tokens in the front channel are not offered."""

    error = "unsupported_response_type"
    description = "Only response_type code is supported."


class InvalidScope(OAuthError):
    """Malformed, unknown, or wider than what was granted."""

    error = "invalid_scope"
    description = "The scope is malformed, unknown, or exceeds what was granted."


class InvalidTarget(OAuthError):
    """RFC 8707 §2: the API is unknown."""

    error = "invalid_target"
    description = "The requested API is unknown to this server."


class ServiceNotEnabled(InvalidTarget):
    """The same, asked by a client in its own name."""


class AccessDenied(OAuthError):
    """The person said no."""

    error = "access_denied"
    description = "The resource owner denied the request."


class LoginDenied(AccessDenied):
    """The person proved who they are, and may not log in."""

    description = "The user is blocked."


class ActionDenied(AccessDenied):
    """An Action of the tenant said no, in its author's words; `code` is the one that it chose."""

    code: str = AccessDenied.error

    def __init__(self, reason: str, code: str = AccessDenied.error) -> None:
        self.code = code
        super().__init__(_sayable(reason))


class DeviceDenied(AccessDenied):
    """RFC 8628 §3.5: the person said no on the page where the user code was entered."""


class DeviceUserBlocked(DeviceDenied):
    """The person who entered the user code may not log in."""

    description = "The user is blocked."


class AuthorizationPending(OAuthError):
    """RFC 8628 §3.5: nobody has decided yet."""

    error = "authorization_pending"
    description = "The user has not decided about this device yet."


class SlowDown(OAuthError):
    """RFC 8628 §3.5: from now on the interval is five seconds longer. `interval` in seconds is the one until now."""

    error = "slow_down"
    description = "You are polling faster than the specified interval of 5 seconds."

    def __init__(self, interval: int) -> None:
        super().__init__(f"You are polling faster than the specified interval of {interval} seconds.")


class ExpiredToken(OAuthError):
    """RFC 8628 §3.5: the device code is over; a new request may be made."""

    error = "expired_token"
    description = "The device code has expired."


class LoginRequired(OAuthError):
    """OpenID Connect Core §3.1.2.6: prompt=none without a session."""

    error = "login_required"
    description = "The user is not logged in."


class ConsentRequired(OAuthError):
    """OpenID Connect Core §3.1.2.6: prompt=none without a consent that suffices."""

    error = "consent_required"
    description = "The user has not approved this request."


class RequestNotSupported(OAuthError):
    """OpenID Connect Core §6.1."""

    error = "request_not_supported"
    description = "Request objects are not supported."


class RequestUriNotSupported(OAuthError):
    """OpenID Connect Core §6.2; nothing is ever fetched."""

    error = "request_uri_not_supported"
    description = "Request objects by reference are not supported."


class TemporarilyUnavailable(OAuthError):
    """The database is busy or out of reach; the same request may succeed later."""

    status = 503
    error = "temporarily_unavailable"
    description = "The server cannot answer at the moment. Please try again."


class UpstreamUnavailable(TemporarilyUnavailable):
    """The identity provider that was chosen is down or slow, and the person gave up."""

    description = "The identity provider cannot be reached at the moment."


class ServerError(OAuthError):
    """An unexpected exception; the cause is in the log under the correlation id."""

    status = 500
    error = "server_error"
    description = "The server met an unexpected condition."


class ActionFailed(ServerError):
    """An Action of the tenant raised. Which one, and why, is in the log alone."""

    description = "An Action of this tenant failed."

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__()


class UpstreamFailed(ServerError):
    """The identity provider that was chosen gave an answer that proves nothing, and the person gave up."""

    description = "The identity provider gave no answer that could be accepted."


class BearerError(ProtocolError):
    """RFC 6750 §3.1: what a protected resource answers."""

    status = 401


class NoToken(BearerError):
    """RFC 6750 §3: no credentials, hence no error code in the challenge."""

    description = "An access token is needed."


class InvalidToken(BearerError):
    """Expired, revoked, malformed, or not an access token."""

    error = "invalid_token"
    description = "The access token is expired, revoked, malformed, or not meant for this resource."


class InsufficientScope(BearerError):
    """The token is good, but not for this."""

    status = 403
    error = "insufficient_scope"
    description = "The request requires higher privileges than provided by the access token."

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()


def _sayable(reason: str) -> str:
    """The author's sentence in the characters of RFC 6749 §5.2; others become what they stand for, or a `?`."""
    plain = reason.translate({0x22: "'", 0x5C: "/", 0x201C: "'", 0x201D: "'", 0x2018: "'", 0x2019: "'", 0x2013: "-"})
    return "".join(ch if " " <= ch <= "~" else "?" for ch in plain)[:500] or AccessDenied.description
