"""Outcome: what the Actions of one trigger want, before any of it is true."""

from dataclasses import dataclass, field
from typing import Any

CLAIMS = ("id_token", "access_token")


@dataclass(slots=True)
class Outcome:
    """Claims by token, scopes added and removed, metadata to write (None deletes a key), and why it ends, if it does.

    `denied` is the reason that the application is told, `by` the Action that said so, `error` the code for it.
    """

    id_token: dict[str, Any] = field(default_factory=dict)
    access_token: dict[str, Any] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    user_metadata: dict[str, Any] = field(default_factory=dict)
    app_metadata: dict[str, Any] = field(default_factory=dict)
    denied: str | None = None
    error: str = "access_denied"
    by: str | None = None

    def kept(self) -> dict[str, Any] | None:
        """What the grant remembers of it for the tokens to come; None for nothing."""
        members = {
            "id_token": self.id_token,
            "access_token": self.access_token,
            "added": self.added,
            "removed": self.removed,
        }
        said = {name: value for name, value in members.items() if value}
        return said or None

    def add_scope(self, scope: str) -> None:
        """The later word counts."""
        self.removed = [each for each in self.removed if each != scope]
        self.added = [*(each for each in self.added if each != scope), scope]

    def remove_scope(self, scope: str) -> None:
        """Likewise."""
        self.added = [each for each in self.added if each != scope]
        self.removed = [*(each for each in self.removed if each != scope), scope]

    @property
    def changes_user(self) -> bool:
        """Whether there is metadata to write."""
        return bool(self.user_metadata or self.app_metadata)
