"""What is told of an exchange: kept by the server, sent as JSON, and read by tests."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange without its secrets; each of them is a fingerprint, the same wherever that secret turns up.

    `path` is below the issuer, `endpoint` its name here (`token`, `authorize`, `jwks` …), `at` the tenant's time.
    `status` is 0 when no answer began, and `is_complete` says whether it came to its end. `error` is the code on the
    wire, `refusal` the name that the reason has inside. `presented` and `issued`: the fingerprints of codes and tokens
    that came and went, by kind. `events`: what happened in the course of it; `facts`: what redaction would hide from
    `problems`; `fault`: what spoiled it.
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
    facts: tuple[str, ...]
    presented: dict[str, str]
    issued: dict[str, str]
    events: tuple[dict[str, str | None], ...]
