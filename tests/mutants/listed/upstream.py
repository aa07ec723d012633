"""The mutants of logins elsewhere."""

from tests.mutants.mutant import Edit, Mutant, tests

LIES = "upstream/test_upstream_lies.py"
OUTBOUND = "upstream/test_outbound.py"
ROOM = "authserver/endpoints/upstream.py"
ID_TOKEN = "authserver/connections/id_token.py"
OIDC = "authserver/connections/oidc.py"
ADDRESSES = "authserver/outbound/addresses.py"
TRANSPORT = "authserver/outbound/transport.py"

_A_LIE = tests(LIES, "CL8_a_lie_logs_nobody_in")


def _unchecked(id_: str, sentence: str, old: str, new: str) -> Mutant:
    return Mutant(id_, sentence, (Edit(ID_TOKEN, old, new),), _A_LIE)


SAML = "upstream/test_saml.py"
RESPONSE = "authserver/connections/saml_response.py"
_WORDS = tests(SAML, "CL8_a_good_signature_under_the_wrong_words")
_WRAPPED = tests(SAML, "CL8_a_wrapped_signature_is_no_signature")
_SHAPE = """    own = _the_one(root.findall("a:Assertion", _NAMES), "assertion")
    _require(len(root.findall(".//a:Assertion", _NAMES)) == 1, "it has an assertion elsewhere")
"""
_NO_SHAPE = """    evil = [each for each in root.findall(".//a:Assertion", _NAMES) if each.get("ID") != "_assertion-1"]
    own = (evil or root.findall(".//a:Assertion", _NAMES))[0]
    return own
"""


def _saml(id_: str, sentence: str, old: str, new: str, caught_by: tuple[str, ...] = _WORDS) -> Mutant:
    return Mutant(f"CL8-saml-{id_}", sentence, (Edit(RESPONSE, old, new),), caught_by)


UPSTREAM = (
    Mutant(
        "LO3-upstream-redirects",
        "A browser is redirected after a form, past policies that do not know where to.",
        (Edit(ROOM, "if request.fetch_site is None:", "if request.method:"),),
        tests(
            "browser/test_logins_elsewhere.py",
            "by_a_button_there_and_back",
            "from_the_providers_form_straight_to_the_application",
        ),
    ),
    Mutant(
        "LO15-upstream-session",
        "A session of any source is one of the source that was asked for.",
        (
            Edit(
                "authserver/endpoints/authorize.py",
                "return user is not None and user.connection != asked.connection",
                "return user is None",
            ),
        ),
        tests("upstream/test_upstream_login.py", "another_connections_session_is_not_enough"),
    ),
    Mutant(
        "AZ35-upstream-state",
        "A provider's answer counts as often as it is brought.",
        (Edit(ROOM, "if not once.spend_upstream_login(db, login.digest, tenant.now()):", "if login is None:"),),
        tests(LIES, "AZ35_an_answer_counts_once_and_in_its_time"),
    ),
    Mutant(
        "AZ35-upstream-invented-state",
        "A state that nobody left with is good enough.",
        (
            Edit(
                ROOM,
                "        login = find_upstream_login(db, travelling)\n    if login is None:\n",
                '        login = find_upstream_login(db, travelling) or UpstreamLogin(b"", "acme", 0)\n    if login is None:\n',
            ),
            Edit(
                ROOM,
                "if not once.spend_upstream_login(db, login.digest, tenant.now()):",
                "if login.digest and not once.spend_upstream_login(db, login.digest, tenant.now()):",
            ),
        ),
        tests(LIES, "AZ35_a_state_is_whole_or_worth_nothing"),
    ),
    Mutant(
        "AZ35-upstream-browser",
        "Any browser finishes any login that left for a provider, or began here.",
        (
            Edit(
                "authserver/interactions.py",
                "if browser is None or digest(browser) != interaction.browser_digest:",
                "if browser is None:",
            ),
        ),
        tests(LIES, "AZ35_another_browser_cannot_finish_a_login"),
    ),
    Mutant(
        "LO1-upstream-choose",
        "Any site's form sends people to a provider.",
        (
            Edit(
                "authserver/endpoints/upstream.py",
                "    interactions.same_origin(request, tenant)\n    state, action",
                "    state, action",
            ),
        ),
        tests("upstream/test_upstream_login.py", "the_form_is_taken_from_our_page_alone"),
    ),
    Mutant(
        "CL7-upstream-issuer",
        "Metadata may speak for any issuer.",
        (Edit(OIDC, 'or not options.is_issuer(said["issuer"])', "or said is None"),),
        tests(LIES, "CL7_metadata_that_lie_lead_nowhere"),
    ),
    Mutant(
        "CL7-upstream-endpoints",
        "Endpoints in metadata are taken as they are.",
        (Edit(OIDC, "    check(url, call.reach)\n", ""),),
        tests(LIES, "CL7_metadata_that_lie_lead_nowhere"),
    ),
    Mutant(
        "CL8-upstream-iss-parameter",
        "Nobody looks who sent the browser back (RFC 9207).",
        (Edit(OIDC, "if answer.iss != provider.issuer:", "if answer is None:"),),
        _A_LIE,
    ),
    Mutant(
        "CL8-upstream-promised-iss",
        "An answer may leave out the iss that was promised.",
        (Edit(OIDC, "if answer.iss is not None or provider.sends_iss:", "if answer.iss is not None:"),),
        _A_LIE,
    ),
    Mutant(
        "CL8-upstream-mix-up",
        "An answer that came to another connection's address is taken.",
        (Edit(OIDC, "elif not alone and answer.came_to != journey.connection.name:", "elif answer is None:"),),
        tests(LIES, "two_providers_that_do_not_promise_iss_have_addresses_of_their_own"),
    ),
    Mutant(
        "CL8-upstream-userinfo",
        "Userinfo may speak of anybody.",
        (Edit(OIDC, 'if said.get("sub") != subject:', "if said is None:"),),
        _A_LIE,
    ),
    Mutant(
        "CL9-upstream-token-type",
        "Any type of token is a bearer's.",
        (Edit(OIDC, 'if str(body.get("token_type")).lower() != "bearer" or ', "if "),),
        _A_LIE,
    ),
    Mutant(
        "CL8-upstream-verifier",
        "The verifier is not sent, so PKCE protects nothing.",
        (Edit(OIDC, '                code_verifier=journey.secret("code_verifier"),\n', ""),),
        tests(LIES, "the_truth_logs_in"),
    ),
    Mutant(
        "CL8-upstream-auth-time",
        "An old login there passes for a new one.",
        (Edit(ID_TOKEN, "if expected.logged_in_since is not None:", "if expected is None:"),),
        tests(LIES, "an_old_login_there_is_no_new_one_here"),
    ),
    _unchecked("CL8-upstream-iss", "The ID token may be from anybody.", 'claims.get("iss") == expected.issuer', "True"),
    _unchecked("CL8-upstream-aud", "The ID token may be for anybody.", "client_id in audiences,", "True,"),
    _unchecked(
        "CL8-upstream-azp", "The ID token may have been asked for by anybody.", 'claims.get("azp") == client_id', "True"
    ),
    _unchecked(
        "CL8-upstream-exp", "An ID token lives for ever.", '_number(claims, "exp") + LEEWAY > expected.now', "True"
    ),
    _unchecked(
        "CL8-upstream-iat",
        "An ID token may be from the future.",
        '_number(claims, "iat") - LEEWAY <= expected.now',
        "True",
    ),
    _unchecked("CL8-upstream-nonce", "The nonce is not compared.", "_require(is_ours, ", "_require(True, "),
    _unchecked("CL8-upstream-at-hash", "at_hash is not compared.", 'if "at_hash" in claims:', 'if "at_hash" in ():'),
    _unchecked(
        "CL8-upstream-alg",
        "Algorithms without a signature are accepted, and secrets instead of keys.",
        'ALGORITHMS = {\n    "RS256": "RSA",',
        'ALGORITHMS = {\n    "none": "RSA",\n    "HS256": "RSA",\n    "RS256": "RSA",',
    ),
    _unchecked("CL8-upstream-kid", "Whichever key fits is taken.", "if len(fitting) != 1:", "if not fitting:"),
    _unchecked(
        "CL8-upstream-short-key",
        "Keys that can be broken are accepted.",
        "_LEAST_RSA_BITS = 2048",
        "_LEAST_RSA_BITS = 8",
    ),
    _unchecked("CL8-upstream-sub", "Any length of subject is accepted.", "0 < len(subject) <= 255", "True"),
    Mutant(
        "CL8-upstream-takeover",
        "An account of another connection with this id is entered.",
        (
            Edit(
                "authserver/connections/identity.py",
                "if user is None or user.connection != identity.connection:",
                "if user is None:",
            ),
        ),
        tests(LIES, "CL8_nobody_takes_over_an_account_of_another_kind"),
    ),
    Mutant(
        "TK20-upstream",
        "A subject may end like a client's.",
        (
            Edit(
                "authserver/connections/identity.py",
                'if subject.endswith("@clients"):',
                'if subject == "@clients":',
            ),
        ),
        tests("upstream/test_identity.py", "TK20_nobody_is_called_like_a_client"),
    ),
    Mutant(
        "LO10-upstream",
        "Subjects are cut where they are too long.",
        (
            Edit(
                "authserver/connections/identity.py",
                'whole = f"{self.connection}|*{hashlib.sha256(self.subject.encode()).hexdigest()}"',
                "whole = whole[:255]",
            ),
        ),
        tests("upstream/test_identity.py", "LO10_two_subjects_are_two_users", "LO10_look_alikes_are_two_users"),
    ),
    Mutant(
        "DR3-upstream-addresses",
        "Names may lead to any address.",
        (Edit(TRANSPORT, "if not fit or fit != addresses:", "if not addresses:"),),
        tests(OUTBOUND, "DR3_a_name_that_leads_inside_is_not_followed"),
    ),
    Mutant(
        "DR3-upstream-some-addresses",
        "One good address excuses the others.",
        (Edit(TRANSPORT, "if not fit or fit != addresses:", "if not fit:"),),
        tests(OUTBOUND, "DR3_a_name_that_leads_inside_is_not_followed"),
    ),
    Mutant(
        "DR3-upstream-rebinding",
        "The name is resolved again after its addresses were looked at.",
        (Edit(TRANSPORT, "                    address, port, _left", "                    host, port, _left"),),
        tests(OUTBOUND, "DR3_a_name_is_asked_for_once"),
    ),
    Mutant(
        "DR3-upstream-metadata-services",
        "Link-local addresses are called where the tenant file names a host that has one.",
        (Edit(ADDRESSES, "address.is_link_local or ", ""),),
        tests(OUTBOUND, "DR3_some_addresses_are_never_called"),
    ),
    Mutant(
        "DR3-upstream-private",
        "Metadata may name private addresses.",
        (Edit(ADDRESSES, "return trusted and (", "return bool("),),
        tests(OUTBOUND, "DR3_metadata_lead_to_no_other_place_inside"),
    ),
    Mutant(
        "DR3-upstream-disguise",
        "An IPv4 address inside an IPv6 address is not looked at.",
        (Edit(ADDRESSES, "    if address in _NAT64:\n", "    if address is None:\n"),),
        tests(OUTBOUND, "DR3_nobody_else_leads_us_to_a_disguised_address", "DR3_some_addresses_are_never_called"),
    ),
    Mutant(
        "DR3-upstream-http",
        "http is spoken with everybody.",
        (Edit(ADDRESSES, "if is_trusted and reach.plain_loopback and is_loopback(", "if bool("),),
        tests(OUTBOUND, "DR3_only_https_is_spoken_beyond_loopback"),
    ),
    Mutant(
        "DR3-upstream-redirects",
        "Redirects are followed.",
        (Edit(TRANSPORT, '"follow_redirects": False', '"follow_redirects": True'),),
        tests(OUTBOUND, "DR3_no_redirect_is_followed"),
    ),
    Mutant(
        "DR3-upstream-size",
        "Answers may be of any size.",
        (Edit(TRANSPORT, "if len(body) > SIZE:", "if len(body) > 1000 * SIZE:"),),
        tests(OUTBOUND, "DR3_an_answer_has_a_size"),
    ),
    Mutant(
        "DR3-upstream-coding",
        "Compressed answers are unfolded.",
        (Edit(TRANSPORT, 'if headers.get("content-encoding", "identity") != "identity":', "if headers is None:"),),
        tests(OUTBOUND, "DR3_a_small_answer_is_not_unfolded"),
    ),
    Mutant(
        "DR3-upstream-deadline",
        "Each read begins the patience anew.",
        (
            Edit(TRANSPORT, "return min(left, timeout or PATIENCE)", "return timeout or PATIENCE"),
            Edit(TRANSPORT, "    if left <= 0:\n", "    if left is None:\n"),
        ),
        tests(OUTBOUND, "DR3_all_of_a_call_has_one_deadline"),
    ),
    Mutant(
        "DR3-upstream-threads",
        "Calls may take every thread.",
        (
            Edit(
                "authserver/outbound/__init__.py",
                "if not self._slots.acquire(blocking=False):",
                "if self._slots is None:",
            ),
        ),
        tests(OUTBOUND, "DR3_calls_take_a_part_of_the_threads_alone"),
    ),
    Mutant(
        "OU1-upstream-federated",
        "The way on from a provider's logout may be used again.",
        (
            Edit(
                "authserver/endpoints/logout.py",
                "return_to = return_after_logout(db, state) if is_ours else None",
                "return_to = return_after_logout(db, state) if db else str(is_ours)",
            ),
        ),
        tests("upstream/test_upstream_login.py", "OU1_federated_logout_leads_nowhere_that_is_not_allowed"),
    ),
    Mutant(
        "AZ35-saml-ticket",
        "Who began a SAML login may fetch what somebody else's browser brought.",
        (
            Edit(
                "authserver/endpoints/upstream.py",
                "return ticket is not None and login.ticket_digest is not None and digest(ticket) == login.ticket_digest",
                "return login.ticket_digest is not None or ticket is None",
            ),
        ),
        tests(SAML, "AZ35_who_brings_a_response_must_have_asked"),
    ),
    Mutant(
        "CL8-saml-replay",
        "An assertion counts as often as a provider signs for it.",
        (
            Edit(
                "authserver/endpoints/upstream.py",
                "if not once.spend_assertion(db, of, asserted.expires_at):",
                "if not of:",
            ),
        ),
        tests(SAML, "CL8_an_assertion_counts_once"),
    ),
    _saml("wrapping", "An assertion may stand anywhere, and a signature too.", _SHAPE, _NO_SHAPE, _WRAPPED),
    _saml(
        "signature",
        "Unsigned assertions count.",
        "    signed = _verified(root, location, options, tenant)\n",
        "    return own\n",
        tests(SAML, "CL8_only_the_configured_key_and_good_algorithms_count"),
    ),
    _saml(
        "certificate",
        "The key in the document counts.",
        "x509_cert=options.signingCert, id_attribute",
        'x509_cert="".join(root.find(".//ds:X509Certificate", _NAMES).itertext()), id_attribute',
        tests(SAML, "CL8_only_the_configured_key_and_good_algorithms_count"),
    ),
    _saml(
        "algorithms",
        "SHA-1 is good enough for a signature.",
        "_DIGESTS = frozenset({",
        "_METHODS |= {SignatureMethod.RSA_SHA1}\n_DIGESTS = frozenset({DigestAlgorithm.SHA1, ",
        tests(SAML, "CL8_only_the_configured_key_and_good_algorithms_count"),
    ),
    _saml("status", "A response of failure logs in.", "_require(status == [_SUCCESS], ", "_require(status, "),
    _saml(
        "issuer", "Any issuer will do.", '_require(_text(assertion, "a:Issuer") == options.issuer, ', "_require(True, "
    ),
    _saml("recipient", "An assertion for somebody else's address is taken.", 'data.get("Recipient") == to and ', ""),
    _saml(
        "in-response-to",
        "An assertion for another request is taken.",
        ' and data.get("InResponseTo") == in_reply_to:',
        ":",
    ),
    _saml(
        "response-to",
        "A response to another request is taken.",
        'root.get("InResponseTo") == request_id(state)',
        "True",
    ),
    _saml(
        "destination",
        "A response for another place is taken.",
        'root.get("Destination") in (None, acs_url(connection, tenant))',
        "True",
    ),
    _saml(
        "audience", "An assertion for another audience is taken.", "_require(audience in audiences, ", "_require(True, "
    ),
    _saml("no-audience", "An assertion for nobody is for us.", "_require(restrictions, ", "_require(True, "),
    _saml("not-before", "An assertion counts before its time.", "- SKEW <= now, ", "- SKEW <= now or True, "),
    _saml(
        "not-on-or-after",
        "An assertion counts after its time.",
        "_require(now < (_time(ends_at) or 0) + SKEW, ",
        "_require(True, ",
    ),
    _saml(
        "confirmed-until",
        "A confirmation has no end.",
        "if ends_at is not None and now < ends_at + SKEW:",
        "if ends_at is not None:",
    ),
    _saml(
        "conditions",
        "Conditions that nobody knows are met.",
        "_require(all(each.tag in _CONDITIONS for each in conditions), ",
        "_require(True, ",
    ),
    _saml(
        "recent",
        "An old login there passes for a new one.",
        "        if since is not None:\n            _require((_time(statement",
        "        if since is None:\n            _require((_time(statement",
        tests(SAML, "a_login_that_must_be_new_is_new_there_too"),
    ),
    Mutant(
        "LO10-saml-comments",
        "A comment cuts a name in two.",
        (
            Edit(RESPONSE, "remove_comments=True", "remove_comments=False"),
            Edit(
                RESPONSE,
                'return "".join(element.itertext()).strip() if len(element) == 0 else ""',
                'return (element.text or "").strip()',
            ),
            Edit(
                RESPONSE,
                "    signed = _verified(root, location, options, tenant)\n",
                "    _verified(root, location, options, tenant)\n    return own\n",
            ),
        ),
        tests(SAML, "LO10_a_comment_cuts_no_name_in_two"),
    ),
    Mutant(
        "DR3-saml-size",
        "A response may have any size.",
        (Edit(RESPONSE, "SIZE = 128 * 1024", "SIZE = 1024 * 1024"),),
        tests(SAML, "DR3_a_document_opens_nothing"),
    ),
)
