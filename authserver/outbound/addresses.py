"""Addresses: where a call may go.

Done: RFC 6890 §2.2 (what is not globally reachable) · RFC 4291 §2.5.5.2, RFC 6052 §2.1, RFC 3056 §2 (IPv4 inside
IPv6) · RFC 3986 §3.2.
A name is resolved once, every address that it has is looked at, and one of these very addresses is connected to, so
that a second answer of the name server decides nothing.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from authserver.outbound import Reach, Unusable
from authserver.settings import is_loopback

_ODD = re.compile(r"[^\x21-\x7E]|[\\@#]")
"""Two readers could disagree on where such a URL leads."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = {ipaddress.ip_address(each) for each in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")}
"""Where clouds tell a machine its own credentials, besides the link-local addresses."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def origin(url: str) -> str:
    """Scheme, host and port, the port always said. Raises Unusable for what is no plain http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        raise Unusable("not an http or https URL") from None
    if _ODD.search(url) or not parts.hostname:
        raise Unusable("not a plain URL")
    return f"{parts.scheme}://{parts.hostname.lower()}:{port}"


def check(url: str, reach: Reach) -> bool:
    """Whether the tenant file names this origin. Raises Unusable where a call must not go, whatever it resolves to."""
    where = origin(url)
    is_trusted = where in reach.trusted
    if where.startswith("https://"):
        return is_trusted
    if is_trusted and reach.plain_loopback and is_loopback(urlsplit(url).hostname or ""):
        return True
    raise Unusable("http is for loopback alone, where the tenant file names it")


def may_reach(address: str, *, trusted: bool) -> bool:
    """Whether this address may be connected to. A trusted host may lie in a private network, and nowhere stranger."""
    try:
        literal = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(_is_fit(each, trusted=trusted) for each in _meanings(literal))


def _is_fit(address: _Address, *, trusted: bool) -> bool:
    if address.is_unspecified or address.is_multicast or address.is_link_local or address in _METADATA:
        return False
    if address.is_global:
        return True
    return trusted and (address.is_loopback or address.is_private)


def _meanings(address: _Address) -> list[_Address]:
    """The address, or the IPv4 address that it carries."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [address, ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour:
        return [address, address.sixtofour]
    if address.teredo:
        return [address, *address.teredo]
    return [address]
