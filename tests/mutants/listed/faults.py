"""Mutants of faults: that each stays where it was set, says so, and holds up nobody."""

from tests.mutants.mutant import Edit, Mutant, tests

_HOST = "authserver/testing/host.py"
_EXCHANGE = "authserver/testing/exchange.py"
_CONTROL = "authserver/testing/control/faults.py"
_KINDS = "authserver/testing/faults/kinds.py"
_KEPT = "authserver/testing/faults/kept.py"
_MATCHING = "authserver/testing/faults/matching.py"
_SPOILING = "authserver/testing/faults/spoiling.py"
_LINE = "authserver/testing/line.py"

FAULTS = (
    Mutant(
        "DE4-faults",
        "All tenants have their faults in common.",
        (Edit(_HOST, "faults: Faults = field(default_factory=Faults)", "faults: Faults = Faults()"),),
        tests("harness/test_fault_isolation.py", "DE4_a_fault_of_one_tenant_spoils_nothing_elsewhere"),
    ),
    Mutant(
        "DE4-skew",
        "A skewed request turns the tenant's clock for everybody.",
        (
            Edit(
                _SPOILING,
                "    await scene.play(replace(true, now=lambda: max(0, true.now() + order.seconds)))",
                "    scene.rehearsal.clock.advance(order.seconds)\n    await scene.play(replace(true))",
            ),
        ),
        tests("harness/test_fault_isolation.py", "DE4_skew_stays_within_the_one_request"),
    ),
    Mutant(
        "DE4-held",
        "A dropped tenant leaves requests hanging.",
        (Edit(_HOST, "rehearsal.faults.close()", "rehearsal.faults.all()"),),
        tests("harness/test_fault_connections.py", "a_dropped_tenant_keeps_nobody_waiting"),
    ),
    Mutant(
        "DE2-fault-named",
        "A spoiled answer looks like a true one.",
        (
            Edit(
                _SPOILING,
                '        if message["type"] == "http.response.start":\n            message["headers"]',
                '        if False:\n            message["headers"]',
            ),
        ),
        tests("harness/test_faults.py", "each_spoils_once_says_so_and_is_recorded"),
    ),
    Mutant(
        "DE2-fault-recorded",
        "The recording does not tell that an exchange was spoiled.",
        (Edit("authserver/testing/stage.py", "taking.fault = fault.order.name", "pass"),),
        tests("harness/test_faults.py", "each_spoils_once_says_so_and_is_recorded"),
    ),
    Mutant(
        "DE2-fault-once",
        "A fault for one request spoils several that come at once.",
        (Edit(_KEPT, "if fault.is_spent or fault.id not in self._kept:", "if fault.id not in self._kept:"),),
        tests("harness/test_fault_matching.py", "of_parallel_requests_one_is_spoiled"),
    ),
    Mutant(
        "DE2-fault-unknown",
        "A fault for a client that does not exist is set, and never comes true.",
        (Edit(_CONTROL, "    _check_known(order, of)\n    try:", "    try:"),),
        tests("harness/test_fault_orders.py", "what_makes_no_sense_is_refused"),
    ),
    Mutant(
        "DE2-fault-sense",
        "A fault is set where it can never happen.",
        (Edit(_KINDS, "if at not in self.SENSE:", "if False:"),),
        tests("harness/test_fault_orders.py", "what_makes_no_sense_is_refused"),
    ),
    Mutant(
        "DE2-fault-lines",
        "A header that was asked for may hold further ones.",
        (Edit(_KINDS, "or not _VALUE.fullmatch(value)", ""),),
        tests("harness/test_fault_orders.py", "what_makes_no_sense_is_refused"),
    ),
    Mutant(
        "DE2-fault-many",
        "There is no end to the faults of a tenant.",
        (Edit(_KEPT, "if len(self._kept) >= MOST or self.is_closed:", "if self.is_closed:"),),
        tests("harness/test_fault_orders.py", "there_is_an_end_to_them"),
    ),
    Mutant(
        "DE1-fault-echo",
        "A refusal repeats the kind that was asked for.",
        (Edit("authserver/testing/control/asking.py", 'if error["type"] == "union_tag_invalid":', "if False:"),),
        tests("harness/test_fault_orders.py", "what_makes_no_sense_is_refused"),
    ),
    Mutant(
        "AZ6-fault",
        "A callback denial meets requests that nobody may answer by a redirect.",
        (Edit(_MATCHING, "(about.callback is not None or not _wants_callback(order))", "True"),),
        tests("harness/test_faults.py", "a_callback_denial_never_goes_where_no_answer_may_go"),
    ),
    Mutant(
        "HT2-fault-long",
        "Whoever reads ahead reads without end.",
        (Edit(_EXCHANGE, "while read <= BODY_LIMIT:", "while True:"),),
        tests("harness/test_fault_matching.py", "a_body_without_end_is_not_waited_for"),
    ),
    Mutant(
        "HT2-fault-slow",
        "A slow body has its time twice: once ahead, and once with the rooms.",
        (Edit(_EXCHANGE, "if self._is_late:", "if False:"),),
        tests("harness/test_fault_matching.py", "a_slow_body_is_refused_as_always"),
    ),
    Mutant(
        "HT2-fault-ahead",
        "Every request is read ahead, whether a fault could be for it or not.",
        (Edit(_MATCHING, "if not each.is_spent and _is_at(each.order, asked)]", "if not each.is_spent]"),),
        tests("harness/test_fault_matching.py", "without_a_fault_for_it_nothing_is_read_ahead"),
    ),
    Mutant(
        "HT2-fault-preflight",
        "A browser's preflight uses up a fault.",
        (Edit(_MATCHING, ' or asked.method == "OPTIONS"', ""),),
        tests("harness/test_fault_matching.py", "a_preflight_meets_no_fault"),
    ),
    Mutant(
        "HT2-fault-stop",
        "A server that ends waits for who is kept waiting.",
        (Edit(_LINE, "        self._line.let_go.come()", "        pass"),),
        tests("harness/test_fault_connections.py", "a_live_server_that_ends_keeps_nobody_waiting"),
    ),
    Mutant(
        "HT2-fault-people",
        "A server that ends waits for its virtual people.",
        (Edit("authserver/testing/person.py", "line.let_go if line else None", "None"),),
        tests("harness/test_fault_connections.py", "a_live_server_that_ends_sends_its_virtual_people_home"),
    ),
    Mutant(
        "HT2-fault-probe",
        "A health check meets faults.",
        (Edit(_MATCHING, " and asked.path not in _PROBES", ""),),
        tests("harness/test_fault_isolation.py", "DE4_a_fault_of_the_servers_own_tenant_stays_there"),
    ),
    Mutant(
        "HT2-fault-served",
        "A served harness can cut no connection.",
        (
            Edit(
                "authserver/serve.py",
                "_testing_connection() if settings.testing else Connection",
                "Connection",
            ),
        ),
        tests("harness/test_fault_connections.py", "a_served_one_that_is_stopped_keeps_nobody_waiting"),
    ),
    Mutant(
        "HT2-fault-quiet",
        "A connection that was cut is reported as a mistake of ours.",
        (Edit(_LINE, "        self.cycle.disconnected = True", "        pass"),),
        tests("harness/test_fault_connections.py", "nothing_that_was_asked_for_is_logged_as_a_mistake"),
    ),
    Mutant(
        "RT1-fault-lost",
        "An answer is lost before anything was done.",
        (
            Edit(
                _SPOILING,
                "    await scene.work()\n    await scene.cut()",
                "    await scene.cut()",
            ),
        ),
        tests("harness/test_faults.py", "a_refresh_whose_answer_was_lost"),
    ),
)
