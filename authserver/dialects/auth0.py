"""Dialect `auth0` (the default): as Auth0 answers on the wire.

The texts that SDKs compare are exact: "Unknown or invalid refresh token." with its period, "Unauthorized",
"Failed to verify code verifier". Texts that nobody could verify are kept here all the same, so that a correction is
one line.
"""

from authserver import database_errors, errors
from authserver.dialects.policy import Policy, Wording

AUTH0 = Policy(
    name="auth0",
    loopback_any_port=False,
    unknown_scope="drop",
    wider_scope_at_refresh="drop",
    client_authentication="any secret method",
    json_bodies=True,
    resource_parameter=False,
    default_token_profile="access_token",
    opaque_without_audience=True,
    updated_at="ISO 8601",
    at_hash=False,
    auth_time="asked",
    access_tokens_revocable=False,
    foreign_token_at_revocation="error",
    userinfo_challenge="plain",
    device_clients="public",
    expired_device_code="once",
    wording={
        errors.InvalidClient: Wording(401, "access_denied", "Unauthorized"),
        errors.InvalidGrant: Wording(status=403),
        errors.BadCode: Wording(description="Invalid authorization code"),
        errors.BadVerifier: Wording(description="Failed to verify code verifier"),
        errors.BadRedirectUri: Wording(
            description="The redirect URI is wrong. It must be the one of the authorization request.", unverified=True
        ),
        errors.BadRefreshToken: Wording(description="Unknown or invalid refresh token."),
        errors.BadDeviceCode: Wording(description="Invalid or unknown device code.", unverified=True),
        errors.AuthorizationPending: Wording(403, description="User has yet to authorize device code."),
        errors.SlowDown: Wording(429),
        errors.ExpiredToken: Wording(403, description="The device code has expired.", unverified=True),
        errors.DeviceDenied: Wording(403, description="User cancelled the confirmation prompt."),
        errors.DeviceUserBlocked: Wording(description="user is blocked", unverified=True),
        errors.UserGone: Wording(description="The refresh_token was generated for a user who doesn't exist anymore."),
        errors.UserBlocked: Wording(403, "unauthorized", "user is blocked", unverified=True),
        errors.LoginDenied: Wording(description="user is blocked"),
        errors.AccessDenied: Wording(description="User did not authorize the request"),
        errors.ActionDenied: Wording(status=403),
        errors.UnauthorizedClient: Wording(status=403, unverified=True),
        errors.GrantTypeNotAllowed: Wording(description="Grant type not allowed for the client."),
        errors.NoClientGrant: Wording(
            403,
            "access_denied",
            "Client is not authorized to access this API. You need to create a client-grant associated to it.",
            unverified=True,  # the sentence names the API in quotation marks there; here nothing is echoed
        ),
        errors.InvalidTarget: Wording(403, "access_denied", "Service not found", unverified=True),
        errors.ServiceNotEnabled: Wording(description="Service not enabled within domain"),
        errors.LoginRequired: Wording(description="Login required"),
        errors.ConsentRequired: Wording(description="Consent required"),
        errors.ConnectionUnknown: Wording(description="the connection was not found", unverified=True),
        database_errors.ClientNotKnown: Wording(description="Unknown client", unverified=True),
        database_errors.ConnectionNotServed: Wording(description="The connection does not exist", unverified=True),
        database_errors.SignUpDisabled: Wording(description="Public signup is disabled", unverified=True),
        database_errors.InvalidSignUp: Wording(description="Invalid sign up"),
        database_errors.UserExists: Wording(description="The user already exists."),
        database_errors.PasswordTooWeak: Wording(description="Password is too weak"),
        database_errors.PasswordTooCommon: Wording(description="Password is too common", unverified=True),
        database_errors.PasswordHoldsPersonalInfo: Wording(
            description="Password contains user information", unverified=True
        ),
        errors.UnsupportedMediaType: Wording(
            description="The request body must be application/x-www-form-urlencoded or application/json in UTF-8.",
            unverified=True,
        ),
        errors.UnsupportedGrantType: Wording(unverified=True),
        errors.UntrustedRequest: Wording(unverified=True),
        errors.ActionFailed: Wording(unverified=True),
        errors.TooManyRequests: Wording(unverified=True),
        errors.TemporarilyUnavailable: Wording(503, "temporarily_unavailable"),
    },
)
