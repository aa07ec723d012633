"""Mutants of the recording: what keeps secrets out of it, what bounds it, and what tells the truth about a token."""

from tests.mutants.mutant import Edit, Mutant, tests

_EYES = "authserver/testing/redaction.py"
_REDACTION, _EXCHANGES, _LINEAGE = "harness/test_redaction.py", "harness/test_exchanges.py", "harness/test_lineage.py"
_CANARY = tests(_REDACTION, "HT8_no_secret_of_any_flow_is_told")

RECORDING = (
    Mutant(
        "HT8-allowed",
        "What nobody thought of is shown.",
        (
            Edit(
                _EYES,
                'return self.secret(value, canonical(value)) if name == "user_code" else self.secret(value)',
                "return self.text(value)",
            ),
        ),
        _CANARY,
    ),
    Mutant(
        "HT8-looks",
        "A token is shown where none belongs.",
        (Edit(_EYES, "if _LOOKS_SECRET.search(core) else word", "if False else word"),),
        tests(_REDACTION, "one_secret_has_one_fingerprint"),
    ),
    Mutant(
        "HT8-known",
        "A password is shown where somebody typed it into the wrong field.",
        (Edit(_EYES, "            self._seen[own] = said\n", ""),),
        (*_CANARY, *tests(_REDACTION, "what_was_a_secret_once_is_one_everywhere")),
    ),
    Mutant(
        "HT8-keyed",
        "Whoever reads a report can try passwords against a fingerprint.",
        (Edit(_EYES, "secrets.token_bytes(32)", "bytes(32)"),),
        tests(_REDACTION, "a_password_cannot_be_guessed_from_its_fingerprint", "a_fingerprint_is_of_its_tenant"),
    ),
    Mutant(
        "HT8-user",
        "The password in a redirect URI is shown.",
        (Edit(_EYES, 'user, _, host = parts.netloc.rpartition("@")', 'user, host = "", parts.netloc'),),
        tests(_REDACTION, "a_url_keeps_what_is_no_secret"),
    ),
    Mutant(
        "HT8-name",
        "What stands where a parameter's name belongs is shown.",
        (
            Edit(
                _EYES,
                'if value not in ("", None) and _NAME.fullmatch(name) else self.secret(name)',
                "if True else self.secret(name)",
            ),
        ),
        tests(_REDACTION, "a_url_keeps_what_is_no_secret"),
    ),
    Mutant(
        "HT2-exchanges",
        "A suite that goes on and on fills the memory with exchanges.",
        (
            Edit(
                "authserver/testing/recording.py",
                "self._kept: deque[Recorded] = deque(maxlen=MOST)",
                "self._kept: deque[Recorded] = deque()",
            ),
        ),
        tests(_EXCHANGES, "the_oldest_are_forgotten"),
    ),
    Mutant(
        "HT2-seen",
        "Known secrets are never forgotten.",
        (Edit(_EYES, "if len(self._seen) > MOST_SEEN:", "if False:"),),
        tests(_REDACTION, "what_is_known_is_bounded"),
    ),
    Mutant(
        "HT2-values",
        "One exchange takes as much room as it likes.",
        (Edit(_EYES, "_WORD.sub(self._word, text)[:MOST]", "_WORD.sub(self._word, text)"),),
        tests(_EXCHANGES, "one_exchange_takes_a_bounded_room"),
    ),
    Mutant(
        "HT2-depth",
        "A deep answer is followed to its end.",
        (Edit(_EYES, "if depth > DEEPEST:", "if False:"),),
        tests(_EXCHANGES, "a_deep_answer_is_shown_as_deep_as_anybody_looks"),
    ),
    Mutant(
        "HT2-surrogates",
        "What JSON can hold and UTF-8 cannot breaks the list of exchanges.",
        (Edit(_EYES, '[:MOST].encode("utf-8", "replace").decode()', "[:MOST]"),),
        tests(_EXCHANGES, "whatever_comes_in_is_recorded_and_answered_as_ever"),
    ),
    Mutant(
        "DE4-recording",
        "All tenants are recorded in one place.",
        (
            Edit(
                "authserver/testing/host.py",
                "self.recording = Recording(self.clock)",
                'self.recording = globals().setdefault("_one", Recording(self.clock))',
            ),
        ),
        tests(_EXCHANGES, "DE4_a_recording_is_of_its_tenant_alone_and_goes_with_it"),
    ),
    Mutant(
        "RT1-lineage",
        "A token of a family that ended is said to be active.",
        (
            Edit(
                "authserver/testing/lineage/why.py",
                "if of.revoked_at is not None or of.family_revoked_at is not None:",
                "if of.revoked_at is not None:",
            ),
        ),
        tests(_LINEAGE, "a_refresh_token_that_comes_again_ends_its_family"),
    ),
    Mutant(
        "TK6-lineage",
        "States are told by another clock than the tenant's.",
        (
            Edit(
                "authserver/testing/lineage/__init__.py",
                "past, now = Past(of.recording.all()), of.clock()",
                "past, now = Past(of.recording.all()), 0",
            ),
        ),
        tests(_LINEAGE, "time_and_revocation_end_a_token", "a_token_that_a_test_ordered_has_no_family"),
    ),
    Mutant(
        "HT8-report",
        "A server that is gone hides why the test failed.",
        (Edit("authserver/pytest_plugin.py", "except Exception as error:", "except LookupError as error:"),),
        tests("harness/test_reports.py", "it_never_hides_why_a_test_failed"),
    ),
)
