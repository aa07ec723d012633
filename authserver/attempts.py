"""Attempts: the brake on guessing passwords, client secrets and user codes, and on asking for device codes.

Done: RFC 6749 §2.3.1, §10.10 · RFC 8628 §5.1, §5.2 · NIST SP 800-63B §5.2.2 (rate limiting).

An attempt is counted before the password is looked at, in a transaction of its own, so that parallel guesses cannot
outrun the count. Two counts: this name from this source, and this name from anywhere. The second, wider one does not
hold for a browser in which the user has been logged in before, so that a stranger cannot lock the owner out. Names
that do not exist are counted alike, so the brake tells nothing. It lets go by itself: WINDOW seconds after the first
attempt that counted.
"""

from sqlalchemy import Connection, bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles it to the same words

from authserver.messages import Request
from authserver.sessions import known_user
from authserver.store.issued import digest
from authserver.store.registered import User, username_key
from authserver.store.tables import login_attempts
from authserver.tenant import Tenant

PER_SOURCE = 10
"""Attempts at one name from one source within the window."""

PER_NAME = 100
"""Attempts at one name from anywhere within the window."""

SECRETS = 100
"""Wrong secrets for one client from one source within the window.

Counted afterwards, in the failing case alone: a generated secret cannot be guessed, so good requests reserve nothing.
"""

USER_CODES = 10
"""Wrong user codes from one source within the window."""

USER_CODES_ANYWHERE = 1000
"""Wrong user codes from anywhere within the window: of 20^8 possible ones, next to nothing (RFC 8628 §5.1)."""

DEVICE_CODES = 200
"""Device codes for one client at one source within the window."""

PER_DOOR = 100
"""Requests of one kind from one source within the window, whatever names they bring."""

WINDOW = 900
"""Seconds after which a count starts anew."""

_row = insert(login_attempts).values(digest=bindparam("of"), attempts=1, since=bindparam("now"))
_is_over = login_attempts.c.since + WINDOW <= _row.excluded.since
_COUNT = _row.on_conflict_do_update(
    index_elements=[login_attempts.c.digest],
    set_={
        "attempts": case((_is_over, 1), else_=login_attempts.c.attempts + 1),
        "since": case((_is_over, _row.excluded.since), else_=login_attempts.c.since),
    },
).returning(login_attempts.c.attempts)
_COUNTED = select(login_attempts.c.attempts).where(
    login_attempts.c.digest == bindparam("of"), login_attempts.c.since > bindparam("start")
)
_GIVE_BACK = (
    update(login_attempts)
    .where(login_attempts.c.digest == bindparam("of"), login_attempts.c.attempts > 0)
    .values(attempts=login_attempts.c.attempts - 1)
)
_CLEAR = delete(login_attempts).where(login_attempts.c.digest == bindparam("of"))


def reserve(request: Request, username: str, user: User | None, tenant: Tenant) -> bool:
    """Count this attempt. False when there were too many: then the password must not even be looked at."""
    from_here, from_anywhere = _keys(request, username)
    now = tenant.now()
    with tenant.database.write() as db:
        here = db.execute(_COUNT, {"of": from_here, "now": now}).scalar_one()
        anywhere = db.execute(_COUNT, {"of": from_anywhere, "now": now}).scalar_one()
        is_known = user is not None and known_user(db, request, tenant) == user.user_id
    return bool(here <= PER_SOURCE and (anywhere <= PER_NAME or is_known))


def clear(request: Request, username: str, tenant: Tenant) -> None:
    """The right password ends the count of this source; the wide one stays, or a guesser's luck would hide the
    others.
    """
    with tenant.database.write() as db:
        db.execute(_CLEAR, {"of": _keys(request, username)[0]})


def may_ask(request: Request, purpose: str, username: str, tenant: Tenant) -> bool:
    """Count a request for something other than a login: by source, by name from there, and by name from anywhere.

    Names that do not exist are counted alike. False when there were too many.
    """
    name, at = username_key(username), tenant.now()
    counted = (
        (digest(f"{request.source}\n{purpose}\n\n"), PER_DOOR),
        (digest(f"{request.source}\n{purpose}\n{name}"), PER_SOURCE),
        (digest(f"*\n{purpose}\n{name}"), PER_NAME),
    )
    with tenant.database.write() as db:
        counts = [db.execute(_COUNT, {"of": of, "now": at}).scalar_one() for of, _ in counted]
    return all(count <= most for count, (_, most) in zip(counts, counted, strict=True))


def may_present_secret(request: Request, client_id: str, tenant: Tenant) -> bool:
    """False after SECRETS wrong ones for this client from this source, for as long as the window lasts."""
    values = {"of": digest(f"{request.source}\nclient\n{client_id}"), "start": tenant.now() - WINDOW}
    with tenant.database.read() as db:
        return (db.execute(_COUNTED, values).scalar_one_or_none() or 0) < SECRETS


def count_secret(request: Request, client_id: str, tenant: Tenant) -> None:
    """A wrong secret, or one for nobody."""
    values = {"of": digest(f"{request.source}\nclient\n{client_id}"), "now": tenant.now()}
    with tenant.database.write() as db:
        db.execute(_COUNT, values)


def reserve_user_code(request: Request, tenant: Tenant) -> bool:
    """Count this guess at a user code. False when there were too many: then it must not even be looked up.

    As for passwords, the wide count does not hold for a browser in which somebody has been logged in before.
    """
    now = tenant.now()
    with tenant.database.write() as db:
        here, anywhere = (db.execute(_COUNT, {"of": of, "now": now}).scalar_one() for of in _user_code_keys(request))
        is_known = known_user(db, request, tenant) is not None
    return bool(here <= USER_CODES and (anywhere <= USER_CODES_ANYWHERE or is_known))


def give_back_user_code(db: Connection, request: Request) -> None:
    """The code was right, so it was no guess. What was wrong before stays counted."""
    for of in _user_code_keys(request):
        db.execute(_GIVE_BACK, {"of": of})


def reserve_device_code(request: Request, client_id: str, tenant: Tenant) -> bool:
    """Count this request for a device code. False when this client at this source has had too many."""
    values = {"of": digest(f"{request.source}\ndevice\n{client_id}"), "now": tenant.now()}
    with tenant.database.write() as db:
        return bool(db.execute(_COUNT, values).scalar_one() <= DEVICE_CODES)


def _user_code_keys(request: Request) -> tuple[bytes, bytes]:
    return digest(f"{request.source}\nuser code\n"), digest("*\nuser code\n")


def _keys(request: Request, username: str) -> tuple[bytes, bytes]:
    name = username_key(username)
    return digest(f"{request.source}\n{name}"), digest(f"*\n{name}")
