"""The mutants of the starred rows, in all three services."""

from tests.mutants.mutant import Edit, Mutant, tests

THE_MOST_TELLING = (
    Mutant(
        "AZ2",
        "The redirect URI is compared after the checks whose errors are redirected.",
        (
            Edit(
                "authserver/authorization_request.py",
                "ABOVE_THE_TRUST_LINE: tuple[Check, ...] = (_registered_redirect_uri, ",
                "ABOVE_THE_TRUST_LINE: tuple[Check, ...] = ("
                'lambda draft: setattr(draft, "redirect_uri", draft.params.required("redirect_uri")), ',
            ),
            Edit(
                "authserver/authorization_request.py",
                "    _known_connection,\n)",
                "    _known_connection,\n    _registered_redirect_uri,\n)",
            ),
        ),
        tests("attacks/test_redirect_uris.py", "AZ2_the_redirect_uri_is_judged_before_any_other_mistake"),
    ),
    Mutant(
        "AZ10",
        "The raw gate lets backslash and user part through, on which URL parsers disagree.",
        (Edit("authserver/rules/redirects.py", r"[^\x21-\x7E]|[\\@#]", r"[^\x21-\x7E]|[#]"),),
        tests("attacks/test_redirect_uris.py", "AZ10_a_registered_uri_with_a_user_part_is_still_refused"),
    ),
    Mutant(
        "AZ17",
        "A repeated parameter of an authorization request counts, the last copy wins.",
        (
            Edit(
                "authserver/authorization_request.py",
                'if draft.params.repeated:\n        raise InvalidRequest("A parameter was',
                'if not draft.params.pairs:\n        raise InvalidRequest("A parameter was',
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ17_a_repeated_parameter_counts_for_nothing"),
    ),
    Mutant(
        "AZ35-browser",
        "An interaction opens in any browser that knows its state.",
        (
            Edit(
                "authserver/interactions.py",
                "if browser is None or digest(browser) != interaction.browser_digest:",
                "if interaction.browser_digest is None:",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ35_another_browser_gets_403_and_never_the_code"),
    ),
    Mutant(
        "AZ35-session",
        "Whoever holds the pre-login cookie may go on after somebody else has logged in.",
        (
            Edit(
                "authserver/endpoints/authorize.py",
                "if interaction.sid is not None and (session is None or session.sid != interaction.sid):",
                "if interaction.sid is not None and session is None:",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ35_a_planted_cookie_does_not_open_what_the_victim_approved"),
    ),
    Mutant(
        "AZ37",
        "Remembered consent suffices for an app that any program on the machine could be.",
        (
            Edit(
                "authserver/rules/consent.py",
                "    if client.is_public and not provable:\n        return True\n",
                "",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ37_an_app_that_cannot_prove_itself_is_approved_each_time"),
    ),
    Mutant(
        "AZ37-scope",
        "Remembered consent covers whatever scope is asked for.",
        (
            Edit(
                "authserver/rules/consent.py",
                "return not any(scopes.issuperset(asked.scope) for scopes in remembered)",
                "return not any(remembered)",
            ),
        ),
        tests(
            "attacks/test_authorize_parameters.py",
            "AZ37_remembered_consent_covers_one_person_one_client_and_no_wider_scope",
        ),
    ),
    Mutant(
        "LO8",
        "Templates do not escape.",
        (Edit("authserver/pages.py", "autoescape=True", "autoescape=False"),),
        tests("attacks/test_login_pages.py", "LO8_markup_is_text_everywhere"),
    ),
    Mutant(
        "TK8",
        "A used code ends its family before redirect URI and verifier are looked at.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "    if code.used_at is None and not grant.created_at <= now < code.expires_at:\n",
                "    if code.used_at is not None:\n        _revoke_family(grant, tenant, now)\n"
                "    if not grant.created_at <= now < code.expires_at:\n",
            ),
        ),
        tests("attacks/test_codes.py", "TK8_a_replay_without_proof_ends_nothing"),
    ),
    Mutant(
        "TK8-client",
        "A used code ends its family whichever client presents it.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "    if found is None or found[1].client_id != client.client_id:\n",
                "    if found is not None and found[0].used_at is not None:\n"
                "        _revoke_family(found[1], tenant, now)\n"
                "    if found is None or found[1].client_id != client.client_id:\n",
            ),
        ),
        tests("attacks/test_codes.py", "TK8_a_replay_without_proof_ends_nothing"),
    ),
    Mutant(
        "TK10",
        "A code is good for any client.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "if found is None or found[1].client_id != client.client_id:",
                "if found is None:",
            ),
        ),
        tests("attacks/test_codes.py", "TK10_a_code_is_bound_to_its_client"),
    ),
    Mutant(
        "TK13",
        "A verifier is ignored when the request had no challenge (PKCE downgrade).",
        (
            Edit(
                "authserver/rules/pkce.py",
                "if challenge is None and verifier is None:\n        return\n    if challenge is None or",
                "if challenge is None:\n        return\n    if challenge is None or",
            ),
        ),
        tests("attacks/test_codes.py", "TK13_a_verifier_without_a_challenge_is_refused"),
    ),
    Mutant(
        "CA2",
        "A presented artefact that is not Unicode breaks the digest: an exception for everybody to trigger.",
        (Edit("authserver/store/issued.py", 'artefact.encode("utf-8", "surrogatepass")', "artefact.encode()"),),
        tests("attacks/test_client_authentication.py", "CA2_odd_secrets_and_ids_are_refused_in_the_protocols_words"),
    ),
    Mutant(
        "CA2-time",
        "A client secret is compared character by character: the time tells how far it was right.",
        (
            Edit(
                "authserver/client_auth.py",
                'hmac.compare_digest(digest(credentials.secret or ""), expected)',
                'digest(credentials.secret or "") == expected',
            ),
        ),
        tests("attacks/test_gaps.py", "CA2_what_is_secret_is_compared_in_constant_time"),
    ),
    Mutant(
        "RT1-family",
        "A refresh token that comes twice is refused, and its family lives on.",
        (Edit("authserver/grants/refresh_token.py", "            issued.revoke_grant(db, grant.grant_id, now)\n", ""),),
        tests("attacks/test_refresh_tokens.py", "RT1_a_spent_token_ends_the_family"),
    ),
    Mutant(
        "RT1-strict",
        "Without a leeway a spent refresh token still works within the same second.",
        (Edit("authserver/store/once.py", '(bindparam("leeway") > 0)', '(bindparam("leeway") >= 0)'),),
        tests("flows/test_refresh_families.py", "RT1_with_leeway_0_not_even_the_same_second_is_forgiven"),
    ),
    Mutant(
        "RT1-descendants",
        "The end of a family does not reach the refresh tokens that it already has.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "if grant.revoked_at is not None or token.revoked_at is not None or _is_over(token, tenant.now()):",
                "if token.revoked_at is not None or _is_over(token, tenant.now()):",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT1_a_stolen_token_used_first_ends_with_the_victims"),
    ),
    Mutant(
        "RT4",
        "A refresh gives whatever scope it asks for.",
        (
            Edit(
                "authserver/rules/scopes.py",
                '    if policy.wider_scope_at_refresh == "refuse" and not set(granted).issuperset(requested):\n'
                "        raise InvalidScope\n"
                "    return tuple(scope for scope in requested if scope in granted)\n",
                "    return requested\n",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT4_no_refresh_widens_the_scope"),
    ),
    Mutant(
        "HT5",
        "Any Host is served.",
        (
            Edit(
                "authserver/door.py",
                "or (len(hosts) == 1 and self.serves(hosts[0])):",
                "or len(hosts) == 1:",
            ),
        ),
        tests("attacks/test_http.py", "HT5_an_unknown_host_is_served_nothing"),
    ),
    Mutant(
        "HT5-issuer",
        "Links and metadata follow the Host header.",
        (
            Edit(
                "authserver/app.py",
                "    def tenant_of(scope: Scope) -> Tenant:\n        found: Tenant = scope.get(TENANT, tenant)\n        return found\n",
                "    def tenant_of(scope: Scope) -> Tenant:\n"
                "        from dataclasses import replace\n\n"
                "        said = HttpRequest(scope).headers\n"
                '        host = said.get("x-forwarded-host", said.get("host", ""))\n'
                '        return replace(tenant, issuer=f"http://{host}/")\n',
            ),
        ),
        tests("attacks/test_http.py", "HT5_no_header_says_who_we_are"),
    ),
    Mutant(
        "API10-kind",
        "The API takes an ID token that names it in `aud`.",
        (
            Edit(
                "api/claims.py",
                'if azp is None or "nonce" in claims or "at_hash" in claims:',
                "if azp is None:",
            ),
        ),
        tests("api/test_api_tokens.py", "API10_a_plain_jwt_that_is_no_access_token"),
    ),
    Mutant(
        "API10-typ",
        "The API does not look at `typ`.",
        (
            Edit(
                "api/verification.py",
                "if not isinstance(typ, str) or typ.lower() not in ACCESS_TOKEN_TYPES + PLAIN_TYPES:",
                "if not isinstance(typ, str):",
            ),
        ),
        tests("api/test_api_tokens.py", "API10_other_types_of_token"),
    ),
    Mutant(
        "API11-aud",
        "The API takes tokens that were issued for another one.",
        (Edit("api/claims.py", "if rules.audience not in _audiences(claims):", "if not _audiences(claims):"),),
        tests("api/test_api_tokens.py", "API11_wrong_audiences"),
    ),
    Mutant(
        "API11-iss",
        "The API forgives a trailing slash in `iss`.",
        (
            Edit(
                "api/claims.py",
                'if claims.get("iss") != rules.issuer:',
                'if str(claims.get("iss")).rstrip("/") != rules.issuer.rstrip("/"):',
            ),
        ),
        tests("api/test_api_tokens.py", "API11_wrong_issuers"),
    ),
    Mutant(
        "API12",
        "Every made-up `kid` fetches the key set anew.",
        (Edit("api/keys.py", "            self._paused_at = self._now()\n", ""),),
        tests("api/test_api_keys.py", "API12_made_up_kids_cause_one_fetch_per_cool_down"),
    ),
    Mutant(
        "CL10",
        "The client reads, refreshes and saves without a lock.",
        (Edit("client/session.py", "with self.store.lock():", "if self.store is not None:"),),
        tests(
            "client/test_client_tokens.py", "CL10_many_at_once_refresh_once", "CL10_the_lock_is_held_during_the_refresh"
        ),
    ),
    Mutant(
        "CL10-processes",
        "The lock of the token file holds within one process alone.",
        (
            Edit(
                "client/store/file.py",
                "            with FileLock(self.lock_path, timeout=LOCK_SECONDS, mode=0o600):\n                yield\n",
                "            if FileLock is not None:\n                yield\n",
            ),
        ),
        tests("client/test_client_tokens.py", "CL10_the_lock_is_held_during_the_refresh"),
    ),
)
