"""Discovery: fetching the issuer's public keys over HTTP, and where people log in.

OpenID Connect Discovery 1.0 section 4 (the metadata document; 4.3: its `issuer` must be the issuer we asked),
RFC 7517 section 5 (the JWK Set). Two addresses, one identity: with API_METADATA_URL the metadata are fetched
there, and a `jwks_uri` under the issuer is dialled at that origin, while `iss` stays the one string of
API_ISSUER. The endpoints for people are passed on as they are named: a browser dials them, not this API.

A peer that answers with redirects, HTML, a flood or a drip is a failure, never an answer. Each failure says in the
log which setting would mend it. Left out on purpose: caching by HTTP headers (`keys` has its own, fixed times) and
everything else that metadata say.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx2

from api import trace
from api.strict_json import decode_object

TOTAL_TIMEOUT = 5.0
MAX_DOCUMENT_BYTES = 256 * 1024

_WELL_KNOWN = ".well-known/openid-configuration"
# What may stand in a page's policy and in a link: an absolute URL of plain ASCII, without quotes or separators.
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9._~:\[\]-]+/[A-Za-z0-9._~:/?@!$&()*+=%-]*")


class DiscoveryError(Exception):
    """The issuer could not be asked, or its answer cannot be trusted. The message is for the log.

    `kind` is for the metrics, `public` for whoever asks whether this API is ready.
    """

    kind = "unusable"
    public = "what it answers cannot be used"


class UnreachableError(DiscoveryError):
    kind = "unreachable"
    public = "it does not answer"


class HostRefusedError(DiscoveryError):
    kind = "host_refused"
    public = "it does not know itself by the address at which this API dials it"


class OtherIssuerError(DiscoveryError):
    kind = "other_issuer"
    public = "at its address another issuer answers"


@dataclass(frozen=True)
class Login:
    """Where a browser gets an access token: the issuer's endpoints as its metadata name them."""

    authorization_endpoint: str
    token_endpoint: str
    # RFC 9207: its authorization responses say who answers, and one that does not is somebody else's.
    sends_iss: bool


@dataclass(frozen=True)
class Published:
    """What this API needs of all that the issuer publishes."""

    jwks: dict[str, Any]
    login: Login | None


@dataclass(frozen=True)
class Issuer:
    """Whom we trust, and how to reach it."""

    issuer: str
    metadata_url: str | None
    verify: ssl.SSLContext

    def fetch(self) -> Published:
        """The issuer's JWK Set and endpoints, or DiscoveryError after at most TOTAL_TIMEOUT seconds.

        It runs an event loop of its own, in the caller's thread: httpx2's timeouts are per read, and a peer
        that sends one byte a second would never meet one. `asyncio.timeout` bounds the whole exchange.
        """
        return asyncio.run(self._fetch_in_time())

    async def _fetch_in_time(self) -> Published:
        address = self._metadata_address()
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                # No proxy, no .netrc; and httpx2 follows no redirects unless told to.
                async with httpx2.AsyncClient(verify=self.verify, trust_env=False) as client:
                    metadata = await _get(client, address)
                    address = self._jwks_address(metadata)
                    return Published(await _get(client, address), self._login(metadata))
        except DiscoveryError:
            raise
        except TimeoutError as error:
            raise UnreachableError(f"{address} did not answer within {TOTAL_TIMEOUT:g} seconds") from error
        # Whatever a strange address provokes below httpx2 (it can be an ExceptionGroup) is a failed fetch too.
        except Exception as error:
            raise UnreachableError(f"{address} cannot be reached ({_cause(error)}): {self._advice(error)}") from error

    def _metadata_address(self) -> str:
        address = self.metadata_url or self.issuer
        return address if "/.well-known/" in address else f"{address.removesuffix('/')}/{_WELL_KNOWN}"

    def _jwks_address(self, metadata: dict[str, Any]) -> str:
        if metadata.get("issuer") != self.issuer:
            raise OtherIssuerError(
                f"{self._metadata_address()} is the issuer {metadata.get('issuer')!r:.200}, and API_ISSUER is "
                f"{self.issuer!r}: set API_ISSUER to the former, byte for byte, or dial another address"
            )
        jwks_uri = metadata.get("jwks_uri")
        if not isinstance(jwks_uri, str):
            raise DiscoveryError("the metadata name no jwks_uri")
        if not self._is_as_secure(jwks_uri):
            raise DiscoveryError("the jwks_uri is not as secure as the issuer")
        base = f"{self.issuer.removesuffix('/')}/"
        if self.metadata_url is None or not jwks_uri.startswith(base):
            return jwks_uri
        return origin(self.metadata_url) + jwks_uri.removeprefix(origin(self.issuer))

    def _login(self, metadata: dict[str, Any]) -> Login | None:
        endpoints = [metadata.get(name) for name in ("authorization_endpoint", "token_endpoint")]
        match endpoints:
            case [str() as authorization, str() as token] if all(map(self._is_endpoint, (authorization, token))):
                sends_iss = metadata.get("authorization_response_iss_parameter_supported") is True
                return Login(authorization, token, sends_iss)
        return None

    def _is_endpoint(self, url: str) -> bool:
        return bool(_ENDPOINT.fullmatch(url)) and self._is_as_secure(url)

    def _is_as_secure(self, url: str) -> bool:
        """What arrives over http is only as good as an issuer that is itself http."""
        return url.startswith(("https://", f"{urlsplit(self.issuer).scheme}://"))

    def _advice(self, error: Exception) -> str:
        if "CERTIFICATE_VERIFY_FAILED" in _cause(error):
            return "name the certificate authority with API_CA_FILE"
        if self.metadata_url is not None:
            return "does the authorization server run, and is API_METADATA_URL right?"
        return (
            "does the authorization server run? Where this name is not its address for this process "
            "(in a container localhost is the container), set API_METADATA_URL"
        )


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _cause(error: BaseException) -> str:
    """The innermost reason, which is the one that says something."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error!s:.200}"


async def _get(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if asked_for := trace.current.get():
        headers["traceparent"] = asked_for.traceparent()
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code == HTTPStatus.MISDIRECTED_REQUEST:
            raise HostRefusedError(f"{url} answered 421: add {urlsplit(url).netloc} to AUTHSERVER_ALLOWED_HOSTS")
        if response.status_code != HTTPStatus.OK:
            raise DiscoveryError(f"{url} answered {response.status_code}: is this the authorization server's address?")
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise DiscoveryError(f"{url} did not answer in JSON: is this the authorization server's address?")
        # Unasked compression could turn a small answer into a large one between two counts.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise DiscoveryError(f"{url} answered compressed")
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise DiscoveryError(f"{url} answered with too much")
    try:
        return decode_object(body)
    except ValueError as error:
        raise DiscoveryError(f"{url} did not answer with a JSON object") from error
