"""Discovery: fetching the issuer's public keys over HTTP.

OpenID Connect Discovery 1.0 section 4 (the metadata document; 4.3: its `issuer` must be the issuer we asked),
RFC 7517 section 5 (the JWK Set). Two addresses, one identity: with API_METADATA_URL the metadata are fetched
there, and a `jwks_uri` under the issuer is dialled at that origin, while `iss` stays the one string of
API_ISSUER.

A peer that answers with redirects, HTML, a flood or a drip is a failure, never an answer. Left out on
purpose: caching by HTTP headers (`keys` has its own, fixed times) and everything else that metadata say.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from api.strict_json import decode_object

TOTAL_TIMEOUT = 5.0
MAX_DOCUMENT_BYTES = 256 * 1024

_WELL_KNOWN = ".well-known/openid-configuration"


class DiscoveryError(Exception):
    """The issuer could not be asked, or its answer cannot be trusted. The message is for the log."""


@dataclass(frozen=True)
class Issuer:
    """Whom we trust, and how to reach it."""

    issuer: str
    metadata_url: str | None
    verify: ssl.SSLContext

    def fetch_jwks(self) -> dict[str, Any]:
        """The issuer's JWK Set, or DiscoveryError after at most TOTAL_TIMEOUT seconds.

        It runs an event loop of its own, in the caller's thread: httpx2's timeouts are per read, and a peer
        that sends one byte a second would never meet one. `asyncio.timeout` bounds the whole exchange.
        """
        return asyncio.run(self._fetch_in_time())

    async def _fetch_in_time(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT):
                # No proxy, no .netrc; and httpx2 follows no redirects unless told to.
                async with httpx2.AsyncClient(verify=self.verify, trust_env=False) as client:
                    metadata = await _get(client, self._metadata_address())
                    return await _get(client, self._jwks_address(metadata))
        except DiscoveryError:
            raise
        except TimeoutError as error:
            raise DiscoveryError("the issuer did not answer in time") from error
        # Whatever a strange address provokes below httpx2 (it can be an ExceptionGroup) is a failed fetch too.
        except Exception as error:
            raise DiscoveryError(f"the issuer cannot be reached: {error!r}") from error

    def _metadata_address(self) -> str:
        address = self.metadata_url or self.issuer
        return address if "/.well-known/" in address else f"{address.removesuffix('/')}/{_WELL_KNOWN}"

    def _jwks_address(self, metadata: dict[str, Any]) -> str:
        if metadata.get("issuer") != self.issuer:
            raise DiscoveryError("the metadata are another issuer's")
        jwks_uri = metadata.get("jwks_uri")
        if not isinstance(jwks_uri, str):
            raise DiscoveryError("the metadata name no jwks_uri")
        # Keys that arrive over http are only as good as an issuer that is itself http.
        if not jwks_uri.startswith(("https://", f"{urlsplit(self.issuer).scheme}://")):
            raise DiscoveryError("the jwks_uri is not as secure as the issuer")
        base = f"{self.issuer.removesuffix('/')}/"
        if self.metadata_url is None or not jwks_uri.startswith(base):
            return jwks_uri
        return _origin(self.metadata_url) + jwks_uri.removeprefix(_origin(self.issuer))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _get(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            raise DiscoveryError(f"{url!r} answered {response.status_code}")
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise DiscoveryError(f"{url!r} did not answer in JSON")
        # Unasked compression could turn a small answer into a large one between two counts.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise DiscoveryError(f"{url!r} answered compressed")
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise DiscoveryError(f"{url!r} answered with too much")
    try:
        return decode_object(body)
    except ValueError as error:
        raise DiscoveryError(f"{url!r} did not answer with a JSON object") from error
