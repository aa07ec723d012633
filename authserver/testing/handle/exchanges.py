"""Recorded exchanges, as a test reads them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange without its secrets; each of them is a fingerprint, the same wherever that secret turns up.

    `path` is below the issuer, `endpoint` its name here (`token`, `authorize`, `jwks` …), `at` the tenant's time.
    `status` is 0 when no answer began. `error` is the code on the wire, `refusal` the name that the reason has inside.
    `presented` and `issued`: the fingerprints of codes and tokens that came and went, by kind. `fault`: its spoiler.
    """

    number: int
    at: int
    method: str
    path: str
    endpoint: str | None
    query: dict[str, Any]
    headers: dict[str, str]
    body: dict[str, Any]
    status: int
    is_complete: bool
    answer_headers: dict[str, str]
    answer: Any
    location: str | None
    client_id: str | None
    user_id: str | None
    grant_id: str | None
    error: str | None
    error_description: str | None
    refusal: str | None
    fault: str | None
    facts: list[str]
    presented: dict[str, str]
    issued: dict[str, str]
    events: list[dict[str, str | None]]
