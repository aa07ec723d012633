"""What refresh families must do, in a page: the reference model that random interleavings are compared with.

It knows nothing of SQL, HTTP or hashes. Times are seconds; a token is a plain object. Read it next to Auth0's rules:
rotation, leeway, idle and absolute lifetimes, mode switches, revocation.
"""

from dataclasses import dataclass, field

MOST_CHILDREN = 5


@dataclass
class Family:
    """What hangs on one grant; `api` and `user` say which other families a mode switch reaches."""

    user: str
    revoked: bool = False


@dataclass(eq=False)
class Token:
    family: Family
    rotating: bool
    ends: int | None
    idle_ends: int | None
    parent: "Token | None" = None
    used_at: int | None = None
    revoked: bool = False
    children: list["Token"] = field(default_factory=list)

    def family_of(self, tokens: list["Token"]) -> list["Token"]:
        return [token for token in tokens if token.family is self.family]


@dataclass
class Settings:
    rotating: bool = True
    leeway: int = 0
    lifetime: int | None = 400
    idle: int | None = 300


class Model:
    def __init__(self) -> None:
        self.now = 0
        self.settings = Settings()
        self.blocked: set[str] = set()
        self.tokens: list[Token] = []

    def log_in(self, user: str) -> Token:
        token = Token(Family(user), self.settings.rotating, self._after(self.settings.lifetime), self._idle())
        self.tokens.append(token)
        return token

    def exchange(self, token: Token) -> Token | None:
        """The token to use from now on (the same one when it does not rotate), or None: refused."""
        if token.family.revoked or token.revoked or token.family.user in self.blocked:
            return None
        if token.ends is not None and token.ends <= self.now:
            return None
        if token.used_at is None and token.idle_ends is not None and token.idle_ends <= self.now:
            return None
        ends = token.ends if token.ends is not None else self._after(self.settings.lifetime)
        stays = not token.rotating and not self.settings.rotating
        if token.used_at is not None and (stays or not self._may_repeat(token)):
            token.family.revoked = True
            return None
        if stays:
            token.ends, token.idle_ends = ends, self._idle()
            return token
        if token.used_at is None:
            token.used_at = self.now
        if token.rotating != self.settings.rotating:
            self._end_mode(token)
        child = Token(token.family, self.settings.rotating, ends, self._idle(), parent=token)
        token.children.append(child)
        self.tokens.append(child)
        return child

    def revoke(self, token: Token) -> None:
        token.family.revoked = True

    def may_be_forgotten(self, token: Token) -> bool:
        """Whether presenting it could change nothing: it is past its end, or nothing of its family is of use."""
        is_over = token.ends is not None and token.ends <= self.now
        return is_over or token.family.revoked or not any(map(self._is_of_use, token.family_of(self.tokens)))

    def _is_of_use(self, token: Token) -> bool:
        ends = (token.ends, token.idle_ends)
        return token.used_at is None and not token.revoked and all(end is None or end > self.now for end in ends)

    def _may_repeat(self, token: Token) -> bool:
        assert token.used_at is not None
        return (
            self.settings.leeway > 0
            and self.now - token.used_at <= self.settings.leeway
            and len(token.children) < MOST_CHILDREN
            and all(child.used_at is None for child in token.children)
        )

    def _end_mode(self, token: Token) -> None:
        for other in self.tokens:
            if other.rotating == token.rotating and other.used_at is None and other.family.user == token.family.user:
                other.revoked = True

    def _after(self, seconds: int | None) -> int | None:
        return None if seconds is None else self.now + seconds

    def _idle(self) -> int | None:
        return self._after(self.settings.idle)
