"""Codes and tokens with their descent, as a test reads them. Printed, a family is a tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from authserver.testing.story import short, wrapped


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
    family: "Family" = field(default_factory=lambda: Family(()), repr=False, compare=False)

    def __str__(self) -> str:
        return str(self.family)


@dataclass(frozen=True, slots=True)
class Family:
    """All codes and tokens of one grant, oldest first."""

    tokens: tuple[Token, ...]

    def __iter__(self) -> Iterator[Token]:
        return iter(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def __str__(self) -> str:
        here = {each.fingerprint for each in self.tokens}
        roots = [each for each in self.tokens if each.parent not in here]
        first = roots[0] if roots else None
        head = (
            [f"{first.client_id} for {first.user_id or 'nobody yet'}, grant {first.grant_id or '-'}"] if first else []
        )
        return "\n".join([*head, *(line for root in roots for line in self._lines(root, 1))])

    def _lines(self, token: Token, depth: int) -> Iterator[str]:
        indent = "  " * depth
        came = f" from #{token.issued_in}" if token.issued_in else ""
        meant = f" for {' '.join(token.audience)}" if token.audience and token.kind == "access_token" else ""
        how = token.why.removeprefix(token.state).strip()
        said = f"{token.kind} {short(token.fingerprint)}{came}: {' '.join([token.state.upper(), how]).strip()}"
        yield from wrapped(said + meant, indent + "    ", indent)
        for each in token.refused:
            yield from wrapped(f"✗ #{each.number} {each.error}: {each.reason}", indent + "    ", indent + "  ")
        for child in self.tokens:
            if child.parent == token.fingerprint:
                yield from self._lines(child, depth + 1)


def known(token: dict[str, Any], family: list[dict[str, Any]]) -> Token:
    """One of a family, as the control API tells of it."""
    whole = Family(tuple(map(_token, family)))
    return _token(token, whole)


def families(every: list[dict[str, Any]]) -> list[Family]:
    """All tokens, parted by their grants."""
    parted: dict[str, list[Token]] = {}
    for each in map(_token, every):
        parted.setdefault(each.grant_id or each.fingerprint, []).append(each)
    return [Family(tuple(tokens)) for tokens in parted.values()]


def _token(told: dict[str, Any], family: Family | None = None) -> Token:
    lists = {name: tuple(told[name]) for name in ("children", "audience")}
    refused = tuple(Refused(**each) for each in told["refused"])
    more = {"family": family} if family else {}
    return Token(**{**told, **lists, "refused": refused, **more})
