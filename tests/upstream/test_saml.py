"""SAML: people whom a company's provider vouches for, and every way in which a response could prove less than it seems."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from authserver.store.connections import Connection
from authserver.tenant_file import TenantFileError, read_tenant_file
from tests.attacks.judge import both_dialects, nothing_changes, on_sqlite
from tests.proves import proves
from tests.stage import Pkce, Stage, claims
from tests.upstream.saml_idp import (
    BEARER,
    CORP,
    DS,
    ISSUER,
    SIGN_IN,
    A,
    Asked,
    Idp,
    P,
    connect_corp,
    instant,
    leave,
    post,
    sign,
    signer,
)
from tests.upstream.test_identity import tenant_file
from tests.upstream.traveller import Traveller, answer, onward

Travel = Callable[..., Traveller]


def finish(traveller: Traveller, page: httpx2.Response) -> httpx2.Response:
    """The browser goes on by itself from what its post was answered with."""
    return traveller.allow(traveller.follow(page))


def refused(stage: Stage, traveller: Traveller, document: bytes | str, asked: Asked) -> str:
    """That nobody is logged in by it, and that the person sees so. The reason, as the operator sees it."""
    before = len(traveller.trail)
    with nothing_changes(stage):
        page = finish(traveller, post(stage, document, asked.relay_state))
    assert page.status_code == 400, page.text
    assert 'id="error"' in page.text
    assert 'id="back-to-login"' in page.text
    assert "ticket" not in "".join(str(each.url) for each in traveller.trail[before:])
    reasons = stage.rows(
        "SELECT reason FROM events WHERE type = 'LoginFailed' AND reason NOT LIKE '%ticket' ORDER BY id"
    )
    return str(reasons[-1]["reason"])


@both_dialects
@pytest.mark.parametrize("what", ["assertion", "response", "both"])
@proves("GET /login/callback", "strategy=samlp")
def test_a_person_of_a_company_logs_in(stage: Stage, travel: Travel, what: str) -> None:
    connect_corp(stage)
    pkce, traveller = Pkce(), travel(is_browser=True)
    asked = leave(stage, traveller, code_challenge=pkce.challenge)
    said = answer(finish(traveller, post(stage, Idp(stage, asked).signed(what), asked.relay_state)))
    assert (said["state"], said["iss"]) == ("af0ifjsldkj", stage.issuer)
    token = claims(stage.redeem(said["code"], pkce).json()["id_token"])
    assert token["sub"] == f"{CORP}|alice"
    assert (token["email"], token["name"]) == ("alice@corp.example", "Alice")
    assert [row["connection"] for row in stage.rows("SELECT connection FROM login_sessions")] == [CORP]
    event = stage.rows("SELECT connection, user_id FROM events WHERE type = 'LoginSucceeded'")
    assert event == [{"connection": CORP, "user_id": f"{CORP}|alice"}]


def test_what_is_asked(stage: Stage, travel: Travel) -> None:
    connect_corp(stage, entityId="urn:understudy:tests")
    asked = leave(stage, travel())
    assert asked.url.startswith(SIGN_IN + "?SAMLRequest=")
    assert asked.xml.tag == f"{{{P}}}AuthnRequest"
    assert asked.xml.get("AssertionConsumerServiceURL") == f"{stage.issuer}login/callback?connection={CORP}"
    assert asked.xml.get("Destination") == SIGN_IN
    assert asked.xml.get("IssueInstant") == instant(stage.clock())
    assert asked.xml.findtext(f"{{{A}}}Issuer") == "urn:understudy:tests"
    assert asked.xml.get("ForceAuthn") is None
    assert len(asked.relay_state) <= 80  # SAML 2.0 Bindings §3.4.3
    assert leave(stage, travel()).id != asked.id
    assert leave(stage, travel(), prompt="login").xml.get("ForceAuthn") == "true"


@proves("GET /samlp/metadata", "connection")
def test_the_metadata_say_where_responses_go(stage: Stage) -> None:
    connect_corp(stage)
    said = stage.http.get(f"/samlp/metadata?connection={CORP}")
    assert said.headers["content-type"].startswith("application/samlmetadata+xml")
    root = etree.fromstring(said.content)
    assert root.get("entityID") == f"{stage.issuer}samlp/metadata?connection={CORP}"
    (service,) = root.iter("{urn:oasis:names:tc:SAML:2.0:metadata}AssertionConsumerService")
    assert service.get("Location") == f"{stage.issuer}login/callback?connection={CORP}"
    for name in ("nobody", "Username-Password-Authentication", ""):
        assert stage.http.get(f"/samlp/metadata?connection={name}").status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": SignatureMethod.RSA_SHA512, "digest": DigestAlgorithm.SHA512},
        {"c14n": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS},
    ],
)
@on_sqlite
def test_other_good_signatures(stage: Stage, travel: Travel, changed: dict[str, Any]) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    assert "code" in answer(finish(traveller, post(stage, Idp(stage, asked).signed(**changed), asked.relay_state)))


@on_sqlite
def test_CL8_only_the_configured_key_and_good_algorithms_count(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    idp = Idp(stage, asked)
    for what in ("assertion", "response", "both"):
        assert "signature" in refused(stage, traveller, idp.signed(what, by=signer("thief")), asked)
        weak = idp.signed(what, algorithm=SignatureMethod.RSA_SHA1, digest=DigestAlgorithm.SHA1)
        assert "signature" in refused(stage, traveller, weak, asked)
        weak = idp.signed(what, digest=DigestAlgorithm.SHA1)
        assert "signature" in refused(stage, traveller, weak, asked)
    assert "not signed" in refused(stage, traveller, idp.document(), asked)
    # A good inner signature does not make up for a bad outer one.
    inner = etree.fromstring(idp.signed())
    assert "signature" in refused(stage, traveller, etree.tostring(sign(inner, by=signer("thief"))), asked)


@on_sqlite
def test_CL8_what_was_signed_was_not_changed(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    for what in ("assertion", "response"):
        document = Idp(stage, asked).signed(what)
        for old, new in (
            (b">alice<", b">admin<"),
            (b"alice@corp", b"admin@corp"),
            (b"<a:AttributeStatement", b"<a:Advice/><a:AttributeStatement"),
        ):
            assert document.count(old) >= 1
            assert "signature" in refused(stage, traveller, document.replace(old, new, 1), asked)


def evil_of(assertion: Any) -> Any:
    """A copy that names somebody else, and carries no signature."""
    evil = deepcopy(assertion)
    for signature in evil.findall(f"{{{DS}}}Signature"):
        evil.remove(signature)
    evil.set("ID", "_evil")
    evil.find(f"{{{A}}}Subject/{{{A}}}NameID").text = "admin"
    return evil


def wrap(number: int, document: bytes, *, same_id: bool) -> bytes:
    """Signature wrapping, XSW1 to XSW8 after Somorovsky et al.: where the forged part stands, and the signed one."""
    root = etree.fromstring(document)
    assertion = root.find(f"{{{A}}}Assertion")
    if number <= 2:  # the response is signed
        signature = root.find(f"{{{DS}}}Signature")
        original, evil = deepcopy(root), deepcopy(root)
        evil.remove(evil.find(f"{{{DS}}}Signature"))
        original.remove(original.find(f"{{{DS}}}Signature"))
        evil.replace(evil.find(f"{{{A}}}Assertion"), evil_of(assertion))
        evil.set("ID", root.get("ID") if same_id else "_evil-response")
        signature = deepcopy(signature)
        if number == 1:
            etree.SubElement(signature, f"{{{DS}}}Object").append(original)
            evil.insert(1, signature)
        else:
            evil.insert(1, signature)
            evil.append(original)
        return bytes(etree.tostring(evil))
    evil = evil_of(assertion)
    if same_id:
        evil.set("ID", assertion.get("ID"))
    signature = assertion.find(f"{{{DS}}}Signature")
    if number == 3:
        assertion.addprevious(evil)
    elif number == 4:
        root.replace(assertion, evil)
        evil.append(assertion)
    elif number == 5:
        bare = deepcopy(assertion)
        bare.remove(bare.find(f"{{{DS}}}Signature"))
        evil.insert(1, deepcopy(signature))
        root.replace(assertion, evil)
        root.append(bare)
    elif number == 6:
        bare = deepcopy(assertion)
        bare.remove(bare.find(f"{{{DS}}}Signature"))
        moved = deepcopy(signature)
        etree.SubElement(moved, f"{{{DS}}}Object").append(bare)
        evil.insert(1, moved)
        root.replace(assertion, evil)
    elif number == 7:
        extensions = etree.Element(f"{{{P}}}Extensions")
        extensions.append(evil)
        root.insert(1, extensions)
    else:
        moved = deepcopy(signature)
        bare = deepcopy(assertion)
        bare.remove(bare.find(f"{{{DS}}}Signature"))
        etree.SubElement(moved, f"{{{DS}}}Object").append(bare)
        root.replace(assertion, evil)
        evil.append(moved)
    return bytes(etree.tostring(root))


@on_sqlite
@pytest.mark.parametrize("same_id", [False, True])
@pytest.mark.parametrize("number", range(1, 9))
def test_CL8_a_wrapped_signature_is_no_signature(stage: Stage, travel: Travel, number: int, same_id: bool) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    good = Idp(stage, asked).signed("response" if number <= 2 else "assertion")
    wrapped = wrap(number, good, same_id=same_id)
    assert b">admin<" in wrapped
    assert b">alice<" in wrapped
    refused(stage, traveller, wrapped, asked)
    assert "code" in answer(finish(traveller, post(stage, good, asked.relay_state)))


@on_sqlite
def test_LO10_a_comment_cuts_no_name_in_two(stage: Stage, travel: Travel) -> None:
    """The signature ignores comments, and a reader that stops at one would see the shorter name."""
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    whole = Idp(stage, asked, name_id="admin@corp.example.evil.test").signed()
    cut = whole.replace(b"admin@corp.example.evil", b"admin@corp.example<!-- -->.evil")
    assert "code" in answer(finish(traveller, post(stage, cut, asked.relay_state)))
    users = stage.rows("SELECT user_id FROM users WHERE connection = :of", of=CORP)
    assert users == [{"user_id": f"{CORP}|admin@corp.example.evil.test"}]


@on_sqlite
@pytest.mark.parametrize("name_id", ["", " ", "x" * 256, "<a:b/>admin", "&#127;"])
def test_LO10_odd_names_are_nobodys(stage: Stage, travel: Travel, name_id: str) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    assert "NameID" in refused(stage, traveller, Idp(stage, asked, name_id=name_id).signed(), asked)


NOW = 1_800_000_000

CLAIMS: dict[str, dict[str, Any]] = {
    "InResponseTo of another request": {"changed": {"in_response_to": "_another"}},
    "InResponseTo absent": {"changed": {"in_response_to": None}},
    "the response answers another request": {"changed": {"response_to": "_another"}},
    "the response answers none": {"changed": {"response_to": None}},
    "Recipient": {"changed": {"recipient": "https://other.example/acs"}},
    "Recipient absent": {"changed": {"recipient": None}},
    "Destination": {"changed": {"destination": "https://other.example/acs"}},
    "Audience": {"changed": {"audience": "urn:somebody:else"}},
    "Audience absent": {"changed": {"audience": None}},
    "a second audience that is not ours": {
        "conditions": "<a:AudienceRestriction><a:Audience>urn:x</a:Audience></a:AudienceRestriction>"
    },
    "an unknown condition": {"conditions": "<a:Condition/>"},
    "Issuer": {"issuer": "https://evil.example/"},
    "Issuer of the response": {"response_issuer": "https://evil.example/"},
    "status": {"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"},
    "not yet valid": {"changed": {"not_before": instant(NOW + 61)}},
    "over": {"changed": {"not_on_or_after": instant(NOW - 60)}},
    "confirmation over": {"changed": {"confirm_until": instant(NOW - 60)}},
    "confirmation without end": {"changed": {"confirm_until": None}},
    "confirmation with a beginning": {"changed": {"confirm_from": instant(NOW)}},
    "session over": {"changed": {"session_until": instant(NOW - 60)}},
    "a time without zone": {"changed": {"confirm_until": "2030-01-01T00:00:00"}},
    "a time that is none": {"changed": {"not_before": "soon"}},
    "an end that is none": {"changed": {"not_on_or_after": "never"}},
    "another version": {"version": "1.1"},
    "holder of key": {"method": BEARER.replace("bearer", "holder-of-key")},
}


@on_sqlite
@pytest.mark.parametrize("case", CLAIMS)
def test_CL8_a_good_signature_under_the_wrong_words(stage: Stage, travel: Travel, case: str) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    said = CLAIMS[case]
    refused(stage, traveller, Idp(stage, asked, **said).signed(), asked)
    refused(stage, traveller, Idp(stage, asked, **said).signed("response"), asked)
    assert "code" in answer(finish(traveller, post(stage, Idp(stage, asked).signed(), asked.relay_state)))


@on_sqlite
@pytest.mark.parametrize(
    "changed",
    [
        {"not_before": instant(NOW + 60)},
        {"not_on_or_after": instant(NOW - 59)},
        {"confirm_until": instant(NOW - 59)},
        {"not_before": None, "not_on_or_after": None},
        {"confirm_until": "2027-01-15T08:05:00.123+00:00"},
        {"destination": None},
    ],
)
def test_clocks_may_differ_a_little(stage: Stage, travel: Travel, changed: dict[str, str | None]) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    document = Idp(stage, asked, changed=changed).signed()
    assert "code" in answer(finish(traveller, post(stage, document, asked.relay_state)))


def test_CL8_an_assertion_counts_once(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    document = Idp(stage, asked).signed()
    assert "code" in answer(finish(traveller, post(stage, document, asked.relay_state)))
    # The very same post again; and the same assertion for another request, should a provider sign that.
    again = finish(traveller, post(stage, document, asked.relay_state))
    assert again.status_code == 400
    stage.change("UPDATE login_sessions SET ended_at = 1")
    asked = leave(stage, traveller)
    assert "used before" in refused(stage, traveller, Idp(stage, asked).signed(), asked)
    fresh = Idp(stage, asked, assertion_id="_assertion-2").signed()
    assert "code" in answer(finish(traveller, post(stage, fresh, asked.relay_state)))


def test_B6_of_many_that_bring_one_assertion_one_is_believed(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    document = Idp(stage, asked).signed()
    with ThreadPoolExecutor(8) as many:
        pages = list(many.map(lambda _: post(stage, document, asked.relay_state), range(8)))
    believed = [page for page in pages if "ticket=" in (onward(page) or "")]
    assert len(believed) == 1
    assert "code" in answer(finish(traveller, believed[0]))


def test_AZ35_who_brings_a_response_must_have_asked(stage: Stage, travel: Travel) -> None:
    """The attacker sends the victim to the provider with a request of the attacker's own."""
    connect_corp(stage)
    attacker, victim = travel(), travel()
    asked = leave(stage, attacker)
    page = post(stage, Idp(stage, asked, name_id="victim").signed(), asked.relay_state)
    landed = victim.follow(page)  # in the victim's browser, which has none of the cookies
    assert landed.status_code == 403
    # The attacker, who has them and knows the state, lacks the ticket.
    for extra in ("", "&ticket=", "&ticket=x", "&ticket=" + "x" * 43):
        page_ = attacker.get(f"{stage.issuer}login/callback?state={asked.relay_state}{extra}")
        assert page_.status_code == 400, extra
        assert "set-cookie" not in page_.headers
    assert stage.rows("SELECT 1 FROM users WHERE connection = :of", of=CORP) == []
    assert stage.rows("SELECT 1 FROM login_sessions") == []
    ticket = re.search(r"ticket=([\w-]+)", onward(page) or "")
    assert ticket
    assert ticket[1] not in str(stage.rows("SELECT * FROM upstream_logins"))


def test_LO1_nobody_is_logged_in_as_the_attacker(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    attacker, victim = travel(), travel()
    asked = leave(stage, attacker)
    leave(stage, victim)  # who has a cookie and a login of their own under way
    landed = victim.follow(post(stage, Idp(stage, asked, name_id="attacker").signed(), asked.relay_state))
    assert landed.status_code == 403
    assert "set-cookie" not in landed.headers


@on_sqlite
def test_a_response_belongs_to_a_login_that_is_under_way(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    document = Idp(stage, asked).signed()
    for relay_state, connection in (
        ("", CORP),
        ("x", CORP),
        (asked.relay_state[:-1], CORP),
        (asked.relay_state.partition(".")[0], CORP),
        (asked.relay_state, "nobody"),
        (asked.relay_state, ""),
    ):
        with nothing_changes(stage):
            assert post(stage, document, relay_state, connection=connection).status_code == 400
    stage.clock.advance(stage.settings.interaction_lifetime)
    late = post(stage, Idp(stage, asked).signed(), asked.relay_state)
    assert finish(traveller, late).status_code == 400
    assert stage.rows("SELECT 1 FROM login_sessions") == []


@on_sqlite
def test_a_login_that_must_be_new_is_new_there_too(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    for changed, oldest in (({"prompt": "login"}, NOW - 60), ({"max_age": "100"}, NOW - 160)):
        traveller = travel()
        asked = leave(stage, traveller, **changed)
        for when in (instant(oldest - 1), None, "x"):
            idp = Idp(stage, asked, changed={"authn_instant": when})
            assert "too old" in refused(stage, traveller, idp.signed(), asked)
        fresh = Idp(stage, asked, changed={"authn_instant": instant(oldest)}, assertion_id=f"_{oldest}")
        assert "code" in answer(finish(traveller, post(stage, fresh.signed(), asked.relay_state)))


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@on_sqlite
def test_DR3_a_document_opens_nothing(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    good = Idp(stage, asked, name_id="&a;").document()
    for document in (
        BOMB + good,
        FILE + good,
        (BOMB + good).encode("utf-16"),
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/dtd">' + Idp(stage, asked).document(),
        "<p:Response",
        "",
        "\x00",
        "<x/>",
        "<" + "a" * 1000,
        "<a>" * 5000 + "</a>" * 5000,
        f'<p:Response xmlns:p="{P}" Version="2.0"/>',
    ):
        refused(stage, traveller, document, asked)
    assert "too large" in refused(stage, traveller, good.replace("Alice", "A" * 131_072), asked)
    for raw in ("", "%%%", "not base64!", "\u00e4"):
        data = {"SAMLResponse": raw, "RelayState": asked.relay_state}
        page = finish(traveller, stage.http.post(f"/login/callback?connection={CORP}", data=data))
        assert page.status_code == 400


@on_sqlite
def test_an_encrypted_or_second_assertion_is_refused(stage: Stage, travel: Travel) -> None:
    connect_corp(stage)
    traveller = travel()
    asked = leave(stage, traveller)
    root = etree.fromstring(Idp(stage, asked).signed())
    root.append(deepcopy(root.find(f"{{{A}}}Assertion")))
    refused(stage, traveller, etree.tostring(root), asked)
    root = etree.fromstring(Idp(stage, asked).document())
    assertion = root.find(f"{{{A}}}Assertion")
    assertion.tag = f"{{{A}}}EncryptedAssertion"
    refused(stage, traveller, etree.tostring(sign(root)), asked)
    # Only the status is signed for, and the assertion is another element with its ID.
    refused(stage, traveller, Idp(stage, asked, assertion_id="").signed("response"), asked)


GOOD = {"signInEndpoint": SIGN_IN, "signingCert": signer().cert, "issuer": ISSUER}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"signInEndpoint": "http://idp.example/"}, "options.signInEndpoint: must be an https URL"),
        ({"signInEndpoint": "javascript:alert(1)"}, "options.signInEndpoint: must be an https URL"),
        ({"signingCert": "MIIB"}, "options.signingCert: must be a certificate"),
        ({"signingCert": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"}, "options.signingCert"),
        ({"issuer": ""}, "options.issuer"),
        ({"signSAMLRequest": True}, "options.signSAMLRequest"),
        ({"protocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"}, "options.protocolBinding"),
        ({"signinEndpoint": SIGN_IN}, "options.signinEndpoint"),
    ],
)
def test_DR4_a_mistake_in_the_options_is_said(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(TenantFileError, match="connections\\[0\\]") as mistake:
        read_tenant_file(tenant_file(tmp_path, strategy="samlp", options={**GOOD, **changed}))
    assert said in str(mistake.value)


def test_a_certificate_is_read_as_others_write_it(tmp_path: Path) -> None:
    body = "".join(signer().cert.splitlines()[1:-1])
    for said in (signer().cert, body, base64.b64encode(signer().cert.encode()).decode()):
        read_tenant_file(tenant_file(tmp_path, strategy="samlp", options={**GOOD, "signingCert": said}))


def test_without_its_packages_saml_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from authserver.connections import options

    monkeypatch.setattr(options, "find_spec", lambda name: None if name == "signxml" else object())
    said = options.obstacle(Connection("corp", "samlp", options=GOOD))
    assert said == "strategy samlp needs two packages more: pip install 'understudy[saml]'"
