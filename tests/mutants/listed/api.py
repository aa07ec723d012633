"""The API's mutants."""

from tests.mutants.mutant import Edit, Mutant, tests

API = (
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
        "API22",
        "Whichever page calls may read the answer.",
        (Edit("api/cors.py", "allowed = origin in self._origins", "allowed = True"),),
        tests("api/test_api_cors.py", "API22_no_origin_is_reflected"),
    ),
    Mutant(
        "API22-prefix",
        "An origin that begins like a registered one may read the answer.",
        (
            Edit(
                "api/cors.py",
                "allowed = origin in self._origins",
                "allowed = any(origin.startswith(each) for each in self._origins)",
            ),
        ),
        tests("api/test_api_cors.py", "API22_only_these_very_origins"),
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
    Mutant(
        "AZ27-docs-state",
        "The documentation page believes an answer with any state.",
        (Edit("api/static/docs.js", 'waiting === null || answer.get("state") !== waiting.state', "waiting === null"),),
        tests("browser/test_api_docs.py", "AZ27_answers_that_are_not_believed"),
    ),
    Mutant(
        "AZ27-docs-iss",
        "The documentation page believes an answer of any issuer.",
        (Edit("api/static/docs.js", "iss === null ? about.iss_required : iss !== about.issuer", "false"),),
        tests("browser/test_api_docs.py", "AZ27_answers_that_are_not_believed"),
    ),
    Mutant(
        "AZ27-docs-guess",
        "The documentation page sends Swagger UI's state, the time of day.",
        (Edit("api/static/docs.js", "const state = random();", "const state = flow.state;"),),
        tests("browser/test_api_docs.py", "the_request_is_unguessable_and_says_nothing_twice"),
    ),
    Mutant(
        "HT10-docs-policy",
        "The documentation page's policy lets inline scripts run.",
        (Edit("api/docs.py", "script-src 'self';", "script-src 'self' 'unsafe-inline';"),),
        tests("api/test_api_docs.py", "HT10_the_pages_policy_lets_nothing_in"),
    ),
    Mutant(
        "HT10-docs-endpoint",
        "Whatever the metadata call an endpoint goes into the page's policy.",
        (Edit("api/discovery.py", "return bool(_ENDPOINT.fullmatch(url)) and", "return"),),
        tests("api/test_api_docs.py", "HT10_strange_endpoints_are_no_endpoints"),
    ),
    Mutant(
        "HT9-values",
        "What looks like a token is logged as it is.",
        (
            Edit(
                "api/logs.py", '        text = pattern.sub(rf"\\1{REDACTED}", text)\n', "        pattern.search(text)\n"
            ),
        ),
        tests("api/test_api_logs.py", "secrets_are_taken_out_whoever_logs_them"),
    ),
    Mutant(
        "HT9-names",
        "A field with a secret's name is logged as it is.",
        (Edit("api/logs.py", "if _SECRET_NAMES.search(name):", "if not name and value:"),),
        tests("api/test_api_logs.py", "secrets_are_taken_out_whoever_logs_them"),
    ),
    Mutant(
        "HT9-api-terminal",
        "Control characters reach the terminal.",
        (Edit("api/logs.py", "last = [_escape, structlog", "last = [structlog"),),
        tests("api/test_api_logs.py", "HT9_whatever_is_logged_stays_one_line", "a_traceback_cannot_forge_a_line"),
    ),
    Mutant(
        "HT9-route",
        "The access line names the path as it was sent.",
        (Edit("api/observation.py", 'route = getattr(scope.get("route"), "path", OTHER)', 'route = scope["path"]'),),
        tests("api/test_api_logs.py", "HT9_nothing_of_what_a_caller_sends_is_told"),
    ),
    Mutant(
        "HT9-trace",
        "Of two traceparents the first one counts.",
        (Edit("api/trace.py", "if len(sent) == 1 else None", "if sent else None"),),
        tests("api/test_api_logs.py", "what_is_no_traceparent_begins_a_new_trace"),
    ),
    Mutant(
        "HT9-label",
        "Callers choose the labels of the metrics.",
        (Edit("api/observation.py", 'if scope["method"] in METHODS else OTHER', "if METHODS else OTHER"),),
        tests("api/test_api_metrics.py", "HT9_callers_do_not_choose_labels"),
    ),
    Mutant(
        "HT2-headers",
        "Headers may take for ever.",
        (Edit("api/server.py", "self.loop.call_later(PATIENCE, ", "self.loop.call_later(PATIENCE * 1000, "),),
        tests("api/test_api_stop.py", "HT2_headers_that_do_not_come_end_the_connection"),
    ),
    Mutant(
        "HT2-handshake",
        "A TLS handshake may take as long as asyncio likes.",
        (Edit("api/server.py", "ssl_handshake_timeout=PATIENCE", "ssl_handshake_timeout=PATIENCE * 1000"),),
        tests("api/test_api_stop.py", "HT2_a_handshake_that_does_not_come_ends_the_connection"),
    ),
    Mutant(
        "HT2-body",
        "A body may take for ever.",
        (Edit("api/door.py", "asyncio.timeout_at(None if complete else deadline)", "asyncio.timeout_at(None)"),),
        tests("api/test_api_stop.py", "HT2_a_body_that_does_not_come_is_refused"),
    ),
    Mutant(
        "B22-last",
        "During a stop no answer says that it is the last one.",
        (Edit("api/server.py", '(b"connection", b"close")', '(b"x-stopping", b"1")'),),
        tests("api/test_api_stop.py", "B22_a_request_in_hand_is_answered"),
    ),
    Mutant(
        "B22-waiting",
        "A stop resets those who were just let in.",
        (Edit("api/server.py", "        await asyncio.sleep(LINGER)\n", ""),),
        tests("api/test_api_stop.py", "B22_a_connection_that_was_just_made_is_heard"),
    ),
    Mutant(
        "B22-knock",
        "A stop closes the listener before those who stand at it were let in.",
        (
            Edit("api/server.py", "            _let_nobody_knock(listener)\n", ""),
            Edit("api/server.py", "            await _let_in_who_waits(listener)\n", "            listener.fileno()\n"),
        ),
        tests("api/test_api_stop.py", "B22_a_stop_under_load_resets_nobody"),
    ),
    Mutant(
        "HT9-note",
        "What somebody noted is logged when the database fails.",
        (Edit("api/store.py", '{"hide_parameters": True}', '{"hide_parameters": False}'),),
        tests("api/test_api_logs.py", "HT9_an_unexpected_error_of_the_database_does_not_tell_the_note"),
    ),
)
