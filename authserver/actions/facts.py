"""Facts: what an Action is told. Reads like Auth0's `event`: by attribute or by name, and what is absent is None."""

from collections.abc import Iterator, Mapping
from typing import Any


class Facts(Mapping[str, Any]):
    """A read-only view of JSON: objects become Facts, arrays tuples. `facts.user.email`, `facts["user"]["email"]`."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_members", {name: _frozen(value) for name, value in members.items()})

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._members.get(name)

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError(f"event is read-only: {name} is changed through api")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"Facts({sorted(self._members)})"


def _frozen(value: Any) -> Any:
    if isinstance(value, Facts):
        return value
    if isinstance(value, Mapping):
        return Facts(value)
    return tuple(_frozen(each) for each in value) if isinstance(value, list | tuple) else value
