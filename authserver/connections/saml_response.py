"""The SAML response: whom the provider vouches for, to us, in answer to our request, now, and once.

Done: SAML 2.0 Core §2.3 to §2.7, §3.2.2, §5.4 · Profiles §4.1.4.2, §4.1.4.3 · XML Signature §4.4, §4.5 (SHA-256 and
better, one reference, the configured certificate alone).
Left out: encrypted assertions and names, holder of key, one-time conditions beyond the one use that all have.

Only the element that was found signed is read. Before anything is verified, the document must have the one simple
shape in which a signature can mean only one thing (signature wrapping): one Response, one Assertion in it, and
signatures nowhere but directly under these two.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from authserver.connections.identity import Identity
from authserver.connections.options import SamlOptions
from authserver.connections.saml import ASSERTION, PROTOCOL, acs_url, entity_id, request_id
from authserver.messages import is_text
from authserver.outbound import Unusable
from authserver.store.connections import Connection
from authserver.tenant import Tenant

SIZE = 128 * 1024
"""Bytes of a response, looked at before anything is parsed."""

SKEW = 60
"""Seconds by which clocks may differ."""

_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_NAMES = {"p": PROTOCOL, "a": ASSERTION, "ds": _DSIG}
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_CONDITIONS = {f"{{{ASSERTION}}}{name}" for name in ("AudienceRestriction", "OneTimeUse", "ProxyRestriction")}

_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_CLAIMS = {
    "email": ("email", "mail", "urn:oid:0.9.2342.19200300.100.1.3", _SOAP + "emailaddress"),
    "name": ("name", "displayName", "urn:oid:2.16.840.1.113730.3.1.241", _SOAP + "name"),
    "given_name": ("given_name", "givenName", "firstName", "urn:oid:2.5.4.42", _SOAP + "givenname"),
    "family_name": ("family_name", "sn", "surname", "lastName", "urn:oid:2.5.4.4", _SOAP + "surname"),
    "nickname": ("nickname", "uid"),
    "phone_number": ("phone_number", "telephoneNumber", _SOAP + "mobilephone"),
}
"""Attributes under their usual names, as the claims that they become."""


@dataclass(frozen=True, slots=True)
class Asserted:
    """Who it is, and what makes the assertion count once: its id, and until when it would be accepted."""

    identity: Identity
    assertion_id: str
    expires_at: int


def verify(
    response: str, connection: Connection, state: str, tenant: Tenant, *, logged_in_since: int | None
) -> Asserted:
    """Every check but the one use, which the database decides. Raises Unusable with the reason."""
    options = SamlOptions.model_validate(connection.options)
    assertion = _signed_assertion(_parsed(response), connection, options, state, tenant)
    _require(assertion.get("Version") == "2.0", "it is not SAML 2.0")
    _require(_text(assertion, "a:Issuer") == options.issuer, "its issuer is somebody else")
    in_reply_to, to = request_id(state), acs_url(connection, tenant)
    expires_at = _check_subject(assertion, in_reply_to, to, tenant.now())
    _check_conditions(assertion, entity_id(connection, tenant), tenant.now())
    _check_login(assertion, logged_in_since, tenant.now())
    assertion_id, subject = assertion.get("ID"), _text(assertion, "a:Subject/a:NameID")
    if not assertion_id:
        raise _refused("it has no ID")
    if not subject or len(subject) > 255 or not is_text(subject):
        raise _refused("NameID is no usable name")
    identity = Identity(connection.name, subject, _claims(assertion))
    return Asserted(identity, assertion_id, expires_at + SKEW)


def _parsed(response: str) -> Any:
    if len(response) > SIZE * 4 // 3 + 4:
        raise _refused("it is too large")
    try:
        document = b64decode("".join(response.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _refused("it is no base64") from None
    # Comments go before anything is read: they would cut a text in two, and readers take the first half.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise _refused("it has a DTD")
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise _refused("it is no XML") from None
    _require(root.getroottree().docinfo.internalDTD is None, "it has a DTD")
    return root


def _signed_assertion(root: Any, connection: Connection, options: SamlOptions, state: str, tenant: Tenant) -> Any:
    _require(root.tag == f"{{{PROTOCOL}}}Response", "it is no Response")
    _require(root.get("Version") == "2.0", "it is not SAML 2.0")
    status = [code.get("Value") for code in root.findall("p:Status/p:StatusCode", _NAMES)]
    _require(status == [_SUCCESS], "its status is not Success")
    _require(root.get("InResponseTo") == request_id(state), "it answers another request")
    _require(root.get("Destination") in (None, acs_url(connection, tenant)), "it is for another place")
    _require(_text(root, "a:Issuer") in (None, options.issuer), "its issuer is somebody else")
    own = _the_one(root.findall("a:Assertion", _NAMES), "assertion")
    _require(len(root.findall(".//a:Assertion", _NAMES)) == 1, "it has an assertion elsewhere")
    ids = [value for each in root.iter() for name, value in each.items() if etree.QName(name).localname.lower() == "id"]
    _require(len(ids) == len(set(ids)), "two elements have one ID")
    above, inside = root.findall("ds:Signature", _NAMES), own.findall("ds:Signature", _NAMES)
    everywhere = root.findall(".//ds:Signature", _NAMES)
    _require(len(everywhere) == len(above) + len(inside), "it has a signature elsewhere")
    _require(len(above) <= 1 and len(inside) <= 1 and everywhere, "it is not signed once")
    location = "./" if above else f"./{{{ASSERTION}}}Assertion/"
    signed = _verified(root, location, options, tenant)
    if signed.tag == f"{{{PROTOCOL}}}Response" and above:
        return _the_one(signed.findall("a:Assertion", _NAMES), "assertion")
    _require(signed.tag == f"{{{ASSERTION}}}Assertion" and not above, "the signature is for something else")
    return signed


def _verified(root: Any, location: str, options: SamlOptions, tenant: Tenant) -> Any:
    """The element that this signature is for, as it was signed."""
    expected = SignatureConfiguration(
        location=location,
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=datetime.fromtimestamp(tenant.now(), UTC),
        ignore_ambiguous_key_info=True,  # no key in it counts
    )
    verify_signature: Callable[..., Any] = XMLVerifier().verify
    try:
        result = verify_signature(root, x509_cert=options.signingCert, id_attribute="ID", expect_config=expected)
    except (SignXMLException, etree.LxmlError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise _refused(f"its signature does not hold ({type(error).__name__})") from None
    if result.signed_xml is None:
        raise _refused("its signature is for no XML")
    return result.signed_xml


def _check_subject(assertion: Any, in_reply_to: str, to: str, now: int) -> int:
    """Until when it may be presented, by the bearer's confirmation that fits."""
    subject = _the_one(assertion.findall("a:Subject", _NAMES), "subject")
    _the_one(subject.findall("a:NameID", _NAMES), "NameID")
    for confirmation in subject.findall("a:SubjectConfirmation", _NAMES):
        data = confirmation.find("a:SubjectConfirmationData", _NAMES)
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotBefore") is not None:
            continue
        ends_at = _time(data.get("NotOnOrAfter"))
        if data.get("Recipient") == to and data.get("InResponseTo") == in_reply_to:
            if ends_at is not None and now < ends_at + SKEW:
                return ends_at
    raise _refused("nothing confirms that it is for us, in answer to our request, and now")


def _check_conditions(assertion: Any, audience: str, now: int) -> None:
    conditions = _the_one(assertion.findall("a:Conditions", _NAMES), "set of conditions")
    begins_at, ends_at = conditions.get("NotBefore"), conditions.get("NotOnOrAfter")
    if begins_at is not None:
        _require((_time(begins_at) or now + 2 * SKEW) - SKEW <= now, "it is not valid yet")
    if ends_at is not None:
        _require(now < (_time(ends_at) or 0) + SKEW, "it is over")
    _require(all(each.tag in _CONDITIONS for each in conditions), "it has a condition that is not known here")
    restrictions = conditions.findall("a:AudienceRestriction", _NAMES)
    _require(restrictions, "it is for no audience")
    for restriction in restrictions:
        audiences = [_whole(each) for each in restriction.findall("a:Audience", _NAMES)]
        _require(audience in audiences, "it is for another audience")


def _check_login(assertion: Any, since: int | None, now: int) -> None:
    statements = assertion.findall("a:AuthnStatement", _NAMES)
    _require(statements, "nobody has logged in")
    for statement in statements:
        session_ends_at = statement.get("SessionNotOnOrAfter")
        if session_ends_at is not None:
            _require(now < (_time(session_ends_at) or 0) + SKEW, "the session there is over")
        if since is not None:
            _require((_time(statement.get("AuthnInstant")) or 0) + SKEW >= since, "the login there is too old")


def _claims(assertion: Any) -> dict[str, str]:
    said: dict[str, str] = {}
    for attribute in assertion.findall("a:AttributeStatement/a:Attribute", _NAMES):
        value = attribute.find("a:AttributeValue", _NAMES)
        said.setdefault(str(attribute.get("Name")), _whole(value) if value is not None else "")
    found = {claim: [said[name] for name in names if said.get(name)] for claim, names in _CLAIMS.items()}
    return {claim: values[0] for claim, values in found.items() if values}


def _time(said: str | None) -> int | None:
    """xs:dateTime with its zone, as epoch seconds; None for anything else."""
    try:
        moment = datetime.fromisoformat(said or "")
        return int(moment.timestamp()) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _text(element: Any, path: str) -> str | None:
    found = element.find(path, _NAMES)
    return _whole(found) if found is not None else None


def _whole(element: Any) -> str:
    """All of an element's text. One that holds other elements says nothing."""
    return "".join(element.itertext()).strip() if len(element) == 0 else ""


def _the_one(found: list[Any], what: str) -> Any:
    _require(len(found) == 1, f"it has {len(found) or 'no'} {what}")
    return found[0]


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise _refused(otherwise)


def _refused(reason: str) -> Unusable:
    return Unusable(f"the SAML response was refused: {reason}")
