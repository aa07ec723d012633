"""Every code and token of a tenant, from its database; those that have no row there, from the recording."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from authserver.store.issued import Grant
from authserver.store.once import CODE_ATTEMPTS
from authserver.store.registered import find_client
from authserver.store.tables import access_tokens, authorization_codes, device_codes, grants, refresh_tokens
from authserver.testing.host import Rehearsal
from authserver.testing.lineage.past import Past

Named = Callable[[bytes], str]
"""The fingerprint of a digest."""


@dataclass(slots=True)
class Artefact:
    """A code or token. `is_void`: no attempt is left. `leeway` in seconds; `parent` is a fingerprint."""

    kind: str
    fingerprint: str
    client_id: str
    user_id: str | None
    grant_id: str | None
    audience: tuple[str, ...]
    scope: str
    issued_at: int | None
    expires_at: int | None
    used_at: int | None = None
    revoked_at: int | None = None
    family_revoked_at: int | None = None
    is_void: bool = False
    decision: str | None = None
    leeway: int = 0
    parent: str | None = None
    issued_in: int | None = None


def artefacts(of: Rehearsal, past: Past) -> list[Artefact]:
    """Each with its parent and the exchange that issued it, as far as these are known."""
    named = of.recording.redaction.of_digest
    with of.tenant.database.read() as db:
        families = {row.grant_id: Grant(**row._mapping) for row in db.execute(select(grants))}
        found = [*_codes(db, families, named), *_refresh_tokens(db, families, named)]
        found += [*_access_tokens(db, families, named), *_device_codes(db, families, named)]
    found += {each.fingerprint: each for each in _unrooted(of, past)}.values()  # one string may be issued twice
    roots = {each.grant_id: each.fingerprint for each in found if each.kind in ("code", "device_code")}
    for each in found:
        issuing = past.issuing(each.fingerprint, each.grant_id)
        if issuing is not None:
            each.issued_in = issuing.number
            each.issued_at = issuing.at if each.issued_at is None else each.issued_at
        if each.parent is None and each.grant_id and each.kind not in ("code", "device_code"):
            brought = issuing.presented if issuing and issuing.endpoint == "token" else {}
            used = (brought[kind] for kind in ("code", "refresh_token", "device_code") if kind in brought)
            each.parent = next(used, roots.get(each.grant_id))
    return found


def _codes(db: Connection, families: dict[str, Grant], named: Named) -> Iterator[Artefact]:
    for row in db.execute(select(authorization_codes)):
        yield _of(
            families[row.grant_id],
            "code",
            named(row.digest),
            issued_at=families[row.grant_id].created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
            is_void=row.attempts >= CODE_ATTEMPTS,
        )


def _refresh_tokens(db: Connection, families: dict[str, Grant], named: Named) -> Iterator[Artefact]:
    for row in db.execute(select(refresh_tokens).order_by(refresh_tokens.c.issued_at)):
        family = families[row.grant_id]
        client = find_client(db, family.client_id)
        ends = [each for each in (row.expires_at, row.idle_expires_at) if each is not None]
        yield _of(
            family,
            "refresh_token",
            named(row.digest),
            issued_at=row.issued_at,
            expires_at=min(ends, default=None),
            used_at=row.used_at,
            revoked_at=row.revoked_at,
            leeway=client.refresh_token.leeway if client else 0,
            parent=named(row.parent) if row.parent else None,
        )


def _access_tokens(db: Connection, families: dict[str, Grant], named: Named) -> Iterator[Artefact]:
    for row in db.execute(select(access_tokens)):
        yield _of(
            families[row.grant_id],
            "access_token",
            named(row.digest),
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            audience=tuple(row.audience),
            scope=row.scope,
        )


def _device_codes(db: Connection, families: dict[str, Grant], named: Named) -> Iterator[Artefact]:
    for row in db.execute(select(device_codes)):
        family = families.get(row.grant_id)
        yield Artefact(
            "device_code",
            named(row.digest),
            row.client_id,
            row.user_id,
            row.grant_id,
            (row.audience,) if row.audience else (),
            row.scope,
            row.issued_at,
            row.expires_at,
            used_at=row.used_at,
            family_revoked_at=family.revoked_at if family else None,
            is_void=row.expiry_told_at is not None,
            decision=row.decision or "",
        )


def _unrooted(of: Rehearsal, past: Past) -> Iterator[Artefact]:
    """An ID token belongs to the grant of the exchange that issued it; what a test ordered belongs to none."""
    for each in of.recording.unrooted:
        issuing = past.issuing(each.fingerprint, None)
        yield Artefact(
            each.kind,
            each.fingerprint,
            each.client_id,
            each.user_id,
            issuing.grant_id if issuing else None,
            each.audience,
            each.scope,
            each.issued_at,
            each.expires_at,
        )


def _of(
    family: Grant,
    kind: str,
    fingerprint: str,
    *,
    issued_at: int | None = None,
    expires_at: int | None,
    used_at: int | None = None,
    revoked_at: int | None = None,
    is_void: bool = False,
    leeway: int = 0,
    parent: str | None = None,
    audience: tuple[str, ...] | None = None,
    scope: str | None = None,
) -> Artefact:
    """With what it has from its grant."""
    return Artefact(
        kind,
        fingerprint,
        family.client_id,
        family.user_id,
        family.grant_id,
        audience if audience is not None else (family.audience,) if family.audience else (),
        family.scope if scope is None else scope,
        issued_at,
        expires_at,
        used_at,
        revoked_at,
        family.revoked_at,
        is_void=is_void,
        leeway=leeway,
        parent=parent,
    )
