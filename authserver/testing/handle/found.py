"""Lists that a test asks for what it expects, and that say what they hold when it is not there."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

T = TypeVar("T")


class Found(list[T]):
    """A list with `select`, `one` and `none`, in words that its kind gives."""

    what: ClassVar[str] = "entry"
    what_many: ClassVar[str] = "entries"

    def said_by(self, each: T, word: str) -> Any:
        """What one of them says to this word."""
        return getattr(each, word)

    def told(self, pointed_at: list[T]) -> str:
        """All of them, for people."""
        return "\n".join(("> " if each in pointed_at else "  ") + str(each) for each in self)

    def __str__(self) -> str:
        return self.told([])

    def _select(self, wanted: Mapping[str, Any]) -> Self:
        plain = {word: _plain(value) for word, value in wanted.items()}
        return type(self)(each for each in self if all(self.said_by(each, word) == plain[word] for word in plain))

    def _one(self, wanted: Mapping[str, Any]) -> T:
        __tracebackhide__ = True
        found = self._select(wanted)
        if len(found) != 1:
            raise AssertionError(self._missed(f"exactly one {self.what}", found, wanted))
        return found[0]

    def _none(self, wanted: Mapping[str, Any]) -> None:
        __tracebackhide__ = True
        if found := self._select(wanted):
            raise AssertionError(self._missed(f"no {self.what}", found, wanted))

    def _missed(self, expected: str, found: "Found[T]", wanted: Mapping[str, Any]) -> str:
        words = ", ".join(f"{word}={_plain(value)!r}" for word, value in wanted.items())
        many = f"there {'is one' if len(found) == 1 else f'are {len(found)}' if found else 'is none'}"
        return f"Expected {expected} with {words or 'anything'}; {many}.\n{self.told(found) or f'No {self.what_many}.'}"


def _plain(value: Any) -> Any:
    """Of a person or an application its id."""
    for name in ("user_id", "client_id"):
        if not isinstance(value, str) and (known := getattr(value, name, None)) is not None:
            return known
    return value
