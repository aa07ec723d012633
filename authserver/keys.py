"""Signing keys: made per install, kept in the database, published before use.

Done: RFC 7517 §4 (every JWK carries kid, alg, use) · RFC 7638 (kid is the thumbprint) · RFC 8725 §3.1 (the algorithm
belongs to the key, never to the token) · OpenID Connect Core §10.1.1 (rotation).

next → current → retired, by the clock alone: a row says from when on its key signs, so all processes agree without
talking. A retired key stays published for as long as anything that it signed may live. Parsed keys are cached,
because importing an RSA key costs a hundred signatures.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import Connection, delete, insert, select

from authserver.store.engine import Database
from authserver.store.tables import signing_keys

RS256 = "RS256"
ES256 = "ES256"
RSA_BITS = 2048

LEAD = 600
"""Seconds between publishing a key and signing with it: how long others may cache our JWKS."""

KEEP = 31 * 86400
"""Seconds that a retired key stays published: the longest lifetime of a token, and a day."""

_INSERT = insert(signing_keys)
_ROWS = select(
    signing_keys.c.kid, signing_keys.c.alg, signing_keys.c.private_key, signing_keys.c.activates_at
).order_by(signing_keys.c.activates_at, signing_keys.c.created_at, signing_keys.c.kid)


@dataclass(frozen=True, slots=True)
class _Row:
    kid: str
    alg: str
    private_key: str
    activates_at: int


SigningKey = _Row


@dataclass(frozen=True)
class Keyring:
    """The keys of one tenant. Methods take the connection and the time; only parsed keys are remembered."""

    _parsed: dict[str, RSAKey | ECKey] = field(default_factory=dict)

    def signer(self, db: Connection, now: int) -> "Signer":
        """Signs with the keys that are current at `now`: one look at the rows, however many tokens an answer has."""
        return Signer(self, _rows(db), now)

    def verify(self, db: Connection, token: str) -> dict[str, Any] | None:
        """The claims of an RS256 token that we signed, expired or not; None for anything else."""
        for row in _rows(db):
            if row.alg == RS256:
                try:
                    return jwt.decode(token, self.parsed(row), algorithms=[RS256]).claims
                except (JoseError, ValueError, TypeError):  # TypeError: a header member of a wrong JSON type
                    continue
        return None

    def jwks(self, db: Connection, now: int) -> dict[str, object]:
        """Every key that may have signed a live token or will soon sign one; public members only (RFC 7517 §5)."""
        rows = _rows(db)
        keys = [
            {**self.parsed(row).as_dict(private=False), "kid": row.kid, "use": "sig", "alg": row.alg}
            for row in reversed(rows)
            if not _is_forgotten(row, rows, now)
        ]
        return {"keys": keys}

    def parsed(self, row: _Row) -> RSAKey | ECKey:
        """The key in this row, imported once."""
        if row.kid not in self._parsed:
            of = RSAKey if row.alg == RS256 else ECKey
            self._parsed[row.kid] = of.import_key(json.loads(row.private_key))
        return self._parsed[row.kid]


@dataclass(frozen=True, slots=True)
class Signer:
    """The keys of one moment."""

    _keyring: Keyring
    _found: list[_Row]
    _now: int

    def current(self, alg: str) -> SigningKey:
        """The key that signs with `alg`. Raises LookupError when there is none."""
        return _current(self._found, self._now, alg)

    def sign(self, alg: str, typ: str, claims: dict[str, Any]) -> str:
        """A compact JWS by the current key of `alg`. Raises LookupError when there is none."""
        row = self.current(alg)
        header = {"alg": alg, "typ": typ, "kid": row.kid}
        return jwt.encode(header, claims, self._keyring.parsed(row), algorithms=[alg])


def generate(db: Connection, now: int, alg: str, activates_at: int) -> str:
    """Make a key that signs from `activates_at` on, and is published at once. Returns its kid."""
    return _add(db, now, _make(alg, activates_at))


def make(alg: str) -> SigningKey:
    """A key that is in no database yet, for `install`."""
    return _make(alg, 0)


def install(db: Connection, now: int, key: SigningKey, activates_at: int) -> str:
    """Publish a key that was made before; it signs from `activates_at` on. Returns its kid."""
    return _add(db, now, replace(key, activates_at=activates_at))


def rotate(database: Database, now: int, lead: int = LEAD) -> list[str]:
    """A successor for the key of each algorithm in use, signing `lead` seconds from now. Returns the new kids."""
    with database.read() as db:
        algorithms = sorted({row.alg for row in _rows(db)})
    made = [_make(alg, now + lead) for alg in algorithms]  # slow, hence outside the transaction (law 4)
    with database.write() as db:
        return [_add(db, now, row) for row in made]


def schedule(db: Connection, now: int) -> list[tuple[str, int, int | None]]:
    """For each algorithm: since when its current key signs, and from when on its successor will."""
    rows = _rows(db)
    following: dict[str, int | None] = {row.alg: row.activates_at for row in reversed(rows) if row.activates_at > now}
    algorithms = sorted({row.alg for row in rows if row.activates_at <= now})
    return [(alg, _current(rows, now, alg).activates_at, following.get(alg)) for alg in algorithms]


def forget(db: Connection, now: int) -> int:
    """Delete the keys that nothing alive can have been signed with. Returns how many."""
    rows = _rows(db)
    over = [row.kid for row in rows if _is_forgotten(row, rows, now)]
    db.execute(delete(signing_keys).where(signing_keys.c.kid.in_(over)))
    return len(over)


def _make(alg: str, activates_at: int) -> _Row:
    key = RSAKey.generate_key(RSA_BITS, private=True) if alg == RS256 else ECKey.generate_key("P-256", private=True)
    return _Row(key.thumbprint(), alg, json.dumps(key.as_dict(private=True)), activates_at)


def _add(db: Connection, now: int, row: _Row) -> str:
    db.execute(_INSERT, {**asdict(row), "created_at": now})
    return row.kid


def _rows(db: Connection) -> list[_Row]:
    return [_Row(*row) for row in db.execute(_ROWS)]


def _current(rows: list[_Row], now: int, alg: str) -> _Row:
    active = [row for row in rows if row.alg == alg and row.activates_at <= now]
    if not active:
        raise LookupError(f"no {alg} key is active")
    return active[-1]


def _is_forgotten(row: _Row, rows: list[_Row], now: int) -> bool:
    successors = [each.activates_at for each in rows if each.alg == row.alg and each.activates_at > row.activates_at]
    return bool(successors) and min(successors) + KEEP <= now
