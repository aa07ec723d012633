"""The mutants of the device flow, at the server and in the native app."""

from tests.mutants.mutant import Edit, Mutant, tests

ONCE, GRANT = "authserver/store/once.py", "authserver/grants/device_code.py"
PAGES, CONFIRM = "authserver/endpoints/activate.py", "authserver/endpoints/activate_confirm.py"
TESTS, CLIENT_TESTS = "attacks/test_device_codes.py", "client/test_client_device.py"

ANY_PACE = Edit(
    ONCE,
    "        _DEVICE.polled_at.is_(None) | (_DEVICE.polled_at + _DEVICE.poll_interval <= _NOW),\n",
    "",
)
ANY_NUMBER_OF_TIMES = (
    Edit(GRANT, "    if code.used_at is not None:\n", "    if code.used_at == 0:\n"),
    Edit(
        ONCE,
        "    .where(*_IS_OPEN, _DEVICE.used_at.is_(None), _DEVICE.decision",
        "    .where(*_IS_OPEN, _DEVICE.decision",
    ),
)

DEVICES = (
    Mutant(
        "DV1-pace",
        "A device may poll as fast as it likes.",
        (ANY_PACE,),
        tests(TESTS, "DV1_too_fast_is_slower_by_five_seconds_each_time"),
    ),
    Mutant(
        "DV1-slower",
        "`slow_down` is said, and the interval stays.",
        (Edit("authserver/store/device_codes.py", "poll_interval + SLOWER", "poll_interval + 0"),),
        tests(TESTS, "DV1_too_fast_is_slower_by_five_seconds_each_time"),
    ),
    Mutant(
        "DV3-browser",
        "A second browser takes over the code that a first one has entered.",
        (
            Edit(
                ONCE,
                '        _DEVICE.browser_digest.is_(None) | (_DEVICE.browser_digest == bindparam("browser")),\n',
                "",
            ),
        ),
        tests(TESTS, "DV3_who_entered_the_code_has_it"),
    ),
    Mutant(
        "DV3-person",
        "The next person at the same browser decides about the code of the one before.",
        (
            Edit(
                ONCE,
                '        _DEVICE.user_id.is_(None) | (_DEVICE.user_id == func.coalesce(bindparam("user"), _DEVICE.user_id)),\n',
                "",
            ),
            Edit(ONCE, '        _DEVICE.user_id.is_(None) | (_DEVICE.user_id == bindparam("user")),\n', ""),
            Edit(
                CONFIRM,
                "    if session and device.user_id not in (None, session.user_id):\n",
                "    if device.user_id == '':\n",
            ),
        ),
        tests(TESTS, "DV3_the_next_person_at_the_same_browser_does_not_get_it"),
    ),
    Mutant(
        "DV3-login",
        "Whoever logged in on the way to the decision need not be the one who decides.",
        (
            Edit(CONFIRM, "    if session and device.user_id is None:\n", "    if session and device.user_id == '':\n"),
            Edit(
                CONFIRM,
                "    if interaction.sid is not None and (session is None or session.sid != interaction.sid):\n",
                "    if interaction.sid == '':\n",
            ),
        ),
        tests(TESTS, "DV3_whoever_logged_in_on_the_way_goes_on"),
    ),
    Mutant(
        "DV4-auto",
        "Whoever is logged in and has entered the code is not asked.",
        (
            Edit(
                CONFIRM,
                "    device, session = visit.device, visit.session\n",
                "    device, session = visit.device, visit.session\n    if session:\n"
                "        return _approve(visit, session, tenant)\n",
            ),
        ),
        tests(TESTS, "DV4_the_complete_address_approves_nothing"),
    ),
    Mutant(
        "DV4-look",
        "Opening the complete address claims the code.",
        (
            Edit(
                PAGES,
                '    return _form(request.query.opaque("user_code"), browser, cookies)\n',
                '    code = request.query.opaque("user_code")\n'
                "    _claimed(request, browser, user_codes.canonical(code or ''), tenant)\n"
                "    return _form(code, browser, cookies)\n",
            ),
        ),
        tests(TESTS, "DV4_the_complete_address_approves_nothing"),
    ),
    Mutant(
        "DV4-question",
        "The page does not ask who started this.",
        (
            Edit(
                "authserver/templates/activate_confirm.html",
                "<strong>Did you start this?</strong> If somebody else sent you here, deny.",
                "",
            ),
        ),
        tests(TESTS, "DV4_the_complete_address_approves_nothing"),
    ),
    Mutant(
        "DV4-place",
        "The page does not tell that the device is somewhere else.",
        (Edit(CONFIRM, '"is_near": device.source == request.source[:64],', '"is_near": True,'),),
        tests(TESTS, "DV4_the_page_tells_when_the_device_is_somewhere_else"),
    ),
    Mutant(
        "DV4-action",
        "Whatever is not a refusal allows.",
        (
            Edit(
                CONFIRM, 'if request.body.opaque("action") != "default":', 'if request.body.opaque("action") == "deny":'
            ),
        ),
        tests(TESTS, "DV4_nothing_but_the_button_allows"),
    ),
    Mutant(
        "DV5-client",
        "A device code works for any client.",
        (Edit(GRANT, "if code is None or code.client_id != client.client_id:", "if code is None:"),),
        tests(TESTS, "DV5_a_device_code_of_another_client"),
    ),
    Mutant(
        "DV5-once",
        "A device code works as often as it is presented.",
        ANY_NUMBER_OF_TIMES,
        tests(TESTS, "DV5_a_used_code_that_comes_again_ends_the_family"),
    ),
    Mutant(
        "DV5-family",
        "A used device code is refused, and what it gave lives on.",
        (Edit(GRANT, "            issued.revoke_grant(db, code.grant_id, now)\n", ""),),
        tests(TESTS, "DV5_a_used_code_that_comes_again_ends_the_family"),
    ),
    Mutant(
        "DV5-flood",
        "A client gets as many device codes as it asks for.",
        (Edit("authserver/attempts.py", ".scalar_one() <= DEVICE_CODES)", ".scalar_one() >= 0)"),),
        tests(TESTS, "DV5_a_flood_is_answered_429_and_the_store_stays_bounded"),
    ),
    Mutant(
        "DV5-store",
        "Device codes that nobody approved pile up.",
        (Edit("authserver/endpoints/device.py", "        device_codes.forget(db, now - LIFETIME)\n", ""),),
        tests(TESTS, "DV5_a_flood_is_answered_429_and_the_store_stays_bounded"),
    ),
    Mutant(
        "DV6-token",
        "The form is taken without the token that it was shown with.",
        (
            Edit(
                PAGES,
                "if browser is None or not hmac.compare_digest(_token(browser).encode(), sent):",
                "if browser is None or sent is None:",
            ),
        ),
        tests(TESTS, "DV6_a_form_without_its_token_or_from_elsewhere"),
    ),
    Mutant(
        "DV6-origin",
        "The decision is taken from a page of any origin.",
        (
            Edit(
                CONFIRM,
                "    interactions.same_origin(request, tenant)\n",
                "",
            ),
        ),
        tests(TESTS, "DV6_a_form_without_its_token_or_from_elsewhere"),
    ),
    Mutant(
        "DV6-spelling",
        "A code in lower case is another code.",
        (Edit("authserver/rules/user_codes.py", "typed[:MOST].upper()", "typed[:MOST]"),),
        tests(TESTS, "DV6_the_code_is_read_as_people_write_it"),
    ),
    Mutant(
        "DV6-digest",
        "The code is kept with the interaction.",
        (
            Edit(
                PAGES, '        response_mode="query",\n', '        response_mode="query",\n        login_hint=code,\n'
            ),
        ),
        tests(TESTS, "DV6_the_store_has_no_user_code_and_no_device_code"),
    ),
    Mutant(
        "B7-decision",
        "The last decision counts.",
        (
            Edit(
                ONCE,
                "        _DEVICE.decision.is_(None),\n        _DEVICE.browser_digest == bindparam",
                "        _DEVICE.browser_digest == bindparam",
            ),
            Edit(CONFIRM, "if device is None or device.decision is not None or device", "if device is None or device"),
        ),
        tests(TESTS, "B7_approve_and_deny_at_once_have_one_winner"),
    ),
    Mutant(
        "B7-polls",
        "Polls that come at once are all answered with tokens.",
        (ANY_PACE, *ANY_NUMBER_OF_TIMES),
        tests(TESTS, "B7_two_polls_after_the_approval_have_one_success"),
    ),
    Mutant(
        "B9-codes",
        "Beyond the limit the right user code is still recognised.",
        (
            Edit(
                PAGES,
                "    if not attempts.reserve_user_code(request, tenant):\n",
                "    right = _claimed(request, browser, user_codes.canonical(typed), tenant) is not None\n"
                "    if not attempts.reserve_user_code(request, tenant) and not right:\n",
            ),
        ),
        tests(TESTS, "B9_parallel_guesses_at_user_codes_cannot_outrun_the_count"),
    ),
    Mutant(
        "B9-own",
        "With right codes of one's own the count of wrong ones starts anew.",
        (Edit("authserver/attempts.py", ".values(attempts=login_attempts.c.attempts - 1)", ".values(attempts=0)"),),
        tests(TESTS, "B9_right_codes_are_no_guesses_and_hide_none"),
    ),
    Mutant(
        "B9-anywhere",
        "Guesses at user codes from many places are not counted together.",
        (Edit("authserver/attempts.py", "(anywhere <= USER_CODES_ANYWHERE or is_known)", "True"),),
        tests(TESTS, "B9_guesses_from_everywhere_do_not_lock_known_browsers_out"),
    ),
    Mutant(
        "CL9-device",
        "The app sends the person to whatever page it is told.",
        (Edit("client/device.py", "    if urls.origin(url) != urls.origin(issuer):\n", "    if not url:\n"),),
        tests(CLIENT_TESTS, "CL9_invitations_that_make_no_sense"),
    ),
    Mutant(
        "CL14-slow",
        "The app polls on at the old pace after `slow_down`.",
        (Edit("client/device.py", "interval += SLOWER", "interval += 0"),),
        tests(CLIENT_TESTS, "slow_down_adds_five_seconds_for_good"),
    ),
    Mutant(
        "CL14-silent",
        "A server that does not answer is asked again at the old pace.",
        (Edit("client/device.py", "min(2 * pause, LONGEST_PAUSE)", "pause"),),
        tests(CLIENT_TESTS, "CL14_no_answer_doubles_the_pause_until_there_is_one"),
    ),
    Mutant(
        "CL19-device",
        "Ctrl-C while a device's tokens come loses them.",
        (
            Edit(
                "client/device.py",
                "from client.interrupts import held_back",
                "from contextlib import nullcontext as held_back",
            ),
        ),
        tests(CLIENT_TESTS, "CL19_ctrl_c_while_the_tokens_come_loses_no_login"),
    ),
)
