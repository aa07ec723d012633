"""A SAML identity provider that can lie: it says what a test wants, and signs it with signxml.

What a test does not change, it says truthfully.
"""

import base64
import datetime as dt
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from tests.stage import Stage
from tests.upstream.traveller import Traveller, connect, onward, start

CORP = "corp"
ISSUER = "https://idp.corp.example/metadata"
SIGN_IN = "https://idp.corp.example/sso"
P, A, DS = (
    "urn:oasis:names:tc:SAML:2.0:protocol",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "http://www.w3.org/2000/09/xmldsig#",
)
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


@dataclass(frozen=True)
class Signer:
    key: str
    cert: str


@cache
def signer(name: str = "idp") -> Signer:
    """A key with a certificate that is good from 2020 to 2040."""
    key = rsa.generate_private_key(65537, 2048)
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    cert = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2040, 1, 1, tzinfo=dt.UTC))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Signer(pem.decode(), cert.public_bytes(Encoding.PEM).decode())


@dataclass
class Asked:
    """What our AuthnRequest said, and how it came."""

    xml: Any
    relay_state: str
    url: str

    @property
    def id(self) -> str:
        return str(self.xml.get("ID"))


def connect_corp(stage: Stage, **options: Any) -> None:
    good = {"signInEndpoint": SIGN_IN, "signingCert": signer().cert, "issuer": ISSUER}
    connect(stage, CORP, "samlp", display_name="Corp", options={**good, **options})


def leave(stage: Stage, traveller: Traveller, **changed: str | None) -> Asked:
    """Begin a login, up to the redirect to the provider."""
    url = onward(start(stage, traveller, **{"connection": CORP, **changed})) or ""
    query = parse_qs(urlsplit(url).query)
    request = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15)
    return Asked(etree.fromstring(request), query["RelayState"][0], url)


def instant(moment: int) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Idp:
    """Say it with attributes; then `document` and `signed`."""

    stage: Stage
    asked: Asked
    name_id: str = "alice"
    issuer: str = ISSUER
    response_issuer: str = ISSUER
    status: str = SUCCESS
    assertion_id: str = "_assertion-1"
    version: str = "2.0"
    method: str = BEARER
    attributes: dict[str, str] = field(default_factory=lambda: {"email": "alice@corp.example", "displayName": "Alice"})
    changed: dict[str, str | None] = field(default_factory=dict)
    """Of what stands in `values`; None leaves it out."""
    conditions: str = ""

    @property
    def values(self) -> dict[str, str | None]:
        now = self.stage.clock()
        acs = f"{self.stage.issuer}login/callback?connection={CORP}"
        said: dict[str, str | None] = {
            "destination": acs,
            "response_to": self.asked.id,
            "recipient": acs,
            "in_response_to": self.asked.id,
            "confirm_until": instant(now + 300),
            "confirm_from": None,
            "not_before": instant(now),
            "not_on_or_after": instant(now + 300),
            "audience": f"{self.stage.issuer}samlp/metadata?connection={CORP}",
            "authn_instant": instant(now),
            "session_until": None,
        }
        return {**said, **self.changed}

    def document(self) -> str:
        said = self.values

        def attribute(name: str, value: str) -> str:
            text = said[value]
            return f' {name}="{text}"' if text is not None else ""

        audience = said["audience"]
        restriction = f"<a:AudienceRestriction><a:Audience>{audience}</a:Audience></a:AudienceRestriction>"
        attributes = "".join(
            f'<a:Attribute Name="{name}"><a:AttributeValue>{value}</a:AttributeValue></a:Attribute>'
            for name, value in self.attributes.items()
        )
        return (
            f'<p:Response xmlns:p="{P}" xmlns:a="{A}" ID="_response-1" Version="{self.version}"'
            f' IssueInstant="{instant(self.stage.clock())}"{attribute("Destination", "destination")}'
            f"{attribute('InResponseTo', 'response_to')}><a:Issuer>{self.response_issuer}</a:Issuer>"
            f'<p:Status><p:StatusCode Value="{self.status}"/></p:Status>'
            f'<a:Assertion ID="{self.assertion_id}" Version="2.0" IssueInstant="{instant(self.stage.clock())}">'
            f"<a:Issuer>{self.issuer}</a:Issuer><a:Subject><a:NameID>{self.name_id}</a:NameID>"
            f'<a:SubjectConfirmation Method="{self.method}"><a:SubjectConfirmationData'
            f"{attribute('Recipient', 'recipient')}{attribute('InResponseTo', 'in_response_to')}"
            f"{attribute('NotOnOrAfter', 'confirm_until')}{attribute('NotBefore', 'confirm_from')}/>"
            f"</a:SubjectConfirmation></a:Subject>"
            f"<a:Conditions{attribute('NotBefore', 'not_before')}{attribute('NotOnOrAfter', 'not_on_or_after')}>"
            f"{restriction if audience is not None else ''}{self.conditions}</a:Conditions>"
            f"<a:AuthnStatement{attribute('AuthnInstant', 'authn_instant')}"
            f"{attribute('SessionNotOnOrAfter', 'session_until')}/>"
            f"<a:AttributeStatement>{attributes}</a:AttributeStatement></a:Assertion></p:Response>"
        )

    def signed(self, what: str = "assertion", **how: Any) -> bytes:
        """`what` is assertion, response or both."""
        root = etree.fromstring(self.document())
        if what in ("assertion", "both"):
            assertion = root.find(f"{{{A}}}Assertion")
            root.replace(assertion, sign(assertion, **how))
        if what in ("response", "both"):
            root = sign(root, **how)
        return bytes(etree.tostring(root))


def sign(
    element: Any,
    by: Signer | None = None,
    algorithm: SignatureMethod = SignatureMethod.RSA_SHA256,
    digest: DigestAlgorithm = DigestAlgorithm.SHA256,
    c14n: CanonicalizationMethod = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
) -> Any:
    """The element with its signature after its issuer, where SAML wants it."""
    by = by or signer()
    element = etree.fromstring(etree.tostring(element))
    issuer = element.find(f"{{{A}}}Issuer")
    issuer.addnext(etree.Element(f"{{{DS}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DS}))
    worker = _Signer(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=algorithm,
        digest_algorithm=digest,
        c14n_algorithm=c14n,
    )
    return worker.sign(element, key=by.key, cert=by.cert, reference_uri=element.get("ID"), id_attribute="ID")


class _Signer(XMLSigner):
    """SHA-1 too, since a test must be able to show that it is refused."""

    def check_deprecated_methods(self) -> None:
        pass


def post(stage: Stage, document: bytes | str, relay_state: str, *, connection: str = CORP) -> Any:
    """What the provider's page makes a browser do: without our cookies, because it comes from another site."""
    raw = document if isinstance(document, bytes) else document.encode()
    data = {"SAMLResponse": base64.b64encode(raw).decode(), "RelayState": relay_state}
    headers = {"Origin": "https://idp.corp.example", "Sec-Fetch-Site": "cross-site"}
    url = f"/login/callback?connection={connection}" if connection else "/login/callback"
    return stage.http.post(url, data=data, headers=headers)
