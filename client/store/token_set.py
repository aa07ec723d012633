"""A token set: what one login brought, as later refreshes have changed it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens of one person. `expires_at` is by this computer's clock, in seconds since 1970."""

    access_token: str = field(repr=False)
    expires_at: float
    scope: str
    refresh_token: str | None = field(repr=False)
    id_token: str = field(repr=False)
    identity: dict[str, Any]
    """The claims of the ID token, verified before they were stored."""
    clock_difference: int = 0
    """Seconds by which the server's clock was ahead of ours when these tokens came."""

    browser: str | None = field(default=None, repr=False)
    """Who else may use them: digest of the cookie of the browser that logged in at the page of `serve`."""

    def is_valid(self, now: float) -> bool:
        """No margin: a token that dies on the way comes back as a 401, which is answered by one refresh."""
        return now < self.expires_at
