"""P1: redirect URIs by which codes were stolen elsewhere. Each is refused wherever it is not registered as it stands."""

from collections.abc import Iterator

PATHS = (
    # OAuch's path confusion list, and relatives
    "/X",
    "/..%2FX",
    "/%2e%2e%2fX",
    "/%252e%252e%252FX",
    "/;/../../X",
    "%0A%0D/../../X",
    "/../X",
    "/../../X",
    "/./X",
    "/.",
    "/..",
    "//X",
    "/%2e%2e/X",
    "/..;/X",
    "%2f..%2fX",
    "%5c..%5cX",
    "\\..\\X",
    "/%c0%ae%c0%ae/X",
    "/%ef%bc%8f..%ef%bc%8fX",
    "%00",
    "%00.evil.test",
    "%zz",
    "%",
    ".evil.test",
    "X",
    ";X",
    "@evil.test",
    "%20",
    "%23",
    "%3F",
    "/",
    "?",
    "#",
    "#X",
    "#_",
    "&",
    "?code=attacker",
    "?code=attacker&state=x",
    "&code=attacker",
    "?x",
    "%3fcode=attacker",
)
"""What is appended to a registered URI."""


def spellings(uri: str) -> Iterator[str]:
    """Other ways to write `uri`: to some parsers the same, to the registration another (RFC 3986 §6.2.1)."""
    scheme, _, rest = uri.partition("://")
    authority, slash, path = rest.partition("/")
    host, colon, port = authority.rpartition(":") if authority.rpartition(":")[2].isdigit() else (authority, "", "")
    tail = slash + path
    yield from (uri.upper(), scheme.upper() + "://" + rest, f"{scheme}://{authority}{tail.upper()}")
    yield from (uri + suffix for suffix in PATHS)
    yield from (uri[:-1], uri[:-1] + f"%{ord(uri[-1]):02x}", uri[:-1] + f"%{ord(uri[-1]):02X}", uri + uri, rest)
    yield from (
        f"{scheme}://{authority}/.{tail}",
        f"{scheme}://{authority}/x/..{tail}",
        f"{scheme}://{authority}/{tail}",
    )
    yield from (
        f"{scheme}:{rest}",
        f"{scheme}:/{rest}",
        f"{scheme}:///{rest}",
        f"//{rest}",
        tail,
        f"{scheme}:\\\\{rest}",
    )
    yield from (
        f"{scheme}://{prefix}{rest}" for prefix in ("user@", "user:pass@", "@", ":@", "evil.test@", "evil.test\\@")
    )
    yield from (f"{scheme}://{host}:{other}@evil.test{tail}" for other in ("80", port or "443", ""))
    yield from (
        f"{scheme}://evil.test{joint}{rest}"
        for joint in ("/", "?", "#", "\\", ";", "%2f", "%5c", "%00", "&@", ":80\\@")
    )
    yield from (f"{scheme}://{host}{suffix}{colon}{port}{tail}" for suffix in (".evil.test", ".", "..", "%2eevil.test"))
    yield from (f"{scheme}://evil{host}{colon}{port}{tail}", f"{scheme}://evil.{host}{colon}{port}{tail}")
    yield from (
        f"{scheme}://{host}:{wrong}{tail}" for wrong in ("", "0", "00", "65536", "99999", "+80", "-1", "8 0", "8400x")
    )
    yield from (
        f"{scheme}://{host}:{zero}{tail}"
        for zero in ("0" + (port or "80"), "\uff18\uff14\uff10\uff10", "\u0668\u0664\u0660\u0660", "80:80")
    )
    yield from (
        f"{other}://{rest}" for other in ("ftp", "ws", "file", "javascript", "data", "httpss", "com.example.app")
    )
    yield from (f"javascript:alert(1)//{uri}", f"data:text/html,{uri}", f"blob:{uri}", f"view-source:{uri}")
    yield from (" " + uri, "\t" + uri, uri + "\n", f"<{uri}>", f'"{uri}"', "\ufeff" + uri, "\u202e" + uri)


LOOPBACKS = (
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f.0.0.1",
    "0x7f000001",
    "0177.0.0.1",
    "017700000001",
    "127.000.000.001",
    "127.0.0.01",
    "127.0.0.1.",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "[::01]",
    "[::1%25lo]",
    "[::1.]",
    "[::]",
    "::1",
    "[::1",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "127\u30020\u30020\u30021",
    "127\uff0e0\uff0e0\uff0e1",
    "\u2460\u2461\u2466.0.0.1",
    "LOCALHOST",
    "LocalHost",
    "localhost.",
    "localhost.localdomain",
    "localhost.evil.test",
    "127.0.0.1.nip.io",
    "127.0.0.1.evil.test",
    "%31%32%37.0.0.1",
    "127.0.0.1%00",
    "127.0.0.1%2eevil.test",
    "loca%6chost",
    "lvh.me",
)
"""Hosts that some parser takes for loopback, or that look like it; none is byte-equal to 127.0.0.1, [::1] or localhost."""

DIFFERENTIALS = (
    "http://evil.test\\@127.0.0.1:8400/callback",
    "http://evil.test\\@127.0.0.1/callback",
    "http://127.0.0.1:80@evil.test/callback",
    "http://127.0.0.1:8400@evil.test/callback",
    "http://user@127.0.0.1:8400/callback",
    "http://user:8400@127.0.0.1/callback",
    "http://@127.0.0.1:8400/callback",
    "http://127.0.0.1:8400\\@evil.test/callback",
    "http://127.0.0.1\\.evil.test/callback",
    "http://127.0.0.1:8400\\callback",
    "http:\\\\127.0.0.1:8400\\callback",
    "http:/\\127.0.0.1:8400/callback",
    "http:127.0.0.1:8400/callback",
    "http:///127.0.0.1:8400/callback",
    "http://127.0.0.1:8400#@evil.test/callback",
    "http://127.0.0.1:8400?@evil.test/callback",
    "http://127.0.0.1#:8400/callback",
    "http://evil.test#@127.0.0.1:8400/callback",
    "http://evil.test?@127.0.0.1:8400/callback",
    "http://[::1]@evil.test/callback",
    "http://evil.test\\[::1]:8400/callback",
    "http://[::1]evil.test:8400/callback",
    "http://[::1]:8400@evil.test/callback",
    "http://127.0.0.1;evil.test:8400/callback",
    "http://127.0.0.1,evil.test:8400/callback",
    "http://127.0.0.1 .evil.test:8400/callback",
    "http://127.0.0.1\t:8400/callback",
    "http://127.0.0.1\n.evil.test:8400/callback",
    "http://127.0.0.1%2f@evil.test:8400/callback",
    "http://localhost:80@attacker.test/callback",
)
"""Two parsers, two hosts."""


def bytes_everywhere(scheme: str, host: str, port: str, path: str) -> Iterator[bytes]:
    """A URI with each byte that may not stand in one, at its start, in host, port and path, and at its end."""
    for number in (*range(0x21), *range(0x7F, 0x100)):
        odd = bytes([number])
        parts = [part.encode() for part in (scheme, host, port, path)]
        yield odd + b"%s://%s:%s%s" % tuple(parts)
        for place in (1, 2, 3):
            spoiled = list(parts)
            spoiled[place] = parts[place][:2] + odd + parts[place][2:]
            yield b"%s://%s:%s%s" % tuple(spoiled)
        yield b"%s://%s:%s%s" % tuple(parts) + odd
