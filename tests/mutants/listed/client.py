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
                "client/store/private_file.py",
                "            temporary.replace(path)\n",
                "            path.touch(mode=0o600)\n            path.write_bytes(temporary.read_bytes())\n            temporary.unlink()\n",
            ),
        ),
        tests("client/test_client_store.py", "CL11_written_aside_then_renamed"),
    ),
    Mutant(
        "CL12-link",
        "A token file is read through a symbolic link.",
        (
            Edit(
                "client/store/private_file.py",
                'os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC")',
                'os.O_RDONLY | _flags("O_NONBLOCK", "O_CLOEXEC")',
            ),
        ),
        tests("client/test_client_store.py", "CL12_a_symbolic_link"),
    ),
    Mutant(
        "CL12",
        "A token file that others can read is used.",
        (
            Edit(
                "client/store/private_file.py",
                'return os.name == "posix" and bool(found.st_mode & 0o077)',
                "return not found",
            ),
        ),
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
                '            if problem.error != "invalid_grant":\n                raise\n',
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
                "client/store/drawer.py",
                "json.dumps([self.issuer, self.client_id, self.audience])",
                "json.dumps([self.client_id, self.audience])",
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
                "if held.browser == self._digest)\n",
                "if held)\n",
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
                'return "" if self._digest is None else next(own, "")',
                'return next(own, "")',
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
                "        if own := self._own():\n            self._store.delete(account=own)\n",
                "        self._store.delete()\n",
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
    Mutant(
        "B27-keyring-order",
        "The access token is saved before its refresh token: killed in between, a spent refresh token is left.",
        (
            Edit(
                "client/store/file.py",
                "            self._entry(sub).write(tokens.refresh_token)\n            self._write(after.with_keyring(sub))\n",
                "            self._write(after.with_keyring(sub))\n            self._entry(sub).write(tokens.refresh_token)\n",
            ),
        ),
        tests("client/test_client_killed.py", "B27_kill_9_between_file_and_keyring"),
    ),
    Mutant(
        "B27-into-the-keyring",
        "A refresh token moves into the keyring while an older one stays in the file for a moment.",
        (Edit("client/store/file.py", "if sub in before.people and not was_there:", "if not before:"),),
        tests("client/test_client_killed.py", "B27_kill_9_between_file_and_keyring"),
    ),
    Mutant(
        "CL11-litter",
        "What a killed process left aside stays for good, refresh token included.",
        (
            Edit(
                "client/store/private_file.py",
                "            litter.unlink(missing_ok=True)\n",
                "            str(litter)\n",
            ),
        ),
        tests("client/test_client_store.py", "CL11_litter_of_a_killed_process_goes_with_the_next_save"),
    ),
    Mutant(
        "CL18-keyring",
        "Two drawers share one place in the keyring.",
        (
            Edit(
                "client/store/file.py",
                "json.dumps([*parts, sub])",
                "json.dumps([sub])",
            ),
        ),
        tests("client/test_client_keyring.py", "CL18_entries_are_kept_apart"),
    ),
    Mutant(
        "CL18-person",
        "Whoever is called by another's email is taken for them.",
        (
            Edit(
                "client/store/drawer.py",
                "        if not account or account in self.people:\n",
                "        if not account:\n",
            ),
        ),
        tests("client/test_client_store.py", "a_name_is_first_an_id_then_an_email_then_a_name"),
    ),
    Mutant(
        "CL14-post",
        "A request that must not be repeated is repeated when the server is busy.",
        (Edit("client/patience.py", 'return method == "GET" and status', "return bool(method) and status"),),
        tests("client/test_client_patience.py", "CL14_a_post_is_never_repeated"),
    ),
    Mutant(
        "CL14-bounds",
        "A server can make us wait for as long as it likes.",
        (Edit("client/wire.py", " or waited > patience.LONGEST:", ":"),),
        tests("client/test_client_patience.py", "CL14_a_server_that_asks_for_too_much_is_not_asked_again"),
    ),
    Mutant(
        "CL19-held-back",
        "Ctrl-C between the refresh and the saving of what it brought ends the login.",
        (
            Edit(
                "client/interrupts.py",
                "        heard.append(number)\n        handler = before[signal.Signals(number)]\n        if len(heard) > 1 and callable(handler):\n",
                "        handler = before[signal.Signals(number)]\n        if callable(handler):\n",
            ),
        ),
        tests("client/test_client_interrupts.py", "a_signal_waits_for_the_end_of_the_block"),
    ),
    Mutant(
        "CL19-last-lines",
        "Ctrl-C in the last lines of a command shows a traceback.",
        (
            Edit(
                "client/cli.py",
                "    except KeyboardInterrupt as stop:  # in the very last lines: nothing is left to be undone\n",
                "    except ZeroDivisionError as stop:\n",
            ),
            Edit(
                "client/cli.py",
                "        interrupts.end_at_once()\n        status = interrupts.status_of(stop)\n",
                "        status = hash(stop)\n",
            ),
            Edit(
                "client/cli.py",
                "    except KeyboardInterrupt as stop:\n        say_stopped(stop, as_json=as_json)\n        return interrupts.status_of(stop)\n",
                "",
            ),
        ),
        tests("client/test_client_interrupts.py", "CL19_a_call_that_is_stopped_anywhere"),
    ),
    Mutant(
        "CL18-switch",
        "A refresh for one person makes them act for everybody.",
        (
            Edit(
                "client/store/drawer.py",
                "current = sub if make_current or not self.people else self.current",
                "current = sub if make_current is not None else sub",
            ),
        ),
        tests("client/test_client_accounts.py", "CL18_a_refresh_does_not_switch"),
    ),
    Mutant(
        "CL18-internal",
        "The token of another server goes to the internal address of ours.",
        (
            Edit(
                "client/commands/accounts.py",
                'internal = settings.issuer_internal_url if context.issuer == settings.issuer else ""',
                "internal = settings.issuer_internal_url",
            ),
        ),
        tests("client/test_client_accounts.py", "logout_all_does_not_dial_our_internal_address_for_another_server"),
    ),
    Mutant(
        "CL12-silent-keyring",
        "A keyring that does not answer holds the app up for good.",
        (
            Edit(
                "client/store/system_keyring.py",
                "        value, problem = answers.get(timeout=seconds)\n",
                "        value, problem = answers.get(timeout=seconds + 40)\n",
            ),
        ),
        tests("client/test_client_keyring.py", "a_silent_keyring_holds_nobody_up"),
    ),
    Mutant(
        "CL18-completion",
        "An email that a server has made up is put on the command line as it is.",
        (
            Edit(
                "client/commands/completion.py",
                "name.startswith(incomplete) and HARMLESS.fullmatch(name)",
                "name.startswith(incomplete)",
            ),
        ),
        tests("client/test_client_completion.py", "bash"),
    ),
    Mutant(
        "CL10-keys",
        "Keys that change while the app refreshes cost the login.",
        (Edit("client/app.py", "if not id_token.names_a_key_of(jwks, token):", "if False:"),),
        tests("harness/test_faults_at_our_own.py", "the_app_survives_keys_that_change_while_it_refreshes"),
    ),
    Mutant(
        "CL2-ctrl-c",
        "Ctrl-C in the wrong moment of the wait leaves a lock locked, and the app hangs.",
        (Edit("client/loopback.py", "queue.SimpleQueue[Pairs | None] = queue.SimpleQueue()", "Any = queue.Queue()"),),
        tests("client/test_client_loopback.py", "ctrl_c_in_any_moment_of_the_wait_holds_nobody_up"),
    ),
)
