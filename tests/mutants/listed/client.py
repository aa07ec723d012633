"""The native app's mutants."""

from tests.mutants.mutant import Edit, Mutant, tests

CLIENT = (
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
    Mutant(
        "CL2-serve-browser",
        "Any browser can finish a login at the page (login CSRF).",
        (
            Edit(
                "client/serve/logins.py",
                "return login if login is not None and login.browser == browser else None",
                "return login if browser else None",
            ),
        ),
        tests("client/test_serve_login.py", "CL2_another_browser_cannot_finish_the_login"),
    ),
    Mutant(
        "CL2-serve-state",
        "The page takes the first state of several.",
        (Edit("client/serve/login.py", "if len(states) == 1 else None", "if states else None"),),
        tests("client/test_serve_login.py", "CL2_state_is_one_and_ours"),
    ),
    Mutant(
        "CL2-serve-once",
        "The page redeems a code as often as the callback is loaded.",
        (Edit("client/serve/logins.py", "            if self._redeemed:\n                return False\n", ""),),
        tests("client/test_serve_login.py", "a_callback_that_is_reloaded"),
    ),
    Mutant(
        "CL2-serve-get",
        "The page redeems the code of a HEAD request.",
        (Edit("client/serve/login.py", 'if visit.method != "GET" or len', "if len"),),
        tests("client/test_serve_login.py", "CL2_only_get_brings_an_answer"),
    ),
    Mutant(
        "CL2-serve-host",
        "The page answers under any Host (DNS rebinding).",
        (Edit("client/serve/door.py", "if hosts == [here.authority] or scope", "if hosts or scope"),),
        tests("client/test_serve_door.py", "CL2_under_a_foreign_name_there_is_nothing"),
    ),
    Mutant(
        "CL2-serve-alias",
        "The page is shown at localhost, too, where a login cannot end.",
        (
            Edit(
                "client/serve/door.py",
                "if hosts == [here.authority] or scope",
                "if hosts in ([here.authority], *([alias] for alias in here.aliases)) or scope",
            ),
        ),
        tests("client/test_serve_door.py", "the_other_names_lead_to_the_one_that_has_the_cookies"),
    ),
    Mutant(
        "CL4-serve",
        "The page listens on all interfaces.",
        (Edit("client/serve/server.py", '"0.0.0.0" if everywhere else HOST', '"0.0.0.0"'),),
        tests("client/test_serve_process.py", "CL4_it_listens_on_loopback_alone"),
    ),
    Mutant(
        "CL5-serve-address",
        "The page of a failed login leaves code and state in the address bar.",
        (
            Edit(
                "client/serve/login.py",
                'return RedirectResponse(f"/login/{login.name}", 303)',
                "return problem_page(visit.browser, login.failure)",
            ),
        ),
        tests("client/test_serve_login.py", "CL5_a_failed_login_is_a_page_at_a_clean_address"),
    ),
    Mutant(
        "CL5-serve-log",
        "The page logs what was asked for, codes included.",
        (
            Edit("client/serve/server.py", "access_log=False,", "access_log=True,"),
            Edit("client/serve/server.py", 'log_level="warning"', 'log_level="info"'),
        ),
        tests("client/test_serve_process.py", "CL5_no_secret_is_printed"),
    ),
    Mutant(
        "CL5-serve-unexpected",
        "The log quotes an unexpected exception.",
        (Edit("client/serve/app.py", "name, type(problem).__name__, place)", "name, repr(problem), place)"),),
        tests("client/test_serve_notes.py", "the_unexpected_is_a_page_and_a_word_in_the_log"),
    ),
    Mutant(
        "CL15-serve",
        "The page puts any text into the path of a call with the access token.",
        (Edit("client/serve/notes.py", "if not _ID.fullmatch(note):", "if not note:"),),
        tests("client/test_serve_notes.py", "names_of_notes_are_no_paths"),
    ),
    Mutant(
        "CL18-serve",
        "Any browser that reaches the page uses the tokens of whoever logged in.",
        (
            Edit(
                "client/serve/browser.py",
                "return tokens if tokens and self._digest is not None and tokens.browser == self._digest else None",
                "return tokens",
            ),
        ),
        tests("client/test_serve_login.py", "another_browser_sees_no_notes_and_may_not_act"),
    ),
    Mutant(
        "CL18-serve-terminal",
        "A browser without a session uses a login at the terminal.",
        (
            Edit(
                "client/serve/browser.py",
                "return tokens if tokens and self._digest is not None and tokens.browser == self._digest else None",
                "return tokens if tokens and tokens.browser == self._digest else None",
            ),
        ),
        tests("client/test_serve_login.py", "a_browser_without_a_session_is_not_a_terminal"),
    ),
    Mutant(
        "CL18-serve-delete",
        "Any browser that reaches the page logs out whoever is logged in.",
        (
            Edit(
                "client/serve/browser.py",
                "        if self.load() is not None:\n            self._store.delete()",
                "        self._store.delete()",
            ),
        ),
        tests("client/test_serve_login.py", "another_browser_sees_no_notes_and_may_not_act"),
    ),
    Mutant(
        "LO1-serve-origin",
        "The page obeys forms of other sites.",
        (
            Edit(
                "client/serve/visit.py",
                "if not _comes_from_our_page(request.headers, address.origin):",
                "if not address.origin:",
            ),
        ),
        tests("client/test_serve_door.py", "LO1_forms_of_other_sites_are_not_obeyed"),
    ),
    Mutant(
        "LO1-serve-token",
        "The page obeys forms without the browser's token.",
        (
            Edit(
                "client/serve/visit.py",
                'if not browser.sent_form(form.pop("form_token", "")):',
                'if form.pop("form_token", "") is None:',
            ),
        ),
        tests("client/test_serve_door.py", "LO1_a_form_needs_the_token_of_its_browser"),
    ),
    Mutant(
        "LO3-serve",
        "The page may be framed.",
        (
            Edit("client/serve/door.py", "base-uri 'none'; frame-ancestors 'none'; ", "base-uri 'none'; "),
            Edit("client/serve/door.py", '        "X-Frame-Options": "DENY",\n', ""),
        ),
        tests("client/test_serve_door.py", "LO3_what_every_answer_carries"),
    ),
    Mutant(
        "LO4-serve",
        "A login at the page keeps the session that the browser had (fixation).",
        (Edit("client/serve/login.py", "session = new_secret()", "session = visit.browser.session or new_secret()"),),
        tests("client/test_serve_login.py", "LO4_the_session_is_new_with_each_login"),
    ),
    Mutant(
        "LO5-serve",
        "Scripts can read the page's cookies.",
        (
            Edit(
                "client/serve/browser.py",
                'set_cookie(name, value, httponly=True, samesite="lax")',
                'set_cookie(name, value, samesite="lax")',
            ),
        ),
        tests("client/test_serve_login.py", "LO5_cookies_are_out_of_reach"),
    ),
    Mutant(
        "LO8-serve",
        "The page takes notes for HTML.",
        (Edit("client/serve/pages.py", "autoescape=True", "autoescape=False"),),
        tests("client/test_serve_notes.py", "LO8_notes_are_text"),
    ),
    Mutant(
        "HT1-serve",
        "The page reads forms of any size.",
        (Edit("client/serve/visit.py", "if len(body) > MAX_FORM:", "if len(body) > 1000 * MAX_FORM:"),),
        tests("client/test_serve_door.py", "HT1_forms_that_are_not_read"),
    ),
    Mutant(
        "HT2-serve",
        "A connection to the page may take its time with the headers.",
        (Edit("client/serve/server.py", "http=ImpatientProtocol,", 'http="h11",'),),
        tests("client/test_serve_door.py", "HT2_slow_peers_are_closed_and_others_served"),
    ),
    Mutant(
        "HT7-serve",
        "After a logout the way back shows the notes again.",
        (Edit("client/serve/door.py", '        "Cache-Control": "no-store",\n', ""),),
        tests("client/test_serve_door.py", "LO3_what_every_answer_carries"),
    ),
    Mutant(
        "B22-serve",
        "The page dies of the signal that asks it to stop.",
        (
            Edit(
                "client/serve/server.py", "        signal.signal(number, _stop)\n", "        signal.getsignal(number)\n"
            ),
        ),
        tests("client/test_serve_process.py", "B22_requests_in_hand_are_finished"),
    ),
    Mutant(
        "B25-serve",
        "The page remembers any number of logins that nobody finishes.",
        (Edit("client/serve/logins.py", "while len(self._open) >= MOST:", "while len(self._open) >= 100 * MOST:"),),
        tests("client/test_serve_login.py", "B25_logins_under_way_are_bounded"),
    ),
    Mutant(
        "B25-serve-time",
        "A login at the page can be finished at any time.",
        (Edit("client/serve/logins.py", "if now < login.expires_at}", "if now}"),),
        tests("client/test_serve_login.py", "a_login_waits_ten_minutes"),
    ),
)
