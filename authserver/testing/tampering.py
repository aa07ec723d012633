"""Tampering: a callback that is not as the server sent it, to see whether the application notices.

Done: RFC 6749 §4.1.2.1, §10.12 · RFC 9207 §2.4 · RFC 9700 §4.7.1.
Left out: codes that were made up, which the token endpoint refuses anyhow.

The code in it is a good one, and bait: an application that compares what it has to compare never redeems it.
"""

import secrets
from typing import Literal, get_args
from urllib.parse import urlencode, urlsplit

from authserver.testing.person import Walk

Tamper = Literal["state", "no-state", "iss", "no-iss", "error", "other-browser"]

TAMPERS: tuple[Tamper, ...] = get_args(Tamper)

TESTS: dict[Tamper, str] = {
    "state": "state-not-checked",
    "no-state": "state-not-checked",
    "iss": "iss-not-checked",
    "no-iss": "iss-not-checked",
    "error": "error-not-checked",
    "other-browser": "state-not-bound",
}
"""The rule of `problem_rules` that each tests. `other-browser` changes nothing: the callback is opened elsewhere."""


class NothingToTamperWith(ValueError):
    """The login brought no code, or the application sent no state."""


def tamper_with(walked: Walk, tamper: Tamper) -> str:
    """Change what the application is told at the end of a walk. Returns its code. Raises NothingToTamperWith."""
    if "code" not in walked.parameters:
        raise NothingToTamperWith("the login brought no code")
    if tamper in ("state", "no-state") and "state" not in walked.parameters:
        raise NothingToTamperWith("the application sent no state")
    walked.parameters = _changed(walked.parameters, tamper)
    if walked.location and walked.response_mode in ("query", "fragment"):
        changed = {walked.response_mode: urlencode(walked.parameters)}
        walked.location = urlsplit(walked.location)._replace(**changed).geturl()
    return walked.parameters["code"]


def _changed(told: dict[str, str], tamper: Tamper) -> dict[str, str]:
    match tamper:
        case "state":
            return {**told, "state": secrets.token_urlsafe(16)}
        case "iss":
            return {**told, "iss": "https://another-issuer.example/"}
        case "no-state" | "no-iss":
            return {name: value for name, value in told.items() if name != tamper.removeprefix("no-")}
        case "error":
            return {**told, "error": "access_denied"}
        case "other-browser":
            return told
