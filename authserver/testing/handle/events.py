"""The events of a tenant, as a test asks for them."""

from typing import Any, TypedDict, Unpack

from authserver.testing.handle.found import Found
from authserver.testing.handle.values import Client, Event, User


class Wanted(TypedDict, total=False):
    """What to look for; `None` means that there is none."""

    type: str
    log_type: str | None
    client: Client | str | None
    user: User | str | None
    grant_id: str | None
    reason: str | None
    connection: str | None


_MEMBERS = {"client": "client_id", "user": "user_id"}


class Events(Found[Event]):
    """A list, oldest first."""

    what = "event"
    what_many = "events"

    def select(self, **wanted: Unpack[Wanted]) -> "Events":
        """Those that are so."""
        return self._select(wanted)

    def one(self, **wanted: Unpack[Wanted]) -> Event:
        """The only one that is so. Raises AssertionError that lists them all."""
        __tracebackhide__ = True
        return self._one(wanted)

    def none(self, **wanted: Unpack[Wanted]) -> None:
        """Raises AssertionError when there is one."""
        __tracebackhide__ = True
        self._none(wanted)

    def said_by(self, each: Event, word: str) -> Any:
        """In the words of `Wanted`."""
        return getattr(each, _MEMBERS.get(word, word))
