"""Tampering: a callback that is not as the server sent it, to see whether the application notices.

Done: RFC 6749 §4.1.2.1, §10.12 · RFC 9207 §2.4 · RFC 9700 §4.7.1.
Left out: answers by form post or web message; codes that were made up, which the token endpoint refuses anyhow.

The code in it is a good one, and bait: an application that compares what it has to compare never redeems it.
"""

import secrets
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

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


def tampered(location: str | None, tamper: Tamper) -> tuple[str, str]:
    """The callback as it goes to the application, and the code in it. Raises NothingToTamperWith."""
    parts = urlsplit(location or "")
    in_fragment = "code=" in parts.fragment
    pairs = parse_qsl(parts.fragment if in_fragment else parts.query, keep_blank_values=True)
    said = dict(pairs)
    if "code" not in said:
        raise NothingToTamperWith("the login brought no code")
    if tamper in ("state", "no-state") and "state" not in said:
        raise NothingToTamperWith("the application sent no state")
    changed = urlencode(_changed(pairs, tamper))
    parts = parts._replace(fragment=changed) if in_fragment else parts._replace(query=changed)
    return parts.geturl(), said["code"]


def _changed(pairs: list[tuple[str, str]], tamper: Tamper) -> list[tuple[str, str]]:
    match tamper:
        case "state":
            return [(name, secrets.token_urlsafe(16) if name == "state" else value) for name, value in pairs]
        case "iss":
            return [(name, "https://another-issuer.example/" if name == "iss" else value) for name, value in pairs]
        case "no-state" | "no-iss":
            return [(name, value) for name, value in pairs if name != tamper.removeprefix("no-")]
        case "error":
            return [*pairs, ("error", "access_denied")]
        case "other-browser":
            return pairs
