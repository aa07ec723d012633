"""What is told of a code or token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """It came in exchange `number` in vain. `error` is the code on the wire; `reason` says why, to a person."""

    number: int
    error: str
    reason: str


@dataclass(frozen=True, slots=True)
class Token:
    """A code or token, by its fingerprint. `parent` and `children` are fingerprints, `grant_id` the whole family's.

    `kind` is its name on the wire; `scope` is space-separated; times in epoch seconds of the tenant's clock, None where
    nobody knows or it never ends. `state` is `active`, `spent`, `revoked`, `expired` or `denied`, and `why` says how it
    came to that. `issued_in` is the number of an exchange.
    """

    kind: str
    fingerprint: str
    client_id: str
    user_id: str | None
    grant_id: str | None
    parent: str | None
    children: tuple[str, ...]
    audience: tuple[str, ...]
    scope: str
    issued_at: int | None
    expires_at: int | None
    state: str
    why: str
    issued_in: int | None
    refused: tuple[Refused, ...]
