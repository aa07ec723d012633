"""A drawer: everybody who is logged in to one issuer with one client for one audience, and who of them is current.

Done: security row CL18: tokens belong to issuer, client, audience and person, and nothing is found under another name.
A drawer is one JSON document, so that saving, switching and logging out are each one atomic replacement. Documents of
the time when a drawer held one person are read as they are, and written anew when something changes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from client.errors import SettingsError
from client.settings import Settings
from client.store.token_set import TokenSet

ADDED_LATER = {"clock_difference": 0, "browser": None}
"""Members that older documents do not have."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a drawer is for. An `audience` that is not known any more is empty."""

    issuer: str
    client_id: str
    audience: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.issuer, settings.client_id, settings.audience)

    @property
    def key(self) -> str:
        """A file name that nobody can choose: JSON keeps the three parts apart, the hash takes their meaning."""
        return hashlib.sha256(json.dumps([self.issuer, self.client_id, self.audience]).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Drawer:
    """`people` by sub. Of those in `in_keyring`, the refresh token lies in the system keyring and not here."""

    people: Mapping[str, TokenSet] = field(default_factory=dict)
    current: str | None = None
    in_keyring: frozenset[str] = frozenset()

    def find(self, account: str) -> str | None:
        """The sub of whoever is meant: by sub, email or name, in this order; nobody named means the current person."""
        if not account or account in self.people:
            return account or self.current
        for name in ("email", "name"):
            found = [sub for sub, tokens in self.people.items() if _same(tokens.identity.get(name), account)]
            if len(found) > 1:
                raise SettingsError(
                    f"{account!r} could be any of {len(found)} people here.",
                    "Name one by email or id: python -m client accounts shows them.",
                )
            if found:
                return found[0]
        return None

    def with_person(self, tokens: TokenSet, *, make_current: bool = False) -> "Drawer":
        """The first one is the current one anyway, as long as nobody else is here."""
        sub = str(tokens.identity["sub"])
        current = sub if make_current or not self.people else self.current
        return Drawer({**self.people, sub: tokens}, current, self.in_keyring - {sub})

    def without_person(self, sub: str) -> "Drawer":
        """Nobody moves up: who acts next is for the person at the keyboard to say."""
        people = {key: tokens for key, tokens in self.people.items() if key != sub}
        return Drawer(people, None if self.current == sub else self.current, self.in_keyring - {sub})

    def with_keyring(self, sub: str) -> "Drawer":
        """The same, with this person's refresh token in the keyring only."""
        people = {**self.people, sub: replace(self.people[sub], refresh_token=None)}
        return Drawer(people, self.current, self.in_keyring | {sub})

    def encoded(self, context: Context) -> bytes:
        accounts = {
            sub: asdict(tokens) | {"refresh_token_in": "keyring" if sub in self.in_keyring else "file"}
            for sub, tokens in self.people.items()
        }
        return json.dumps(asdict(context) | {"current": self.current, "accounts": accounts}).encode()


def decoded(content: bytes) -> tuple[Drawer, Context]:
    """Raises ValueError, KeyError, TypeError or AttributeError when the document makes no sense."""
    members = json.loads(content)
    if "access_token" in members:
        return _from_single(members)
    context = Context(*(_text(members[item.name]) for item in fields(Context)))
    people = {sub: _tokens(member, sub) for sub, member in members["accounts"].items()}
    kept = {sub for sub, member in members["accounts"].items() if member["refresh_token_in"] == "keyring"}
    current = members["current"]
    if not people or (current is not None and current not in people):
        raise ValueError("nobody is current")
    return Drawer(people, current, frozenset(kept)), context


def _from_single(members: dict[str, Any]) -> tuple[Drawer, Context]:
    tokens = _tokens(members, members["identity"]["sub"])
    client_id = tokens.identity["aud"]
    context = Context(_text(tokens.identity["iss"]), client_id if isinstance(client_id, str) else client_id[0], "")
    return Drawer().with_person(tokens), context


def _tokens(members: dict[str, Any], sub: str) -> TokenSet:
    whole = ADDED_LATER | members
    tokens = TokenSet(**{item.name: whole[item.name] for item in fields(TokenSet)})
    tokens.is_valid(0.0)
    _text(tokens.access_token)
    if not sub or tokens.identity["sub"] != sub:
        raise ValueError("tokens lie under another name")
    return tokens


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _same(value: object, account: str) -> bool:
    return isinstance(value, str) and value.casefold() == account.casefold()
