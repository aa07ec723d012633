"""The browser: who is asking, as far as cookies can tell, and whether the stored tokens are theirs.

Done: RFC 6265 section 4.1 (HttpOnly, SameSite; the port is part of the name, because ports do not separate cookies);
RFC 6749 section 10.12 (a form token that only pages of ours can know).
Two cookies: `browser` is there from the first page on, ties a login to where it was started and makes form tokens;
`session` is new with each login, whatever was there before. Only its digest is stored, in the token set itself, so that
it lives, is replaced and dies together with the tokens, also when the command line does that.
SameSite is Lax and not Strict: the way back from the issuer begins at another site.
"""

import hashlib
import hmac
import re
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property

from starlette.responses import Response

from client.store import Drawer, Store, TokenSet

_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """256 bits, as 43 characters that a cookie may have."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Browser:
    """`known`: it has shown us its cookie, so it keeps cookies."""

    port: int
    secret: str
    known: bool
    session: str | None

    @classmethod
    def of(cls, cookies: dict[str, str], port: int) -> "Browser":
        held, session = (_wellformed(cookies.get(name)) for name in _names(port))
        return cls(port, held or new_secret(), held is not None, session)

    @cached_property
    def form_token(self) -> str:
        return hmac.new(self.secret.encode(), b"form", "sha256").hexdigest()

    def sent_form(self, token: str) -> bool:
        return self.known and hmac.compare_digest(token.encode(), self.form_token.encode())

    def remember(self, response: Response) -> None:
        """Give it the cookie that its forms will need."""
        if not self.known:
            _set(response, _names(self.port)[0], self.secret)

    def enter(self, response: Response, session: str) -> None:
        _set(response, _names(self.port)[1], session)

    def leave(self, response: Response) -> None:
        response.delete_cookie(_names(self.port)[1], httponly=True, samesite="lax")


class OwnTokens:
    """The store as one browser may see it: people who logged in elsewhere are not there, and cannot be logged out."""

    def __init__(self, store: Store, session: str | None) -> None:
        self._store = store
        self._digest = None if session is None else digest(session)

    def lock(self) -> AbstractContextManager[None]:
        return self._store.lock()

    def check(self) -> None:
        self._store.check()

    def load(self, *, account: str = "", with_refresh_token: bool = True) -> TokenSet | None:
        """Whoever names an account is about to replace its tokens with those of a new login."""
        whose = account or self._own()
        return self._store.load(account=whose, with_refresh_token=with_refresh_token) if whose else None

    def save(self, tokens: TokenSet, *, make_current: bool = False) -> None:
        self._store.save(replace(tokens, browser=self._digest), make_current=make_current)

    def delete(self, *, account: str = "") -> None:
        del account  # nobody but its own
        if own := self._own():
            self._store.delete(account=own)

    def drawer(self) -> Drawer:
        own, drawer = self._own(), self._store.drawer()
        return Drawer({own: drawer.people[own]}, own, drawer.in_keyring & {own}) if own in drawer.people else Drawer()

    def use(self, sub: str) -> None:
        self._store.use(sub)

    def describe(self) -> str:
        return self._store.describe()

    def place(self) -> str:
        return self._store.place()

    def _own(self) -> str:
        """The sub of who logged in with this browser; empty when nobody did."""
        # Of two digests nobody learns anything by measuring how long they take to differ.
        own = (sub for sub, held in self._store.drawer().people.items() if held.browser == self._digest)
        return "" if self._digest is None else next(own, "")


def _names(port: int) -> tuple[str, str]:
    return f"understudy-notes-{port}-browser", f"understudy-notes-{port}-session"


def _wellformed(cookie: str | None) -> str | None:
    return cookie if cookie and _COOKIE.fullmatch(cookie) else None


def _set(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, httponly=True, samesite="lax")
