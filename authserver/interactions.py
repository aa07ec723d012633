"""Interactions: one person's resumable journey through one authorization request.

Done: RFC 6749 §10.12 (bound to the browser that began it) · RFC 9700 §4.7.
The validated request stays on the server; pages carry an opaque `state` alone. It opens nothing without the browser's
cookie, and after a login nothing without the new session either, so a cookie planted beforehand is worthless.
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from authserver import trace
from authserver.errors import InteractionLost, NotThisBrowser
from authserver.messages import AuthorizationRequest, Cookie, Request
from authserver.store.issued import digest
from authserver.store.tables import interactions
from authserver.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Interaction:
    """`sid` is the session that logged in or decided within it; `decision` is None, `allow`, `deny` or `blocked`.

    `device` is the digest of the device code that this journey is about: it ends on a page (`endpoints/activate`) and
    not with a redirect to the application.
    """

    digest: bytes
    browser_digest: bytes
    request: AuthorizationRequest
    expires_at: int
    sid: str | None = None
    authenticated_at: int | None = None
    decision: str | None = None
    used_at: int | None = None
    device: bytes | None = None


_INSERT = insert(interactions)
_FIND = select(interactions).where(interactions.c.digest == bindparam("of"))
_AUTHENTICATED = (
    update(interactions)
    .where(interactions.c.digest == bindparam("of"), interactions.c.used_at.is_(None))
    .values(sid=bindparam("session"), authenticated_at=bindparam("now"), decision=bindparam("choice"))
)
_DECIDED = (
    update(interactions)
    .where(
        interactions.c.digest == bindparam("of"),
        interactions.c.used_at.is_(None),
        interactions.c.decision.is_(None),
        interactions.c.sid.is_(None) | (interactions.c.sid == bindparam("session")),
    )
    .values(sid=bindparam("session"), decision=bindparam("choice"))
)


def browser_of(request: Request, tenant: Tenant) -> tuple[str, tuple[Cookie, ...]]:
    """The secret name of this browser, and the cookies to set: one, when it is new here."""
    name = tenant.cookie_name("browser")
    known = request.cookies.get(name)
    browser = known or secrets.token_urlsafe(32)
    return browser, () if known else (Cookie(name, browser),)


def same_origin(request: Request, tenant: Tenant) -> None:
    """What a browser says of where a form came from; older ones say nothing, and the cookie still binds.

    Raises NotThisBrowser.
    """
    if request.origin not in (None, tenant.origin) or request.fetch_site not in (None, "same-origin", "none"):
        raise NotThisBrowser


def begin(
    request: Request, asked: AuthorizationRequest, tenant: Tenant, *, device: bytes | None = None, told: str = ""
) -> tuple[Interaction, str, tuple[Cookie, ...]]:
    """Store `asked` for this browser. Returns it with its `state` and the cookies to set.

    `told` (URL-safe) ends the state: what the pages shall show again, and this server does not want to keep.
    """
    browser, cookies = browser_of(request, tenant)
    state = secrets.token_urlsafe(32) + told
    expires_at = tenant.now() + tenant.settings.interaction_lifetime
    interaction = Interaction(digest(state), digest(browser), asked, expires_at, device=device)
    row = {
        "digest": interaction.digest,
        "browser_digest": interaction.browser_digest,
        "request": asdict(asked),
        "device": device,
    }
    with tenant.database.write() as db:
        db.execute(_INSERT, {**row, "expires_at": expires_at})
    return interaction, state, cookies


def find(request: Request, state: str | None, tenant: Tenant) -> Interaction:
    """The open interaction of this browser. Raises NotThisBrowser or InteractionLost."""
    browser = request.cookies.get(tenant.cookie_name("browser"))
    with tenant.database.read() as db:
        row = db.execute(_FIND, {"of": digest(state)}).mappings().one_or_none() if state else None
    if row is None:
        raise InteractionLost
    interaction = Interaction(**{**row, "request": _load(row["request"])})
    if browser is None or digest(browser) != interaction.browser_digest:
        raise NotThisBrowser
    trace.note_client(interaction.request.client_id)
    if interaction.used_at is not None or interaction.expires_at <= tenant.now():
        raise InteractionLost
    return interaction


def _load(request: dict[str, Any]) -> AuthorizationRequest:
    return AuthorizationRequest(**{**request, "scope": tuple(request["scope"]), "prompt": tuple(request["prompt"])})


def authenticated(db: Any, interaction: Interaction, sid: str | None, now: int, decision: str | None = None) -> None:
    """Somebody logged in within this interaction; `decision` is `blocked` when they may not."""
    db.execute(_AUTHENTICATED, {"of": interaction.digest, "session": sid, "now": now, "choice": decision})


def decided(db: Any, interaction: Interaction, sid: str, decision: str) -> None:
    """The person chose `allow` or `deny`; the first choice stands."""
    db.execute(_DECIDED, {"of": interaction.digest, "session": sid, "choice": decision})
