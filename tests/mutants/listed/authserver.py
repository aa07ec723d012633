"""The authorization server's mutants."""

from tests.mutants.mutant import Edit, Mutant, tests

AUTHSERVER = (
    Mutant(
        "I12-extra",
        "Secrets that an application sends to the wrong endpoint are kept, and shown to Actions.",
        (
            Edit(
                "authserver/authorization_request.py",
                "if value and name not in _NEVER_KEPT}",
                "if value and name}",
            ),
        ),
        tests("flows/test_actions.py", "the_event_says_who_logs_in_where_and_how"),
    ),
    Mutant(
        "JW4-restricted",
        "An Action may set any claim that the protocol did not set itself.",
        (
            Edit(
                "authserver/actions/custom_claims.py",
                'if name in RESTRICTED or name.startswith(("sip_", "urn:auth0")):',
                "if name is None:",
            ),
        ),
        tests("flows/test_actions.py", "JW4_restricted_claims_are_ignored_and_overwrite_nothing"),
    ),
    Mutant(
        "JW4-overwrite",
        "Claims of Actions come last and overwrite the protocol's.",
        (
            Edit("authserver/tokens.py", "{**custom, **claims, **profile}", "{**claims, **profile, **custom}"),
            Edit(
                "authserver/actions/custom_claims.py",
                'if name in RESTRICTED or name.startswith(("sip_", "urn:auth0")):',
                "if name is None:",
            ),
        ),
        tests("flows/test_actions.py", "JW4_restricted_claims_are_ignored_and_overwrite_nothing"),
    ),
    Mutant(
        "RT1-actions",
        "An Action that denies keeps reuse from being noticed.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "if not _is_reuse(token, client.refresh_token.leeway, now):",
                "if token is not None:",
            ),
        ),
        tests("flows/test_actions.py", "RT1_reuse_ends_the_family_whatever_an_action_says"),
    ),
    Mutant(
        "AZ22-permissions",
        "Every user may have every scope of an API that enforces its policies.",
        (Edit("authserver/rules/scopes.py", "if api is None or not api.enforce_policies:", "if scope is not None:"),),
        tests("spec/test_rbac.py", "AZ22_the_scope_is_what_was_asked_for_and_is_permitted"),
    ),
    Mutant(
        "AZ22-another-api",
        "A permission at one API counts at every other.",
        (
            Edit(
                "authserver/store/permissions.py",
                'user_permissions.c.user_id == bindparam("user"), user_permissions.c.audience == bindparam("api")',
                'user_permissions.c.user_id == bindparam("user"), user_permissions.c.audience != ""',
            ),
        ),
        tests("spec/test_rbac.py", "AZ22_a_permission_at_another_api_counts_for_nothing"),
    ),
    Mutant(
        "CA11",
        "Secrets may be guessed without end.",
        (
            Edit(
                "authserver/client_auth.py",
                "if not attempts.may_present_secret(request, credentials.client_id, tenant):",
                "if attempts is None:",
            ),
        ),
        tests(
            "attacks/test_client_authentication.py",
            "CA11_guessing_secrets_is_braked_for_known_and_unknown_clients_alike",
        ),
    ),
    Mutant(
        "HT2",
        "A connection may take its time with the headers.",
        (Edit("authserver/slow_peers.py", "call_later(PATIENCE,", "call_later(60 * PATIENCE,"),),
        tests("attacks/test_deployment.py", "HT2_slow_peers_are_closed_and_others_served"),
    ),
    Mutant(
        "DE5",
        "The server believes whoever sends X-Forwarded-For.",
        (Edit("authserver/serve.py", "proxy_headers=False,", "proxy_headers=True,"),),
        tests("attacks/test_deployment.py", "DE5_a_forwarded_address_does_not_reset_the_lock"),
    ),
    Mutant(
        "AZ9",
        "A loopback redirect URI matches on any path, too.",
        (
            Edit(
                "authserver/rules/redirects.py",
                "return (asked[1], asked[3]) == (known[1], known[3])",
                "return asked[1] == known[1]",
            ),
        ),
        tests("attacks/test_redirect_uris.py", "AZ4_path_confusion_ends_on_a_page"),
    ),
    Mutant(
        "AZ12",
        "One loopback literal stands for the other.",
        (
            Edit(
                "authserver/rules/redirects.py",
                "return (asked[1], asked[3]) == (known[1], known[3])",
                "return asked[3] == known[3]",
            ),
        ),
        tests("attacks/test_redirect_uris.py", "AZ12_no_loopback_stands_for_another"),
    ),
    Mutant(
        "AZ6",
        "A redirect URI may continue where the registered one ends.",
        (
            Edit(
                "authserver/rules/redirects.py",
                "    if requested == registered:\n",
                "    if requested.startswith(registered):\n",
            ),
        ),
        tests("attacks/test_redirect_uris.py", "AZ6_nobody_may_append_parameters_to_a_registered_uri"),
    ),
    Mutant(
        "AZ24",
        "PKCE is optional for everybody.",
        (Edit("authserver/rules/pkce.py", "        if required:\n", "        if required is None:\n"),),
        tests("attacks/test_authorize_parameters.py", "AZ24_nobody_gets_a_code_without_a_wellformed_challenge"),
    ),
    Mutant(
        "AZ25",
        "The method `plain` is accepted and offered.",
        (Edit("authserver/rules/pkce.py", 'METHODS = ("S256",)', 'METHODS = ("S256", "plain")'),),
        tests("attacks/test_authorize_parameters.py", "AZ25_no_method_but_S256"),
    ),
    Mutant(
        "AZ27",
        "Authorization responses do not name the issuer.",
        (Edit("authserver/endpoints/authorize.py", ', "iss": tenant.issuer}', "}"),),
        tests("attacks/test_authorize_parameters.py", "AZ27_every_answer_names_the_issuer_of_the_metadata"),
    ),
    Mutant(
        "AZ22",
        "A scope may hold any character.",
        (
            Edit(
                "authserver/rules/scopes.py",
                '_SCOPE = re.compile(r"[\\x21\\x23-\\x5B\\x5D-\\x7E]+(?: [\\x21\\x23-\\x5B\\x5D-\\x7E]+)*")',
                '_SCOPE = re.compile(r".*", re.DOTALL)',
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ22_a_malformed_scope_is_never_granted"),
    ),
    Mutant(
        "AZ29-store",
        "What a page holds may be cached.",
        (Edit("authserver/pages.py", '    "Cache-Control": "no-store",\n', ""),),
        tests("attacks/test_authorize_parameters.py", "AZ29_nothing_leaks_to_third_parties_or_caches"),
    ),
    Mutant(
        "AZ29-referrer",
        "Pages do not keep their address to themselves.",
        (Edit("authserver/pages.py", '    "Referrer-Policy": "no-referrer",\n', ""),),
        tests("attacks/test_authorize_parameters.py", "AZ29_nothing_leaks_to_third_parties_or_caches"),
    ),
    Mutant(
        "AZ30",
        "`prompt=none` issues where consent would have been asked for.",
        (
            Edit(
                "authserver/endpoints/authorize.py",
                'if interaction.decision != "allow" and _must_ask(asked, session, tenant):',
                'if not silent and interaction.decision != "allow" and _must_ask(asked, session, tenant):',
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ30_prompt_none_shows_nothing_and_issues_nothing_unasked"),
    ),
    Mutant(
        "AZ31",
        "`max_age` is read as Python reads numbers.",
        (
            Edit(
                "authserver/authorization_request.py",
                "        if not _MAX_AGE.fullmatch(max_age):\n",
                "        if not max_age.strip().replace('_', '').isdigit():\n",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ31_max_age_is_a_plain_number_of_seconds"),
    ),
    Mutant(
        "AZ32",
        "`max_age` is not compared with the age of the login.",
        (
            Edit(
                "authserver/endpoints/authorize.py",
                "return asked.max_age is not None and tenant.now() - session.auth_time >= asked.max_age",
                "return asked.max_age is not None and asked.max_age < 0",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ32_a_demanded_login_cannot_be_stripped_on_the_way"),
    ),
    Mutant(
        "AZ41-prefetch",
        "A page that is loaded ahead of time may consume what was asked.",
        (Edit("authserver/wire.py", 'if endpoint.surface == "person" and "prefetch" in', 'if "\\n" in'),),
        tests("flows/test_sessions_and_prompts.py", "AZ41_a_prefetch_gets_nothing_and_consumes_nothing"),
    ),
    Mutant(
        "AZ41-decision",
        "A second decision overwrites the first.",
        (Edit("authserver/interactions.py", "        interactions.c.decision.is_(None),\n", ""),),
        tests("attacks/test_authorize_parameters.py", "AZ41_the_first_decision_stands"),
    ),
    Mutant(
        "AZ41-once",
        "An interaction answers as often as it is asked.",
        (
            Edit(
                "authserver/interactions.py",
                "if interaction.used_at is not None or interaction.expires_at <= tenant.now():",
                "if interaction.expires_at <= tenant.now():",
            ),
            Edit(
                "authserver/store/once.py",
                "_INTERACTION = _gate(interactions)",
                "_INTERACTION = update(interactions).where(interactions.c.digest == _DIGEST)"
                ".values(used_at=_NOW).returning(interactions.c.used_at)",
            ),
        ),
        tests("attacks/test_authorize_parameters.py", "AZ41_an_answer_leaves_once"),
    ),
    Mutant(
        "LO1",
        "Forms are taken from any origin.",
        (
            Edit(
                "authserver/interactions.py",
                "if request.origin not in (None, tenant.origin) or"
                ' request.fetch_site not in (None, "same-origin", "none"):',
                "if tenant.origin is None:",
            ),
        ),
        tests("attacks/test_login_pages.py", "LO1_a_form_from_elsewhere_is_refused"),
    ),
    Mutant(
        "LO3-header",
        "Pages do not forbid framing to browsers that read X-Frame-Options.",
        (Edit("authserver/pages.py", 'headers["X-Frame-Options"] = "DENY"', "pass"),),
        tests("attacks/test_login_pages.py", "LO3_no_page_can_be_framed_or_run_scripts"),
    ),
    Mutant(
        "LO3-policy",
        "The policy of pages does not forbid framing.",
        (Edit("authserver/pages.py", "base-uri 'none'; frame-ancestors {page.framed_by}; ", "base-uri 'none'; "),),
        tests("attacks/test_login_pages.py", "LO3_no_page_can_be_framed_or_run_scripts"),
    ),
    Mutant(
        "LO3-message",
        "Any page may frame the one that sends a message.",
        (
            Edit(
                "authserver/rules/redirects.py",
                'source if source and "[" not in source else',
                '"*" if source and "[" not in source else',
            ),
        ),
        tests("spec/test_web_message.py", "LO3_its_receiver_alone_may_frame_the_message"),
    ),
    Mutant(
        "LO3-message-others",
        "Pages that ask a person something may be framed when the answer would be a message.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
                'Page("consent.html", context, form_targets=(form_target(asked.redirect_uri),))',
                'Page("consent.html", context, form_targets=(form_target(asked.redirect_uri),), framed_by="*")',
            ),
        ),
        tests("spec/test_web_message.py", "LO3_its_receiver_alone_may_frame_the_message"),
    ),
    Mutant(
        "AZ2-message",
        "A message is sent to origins that nobody registered.",
        (
            Edit(
                "authserver/authorization_request.py",
                "if redirects.origin(draft.redirect_uri) not in draft.client.settings.web_origins:",
                "if redirects.origin(draft.redirect_uri) is None:",
            ),
        ),
        tests("spec/test_web_message.py", "AZ2_nothing_is_sent_to_an_origin_that_is_not_registered"),
    ),
    Mutant(
        "AZ2-message-to-all",
        "The message is for whichever window is there.",
        (Edit("authserver/rules/authorization_response.py", '"receiver": origin(redirect_uri)', '"receiver": "*"'),),
        tests("spec/test_web_message.py", "web_message_hands_over_codes_and_errors"),
    ),
    Mutant(
        "AZ2-message-browser",
        "The browser is not told for whom the message is.",
        (Edit("authserver/static/web_message.js", "postMessage(message, receiver)", 'postMessage(message, "*")'),),
        tests("browser/test_web_message.py", "AZ2_a_stranger_hears_nothing"),
    ),
    Mutant(
        "AZ21-message",
        "What is told in a message can leave its attribute.",
        (
            Edit(
                "authserver/templates/web_message.html",
                'data-response="{{ response }}"',
                'data-response="{{ response|safe }}"',
            ),
        ),
        tests("spec/test_web_message.py", "AZ21_a_hostile_state_comes_back_as_it_was"),
    ),
    Mutant(
        "LO3-scripts",
        "The policy of pages allows inline scripts.",
        (Edit("authserver/pages.py", "default-src 'none'; ", "default-src 'none'; script-src 'unsafe-inline'; "),),
        tests("attacks/test_login_pages.py", "LO3_no_page_can_be_framed_or_run_scripts"),
    ),
    Mutant(
        "LO4-new",
        "A login keeps the session id that the browser brought along.",
        (
            Edit(
                "authserver/sessions.py",
                "    end(db, request, tenant)\n    now = tenant.now()\n    value = secrets.token_urlsafe(32)\n",
                "    now = tenant.now()\n"
                '    value = request.cookies.get(tenant.cookie_name("session")) or secrets.token_urlsafe(32)\n'
                "    db.execute(login_sessions.delete().where(login_sessions.c.digest == digest(value)))\n",
            ),
        ),
        tests("attacks/test_login_pages.py", "LO4_the_session_id_changes_at_every_login"),
    ),
    Mutant(
        "LO4-old",
        "The session of before a login lives on beside the new one.",
        (
            Edit(
                "authserver/sessions.py",
                "    end(db, request, tenant)\n    now = tenant.now()\n",
                "    now = tenant.now()\n",
            ),
        ),
        tests("attacks/test_login_pages.py", "LO4_the_session_id_changes_at_every_login"),
    ),
    Mutant(
        "LO5",
        "The session cookie is within reach of scripts.",
        (
            Edit(
                "authserver/pages.py",
                "            secure=tenant.is_https,\n            httponly=True,\n",
                "            secure=tenant.is_https,\n            httponly=False,\n",
            ),
        ),
        tests("attacks/test_login_pages.py", "LO5_cookies_are_out_of_reach_of_scripts_and_other_sites"),
    ),
    Mutant(
        "LO6",
        "Passwords may be guessed without limit.",
        (
            Edit(
                "authserver/attempts.py",
                "return bool(here <= PER_SOURCE and (anywhere <= PER_NAME or is_known))",
                "return bool(here and anywhere) or is_known",
            ),
        ),
        tests("attacks/test_password_guessing.py", "LO6_the_limit_holds_for_one_name_from_one_source"),
    ),
    Mutant(
        "LO6-look",
        "Beyond the limit the right password is still recognised.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
                "    if not attempts.reserve(request, username, user, tenant):\n",
                "    is_right = user is not None and verify_password(user.password_hash, password)\n"
                "    if not attempts.reserve(request, username, user, tenant) and not is_right:\n",
            ),
        ),
        tests("attacks/test_password_guessing.py", "LO6_the_limit_holds_for_one_name_from_one_source"),
    ),
    Mutant(
        "LO6-reserve",
        "An attempt is counted after its password was looked at, so parallel guesses outrun the count.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
                "    if not attempts.reserve(request, username, user, tenant):\n",
                "    if not attempts.reserve(request, username, user, tenant, counts=False):\n",
            ),
            Edit(
                "authserver/endpoints/interaction.py",
                "    if not verify_password(user.password_hash if user else None, password) or user is None:\n",
                "    is_right = verify_password(user.password_hash if user else None, password)\n"
                "    attempts.reserve(request, username, user, tenant)\n"
                "    if not is_right or user is None:\n",
            ),
            Edit(
                "authserver/attempts.py",
                "user: User | None, tenant: Tenant) -> bool:\n",
                "user: User | None, tenant: Tenant, counts: bool = True) -> bool:\n",
            ),
            Edit(
                "authserver/attempts.py",
                "    from_here, from_anywhere = _keys(request, username)\n    now = tenant.now()\n",
                "    from_here, from_anywhere = _keys(request, username)\n    now = tenant.now()\n"
                "    if not counts:\n"
                "        with tenant.database.read() as db:\n"
                "            row = db.execute(login_attempts.select().where(login_attempts.c.digest == from_here)).first()\n"
                "        return row is None or row.attempts < PER_SOURCE or row.since + WINDOW <= now\n",
            ),
        ),
        tests("attacks/test_password_guessing.py", "LO6_parallel_guesses_cannot_outrun_the_count"),
    ),
    Mutant(
        "LO6-name",
        "A name is guarded against one source, and not against many.",
        (
            Edit(
                "authserver/attempts.py",
                "return bool(here <= PER_SOURCE and (anywhere <= PER_NAME or is_known))",
                "return bool(here <= PER_SOURCE and (anywhere or is_known))",
            ),
        ),
        tests("attacks/test_password_guessing.py", "LO14_strangers_lock_strangers_out_and_never_a_known_device"),
    ),
    Mutant(
        "LO14",
        "Strangers lock the owner out of the device that is known.",
        (Edit("authserver/attempts.py", "(anywhere <= PER_NAME or is_known)", "anywhere <= PER_NAME"),),
        tests("attacks/test_password_guessing.py", "LO14_strangers_lock_strangers_out_and_never_a_known_device"),
    ),
    Mutant(
        "LO10",
        "Names are compared without folding compatibility forms.",
        (
            Edit(
                "authserver/store/registered.py",
                'folded = unicodedata.normalize("NFKC", username.strip()).casefold()',
                "folded = username.strip().casefold()",
            ),
            Edit("authserver/store/registered.py", 'return unicodedata.normalize("NFKC", visible)', "return visible"),
        ),
        tests("attacks/test_login_pages.py", "LO10_spellings_of_one_name_are_one_account"),
    ),
    Mutant(
        "LO13",
        "The consent page does not name the receiver.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
                '"receiver": _receiver(asked.redirect_uri),',
                '"receiver": client.name,',
            ),
        ),
        tests("attacks/test_login_pages.py", "LO13_the_page_names_client_account_permissions_and_receiver"),
    ),
    Mutant(
        "LO15-names",
        "All issuers on a host share one cookie name.",
        (Edit("authserver/tenant.py", "{sha256(self.issuer.encode()).hexdigest()[:8]}-", ""),),
        tests("attacks/test_login_pages.py", "LO15_two_issuers_on_one_host_have_different_cookies"),
    ),
    Mutant(
        "LO15-ends",
        "A login session never ends by itself.",
        (
            Edit(
                "authserver/sessions.py",
                "return session if now < min(idle_end, absolute_end) else None",
                "return session if min(now, idle_end, absolute_end) >= 0 else None",
            ),
        ),
        tests("attacks/test_login_pages.py", "LO15_a_session_ends_when_idle_and_when_old"),
    ),
    Mutant(
        "OU1-proof",
        "Any page may end the session.",
        (
            Edit(
                "authserver/endpoints/logout.py",
                "    if session is not None and session.sid not in proofs:\n",
                "    if session is not None and not proofs:\n",
            ),
        ),
        tests("attacks/test_logout.py", "OU1_a_link_from_elsewhere_cannot_log_anybody_out_by_oidc"),
    ),
    Mutant(
        "OU1-return",
        "A logout leads to whatever begins like an allowed URL.",
        (
            Edit(
                "authserver/rules/logout.py",
                "return asked is not None and any(asked == _without_query(url) for url in allowed)",
                "return any(asked == _without_query(url) or bare.startswith(url) for url in allowed)",
            ),
        ),
        tests("attacks/test_logout.py", "OU1_only_a_registered_url_is_gone_to"),
    ),
    Mutant(
        "OU1-exact",
        "The standard's logout overlooks the query string.",
        (
            Edit(
                "authserver/rules/logout.py",
                "return is_wellformed(uri) and uri in allowed",
                "return is_allowed_return(uri, allowed)",
            ),
        ),
        tests("spec/test_logout.py", "oidc_logout_leads_only_where_this_client_registered"),
    ),
    Mutant(
        "OU3",
        "A logout deletes the cookie, and the session behind it lives on.",
        (
            Edit(
                "authserver/sessions.py",
                '        db.execute(_END, {"of": digest(value), "now": tenant.now()})\n',
                "        digest(value)\n",
            ),
        ),
        tests("attacks/test_logout.py", "OU3_after_logout_the_old_cookie_and_the_back_button_open_nothing"),
    ),
    Mutant(
        "B1",
        "A code is looked up first and spent later, without a condition.",
        (
            Edit(
                "authserver/store/once.py",
                "_CODE = _gate(authorization_codes)",
                "_CODE = update(authorization_codes).where(authorization_codes.c.digest == _DIGEST)"
                ".values(used_at=_NOW).returning(authorization_codes.c.used_at)",
            ),
        ),
        tests("attacks/test_races.py", "B1_parallel_redemptions_of_one_code_have_one_winner"),
    ),
    Mutant(
        "B2",
        "A refresh token is looked up first and spent later, without a condition.",
        (
            Edit(
                "authserver/store/once.py",
                "        refresh_tokens.c.used_at.is_(None)\n        | (",
                "        refresh_tokens.c.issued_at.is_not(None)\n        | (",
            ),
            Edit(
                "authserver/grants/refresh_token.py",
                "    scope = narrowed(",
                "    if token.used_at is not None:\n"
                "        with tenant.database.write() as db:\n"
                "            issued.revoke_grant(db, grant.grant_id, now)\n"
                "        raise BadRefreshToken\n"
                "    scope = narrowed(",
            ),
        ),
        tests("attacks/test_races.py", "B2_parallel_refreshes_of_one_token_have_one_winner"),
    ),
    Mutant(
        "TK4",
        "A repeated parameter of a token request counts, the last copy wins.",
        (
            Edit(
                "authserver/wire.py",
                'if endpoint.surface != "person" and (query.repeated or params.repeated):',
                'if endpoint.surface != "person" and query.repeated:',
            ),
        ),
        tests("attacks/test_codes.py", "TK4_a_repeated_parameter_is_refused_and_nothing_is_spent"),
    ),
    Mutant(
        "TK5",
        "A client may use any grant type that exists.",
        (Edit("authserver/endpoints/token.py", "    if not client.may_use(grant_type):\n", "    if not client:\n"),),
        tests("attacks/test_codes.py", "TK5_the_grant_type_exists_and_is_this_clients"),
    ),
    Mutant(
        "TK9",
        "A code never expires.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "if code.used_at is None and not grant.created_at <= now < code.expires_at:",
                "if code.used_at is None and not grant.created_at <= now:",
            ),
            Edit("authserver/store/once.py", ", table.c.expires_at > _NOW)", ", _NOW > 0)"),
        ),
        tests("attacks/test_codes.py", "TK9_a_code_ends_to_the_second"),
    ),
    Mutant(
        "TK9-clock",
        "A code that was too late comes alive again when the clock is set back.",
        (Edit("authserver/grants/authorization_code.py", "        once.void_code(db, of)\n", "        pass\n"),),
        tests("attacks/test_regressions.py", "TK9_an_expired_code_stays_expired_when_the_clock_goes_back"),
    ),
    Mutant(
        "TK11",
        "The redirect URI need not be repeated.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                'if request.params.opaque("redirect_uri") != code.redirect_uri:',
                'if request.params.opaque("redirect_uri") not in (None, code.redirect_uri):',
            ),
        ),
        tests("attacks/test_codes.py", "TK11_the_redirect_uri_must_be_repeated_exactly"),
    ),
    Mutant(
        "TK14",
        "The challenge itself passes as the verifier.",
        (
            Edit(
                "authserver/rules/pkce.py",
                "if not hmac.compare_digest(s256(verifier), challenge):",
                "if challenge not in (s256(verifier), verifier):",
            ),
        ),
        tests("attacks/test_codes.py", "TK14_only_the_verifier_itself_verifies"),
    ),
    Mutant(
        "TK14-form",
        "A verifier may be shorter than RFC 7636 allows.",
        (Edit("authserver/rules/pkce.py", r"[A-Za-z0-9._~-]{43,128}", r"[A-Za-z0-9._~-]{1,128}"),),
        tests("attacks/test_codes.py", "TK14_a_verifier_that_is_too_short_or_odd_fails_even_when_it_matches"),
    ),
    Mutant(
        "TK15",
        "Verifiers may be guessed without limit.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "        _reserve_attempt(of, tenant)\n",
                "        pass\n",
            ),
        ),
        tests("attacks/test_codes.py", "TK15_a_code_is_void_after_five_guesses"),
    ),
    Mutant(
        "TK16",
        "A blocked user's code still becomes tokens.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "if grant.revoked_at is not None or user is None or user.blocked:",
                "if grant.revoked_at is not None or user is None:",
            ),
        ),
        tests("attacks/test_codes.py", "TK16_a_person_or_consent_that_is_gone_gives_nothing"),
    ),
    Mutant(
        "TK16-grant",
        "A code of a grant that was taken back still becomes tokens.",
        (
            Edit(
                "authserver/grants/authorization_code.py",
                "if grant.revoked_at is not None or user is None or user.blocked:",
                "if user is None or user.blocked:",
            ),
        ),
        tests("attacks/test_codes.py", "TK16_a_person_or_consent_that_is_gone_gives_nothing"),
    ),
    Mutant(
        "TK19",
        "A refresh token comes along without offline_access.",
        (
            Edit(
                "authserver/tokens.py",
                "if OFFLINE_ACCESS not in grant.scope.split() or not client.may_use(REFRESH_TOKEN):",
                "if not client.may_use(REFRESH_TOKEN):",
            ),
        ),
        tests("attacks/test_codes.py", "TK19_no_refresh_token_without_offline_access"),
    ),
    Mutant(
        "TK20-sub",
        "A client's own token names the client as if it were a person.",
        (
            Edit(
                "authserver/grants/client_credentials.py",
                'subject=f"{client.client_id}@clients"',
                "subject=client.client_id",
            ),
        ),
        tests("spec/test_client_credentials.py", "TK20_it_speaks_for_no_person"),
    ),
    Mutant(
        "TK20-public",
        "A public client may speak for itself.",
        (
            Edit(
                "authserver/grants/client_credentials.py",
                "    if client.is_public:\n        raise UnauthorizedClient\n",
                "",
            ),
        ),
        tests("spec/test_client_credentials.py", "TK20_a_public_client_has_no_name_of_its_own"),
    ),
    Mutant(
        "TK24-revoked",
        "Userinfo answers to a token whose grant was revoked.",
        (
            Edit(
                "authserver/endpoints/userinfo.py",
                "any(token.revoked_at or grant.revoked_at for token, grant in found)",
                "any(token.revoked_at for token, _ in found)",
            ),
        ),
        tests("attacks/test_revocation.py", "RV4_a_refresh_token_takes_its_family_along"),
    ),
    Mutant(
        "TK24-audience",
        "Userinfo answers to a token without openid.",
        (
            Edit(
                "authserver/endpoints/userinfo.py",
                'if OPENID not in scope or tenant.url("/userinfo") not in token.audience:',
                "if not token.audience:",
            ),
        ),
        tests("attacks/test_codes.py", "TK24_userinfo_takes_an_access_token_for_userinfo_alone"),
    ),
    Mutant(
        "CA5-none",
        "A client with a secret may leave it out.",
        (
            Edit("authserver/client_auth.py", 'return method != "none"', "return True"),
            Edit(
                "authserver/client_auth.py",
                "    if not is_right or not _method_fits(",
                "    if (not is_right and credentials.secret is not None) or not _method_fits(",
            ),
        ),
        tests(
            "attacks/test_client_authentication.py",
            "CA5_a_secret_is_needed_where_there_is_one_and_refused_where_there_is_none",
        ),
    ),
    Mutant(
        "CA5-two",
        "Two methods of client authentication at once: the header wins.",
        (
            Edit(
                "authserver/client_auth.py",
                '        if "client_secret" in body:\n'
                '            raise InvalidRequest("More than one method of client authentication was used.")\n',
                "",
            ),
        ),
        tests("attacks/test_client_authentication.py", "CA5_two_methods_at_once_are_refused"),
    ),
    Mutant(
        "B3-window",
        "Within no window at all: once a client has a leeway, a spent refresh token works for ever.",
        (
            Edit(
                "authserver/store/once.py",
                '            & (_NOW - refresh_tokens.c.used_at <= bindparam("leeway"))\n',
                "",
            ),
        ),
        tests("flows/test_refresh_families.py", "B3_after_the_leeway_it_is_reuse"),
    ),
    Mutant(
        "B3-children",
        "Within the leeway a refresh token has any number of successors.",
        (
            Edit(
                "authserver/store/once.py",
                "            & (refresh_tokens.c.children < LEEWAY_CHILDREN)\n",
                "",
            ),
        ),
        tests("flows/test_refresh_families.py", "B3_a_token_has_at_most_five_children"),
    ),
    Mutant(
        "B3-ancestor",
        "Within the leeway a token is good although its successor has been used.",
        (
            Edit(
                "authserver/store/once.py",
                "            & (_used_children.scalar_subquery() == 0)\n",
                "",
            ),
        ),
        tests("flows/test_refresh_families.py", "B3_within_the_leeway_an_older_ancestor_ends_the_family"),
    ),
    Mutant(
        "RT3",
        "A refresh token is good for any client.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "if found is None or found[1].client_id != client.client_id:",
                "if found is None:",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT3_another_client_gets_nothing_and_ends_nothing"),
    ),
    Mutant(
        "RT3-order",
        "Reuse is handled before the client is checked: a stranger ends somebody else's family.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "    if found is None or found[1].client_id != client.client_id:\n",
                "    if found and found[0].used_at is not None:\n"
                "        with tenant.database.write() as db:\n"
                "            issued.revoke_grant(db, found[1].grant_id, now)\n"
                "    if found is None or found[1].client_id != client.client_id:\n",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT3_another_client_gets_nothing_and_ends_nothing"),
    ),
    Mutant(
        "RT5",
        "A token request may name any API.",
        (
            Edit(
                "authserver/rules/scopes.py",
                '    if policy.resource_parameter and params.opaque("resource") not in (None, audience):\n',
                '    if params.opaque("resource") == "":\n',
            ),
        ),
        tests("attacks/test_regressions.py", "RT5_another_resource_than_the_grants_is_refused"),
    ),
    Mutant(
        "RT6-idle",
        "An idle refresh token never ends.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "return token.used_at is None and token.idle_expires_at is not None and token.idle_expires_at <= now",
                "return False",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT6_idle_to_the_second"),
    ),
    Mutant(
        "RT6-absolute",
        "Each rotation begins a new absolute lifetime.",
        (
            Edit(
                "authserver/tokens.py",
                "    if refreshed and refreshed.expires_at is not None:\n        return refreshed.expires_at\n",
                "",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT6_rotation_never_stretches_the_absolute_lifetime"),
    ),
    Mutant(
        "RT10",
        "A blocked user's refresh token goes on.",
        (
            Edit(
                "authserver/grants/refresh_token.py",
                "    if user.blocked:\n        raise UserBlocked\n",
                "",
            ),
        ),
        tests("attacks/test_refresh_tokens.py", "RT10_nothing_to_stand_on_nothing_to_get"),
    ),
    Mutant(
        "RV2",
        "Any client may revoke any token.",
        (
            Edit(
                "authserver/endpoints/revoke.py",
                "if grant.client_id != client.client_id:",
                "if not grant.client_id:",
            ),
        ),
        tests("attacks/test_revocation.py", "RV2_another_clients_token_is_not_revoked"),
    ),
    Mutant(
        "RV4",
        "Revoking a refresh token ends nothing else.",
        (
            Edit(
                "authserver/endpoints/revoke.py",
                "                issued.revoke_grant(db, grant.grant_id, now)\n",
                "",
            ),
        ),
        tests("flows/test_login_call_refresh_logout.py", "revocation_ends_the_family"),
    ),
    Mutant(
        "HT1",
        "A body is read to its end, however long it is.",
        (Edit("authserver/wire.py", "            if len(body) > BODY_LIMIT:\n", "            if len(body) < 0:\n"),),
        tests("attacks/test_http.py", "HT1_what_is_too_large_is_refused_before_it_is_parsed"),
    ),
    Mutant(
        "HT4",
        "A request with two lengths is read by one of them.",
        (
            Edit(
                "authserver/door.py",
                '        if {b"transfer-encoding", b"content-length"} <= names:\n',
                "        if not names:\n",
            ),
        ),
        tests("attacks/test_regressions.py", "HT4_two_lengths_are_refused"),
    ),
    Mutant(
        "HT6",
        "Every web origin may read what the token endpoint answers.",
        (
            Edit(
                "authserver/door.py",
                "return any(origin in client.settings.web_origins for client in all_clients(db))",
                "return bool(all_clients(db))",
            ),
        ),
        tests("attacks/test_http.py", "HT6_cors_for_programs_by_registration_and_never_with_credentials"),
    ),
    Mutant(
        "HT10",
        "Answers may be sniffed for another type.",
        (Edit("authserver/pages.py", '    "X-Content-Type-Options": "nosniff",\n', ""),),
        tests("attacks/test_http.py", "HT10_types_and_headers_are_right_and_nothing_is_left_open"),
    ),
    Mutant(
        "JW2",
        "The key set publishes the private members.",
        (Edit("authserver/keys.py", "as_dict(private=False)", "as_dict(private=True)"),),
        tests("attacks/test_tokens_and_keys.py", "JW2_the_keys_are_public_strong_and_told_apart"),
    ),
    Mutant(
        "JW4",
        "A profile overwrites what the protocol says in an ID token.",
        (
            Edit(
                "authserver/tokens.py",
                "{**claims.about(user, scope, tenant.policy, custom), **protocol}",
                "{**protocol, **claims.about(user, scope, tenant.policy), **user.profile}",
            ),
        ),
        tests("attacks/test_tokens_and_keys.py", "JW4_a_profile_cannot_overwrite_what_the_protocol_says"),
    ),
    Mutant(
        "DE7-issuer",
        "An http issuer may stand anywhere.",
        (
            Edit(
                "authserver/settings.py",
                "            if not self.allow_insecure_http_issuer:\n",
                "            if self.allow_insecure_http_issuer is None:\n",
            ),
        ),
        tests("attacks/test_gaps.py", "DE7_beyond_loopback_only_with_an_explicit_word"),
    ),
    Mutant(
        "DE7-listen",
        "The server listens anywhere without TLS.",
        (
            Edit(
                "authserver/settings.py",
                "        if not is_loopback(self.host) and not self.serves_tls and not self.allow_insecure_listen:\n",
                "        if not self.host:\n",
            ),
        ),
        tests("attacks/test_gaps.py", "DE7_beyond_loopback_only_with_an_explicit_word"),
    ),
    Mutant(
        "HT2-tls",
        "A TLS handshake may take for ever.",
        (Edit("authserver/server.py", "PATIENCE if context", "60 * PATIENCE if context"),),
        tests("spec/test_tls.py", "HT2_a_handshake_that_never_ends_is_cut_and_others_are_served"),
    ),
    Mutant(
        "DE7-tls",
        "An http issuer is announced by a server that speaks https.",
        (
            Edit(
                "authserver/settings.py",
                'if self.serves_tls and self.issuer.startswith("http://"):',
                'if self.serves_tls and self.issuer == "http://":',
            ),
        ),
        tests("spec/test_tls.py", "what_is_no_pair_is_refused_in_one_line"),
    ),
    Mutant(
        "DE7-old-tls",
        "TLS 1.1 is spoken.",
        (
            Edit(
                "authserver/tls.py",
                "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # nothing older than TLS 1.2\n",
                'context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n    context.minimum_version = ssl.TLSVersion.TLSv1\n    context.set_ciphers("DEFAULT:@SECLEVEL=0")\n',
            ),
        ),
        tests("spec/test_tls.py", "rfc9325_3_1_1_nothing_older_than_tls_1_2"),
    ),
    Mutant(
        "B22-settle",
        "What the kernel holds at the stop is not looked at.",
        (
            Edit(
                "authserver/server.py", "        await asyncio.sleep(SETTLE)\n        for server", "        for server"
            ),
        ),
        tests("attacks/test_graceful_stop.py", "B22_under_load_every_request_is_answered_and_nobody_reset"),
    ),
    Mutant(
        "B22-close",
        "Answers do not say that they are the last ones.",
        (
            Edit(
                "authserver/server.py",
                '        state.default_headers.append((b"connection", b"close"))  # also of requests that are in hand already\n',
                "",
            ),
        ),
        tests("attacks/test_graceful_stop.py", "B22_what_the_kernel_had_accepted_is_answered_too"),
    ),
    Mutant(
        "B22-newcomers",
        "Who connects between the last accept and the close is reset.",
        (Edit("authserver/server.py", 'if sys.platform == "linux":', 'if sys.platform == "":'),),
        tests("attacks/test_graceful_stop.py", "B22_a_newcomer_during_the_stop_is_refused_and_not_reset"),
    ),
    Mutant(
        "B22-begun",
        "A request of which half had come is thrown away.",
        (Edit("authserver/server.py", "if self.conn.trailing_data[0] or self._leaving:", "if self._leaving:"),),
        tests("attacks/test_graceful_stop.py", "B22_a_request_that_had_begun_is_finished_and_readiness_is_off"),
    ),
    Mutant(
        "B22-ready",
        "A server that stops calls itself ready.",
        (Edit("authserver/door.py", 'scope.get("state", {}).get("stopping")', 'scope.get("stopping")'),),
        tests("attacks/test_graceful_stop.py", "B22_a_request_that_had_begun_is_finished_and_readiness_is_off"),
    ),
    Mutant(
        "B22-grace",
        "A peer that does not finish holds the stop up for ever.",
        (Edit("authserver/server.py", "self._all_done(GRACE)", "self._all_done(60 * GRACE)"),),
        tests("attacks/test_graceful_stop.py", "B22_who_does_not_finish_in_time_is_cut"),
    ),
    Mutant(
        "B22-second",
        "A second signal is not heard.",
        (Edit("authserver/server.py", "            os._exit(128 + sig)\n", "            return\n"),),
        tests("attacks/test_graceful_stop.py", "B22_a_second_signal_ends_it_at_once"),
    ),
    Mutant(
        "B22-second-workers",
        "A second signal is not heard by the parent of workers.",
        (Edit("authserver/workers.py", "                worker.kill()\n", "                worker.terminate()\n"),),
        tests("attacks/test_graceful_stop.py", "B22_a_second_signal_ends_it_at_once"),
    ),
    Mutant(
        "B22-orphans",
        "Workers outlive their parent.",
        (
            Edit(
                "authserver/server.py",
                "            loop.add_reader(parent.sentinel, self._orphaned, loop, parent.sentinel)\n",
                "            pass\n",
            ),
        ),
        tests("attacks/test_graceful_stop.py", "B22_workers_are_replaced_and_do_not_outlive_their_parent"),
    ),
    Mutant(
        "B22-replaced",
        "A worker that dies is not replaced.",
        (Edit("authserver/workers.py", "            workers[place] = _started(start)\n", "            return 0\n"),),
        tests("attacks/test_graceful_stop.py", "B22_workers_are_replaced_and_do_not_outlive_their_parent"),
    ),
    Mutant(
        "B24-readers",
        "A connection for reading writes, past the turn that writers wait for.",
        (Edit("authserver/store/engine.py", '"query_only=ON"', '"query_only=OFF"'),),
        tests("store/test_engine.py", "B24_what_reads_cannot_write"),
    ),
    Mutant(
        "HT8-wall",
        "What has the shape of a secret passes into the log.",
        (Edit("authserver/logs.py", "text = _SECRET_SHAPE.sub(REDACTED, text[:65536])", "text = text[:65536]"),),
        tests("attacks/test_logs.py", "HT8_the_shapes_of_secrets_do_not_pass"),
    ),
    Mutant(
        "HT8-traceback",
        "A secret in an exception passes into the log.",
        (
            Edit(
                "authserver/logs.py",
                "_SECRET_SHAPE.sub(REDACTED, text)[-MOST_OF_TRACEBACK:]",
                "text[-MOST_OF_TRACEBACK:]",
            ),
        ),
        tests("attacks/test_logs.py", "HT8_the_shapes_of_secrets_do_not_pass"),
    ),
    Mutant(
        "HT8-libraries",
        "Other libraries may say all that they know.",
        (Edit("authserver/logs.py", "max(level, logging.WARNING)", "level"),),
        tests("attacks/test_logs.py", "HT8_the_shapes_of_secrets_do_not_pass"),
    ),
    Mutant(
        "HT8-path",
        "A line tells the path as it was sent.",
        (
            Edit(
                "authserver/exchanges.py", "route = exchange.route or OTHER", 'route = exchange.route or scope["path"]'
            ),
        ),
        tests("attacks/test_logs.py", "HT8_a_request_is_one_line_without_what_its_sender_wrote"),
    ),
    Mutant(
        "HT8-values",
        "An error of the database tells the values.",
        (Edit("authserver/store/engine.py", "hide_parameters=True,  # an", "hide_parameters=False,  # an"),),
        tests("attacks/test_logs.py", "HT8_an_error_of_the_database_does_not_tell_the_values"),
    ),
    Mutant(
        "HT8-truth",
        "An event is told although it was rolled back.",
        (
            Edit(
                "authserver/store/engine.py",
                "            yield db\n        for each in happened:\n            self.announce(each)\n",
                "            try:\n                yield db\n            finally:\n                for each in happened:\n                    self.announce(each)\n",
            ),
        ),
        tests("attacks/test_logs.py", "HT8_an_event_is_told_once_it_is_true"),
    ),
    Mutant(
        "HT9-cut",
        "A value of any length is written.",
        (
            Edit(
                "authserver/logs.py",
                'line[name] = text if len(text) <= MOST else text[:MOST] + "…"',
                "line[name] = text",
            ),
        ),
        tests("attacks/test_logs.py", "HT9_whatever_is_logged_is_one_line_escaped_and_cut"),
    ),
    Mutant(
        "HT9-terminal",
        "A value may command the terminal.",
        (
            Edit(
                "authserver/logs.py",
                "if isinstance(value, str) and not value.isprintable():",
                "if value is line:",
            ),
        ),
        tests("attacks/test_logs.py", "HT9_nor_can_a_terminal_be_commanded"),
    ),
    Mutant(
        "HT8-twice",
        "Of two traces one is believed.",
        (Edit("authserver/trace.py", "if len(headers) == 1 else None", "if headers else None"),),
        tests("spec/test_trace_context.py", "w3c_trace_context_3_2_or_a_new_one_begins"),
    ),
    Mutant(
        "HT8-zeros",
        "A trace of zeros is believed.",
        (Edit("authserver/trace.py", ' or not trace_id.strip(b"0") or not parent_id.strip(b"0")', ""),),
        tests("spec/test_trace_context.py", "w3c_trace_context_3_2_or_a_new_one_begins"),
    ),
    Mutant(
        "HT5-series",
        "Any method makes a series of its own.",
        (
            Edit(
                "authserver/exchanges.py",
                'method = scope["method"] if scope["method"] in METHODS else OTHER',
                'method = scope["method"]',
            ),
        ),
        tests("spec/test_metrics.py", "no_caller_makes_a_series"),
    ),
    Mutant(
        "HT5-metrics",
        "Figures are told under any Host.",
        (
            Edit(
                "authserver/door.py",
                'if scope["path"] in ("/healthz", "/readyz")',
                'if scope["path"] in ("/healthz", "/readyz", "/metrics")',
            ),
        ),
        tests("spec/test_metrics.py", "HT5_under_an_allowed_host_alone"),
    ),
    Mutant(
        "HT5-apart",
        "All applications of a process count together.",
        (
            Edit(
                "authserver/metrics.py",
                "        self._own = CollectorRegistry()",
                '        self._own = globals().setdefault("_all", CollectorRegistry())',
            ),
        ),
        tests("spec/test_metrics.py", "each_application_has_figures_of_its_own"),
    ),
    Mutant(
        "HT5-workers",
        "Each worker tells of itself alone.",
        (Edit("authserver/metrics.py", "        if directory:\n", "        if directory is None:\n"),),
        tests("spec/test_metrics.py", "workers_tell_of_each_other"),
    ),
    Mutant(
        "B23-codes",
        "A used code is forgotten although what it gave still lives.",
        (
            Edit(
                "authserver/store/sweep.py",
                "or_(authorization_codes.c.used_at.is_(None), authorization_codes.c.grant_id.in_(_EXTINCT)),",
                "",
            ),
        ),
        tests("store/test_sweep.py", "B23_a_marker_stays_while_an_access_token_of_its_family_lives"),
    ),
    Mutant(
        "B23-access",
        "A family counts as dead although an access token of it lives.",
        (Edit("authserver/store/sweep.py", "    _none(access_tokens, access_tokens.c.expires_at > _NOW),\n", ""),),
        tests("store/test_sweep.py", "B23_a_marker_stays_while_an_access_token_of_its_family_lives"),
    ),
    Mutant(
        "B23-refresh",
        "A family counts as dead although a refresh token of it lives.",
        (
            Edit(
                "authserver/store/sweep.py",
                "        refresh_tokens.c.used_at.is_(None),\n        _or_never",
                "        refresh_tokens.c.used_at.is_not(None),\n        _or_never",
            ),
        ),
        tests(
            "store/test_sweep.py",
            "a_spent_token_is_recognised_after_any_number_of_sweeps",
            "a_live_family_is_never_touched",
        ),
    ),
    Mutant(
        "B23-idle",
        "Families that died out stay for ever.",
        (Edit("authserver/store/sweep.py", "        _or_never(refresh_tokens.c.idle_expires_at, _YESTERDAY),\n", ""),),
        tests("store/test_sweep.py", "a_family_that_died_out_leaves_only_the_approval"),
    ),
    Mutant(
        "B23-sessions",
        "Sessions that nobody ended stay for ever.",
        (
            Edit(
                "authserver/store/sweep.py",
                '            login_sessions.c.last_seen_at <= bindparam("unseen_since"),\n            login_sessions.c.auth_time <= bindparam("logged_in_before"),\n',
                "",
            ),
        ),
        tests("store/test_sweep.py", "a_session_that_ended_by_itself_goes_after_a_day"),
    ),
    Mutant(
        "B15-lock",
        "Everybody waits while a key is made.",
        (
            Edit(
                "authserver/keys.py",
                "    made = [_make(alg, now + lead) for alg in algorithms]  # slow, hence outside the transaction (law 4)\n    with database.write() as db:\n        return [_add(db, now, row) for row in made]",
                "    with database.write() as db:\n        return [generate(db, now, alg, now + lead) for alg in algorithms]",
            ),
        ),
        tests("spec/test_key_rotation.py", "B15_nobody_waits_while_a_key_is_made"),
    ),
    Mutant(
        "I12",
        "What was issued is kept as it is.",
        (
            Edit(
                "authserver/store/issued.py",
                'return hashlib.sha256(artefact.encode("utf-8", "surrogatepass")).digest()',
                'return artefact.encode("utf-8", "surrogatepass")[:32].ljust(32)',
            ),
        ),
        tests("attacks/test_canary.py", "I12_no_row_and_no_file_holds_a_secret"),
    ),
    Mutant(
        "L19-query",
        "A line tells the beginning of the query as it was sent.",
        (
            Edit(
                "authserver/exchanges.py",
                "            known = {name: fact for name, fact in facts.items() if fact is not None}\n",
                '            known = {name: fact for name, fact in facts.items() if fact is not None}\n            known["query"] = scope["query_string"].decode("latin-1")[:36]\n',
            ),
        ),
        tests("attacks/test_canary.py", "HT8_no_line_holds_a_secret"),
    ),
    Mutant(
        "L19-echo",
        "An answer repeats the address that it does not know.",
        (
            Edit(
                "authserver/app.py",
                '"error_description": "There is nothing here."',
                '"error_description": f"There is nothing at {_.url}."',
            ),
        ),
        tests("attacks/test_canary.py", "HT8_no_page_no_error_and_no_figure_holds_a_secret"),
    ),
    Mutant(
        "HT8-disk",
        "A full disk turns answers into errors.",
        (Edit("authserver/logs.py", "with suppress(OSError, ValueError):", "with suppress():"),),
        tests("attacks/test_logs.py", "HT8_a_full_disk_loses_lines_and_no_answer"),
    ),
    Mutant(
        "B22-again",
        "One worker that cannot begin ends all.",
        (Edit("authserver/workers.py", "if worker.exitcode > 0 and not has_served():", "if worker.exitcode > 0:"),),
        tests("attacks/test_graceful_stop.py", "B22_a_worker_that_cannot_begin_is_tried_again_while_others_serve"),
    ),
)
