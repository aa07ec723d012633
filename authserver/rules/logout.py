"""Where a logout may lead.

Done: OpenID Connect RP-Initiated Logout 1.0 §3 (exact match) · Auth0's /v2/logout (query string and fragment do not
count, scheme and host in any case).
Left out: wildcards in the left-most label.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from authserver.rules.redirects import is_wellformed


def is_allowed_return(return_to: str, allowed: Iterable[str]) -> bool:
    """`/v2/logout`: the same scheme, host, port and path as an allowed URL."""
    bare, _, fragment = return_to.partition("#")
    if not is_wellformed(bare + fragment):
        return False
    asked = _without_query(bare)
    return asked is not None and any(asked == _without_query(url) for url in allowed)


def is_registered_post_logout(uri: str, allowed: Iterable[str]) -> bool:
    """`/oidc/logout`: character for character, query string included."""
    return is_wellformed(uri) and uri in allowed


def _without_query(url: str) -> tuple[str, str, str] | None:
    """What is compared; None for what is no URL, such as an IPv6 literal that never closes."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme.lower(), parts.netloc.lower(), parts.path
