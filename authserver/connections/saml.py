"""SAML: we are somebody else's service provider, and ask.

Done: SAML 2.0 Core §3.4.1 (AuthnRequest) · Bindings §3.4 (HTTP-Redirect with DEFLATE) · Profiles §4.1 (Web Browser SSO,
begun by us) · Metadata §2.4.4.
Left out: signed requests, POST binding for requests, artifacts, encrypted assertions, single logout, logins that a
provider begins by itself.
"""

import hashlib
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

from authserver.connections.options import SamlOptions
from authserver.store.connections import Connection
from authserver.tenant import Tenant

ACS = "/login/callback"
METADATA = "/samlp/metadata"

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def acs_url(connection: Connection, tenant: Tenant) -> str:
    """Where responses come to; the name needs no encoding."""
    return tenant.url(f"{ACS}?connection={connection.name}")


def entity_id(connection: Connection, tenant: Tenant) -> str:
    """What the provider calls us."""
    return _options(connection).entityId or tenant.url(f"{METADATA}?connection={connection.name}")


def request_id(state: str) -> str:
    """An XML ID for the request that leaves with this `state`."""
    return "_" + hashlib.sha256(f"AuthnRequest {state}".encode("utf-8", "surrogatepass")).hexdigest()[:40]


def departure(connection: Connection, state: str, tenant: Tenant, *, afresh: bool) -> str:
    """Where the browser goes to log in. `afresh` demands that the person shows anew who they are."""
    options = _options(connection)
    instant = datetime.fromtimestamp(tenant.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = (
        f'<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" Version="2.0"'
        f" ID={quoteattr(request_id(state))} IssueInstant={quoteattr(instant)}"
        f" Destination={quoteattr(options.signInEndpoint)}"
        f" AssertionConsumerServiceURL={quoteattr(acs_url(connection, tenant))}"
        f' ProtocolBinding="{POST}"{" ForceAuthn=" + quoteattr("true") if afresh else ""}>'
        f"<saml:Issuer>{escape(entity_id(connection, tenant))}</saml:Issuer></samlp:AuthnRequest>"
    )
    packed = zlib.compressobj(wbits=-15)
    deflated = packed.compress(request.encode()) + packed.flush()
    params = urlencode({"SAMLRequest": b64encode(deflated).decode(), "RelayState": state}, quote_via=quote)
    return f"{options.signInEndpoint}{'&' if urlsplit(options.signInEndpoint).query else '?'}{params}"


def metadata(connection: Connection, tenant: Tenant) -> str:
    """What a provider needs to know about us."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f" entityID={quoteattr(entity_id(connection, tenant))}>\n"
        '  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true"'
        f' protocolSupportEnumeration="{PROTOCOL}">\n'
        f'    <md:AssertionConsumerService index="0" isDefault="true" Binding="{POST}"'
        f" Location={quoteattr(acs_url(connection, tenant))}/>\n"
        "  </md:SPSSODescriptor>\n"
        "</md:EntityDescriptor>\n"
    )


def _options(connection: Connection) -> SamlOptions:
    return SamlOptions.model_validate(connection.options)
