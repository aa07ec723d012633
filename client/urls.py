"""URLs: which ones this app is willing to use, and what their origin is.

Done: RFC 8252 section 8.3 and RFC 9700 section 2.6 (https, or http on this very machine).
Left out: internationalised host names (metadata must spell them in ASCII).
"""

from urllib.parse import SplitResult, urlsplit

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
DEFAULT_PORTS = {"https": 443, "http": 80}


def flaw(url: str, *, plain_http_anywhere: bool = False) -> str | None:
    """Say why this URL must not be used, or None.

    Strict on spelling, because two parsers that disagree about a URL are how tokens reach the wrong host.
    """
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' \\#"<>'):
        return "it has characters that do not belong in a URL"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0:
        return "it is not an http(s) URL"
    if "@" in parts.netloc:
        return "it carries a user name"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS and not plain_http_anywhere:
        return "plain http is for this machine only (localhost, 127.0.0.1, [::1]); use https"
    return None


def origin(url: str) -> str:
    """Scheme, host and port, in one spelling: the unit that tokens are bound to."""
    return _origin(urlsplit(url))


def at_origin(url: str, new_origin: str) -> str:
    """The same path and query at another origin."""
    parts = urlsplit(url)
    base = urlsplit(new_origin)
    return parts._replace(scheme=base.scheme, netloc=base.netloc).geturl()


def _origin(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"
