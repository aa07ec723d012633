"""The list of mutants: which protection, where it lies, how it is taken out, and which test has to notice.

`id` begins with the row of the security cases that the protection answers. An `old` text occurs exactly once in its
file (`test_mutants` checks that in every run of the suite), so whoever changes such a line meets this list and decides
anew what would take the protection out. Where two places guard one thing on purpose, a mutant edits both.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` is exact and occurs once in `file`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """`sentence` says what the mutant forgets. `caught_by`: tests of which one at least must fail."""

    id: str
    sentence: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...]

    @property
    def row(self) -> str:
        """The security case."""
        return self.id.partition("-")[0]


def tests(file: str, *names: str) -> tuple[str, ...]:
    """Node ids of `names` in tests/`file`."""
    return tuple(f"tests/{file}::test_{name}" for name in names)


THE_MOST_TELLING = (
    Mutant(
        "AZ2",
        "The redirect URI is compared after the checks whose errors are redirected.",
        (
            Edit(
                "authserver/authorization_request.py",
                "ABOVE_THE_TRUST_LINE: tuple[Check, ...] = (_registered_redirect_uri,)",
                "ABOVE_THE_TRUST_LINE: tuple[Check, ...] = ("
                'lambda draft: setattr(draft, "redirect_uri", draft.params.required("redirect_uri")),)',
            ),
            Edit(
                "authserver/authorization_request.py",
                "    _hinted_user,\n)",
                "    _hinted_user,\n    _registered_redirect_uri,\n)",
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
                "if grant.revoked_at is not None or token.revoked_at is not None or _is_over(token, now):",
                "if token.revoked_at is not None or _is_over(token, now):",
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
                "or (len(hosts) == 1 and hosts[0] in self.hosts()):",
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
                "    def tenant_of(_: Scope) -> Tenant:\n        return tenant\n",
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
                "client/store.py",
                "            with FileLock(self._lock_path, timeout=LOCK_SECONDS, mode=0o600):\n                yield\n",
                "            if FileLock is not None:\n                yield\n",
            ),
        ),
        tests("client/test_client_tokens.py", "CL10_the_lock_is_held_during_the_refresh"),
    ),
)

OTHERS = (
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
        (Edit("authserver/__main__.py", "http=ImpatientProtocol,", 'http="h11",'),),
        tests("attacks/test_deployment.py", "HT2_slow_peers_are_closed_and_others_served"),
    ),
    Mutant(
        "DE5",
        "The server believes whoever sends X-Forwarded-For.",
        (Edit("authserver/__main__.py", "proxy_headers=False,", "proxy_headers=True,"),),
        tests("attacks/test_deployment.py", "DE5_a_forwarded_address_does_not_reset_the_lock"),
    ),
    # The authorization endpoint ------------------------------------------------------------------------------------
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
    # Pages ---------------------------------------------------------------------------------------------------------
    Mutant(
        "LO1",
        "Forms are taken from any origin.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
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
        (Edit("authserver/pages.py", ', "X-Frame-Options": "DENY"}', "}"),),
        tests("attacks/test_login_pages.py", "LO3_no_page_can_be_framed_or_run_scripts"),
    ),
    Mutant(
        "LO3-policy",
        "The policy of pages does not forbid framing.",
        (Edit("authserver/pages.py", "base-uri 'none'; frame-ancestors 'none'; ", "base-uri 'none'; "),),
        tests("attacks/test_login_pages.py", "LO3_no_page_can_be_framed_or_run_scripts"),
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
                "    now = tenant.now()\n",
                "    now = tenant.now()\n"
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
    # The token endpoint --------------------------------------------------------------------------------------------
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
    # Refresh tokens, revocation ------------------------------------------------------------------------------------
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
    # Below OAuth ---------------------------------------------------------------------------------------------------
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
                "{**claims.about(user, scope, tenant.policy), **protocol}",
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
                "        if not is_loopback(self.host) and not self.allow_insecure_listen:\n",
                "        if not self.host:\n",
            ),
        ),
        tests("attacks/test_gaps.py", "DE7_beyond_loopback_only_with_an_explicit_word"),
    ),
    # The API -------------------------------------------------------------------------------------------------------
    Mutant(
        "API2",
        "Of two Authorization headers the first one counts.",
        (Edit("api/bearer.py", "if len(headers) > 1:", "if len(headers) > 9:"),),
        tests("api/test_api_requests.py", "API2_two_headers_are_refused_even_if_equal"),
    ),
    Mutant(
        "API3",
        "A token in the query is ignored instead of refused.",
        (Edit("api/bearer.py", 'if "access_token" in request.query_params:', 'if "\\n" in request.query_params:'),),
        tests("api/test_api_requests.py", "API3_token_in_the_query_is_refused_also_beside_the_header"),
    ),
    Mutant(
        "API5",
        "The API believes the claims without verifying the signature.",
        (
            Edit(
                "api/verification.py",
                "payload = jws.deserialize_compact(token.compact, key.key, registry=_REGISTRY).payload",
                'payload = _decode_part(token.compact.split(".")[1])',
            ),
        ),
        tests("api/test_api_tokens.py", "API5_broken_signatures"),
    ),
    Mutant(
        "API7",
        "The API overlooks `crit` and `b64`.",
        (Edit("api/verification.py", '("crit", "b64", "jwk"', '("jwk"'),),
        tests("api/test_api_tokens.py", "API7_critical_headers"),
    ),
    Mutant(
        "P2-exp",
        "The API takes expired tokens.",
        (Edit("api/claims.py", "    if now >= expires:\n", "    if expires <= 0:\n"),),
        tests("api/test_api_tokens.py", "P2_times_to_the_second"),
    ),
    Mutant(
        "P2-alg",
        "Any algorithm that the library knows is accepted.",
        (
            Edit("api/verification.py", "    if alg not in ALGORITHMS:\n", "    if not isinstance(alg, str):\n"),
            Edit("api/verification.py", "    if token.alg != key.alg:\n", "    if not token.alg:\n"),
            Edit(
                "api/verification.py",
                "_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)",
                '_REGISTRY = _Registry(algorithms=["none", "HS256", "PS256", *ALGORITHMS], strict_check_header=False)',
            ),
        ),
        tests("api/test_api_tokens.py", "P2_other_algorithms_are_refused"),
    ),
    Mutant(
        "API13",
        "Cached keys are good for ever.",
        (Edit("api/keys.py", "return self._younger_than(STALE_LIMIT)", "return bool(self._snapshot.keys)"),),
        tests("api/test_api_keys.py", "API13_old_keys_serve_while_the_issuer_is_down_but_not_for_ever"),
    ),
    Mutant(
        "API15",
        "Of two claims with one name the last one counts.",
        (Edit("api/strict_json.py", "if len(value) != len(pairs):", "if len(value) > len(pairs):"),),
        tests("api/test_api_tokens.py", "API15_duplicate_names"),
    ),
    Mutant(
        "API17",
        "A scope that merely begins like the needed one suffices.",
        (
            Edit(
                "api/access.py",
                "if not token.scope.issuperset(needed.scopes):",
                'if any(need not in " ".join(token.scope) for need in needed.scopes):',
            ),
        ),
        tests("api/test_api_notes.py", "API17_scopes_are_whole_words_of_one_string"),
    ),
    Mutant(
        "API18-owner",
        "Anybody may delete a note whose id they know.",
        (
            Edit(
                "api/store.py",
                'notes.c.id == bindparam("note_id"), notes.c.sub == bindparam("of"))',
                'notes.c.id == bindparam("note_id"), notes.c.sub != bindparam("of").concat("?"))',
            ),
        ),
        tests("api/test_api_notes.py", "API18_somebody_elses_note_does_not_exist"),
    ),
    Mutant(
        "API18-client",
        "A client that speaks for itself has notes like a person.",
        (Edit("api/access.py", "if token.for_itself:", "if not token.sub:"),),
        tests("api/test_api_notes.py", "API18_a_clients_own_token_has_no_notes"),
    ),
    # The client ----------------------------------------------------------------------------------------------------
    Mutant(
        "CL2-state",
        "The client takes a callback with any state.",
        (
            Edit(
                "client/loopback.py",
                "ours = len(states) == 1 and compare_digest(states[0].encode(), self._state.encode())",
                "ours = len(states) == 1",
            ),
        ),
        tests("client/test_client_loopback.py", "CL2_strange_targets_change_nothing"),
    ),
    Mutant(
        "CL2-host",
        "The listener answers under any Host (DNS rebinding).",
        (
            Edit(
                "client/loopback.py",
                'if self.headers.get_all("Host") != [listener.authority]:',
                'if not self.headers.get_all("Host"):',
            ),
        ),
        tests("client/test_client_loopback.py", "CL2_foreign_host_is_rebinding"),
    ),
    Mutant(
        "CL2-once",
        "The listener takes a second callback after the first.",
        (
            Edit(
                "client/loopback.py",
                "        if not ours or not self._used.acquire(blocking=False):\n",
                "        if not ours:\n",
            ),
        ),
        tests("client/test_client_loopback.py", "CL2_the_state_works_once"),
    ),
    Mutant(
        "CL2-iss",
        "The client does not ask who sent the authorization response (mix-up).",
        (Edit("client/authorization_response.py", "if issuers != [issuer]:", "if not issuer:"),),
        tests("client/test_client_login.py", "iss_differs_by_a_slash"),
    ),
    Mutant(
        "CL7-issuer",
        "The client takes metadata that belong to another issuer.",
        (Edit("client/discovery.py", "    if stated != issuer:\n", "    if not stated:\n"),),
        tests("client/test_client_discovery.py", "CL7_issuer_must_be_identical"),
    ),
    Mutant(
        "CL7-endpoints",
        "The client follows metadata to endpoints at any origin.",
        (Edit("client/discovery.py", "if urls.origin(url) != urls.origin(issuer):", "if not url:"),),
        tests("client/test_client_discovery.py", "CL7_endpoints_are_at_the_issuer"),
    ),
    Mutant(
        "CL8-nonce",
        "The client does not compare the nonce.",
        (
            Edit(
                "client/id_token.py",
                '        _require(ours, "nonce is not the one we sent")\n',
                "        _require(isinstance(ours, bool), stated or nonce)\n",
            ),
        ),
        tests("client/test_client_login.py", "CL8_id_token_claims"),
    ),
    Mutant(
        "CL8-aud",
        "The client takes ID tokens for other apps.",
        (
            Edit(
                "client/id_token.py",
                '_require(claims.get("aud") in (client_id, [client_id]), "aud is not this app alone")',
                '_require("aud" in claims, "aud is not this app alone")',
            ),
        ),
        tests("client/test_client_login.py", "CL8_id_token_claims"),
    ),
    Mutant(
        "CL11",
        "Tokens are written in place: whoever reads meanwhile gets half of them.",
        (
            Edit(
                "client/store.py",
                "                temporary.replace(self._path)\n",
                "                self._path.touch(mode=0o600)\n                self._path.write_bytes(temporary.read_bytes())\n                temporary.unlink()\n",
            ),
        ),
        tests("client/test_client_store.py", "CL11_written_aside_then_renamed"),
    ),
    Mutant(
        "CL12-link",
        "A token file is read through a symbolic link.",
        (
            Edit(
                "client/store.py",
                'os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")',
                'os.O_RDONLY | _flags("O_NONBLOCK", "O_CLOEXEC")',
            ),
        ),
        tests("client/test_client_store.py", "CL12_a_symbolic_link"),
    ),
    Mutant(
        "CL12",
        "A token file that others can read is used.",
        (Edit("client/store.py", 'return os.name == "posix" and bool(found.st_mode & 0o077)', "return not found"),),
        tests("client/test_client_store.py", "CL12_a_file_that_others_can_open"),
    ),
    Mutant(
        "CL13",
        "An answer without a new refresh token loses the old one.",
        (
            Edit(
                "client/session.py",
                "refresh_token=answer.refresh_token or refresh_token",
                "refresh_token=answer.refresh_token",
            ),
        ),
        tests("client/test_client_tokens.py", "CL13_without_a_new_refresh_token_the_old_one_stays"),
    ),
    Mutant(
        "CL14",
        "Any refusal makes the client forget its tokens.",
        (
            Edit(
                "client/session.py",
                '                if problem.error != "invalid_grant":\n                    raise\n',
                "",
            ),
        ),
        tests("client/test_client_tokens.py", "CL14_all_else_keeps_the_tokens"),
    ),
    Mutant(
        "CL15",
        "The client follows redirects, its token in hand.",
        (Edit("client/wire.py", '"follow_redirects": False,', '"follow_redirects": True,'),),
        tests("client/test_client_api_calls.py", "CL15_redirects_do_not_get_the_token"),
    ),
    Mutant(
        "CL18",
        "Two servers share one drawer of tokens.",
        (
            Edit(
                "client/store.py",
                "json.dumps([settings.issuer, settings.client_id, settings.audience])",
                "json.dumps([settings.client_id, settings.audience])",
            ),
        ),
        tests("client/test_client_tokens.py", "CL18_another_server_client_or_audience_is_another_drawer"),
    ),
    Mutant(
        "CL22",
        "The client takes proxies and credentials from its surroundings.",
        (
            Edit(
                "client/wire.py",
                '        "trust_env": False,\n        "follow',
                '        "trust_env": True,\n        "follow',
            ),
            Edit(
                "client/wire.py",
                "HTTPTransport(verify=_trust(settings.ca_file), trust_env=False)",
                "HTTPTransport(verify=_trust(settings.ca_file), trust_env=True)",
            ),
        ),
        tests("client/test_client_discovery.py", "CL22_no_ambient_proxy_netrc_or_certificates"),
    ),
    Mutant(
        "CL23",
        "The client does not compare `at_hash`.",
        (
            Edit(
                "client/id_token.py",
                '    if "at_hash" in claims:\n',
                '    if "at_hash" not in claims:\n        return claims\n    if not claims:\n',
            ),
        ),
        tests("client/test_client_login.py", "CL23_at_hash_binds_the_access_token"),
    ),
)

MUTANTS = THE_MOST_TELLING + OTHERS
