"""Names for the endpoints of a tenant, as tests say them: `token` and not `/oauth/token`."""

ENDPOINTS = {
    "metadata": ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
    "jwks": ("/.well-known/jwks.json",),
    "authorize": ("/authorize", "/authorize/resume"),
    "login": ("/u/login",),
    "consent": ("/u/consent",),
    "signup": ("/u/signup", "/dbconnections/signup"),
    "change_password": ("/dbconnections/change_password", "/u/reset-password/request", "/u/reset-password"),
    "token": ("/oauth/token",),
    "revoke": ("/oauth/revoke",),
    "userinfo": ("/userinfo",),
    "device_authorization": ("/oauth/device/code",),
    "activate": ("/activate", "/activate/confirm"),
    "logout": ("/oidc/logout", "/v2/logout", "/v2/logout/callback"),
}
"""What a test can name, and the paths below the issuer that it means."""

_NAMES = {path: name for name, paths in ENDPOINTS.items() for path in paths}


def endpoint_of(path: str) -> str | None:
    """The name of a path below the issuer; None for pages and files that have none."""
    return _NAMES.get(path)
