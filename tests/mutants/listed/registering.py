"""Mutants of registering one section alone: what hangs on it must come along."""

from tests.mutants.mutant import Edit, Mutant, tests

_FACTS = "authserver/registration/facts.py"
_TESTS = "harness/test_registering.py"

REGISTERING = (
    Mutant(
        "DE4-section-connections",
        "A connection keeps serving the application that lost the name it goes by.",
        (
            Edit(
                _FACTS,
                'sources = map(_api_row, file.resourceServers), ("clients", ',
                "sources = map(_api_row, file.resourceServers), (",
            ),
        ),
        tests(_TESTS, "a_connection_follows_the_application_whose_name_it_has"),
    ),
    Mutant(
        "DE4-section-confusable",
        "An API that is registered alone may have the identifier of an application.",
        (Edit(_FACTS, '(("clients", "resourceServers"), lambda: _refuse', '(("clients",), lambda: _refuse'),),
        tests(_TESTS, "what_is_confusable_with_a_row_is_refused_in_either_section"),
    ),
    Mutant(
        "DE4-section-key",
        "An API that is registered alone asks for ES256 in vain.",
        (Edit(_FACTS, '(("resourceServers",), lambda: _signing_key', '(("tenant",), lambda: _signing_key'),),
        tests(_TESTS, "an_api_that_asks_for_es256_gets_its_key"),
    ),
)
