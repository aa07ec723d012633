"""Signing keys: made per install, kept in the database, published before use.

Done: RFC 7517 §4 (every JWK carries kid, alg, use) · RFC 7638 (kid is the thumbprint) · OpenID Connect Core §10.1.
The rows say which key signs when, so that all processes agree by the clock; parsed keys are cached, because importing
an RSA key costs a hundred signatures.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import Connection, bindparam, insert, select

from authserver.store.tables import signing_keys

RSA_BITS = 2048

_INSERT = insert(signing_keys)
_ACTIVE = (
    select(signing_keys.c.kid, signing_keys.c.alg, signing_keys.c.private_key)
    .where(signing_keys.c.activates_at <= bindparam("now"))
    .order_by(signing_keys.c.activates_at.desc(), signing_keys.c.created_at.desc())
)
_PUBLISHED = select(signing_keys.c.kid, signing_keys.c.alg, signing_keys.c.private_key).order_by(
    signing_keys.c.activates_at.desc()
)


@dataclass(frozen=True)
class Keyring:
    """The keys of one tenant. Methods take the connection and the time; only parsed keys are remembered."""

    _parsed: dict[str, RSAKey] = field(default_factory=dict)

    def sign(self, db: Connection, now: int, typ: str, claims: dict[str, Any]) -> str:
        """A compact JWS by the key that is current at `now`."""
        kid, alg, private_key = db.execute(_ACTIVE, {"now": now}).first() or _no_key()
        return jwt.encode({"alg": alg, "typ": typ, "kid": kid}, claims, self._key(kid, private_key), algorithms=[alg])

    def jwks(self, db: Connection) -> dict[str, object]:
        """Every published key, public members only (RFC 7517 §5)."""
        keys = [
            {**self._key(kid, private_key).as_dict(private=False), "kid": kid, "use": "sig", "alg": alg}
            for kid, alg, private_key in db.execute(_PUBLISHED)
        ]
        return {"keys": keys}

    def _key(self, kid: str, private_key: str) -> RSAKey:
        if kid not in self._parsed:
            self._parsed[kid] = RSAKey.import_key(json.loads(private_key))
        return self._parsed[kid]


def _no_key() -> NoReturn:
    raise LookupError("no signing key is active")


def generate(db: Connection, now: int, activates_at: int) -> str:
    """Make an RS256 key that signs from `activates_at` on, and is published at once. Returns its kid."""
    key = RSAKey.generate_key(RSA_BITS, private=True)
    kid = key.thumbprint()
    db.execute(
        _INSERT,
        {
            "kid": kid,
            "alg": "RS256",
            "private_key": json.dumps(key.as_dict(private=True)),
            "created_at": now,
            "activates_at": activates_at,
        },
    )
    return kid
