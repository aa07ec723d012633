"""Reading other people's tenant files, and bringing a database up to date."""

from tests.mutants.mutant import Edit, Mutant, tests

_EXPORT = "store/test_tenant_export.py"
_UPDATE = "store/test_seed_update.py"
_USERS = "store/test_bulk_users.py"

TENANT_FILE: tuple[Mutant, ...] = (
    Mutant(
        "TF-warnings",
        "What Auth0 protects and this server does not is ignored like anything else.",
        (
            Edit(
                "authserver/tenant_file/names.py",
                "if unplayed.lost and unplayed.when(plain(node)):",
                "if not unplayed.why:",
            ),
        ),
        tests(_EXPORT, "whoever_is_not_protected_here_is_warned"),
    ),
    Mutant(
        "TF-javascript",
        "An Action in JavaScript goes without a word.",
        (
            Edit(
                "authserver/tenant_file/exported.py",
                '        if text(member(node, "deployed")) != "false":\n',
                '        if text(member(node, "deployed")) == "perhaps":\n',
            ),
        ),
        tests(_EXPORT, "whoever_is_not_protected_here_is_warned"),
    ),
    Mutant(
        "TF-strict",
        "A name that nobody knows passes as a comment.",
        (
            Edit(
                "authserver/tenant_file/names.py",
                "        elif name in unplayed:\n"
                '            not_protected(findings, f"{place}.{name}".lstrip("."), unplayed[name], value, of)\n'
                "            drop(node, name)\n",
                "        else:\n            drop(node, name)\n",
            ),
        ),
        tests(_EXPORT, "a_mistake_in_an_export_is_named_with_its_line"),
    ),
    Mutant(
        "TF-strict-ours",
        "A file of ours is forgiven what only an export may have.",
        (
            Edit(
                "authserver/tenant_file/reading.py",
                "    if exported.is_export(root, findings):\n",
                "    if exported.is_export(root, findings) or root:\n",
            ),
        ),
        tests(_EXPORT, "what_only_exports_have_is_forgiven_in_exports_alone"),
    ),
    Mutant(
        "TF-keyword",
        "A keyword without a value is taken for one.",
        (Edit("authserver/tenant_file/reading.py", "    keywords.refuse_unresolved(path, root)\n", ""),),
        tests(_EXPORT, "a_mistake_in_an_export_is_named_with_its_line"),
    ),
    Mutant(
        "TF-subject",
        "A grant for people's tokens lets the client have its own.",
        (Edit("authserver/tenant_file/exported.py", '"subject_type")) == "user":', '"subject_type")) == "":'),),
        tests(_EXPORT, "a_grant_for_peoples_tokens_is_none_for_the_client"),
    ),
    Mutant(
        "TF-enabled",
        "A connection of an export that names no client serves them all.",
        (Edit("authserver/tenant_file/exported.py", '        put(node, "enabled_clients", [])\n', ""),),
        tests(_EXPORT, "a_connection_that_names_no_client_serves_nobody"),
    ),
    Mutant(
        "TF-terminal",
        "Names of a file reach the terminal as they are.",
        (
            Edit(
                "authserver/registration/report.py",
                'return "".join(ch if ch.isprintable() else "?" for ch in text)',
                "return text",
            ),
        ),
        tests(_EXPORT, "nothing_of_a_file_speaks_to_the_terminal"),
    ),
    Mutant(
        "TF-transaction",
        "What is refused at the end was written before.",
        (
            Edit(
                "authserver/seed.py",
                "        seeded = _in_transaction(db, reading, passwords, now(), is_update=is_update)\n"
                "        _refuse_public_demo(db, settings)\n",
                "        seeded = _in_transaction(db, reading, passwords, now(), is_update=is_update)\n"
                "    with _one_transaction(database) as db:\n"
                "        _refuse_public_demo(db, settings)\n",
            ),
        ),
        tests(_UPDATE, "a_demo_tenant_is_not_brought_beyond_loopback"),
    ),
    Mutant(
        "TF-rehearsal",
        "A rehearsal is kept.",
        (Edit("authserver/seed.py", "            raise _Rehearsed\n", ""),),
        tests(_UPDATE, "a_rehearsal_changes_nothing"),
    ),
    Mutant(
        "TF-twice",
        "The same file takes back what people changed here.",
        (
            Edit(
                "authserver/registration/people.py",
                'return bool(remembered[user.user_id]["facts"] == _fingerprint(user))',
                "return False",
            ),
        ),
        tests(_UPDATE, "the_same_file_twice_changes_nothing", "what_people_changed_here_is_not_taken_back"),
    ),
    Mutant(
        "TF-secret",
        "The same file resets a secret that was renewed here.",
        (
            Edit(
                "authserver/registration/facts.py",
                "return before if before is not None and said_before == given.hex() else given",
                "return given",
            ),
        ),
        tests(_UPDATE, "a_secret_of_the_file_is_set_when_the_file_changes_it"),
    ),
    Mutant(
        "TF-secret-made",
        "Every update makes new secrets.",
        (
            Edit(
                "authserver/registration/facts.py",
                "    if before is not None:\n        return before\n    made",
                "    made",
            ),
        ),
        tests(_UPDATE, "secrets_are_made_once"),
    ),
    Mutant(
        "TF-password",
        "The same file resets a password that its owner changed.",
        (
            Edit(
                "authserver/registration/people.py",
                '        elif said and kept_hash != said["password"]:',
                "        elif said:",
            ),
        ),
        tests(_UPDATE, "a_password_is_that_of_the_person_until_the_file_changes_it"),
    ),
    Mutant(
        "TF-permissions",
        "A permission that the file took from a role stays.",
        (
            Edit(
                "authserver/registration/facts.py",
                "    surplus = [row for row in there if row not in wanted]\n",
                "    surplus: list[dict[str, Any]] = []\n",
            ),
        ),
        tests(_UPDATE, "a_changed_file_changes_what_changed"),
    ),
    Mutant(
        "TF-demo",
        "The demo tenant comes over somebody's own when nobody names a file.",
        (
            Edit(
                "authserver/__main__.py",
                'is_named = not {"tenant_file", "tenant", "users"}.isdisjoint(self.model_fields_set)',
                "is_named = True",
            ),
        ),
        tests(_UPDATE, "without_a_named_file_a_tenant_stays_as_it_is"),
    ),
    Mutant(
        "TF-costly",
        "A hash of a user file may keep the server busy at every login.",
        (
            Edit(
                "authserver/tenant_file/models.py",
                '_BCRYPT = re.compile(r"\\$2[ab]\\$(?:0[4-9]|1[0-4])',
                '_BCRYPT = re.compile(r"\\$2[ab]\\$(?:[0-3][0-9])',
            ),
        ),
        tests(_USERS, "hashes_that_would_keep_the_server_busy_are_none"),
    ),
)
