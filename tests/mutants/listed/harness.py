"""Mutants of the test harness: who may steer it, and what keeps tenants apart."""

from tests.mutants.mutant import Edit, Mutant, tests

_GATE = "authserver/testing/gate.py"
_HOST = "authserver/testing/host.py"

HARNESS = (
    Mutant(
        "DE1-token",
        "Whoever can reach the port steers the harness.",
        (Edit(_GATE, 'if scheme.lower() != "bearer" or not right or', 'if scheme.lower() == "never" or'),),
        tests("harness/test_steering.py", "DE1_nothing_is_steered_without_the_token"),
    ),
    Mutant(
        "DE1-scheme",
        "The token counts wherever it stands in the header.",
        (Edit(_GATE, 'scheme.lower() != "bearer" or ', ""),),
        tests("harness/test_steering.py", "DE1_the_token_counts_in_its_one_place_alone"),
    ),
    Mutant(
        "DE1-origin",
        "What a browser says of where a request comes from is not listened to.",
        (Edit(_GATE, "if not self._is_own(request):", "if False:"),),
        tests("harness/test_steering.py", "DE1_no_web_page_of_another_site_steers"),
    ),
    Mutant(
        "DE1-site",
        "A request that a browser calls cross-site passes, when it has no Origin.",
        (Edit(_GATE, ' and all(each in ("same-origin", "none") for each in sites)', ""),),
        tests("harness/test_steering.py", "DE1_no_web_page_of_another_site_steers"),
    ),
    Mutant(
        "DE1-form",
        "A form is read as JSON.",
        (Edit(_GATE, 'if has_body and kind != "application/json":', "if False:"),),
        tests("harness/test_steering.py", "DE1_a_form_is_no_json"),
    ),
    Mutant(
        "DE2-reach",
        "The harness can be switched on where others than this machine reach it.",
        (
            Edit(
                "authserver/settings.py",
                "if self.testing and reachable and not self.allow_insecure_testing:",
                "if False:",
            ),
        ),
        tests("harness/test_steering.py", "DE2_a_stray_switch_is_refused"),
    ),
    Mutant(
        "DE2-banner",
        "A server that can be steered looks like any other.",
        (Edit(_GATE, '[*message["headers"], BANNER]', 'message["headers"]'),),
        tests("harness/test_steering.py", "DE2_it_is_said_in_metadata_and_on_every_answer"),
    ),
    Mutant(
        "DE4-tenant",
        "Every request is about the tenant at the root.",
        (Edit("authserver/app.py", "scope.get(TENANT, tenant)", "tenant"),),
        tests("harness/test_isolation.py", "DE4_tokens_of_one_tenant_are_nothing_in_another"),
    ),
    Mutant(
        "DE4-copy",
        "A recycled database keeps what was in it.",
        (
            Edit(_HOST, "        shutil.copyfile(template, str(database.file))\n        return", "        return"),
            Edit(
                _HOST,
                "            database.announce =",
                "            shutil.copyfile(template, file)\n            database.announce =",
            ),
            Edit(_HOST, 'for suffix in ("", "-wal", "-shm"):', "for suffix in ():"),
        ),
        tests("harness/test_isolation.py", "DE4_a_canary_of_one_tenant_is_nowhere_in_another"),
    ),
    Mutant(
        "DE4-visits",
        "A database is lent again while a request of its last tenant is in hand.",
        (Edit(_HOST, "if not rehearsal.visits:", "if True:"),),
        tests("harness/test_isolation.py", "DE4_who_is_still_at_work_does_not_find_the_next_tenant"),
    ),
    Mutant(
        "DE4-key",
        "All tenants sign with one key.",
        (Edit("authserver/testing/key_pool.py", "return self._free.pop()", "return self._free[0]"),),
        tests("harness/test_isolation.py", "DE4_two_living_tenants_share_no_key"),
    ),
    Mutant(
        "DE4-root",
        "The server's own tenant can be dropped.",
        (Edit(_HOST, "        if name == ROOT:\n            raise Stays\n", ""),),
        tests("harness/test_root.py", "it_stays_and_its_name_is_its_own"),
    ),
    Mutant(
        "DE4-root-name",
        "A test's tenant takes the name of the server's own.",
        (Edit(_HOST, "if name == ROOT or name in self._rehearsals:", "if name in self._rehearsals:"),),
        tests("harness/test_root.py", "it_stays_and_its_name_is_its_own"),
    ),
    Mutant(
        "DE4-root-clock",
        "The clock of the server's own tenant is not its own.",
        (Edit(_HOST, "replace(root, now=clock), clock,", "root, clock,"),),
        tests("harness/test_root.py", "it_is_steered_like_the_others"),
    ),
    Mutant(
        "DE1-base-url",
        "A tenant's host is served when it is gone, as is every other.",
        (Edit(_HOST, "return host in known", "return True"),),
        tests("harness/test_base_url.py", "DE1_another_host_is_served_as_long_as_its_tenant_lives"),
    ),
    Mutant(
        "DE1-loopback",
        "Whatever begins like a name of loopback is served.",
        (Edit(_HOST, "_LOOPBACK.fullmatch(host)", "_LOOPBACK.match(host)"),),
        tests("harness/test_base_url.py", "DE1_what_only_looks_like_loopback_is_not"),
    ),
    Mutant(
        "DE1-loopback-anywhere",
        "Loopback on any port is served by everybody, not in containers alone.",
        (Edit(_HOST, "self.settings.allow_insecure_testing and _LOOPBACK", "_LOOPBACK"),),
        tests("harness/test_base_url.py", "DE1_elsewhere_it_is_not"),
    ),
    Mutant(
        "DE1-http-base-url",
        "A tenant may be known under http beyond loopback.",
        (Edit(_HOST, "if not is_safe and not self.settings.allow_insecure_http_issuer:", "if False:"),),
        tests("harness/test_base_url.py", "what_is_no_address_of_ours_is_refused"),
    ),
)
