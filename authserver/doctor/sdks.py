"""Which of Auth0's SDKs work with this configuration, and what the others miss.

What an SDK insists on was read in its source, and is run unmodified by `make test-sdk`; those of phones are replayed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from authserver.doctor.report import Side
from authserver.settings import is_loopback

NAME = "Auth0's SDKs, unmodified"


@dataclass(frozen=True, slots=True)
class Sdk:
    """What it insists on. `over_http` is what to write where it takes plain http if it is told to."""

    name: str
    https: bool = False
    json_bodies: bool = False
    rsa_keys_alone: bool = False
    secure_context: bool = False
    over_http: str = ""


SDKS = (
    Sdk("auth0-python", json_bodies=True, rsa_keys_alone=True, over_http='protocol="http"'),
    Sdk("auth0-api-python", https=True),
    Sdk("auth0-fastapi-api", https=True),
    Sdk("auth0-server-python", https=True),
    Sdk("@auth0/auth0-spa-js", secure_context=True, over_http='domain: "http://…"'),
    Sdk("express-oauth2-jwt-bearer"),
    Sdk("express-openid-connect"),
    Sdk("jwks-rsa"),
    Sdk("Auth0.swift", https=True, json_bodies=True),
    Sdk("Auth0.Android", https=True, json_bodies=True),
    Sdk("react-native-auth0", https=True, json_bodies=True),
)


def explain(issuer: str, algorithms: Iterable[object], *, json_bodies: bool, in_containers: bool) -> Side:
    """What works with a server that is called `issuer` and publishes keys of these `algorithms`."""
    side, parts = Side(NAME), urlsplit(issuer)
    is_https, is_local = parts.scheme == "https", is_loopback(parts.hostname or "")
    only_rsa = all(each == "RS256" for each in algorithms)
    problems = (
        ([sdk for sdk in SDKS if sdk.https and not is_https], "insist on https", _TLS),
        ([sdk for sdk in SDKS if sdk.json_bodies and not json_bodies], "send JSON, refused by this dialect", _DIALECT),
        (
            [sdk for sdk in SDKS if sdk.rsa_keys_alone and not only_rsa],
            "refuses every key as long as an ES256 key is published beside them",
            _RSA,
        ),
        (
            [sdk for sdk in SDKS if sdk.secure_context and not is_https and not is_local],
            "needs a secure context: https, or a name of this machine",
            _TLS,
        ),
    )
    troubled = {sdk.name for found, _, _ in problems for sdk in found}
    working = [_with_hint(sdk, is_https) for sdk in SDKS if sdk.name not in troubled]
    if working:
        side.good(f"work with the domain {parts.netloc}: {', '.join(working)}")
    for found, why, mend in problems:
        if found:
            side.remark(f"{', '.join(sdk.name for sdk in found)}: {why}.", *mend)
    if is_https and is_local:
        side.remark("They must trust certs/ca.pem: SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS names it")
    for line in _two_addresses(parts.netloc, is_local and in_containers):
        side.remark(*line)
    return side


_TLS = ("make up TLS=1   (or: --tls-cert certs/localhost.pem --tls-key certs/localhost.key, after make certs)",)
_DIALECT = ("AUTHSERVER_DIALECT: auth0",)
_RSA = ("signing_alg: RS256   (of each API in the tenant file)",)


def _with_hint(sdk: Sdk, is_https: bool) -> str:
    return sdk.name if is_https or not sdk.over_http else f"{sdk.name} ({sdk.over_http})"


def _two_addresses(netloc: str, is_split: bool) -> Iterator[tuple[str, ...]]:
    """An SDK knows one domain, which is the issuer and the address at once."""
    if is_split:
        yield (
            f"In a container of its own, a back end with an SDK finds nobody at {netloc}: there that is itself.",
            'network_mode: "service:authserver"   (in the back end\'s service)',
        )
