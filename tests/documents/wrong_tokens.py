"""docs/wrong-tokens.md: the catalogue, and what our API and other people's SDKs make of each entry."""

import runpy

from authserver.testing.wrong_tokens import CATALOGUE, WrongToken
from tests.documents.layout import NOTE, ROOT, table

_ABOUT = """\
Each of these tokens is good but for one thing. With pytest, one test asks for all of them: `def test_my_api(wrong_token, authserver)`;
in any other language `POST /_testing/tenants/{name}/wrong-tokens` makes them ([the test harness](harness.md)). They are signed as the API
asked for is registered, with RS256 or ES256. A correct API answers the status that is shown, or one in brackets."""
_SDKS = """\
Our own API refuses every one, in both algorithms (`tests/harness/test_wrong_tokens.py`). Auth0's SDKs are asked in `make test-sdk`, as their
documents set them up, with RS256; the test fails when a verdict changes either way. *Fails* means an unexpected exception, at the
caller a 500, instead of a refusal: nobody gets in, and somebody is woken."""


def wrong_tokens_page() -> str:
    """One row for each wrong token."""
    otherwise = runpy.run_path(str(ROOT / "tests/sdk/verdicts.py"))["OTHERWISE"]
    head = ("Name", "What is wrong", "Where it says so", "Status", "our API", *(f"`{sdk}`" for sdk in otherwise))
    return "\n".join(
        [
            "# Wrong tokens",
            "",
            NOTE.format(sources="authserver/testing/wrong_tokens.py, tests/sdk/verdicts.py"),
            "",
            _ABOUT,
            "",
            _SDKS,
            "",
            *table(head, [_row(each, otherwise) for each in CATALOGUE]),
            "",
        ]
    )


def _row(wrong: WrongToken, otherwise: dict[str, dict[str, tuple[str, str]]]) -> tuple[str, ...]:
    usual, *others = map(str, wrong.statuses)
    status = f"{usual} ({', '.join(others)})" if others else usual
    verdicts = [_said(sdk.get(wrong.name)) for sdk in otherwise.values()]
    return (f"`{wrong.name}`", wrong.sentence, wrong.rfc, status, "refuses", *verdicts)


def _said(verdict: tuple[str, str] | None) -> str:
    if verdict is None:
        return "refuses"
    kind, why = verdict
    return f"**{'accepts' if kind == 'accepted' else 'fails'}**: {why}"
