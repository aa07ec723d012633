"""Recorded exchanges, as a test reads them."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, Unpack

from authserver.testing.handle.found import Found
from authserver.testing.handle.values import Client, User
from authserver.testing.recorded import Recorded
from authserver.testing.story import story


@dataclass(frozen=True, slots=True)
class Exchange(Recorded):
    """One exchange; printed, it is a line of the story."""

    def __str__(self) -> str:
        return story([asdict(self)])


class Wanted(TypedDict, total=False):
    """What to look for; `None` means that there is none. `grant_type` is the request's."""

    number: int
    method: str
    path: str
    endpoint: str | None
    client: Client | str | None
    user: User | str | None
    status: int
    error: str | None
    refusal: str | None
    grant_type: str | None
    fault: str | None


_MEMBERS = {"client": "client_id", "user": "user_id"}


class Exchanges(Found[Exchange]):
    """A list, oldest first; printed, it is a story."""

    what = "exchange"
    what_many = "exchanges"

    def select(self, **wanted: Unpack[Wanted]) -> "Exchanges":
        """Those that are so."""
        return self._select(wanted)

    def one(self, **wanted: Unpack[Wanted]) -> Exchange:
        """The only one that is so. Raises AssertionError with the story, and in it those that were found."""
        __tracebackhide__ = True
        return self._one(wanted)

    def none(self, **wanted: Unpack[Wanted]) -> None:
        """Raises AssertionError with the story when there is one."""
        __tracebackhide__ = True
        self._none(wanted)

    def said_by(self, each: Exchange, word: str) -> Any:
        """In the words of `Wanted`."""
        return each.body.get(word) if word == "grant_type" else getattr(each, _MEMBERS.get(word, word))

    def told(self, pointed_at: Collection[Exchange]) -> str:
        """The story; a `>` stands before those that are meant."""
        return story([asdict(each) for each in self], [each.number for each in pointed_at])
