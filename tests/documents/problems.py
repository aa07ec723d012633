"""docs/problems.md: what a client under test is judged by, from the catalogue."""

from authserver.testing.problem_rules import CATALOGUE
from authserver.testing.tampering import TESTS
from tests.documents.layout import NOTE, table

_ABOUT = """\
`authserver.problems` and `GET /_testing/tenants/{name}/problems` judge a client by these rules, see
[the harness](harness.md#mistakes-of-your-client). *must* and *should* are the words of the source. A rule in whose row a `tamper` stands
shows only when a test spoils the callback: [does my client check state?](how-to-test/does-my-client-check-state.md)"""


def problems_page() -> str:
    """Rule by rule."""
    spoiled = {rule: [f"`{tamper}`" for tamper in TESTS if TESTS[tamper] == rule] for rule in TESTS.values()}
    rows = [
        (
            f"`{rule.name}`",
            f"It {rule.sentence}.",
            rule.advice,
            f"{rule.rfc} ({rule.severity})",
            ", ".join(spoiled.get(rule.name, [])),
        )
        for rule in CATALOGUE
    ]
    return "\n".join(
        [
            "# Problems: the rules that a client is judged by",
            "",
            NOTE.format(sources="authserver/testing/problem_rules.py"),
            "",
            _ABOUT,
            "",
            *table(("Rule", "What the client did", "What to do", "Source", "`tamper`"), rows),
            "",
        ]
    )
