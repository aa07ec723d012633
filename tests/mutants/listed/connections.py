"""Mutants of where people come from: passwords, sign-up, mailed links."""

from tests.mutants.mutant import Edit, Mutant, tests

CONNECTIONS = (
    Mutant(
        "LO6-empty",
        "Who has no password here logs in with the one that stands in for it.",
        (
            Edit(
                "authserver/passwords.py",
                "hash_password(secrets.token_urlsafe(32))",
                'hash_password("nobody has this password")',
            ),
            Edit("authserver/passwords.py", "    return is_usable\n", "    return password_hash is not None\n"),
        ),
        tests("attacks/test_passwords.py", "LO6_who_has_no_password_here_cannot_log_in_with_any"),
    ),
    Mutant(
        "LO6-time",
        "Having no password here is answered at once.",
        (
            Edit(
                "authserver/passwords.py",
                "    try:\n        _HASHER.verify(",
                "    if not is_usable:\n        return False\n    try:\n        _HASHER.verify(",
            ),
        ),
        tests("attacks/test_passwords.py", "LO6_having_no_password_takes_as_long_as_a_wrong_one"),
    ),
    Mutant(
        "LO10-bcrypt",
        "bcrypt's 72 bytes stand for the whole password.",
        (Edit("authserver/passwords.py", 'len(presented) <= _BCRYPT_BYTES and b"\\0" not in presented', "True"),),
        tests("attacks/test_passwords.py", "LO10_no_tail_of_a_password_is_cut_off_for_bcrypt"),
    ),
    Mutant(
        "B4-ticket",
        "A mailed link works as often as it is followed.",
        (
            Edit(
                "authserver/store/once.py",
                "_TICKET = _gate(tickets)",
                "_TICKET = update(tickets).where(tickets.c.digest == _DIGEST).values(used_at=_NOW)"
                ".returning(tickets.c.used_at)",
            ),
            Edit(
                "authserver/store/tickets.py",
                '    tickets.c.used_at.is_(None),\n    tickets.c.expires_at > bindparam("now"),',
                '    tickets.c.expires_at > bindparam("now"),',
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_a_link_changes_one_password_once"),
    ),
    Mutant(
        "B4-gate",
        "Whether a link was used is looked at before the transaction that uses it.",
        (
            Edit(
                "authserver/store/once.py",
                "_TICKET = _gate(tickets)",
                "_TICKET = update(tickets).where(tickets.c.digest == _DIGEST).values(used_at=_NOW)"
                ".returning(tickets.c.used_at)",
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_of_many_at_once_one_wins"),
    ),
    Mutant(
        "B4-expiry",
        "A mailed link lives for ever.",
        (
            Edit(
                "authserver/connections/mails.py",
                "now + LIFETIMES[purpose])",
                "now + 1000 * LIFETIMES[purpose])",
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_a_link_ends_with_its_hour"),
    ),
    Mutant(
        "B4-others",
        "A new password leaves the other links to change it alive.",
        (
            Edit(
                "authserver/connections/new_password.py",
                "    void_tickets(db, user.user_id, RESET_PASSWORD, now)\n",
                "",
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_a_change_of_the_password_ends_every_other_link"),
    ),
    Mutant(
        "B4-purpose",
        "A link that verifies an address also sets a password.",
        (
            Edit(
                "authserver/store/tickets.py",
                '    tickets.c.purpose == bindparam("for"),\n    tickets.c.used_at',
                "    tickets.c.used_at",
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_a_link_is_good_for_its_own_purpose_alone"),
    ),
    Mutant(
        "B4-address",
        "A link verifies whatever address the user has by now.",
        (
            Edit(
                "authserver/store/accounts.py",
                'if profile is None or profile.get("email") != email:',
                "if profile is None or email is None:",
            ),
        ),
        tests("attacks/test_mailed_links.py", "B4_an_address_that_is_the_users_no_more_is_not_verified"),
    ),
    Mutant(
        "LO1-account",
        "New passwords are taken from forms of any origin.",
        (
            Edit(
                "authserver/endpoints/reset_password.py",
                '    interactions.same_origin(request, tenant)\n    ticket = request.body.opaque("ticket")\n',
                '    ticket = request.body.opaque("ticket")\n',
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO1_a_form_from_elsewhere_changes_nothing"),
    ),
    Mutant(
        "LO4-sessions",
        "Sessions outlive the password that they began with.",
        (Edit("authserver/connections/new_password.py", "    sessions.end_all(db, user.user_id, now)\n", ""),),
        tests("attacks/test_mailed_links.py", "LO4_a_new_password_ends_sessions_and_tokens"),
    ),
    Mutant(
        "LO4-grants",
        "Refresh tokens outlive the password that they were got with.",
        (Edit("authserver/connections/new_password.py", "    issued.revoke_grants_of(db, user.user_id, now)\n", ""),),
        tests("attacks/test_mailed_links.py", "LO4_a_new_password_ends_sessions_and_tokens"),
    ),
    Mutant(
        "LO4-login",
        "A login goes on with a password that was changed while it was looked at.",
        (
            Edit(
                "authserver/store/accounts.py",
                '    .where(users.c.user_id == bindparam("of"), users.c.password_hash == bindparam("verified"))\n'
                '    .values(password_hash=bindparam("keep"))\n',
                '    .where(users.c.user_id == bindparam("of"), bindparam("verified") != "")\n'
                "    .values(updated_at=users.c.updated_at)\n",
            ),
            Edit(
                "authserver/store/accounts.py",
                '"verified": user.password_hash, "keep": keep}',
                '"verified": user.password_hash}',
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO4_nobody_logs_in_past_a_change"),
    ),
    Mutant(
        "LO4-issue",
        "A code leaves for a session that was ended while it was made.",
        (
            Edit(
                "authserver/sessions.py",
                '    .where(login_sessions.c.digest == bindparam("of"), login_sessions.c.ended_at.is_(None))\n'
                "    .values(last_seen_at",
                '    .where(login_sessions.c.digest == bindparam("of"))\n    .values(last_seen_at',
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO4_nothing_is_issued_past_a_change"),
    ),
    Mutant(
        "LO6-mail",
        "Only who has an account is told that a mail is on its way.",
        (
            Edit(
                "authserver/connections/new_password.py",
                '    with tenant.database.write() as db:\n        if user and user.profile.get("email"):\n',
                "    if not user:\n        raise LinkDead\n"
                '    with tenant.database.write() as db:\n        if user and user.profile.get("email"):\n',
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO6_asking_for_a_link_tells_nobody_who_is_there")
        + tests("flows/test_database_connections.py", "change_password_says_the_same_to_everybody"),
    ),
    Mutant(
        "LO6-exists",
        "Signing up tells everybody who has an account.",
        (
            Edit(
                "authserver/connections/sign_up.py",
                'return UserExists() if flags.get("enable_public_signup_user_exists_error") else InvalidSignUp()',
                "return UserExists() if flags is not None else InvalidSignUp()",
            ),
        ),
        tests("flows/test_database_connections.py", "an_existing_user_is_told_as_the_tenant_says"),
    ),
    Mutant(
        "LO6-ask",
        "Links may be asked for without end.",
        (
            Edit(
                "authserver/connections/new_password.py",
                '    if not attempts.may_ask(request, "new password", email, tenant):\n',
                "    if attempts is None:\n",
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO6_asking_for_a_link_tells_nobody_who_is_there"),
    ),
    Mutant(
        "LO6-signups",
        "One source may sign up without end, a name at a time.",
        (Edit("authserver/attempts.py", '\\n{purpose}\\n\\n"), PER_DOOR)', '\\n{purpose}\\n\\n"), 10 * PER_DOOR)'),),
        tests("attacks/test_mailed_links.py", "LO6_requests_from_one_source_are_braked_whatever_names_they_bring"),
    ),
    Mutant(
        "LO10-mail",
        "The mail goes to the spelling that was typed.",
        (
            Edit(
                "authserver/connections/new_password.py",
                "            mails.write(db, user, RESET_PASSWORD, client_id, tenant)\n",
                '            typed = type(user)(user.user_id, "", {"email": email}, user.blocked, user.updated_at)\n'
                "            mails.write(db, typed, RESET_PASSWORD, client_id, tenant)\n",
            ),
        ),
        tests("attacks/test_mailed_links.py", "LO10_a_link_goes_to_the_accounts_own_address"),
    ),
    Mutant(
        "LO10-databases",
        "A login looks for its name in whichever database has it first.",
        (
            Edit(
                "authserver/endpoints/interaction.py",
                "find_user_by_name(db, username, database.name) if database and is_text(username)",
                "find_user_by_name(db, username) if database and is_text(username)",
            ),
        ),
        tests("flows/test_database_connections.py", "one_address_may_stand_in_two_databases"),
    ),
    Mutant(
        "LO4-elsewhere",
        "A session opens clients that its owner's connection does not serve.",
        (
            Edit(
                "authserver/endpoints/authorize.py",
                "    if _is_from_elsewhere(asked, session, tenant):\n        return True\n",
                "",
            ),
        ),
        tests("flows/test_database_connections.py", "nobody_logs_in_where_their_database_does_not_serve"),
    ),
    Mutant(
        "LO4-device",
        "A session lets devices in whose client its owner's connection does not serve.",
        (
            Edit(
                "authserver/sessions.py",
                "return None if user and not admits(db, user.connection, client_id) else session",
                "return None if user and not admits else session",
            ),
        ),
        tests(
            "flows/test_database_connections.py",
            "nobody_lets_a_device_in_whose_client_their_database_does_not_serve",
        ),
    ),
    Mutant(
        "LO10-serves",
        "A database serves clients that it was not enabled for.",
        (
            Edit(
                "authserver/connections/database.py",
                "return found if found and is_database(found) and found.serves(client_id) else None",
                "return found if found and is_database(found) else None",
            ),
        ),
        tests("flows/test_database_connections.py", "unknown_clients_and_connections_are_refused"),
    ),
    Mutant(
        "LO6-policy",
        "The policy is explained, and any password is taken.",
        (
            Edit(
                "authserver/connections/password_policy.py",
                '    if not all(rule["verified"] for rule in rules):\n',
                "    if not rules:\n",
            ),
        ),
        tests("flows/test_database_connections.py", "the_policy_of_the_database_decides"),
    ),
    Mutant(
        "LO6-dictionary",
        "The dictionary is not looked into.",
        (
            Edit(
                "authserver/connections/password_policy.py",
                "    if options.password_dictionary.enable:\n",
                "    if options.password_dictionary is None:\n",
            ),
        ),
        tests("flows/test_database_connections.py", "the_policy_of_the_database_decides"),
    ),
    Mutant(
        "LO6-personal",
        "Names of its owner may stand in a password.",
        (
            Edit(
                "authserver/connections/password_policy.py",
                "    if options.password_no_personal_info.enable and",
                "    if options.password_no_personal_info is None and",
            ),
        ),
        tests("flows/test_database_connections.py", "the_policy_of_the_database_decides"),
    ),
    Mutant(
        "TK20-signup",
        "Signing up is possible where the operator makes the accounts.",
        (
            Edit(
                "authserver/connections/sign_up.py",
                "        if options.disable_signup:\n",
                "        if options is None:\n",
            ),
        ),
        tests("flows/test_database_connections.py", "signup_can_be_switched_off"),
    ),
    Mutant(
        "I12-ticket",
        "Tickets are kept as they stand in the mail.",
        (
            Edit(
                "authserver/connections/mails.py", "Ticket(digest(value), purpose,", "Ticket(value.encode(), purpose,"
            ),
            Edit(
                "authserver/connections/new_password.py",
                "find_ticket(db, digest(value), RESET_PASSWORD",
                "find_ticket(db, value.encode(), RESET_PASSWORD",
            ),
        ),
        tests("attacks/test_mailed_links.py", "I12_a_link_stands_in_the_outbox_and_nowhere_else"),
    ),
)
