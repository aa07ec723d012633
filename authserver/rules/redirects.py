"""Redirect URIs: what may be registered, and what matches.

Done: RFC 6749 §3.1.2 · RFC 8252 §7.1, §7.3, §8.3 · RFC 9700 §4.1.3 · RFC 3986 §6.2.1 (simple string comparison).
Left out: wildcards (Auth0 allows one in the left-most label; a pattern is no comparison).

Parsers disagree: for `http://evil.test\\@127.0.0.1/` one that we use sees 127.0.0.1 and every browser sees evil.test.
So nothing here is parsed before the raw gate has refused what they could disagree on, and matching compares
characters.
"""

import re
from urllib.parse import urlsplit

_REFUSED = re.compile(r"[^\x21-\x7E]|[\\@#]")
_LOOPBACK_LITERAL = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):.+")

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def is_wellformed(uri: str) -> bool:
    """The raw gate: printable ASCII without backslash, user part or fragment, and not absurdly long."""
    return 0 < len(uri) <= 2048 and not _REFUSED.search(uri)


def is_registrable(uri: str) -> bool:
    """https anywhere, http on loopback, or a private-use scheme that is a reversed domain name (RFC 8252 §7.1)."""
    scheme = _SCHEME.fullmatch(uri)
    if not is_wellformed(uri) or not scheme or "*" in uri:
        return False
    if scheme[1].lower() not in ("http", "https"):
        return "." in scheme[1]  # in the letters of the app's own name, which nothing here folds
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    # The host will stand in a Content-Security-Policy, where other characters would mean something.
    if not host or not _HOST.fullmatch(host) or not uri.startswith(("http://", "https://")):
        return False
    return scheme[1] == "https" or host in LOOPBACK_HOSTS


def matches(requested: str, registered: str, *, any_port: bool) -> bool:
    """Character for character; with `any_port` a registered loopback literal leaves the port open (RFC 8252 §7.3)."""
    if requested == registered:
        return True
    if not any_port:
        return False
    asked, known = _LOOPBACK_LITERAL.fullmatch(requested), _LOOPBACK_LITERAL.fullmatch(registered)
    if asked is None or known is None or int(asked[2] or 80) > 65535:
        return False
    return (asked[1], asked[3]) == (known[1], known[3])


def is_verifiable(uri: str) -> bool:
    """False where any program on the machine can be the receiver: loopback and private-use schemes (RFC 8252 §8.6)."""
    parts = urlsplit(uri)
    return parts.scheme == "https" and parts.hostname not in LOOPBACK_HOSTS


def origin(uri: str) -> str | None:
    """The origin of a well-formed URI, as browsers write it: without default port. A private-use scheme has none."""
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS:
        return None
    host = parts.netloc.removesuffix(_DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{host}"


def frame_source(redirect_uri: str) -> str:
    """The CSP source for pages of this redirect URI's origin, and of no other."""
    source = origin(redirect_uri)
    return source if source and "[" not in source else "'none'"  # CSP's grammar has no IPv6 literals


def form_target(redirect_uri: str) -> str:
    """The CSP source for this redirect URI: its origin, or its scheme alone when it has no origin."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https") or parts.netloc.startswith("["):
        return f"{parts.scheme}:"  # CSP's grammar has no IPv6 literals
    return f"{parts.scheme}://{parts.netloc}"
