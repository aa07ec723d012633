"""Login sessions (`sid`): the browser's single sign-on.

Done: OpenID Connect Core §2 (`auth_time`) · OpenID Connect Front-Channel Logout §3 (`sid`).
A session is a random id in a cookie and a row; the id is new at every login, so that a cookie planted before is
worthless.
"""

import secrets
from dataclasses import dataclass, fields

from sqlalchemy import Connection, bindparam, insert, select, update

from authserver.messages import Cookie, Request
from authserver.store.connections import admits
from authserver.store.issued import digest
from authserver.store.registered import User, find_user
from authserver.store.tables import login_sessions
from authserver.tenant import Tenant


@dataclass(frozen=True, slots=True)
class LoginSession:
    """One browser, one person. Times in epoch seconds. `connection` vouched for them; None where we did ourselves."""

    digest: bytes
    sid: str
    user_id: str
    auth_time: int
    last_seen_at: int
    ended_at: int | None = None
    connection: str | None = None


_COLUMNS = [login_sessions.c[f.name] for f in fields(LoginSession)]
_FIND = select(*_COLUMNS).where(login_sessions.c.digest == bindparam("of"), login_sessions.c.ended_at.is_(None))
_KNOWN = select(login_sessions.c.user_id).where(login_sessions.c.digest == bindparam("of"))
_INSERT = insert(login_sessions)
_SEEN = (
    update(login_sessions)
    .where(login_sessions.c.digest == bindparam("of"), login_sessions.c.ended_at.is_(None))
    .values(last_seen_at=bindparam("now"))
    .returning(login_sessions.c.digest)
)
_END = update(login_sessions).where(login_sessions.c.digest == bindparam("of")).values(ended_at=bindparam("now"))
_END_ALL = (
    update(login_sessions)
    .where(login_sessions.c.user_id == bindparam("user"), login_sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)


def current(db: Connection, request: Request, tenant: Tenant) -> LoginSession | None:
    """The live session of this browser: neither ended, nor idle too long, nor too old."""
    cookie = request.cookies.get(tenant.cookie_name("session"))
    row = db.execute(_FIND, {"of": digest(cookie)}).one_or_none() if cookie else None
    if row is None:
        return None
    session, now = LoginSession(*row), tenant.now()
    idle_end = session.last_seen_at + tenant.settings.idle_session_lifetime
    absolute_end = session.auth_time + tenant.settings.session_lifetime
    return session if now < min(idle_end, absolute_end) else None


def current_for(db: Connection, request: Request, client_id: str, tenant: Tenant) -> LoginSession | None:
    """The same, unless its owner came by a connection that this client has not."""
    session = current(db, request, tenant)
    user = find_user(db, session.user_id) if session else None
    return None if user and not admits(db, user.connection, client_id) else session


def known_user(db: Connection, request: Request, tenant: Tenant) -> str | None:
    """Whose session this browser has or had: not who is logged in, but whose device this is."""
    cookie = request.cookies.get(tenant.cookie_name("session"))
    return db.execute(_KNOWN, {"of": digest(cookie)}).scalar_one_or_none() if cookie else None


def start(
    db: Connection, request: Request, user: User, tenant: Tenant, connection: str | None = None
) -> tuple[LoginSession, Cookie]:
    """A session for someone who just proved who they are; the browser's former one ends."""
    end(db, request, tenant)
    now = tenant.now()
    value = secrets.token_urlsafe(32)
    session = LoginSession(digest(value), secrets.token_urlsafe(24), user.user_id, now, now, None, connection)
    db.execute(_INSERT, {f.name: getattr(session, f.name) for f in fields(session)})
    return session, Cookie(tenant.cookie_name("session"), value, tenant.settings.session_lifetime)


def seen(db: Connection, session: LoginSession, now: int) -> bool:
    """Restart the idle clock. False when the session was ended meanwhile, by a logout or a new password."""
    return db.execute(_SEEN, {"of": session.digest, "now": now}).one_or_none() is not None


def end(db: Connection, request: Request, tenant: Tenant) -> Cookie:
    """End the browser's session, if it has one. The cookie returned deletes it there too."""
    name = tenant.cookie_name("session")
    if value := request.cookies.get(name):
        db.execute(_END, {"of": digest(value), "now": tenant.now()})
    return Cookie(name, None)


def end_all(db: Connection, user_id: str, now: int) -> None:
    """End this person's sessions, in every browser."""
    db.execute(_END_ALL, {"user": user_id, "now": now})
