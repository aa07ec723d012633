"""Moments: what happens besides HTTP, for those who want to look on (`--explain`). No secrets are added here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The browser is about to be sent to `endpoint` with `parameters`."""

    endpoint: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """The browser came back with these parameters, and they passed every check."""

    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IdentityVerified:
    """An ID token passed every check; `refreshed` if it came with a refresh, `with_nonce` if it had to carry one."""

    claims: Mapping[str, Any]
    refreshed: bool
    with_nonce: bool = True


@dataclass(frozen=True, slots=True)
class Waiting:
    """A server is busy (`status`), and the same request follows after this many seconds."""

    url: str
    status: int
    seconds: float


Moment = AuthorizationRequest | AuthorizationResponse | IdentityVerified | Waiting


def unseen(_moment: Moment) -> None:
    """For when nobody looks on."""
