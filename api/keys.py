"""Keys: the issuer's public keys, cached.

RFC 7517 (JWK, JWK Set), RFC 8725 section 3.1 (one algorithm per key). When keys are fetched:

- never at start: the API may be up before its issuer. With no keys at all a request is answered 503, never
  let in;
- when they are older than TTL. This is also the lead time with which the authorization server publishes a key
  before it signs with it, so that in a planned rotation nobody meets an unknown `kid`;
- when a `kid` is unknown. If the answer does not have it either, or there is none, no further fetch starts
  during COOL_DOWN, however many requests ask: made-up `kid`s must not turn this API into a hammer (RFC 8725
  section 2.9). With no keys at all the pause is only COLD_COOL_DOWN, so that an API that came up first is not
  deaf for long.

A failed fetch keeps the cached keys, for STALE_LIMIT at most: long enough for an issuer's bad hour, short
enough that a key withdrawn during it does not live on. One fetch runs at a time; nobody whose key is cached
takes the lock.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from api.discovery import DiscoveryError
from api.errors import InvalidTokenError, UnavailableError

TTL = 600.0
COOL_DOWN = 30.0
COLD_COOL_DOWN = 1.0
STALE_LIMIT = 3600.0

_MIN_RSA_MODULUS = 2048 // 8

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublicKey:
    """A parsed key and the one algorithm it is good for."""

    alg: str
    key: RSAKey | ECKey


@dataclass(frozen=True)
class _Snapshot:
    """What one fetch brought. Replaced as a whole, so that it can be read without a lock."""

    keys: dict[str, PublicKey] = field(default_factory=dict)
    fetched_at: float = float("-inf")


class Keys:
    def __init__(self, fetch_jwks: Callable[[], dict[str, Any]], now: Callable[[], float]) -> None:
        self._fetch_jwks = fetch_jwks
        self._now = now
        self._snapshot = _Snapshot()
        self._in_flight = threading.Lock()
        self._paused_at = float("-inf")

    def has(self, kid: str) -> bool:
        return self.usable() and kid in self._snapshot.keys

    def usable(self) -> bool:
        return self._younger_than(STALE_LIMIT)

    def due(self) -> bool:
        """Whether to fetch although the key is here. One request finds that out, the others go on."""
        return not self._younger_than(TTL) and not self._paused() and not self._in_flight.locked()

    def get(self, kid: str) -> PublicKey:
        if not self.usable():
            raise UnavailableError("The keys of the issuer are not available")
        try:
            return self._snapshot.keys[kid]
        except KeyError:
            raise InvalidTokenError("The access token is signed with a key that its issuer does not publish") from None

    def refresh(self, kid: str | None = None) -> None:
        """Fetch the keys, for a request that needs `kid`, unless somebody just did. Failures are logged."""
        with self._in_flight:
            if self._paused() or (self._younger_than(TTL) and (kid is None or self.has(kid))):
                return
            try:
                keys = _usable_keys(self._fetch_jwks())
            except DiscoveryError as error:
                log.warning("keys not refreshed: %.300s", error)
            else:
                self._snapshot = _Snapshot(keys, self._now())
                if kid is None or kid in keys:
                    return
            self._paused_at = self._now()

    def _younger_than(self, seconds: float) -> bool:
        # A clock that was set back must not make keys immortal, hence the lower bound.
        return 0 <= self._now() - self._snapshot.fetched_at < seconds

    def _paused(self) -> bool:
        pause = COOL_DOWN if self.usable() else COLD_COOL_DOWN
        return 0 <= self._now() - self._paused_at < pause


def _usable_keys(jwks: dict[str, Any]) -> dict[str, PublicKey]:
    """Keys for the algorithms we accept, by `kid`. What we cannot use is passed over (RFC 7517 section 5)."""
    entries = jwks.get("keys")
    if not isinstance(entries, list):
        raise DiscoveryError("the JWK Set has no keys")
    keys: dict[str, PublicKey] = {}
    for entry in entries:
        kid = entry.get("kid") if isinstance(entry, dict) else None
        if isinstance(kid, str) and kid not in keys and (key := _public_key(entry)):
            keys[kid] = key
    if not keys:
        raise DiscoveryError("the JWK Set has no usable key")
    return keys


def _public_key(jwk: dict[str, Any]) -> PublicKey | None:
    kind = (jwk.get("kty"), jwk.get("crv"))
    if jwk.get("use", "sig") != "sig" or "verify" not in (jwk.get("key_ops") or ["verify"]):
        return None
    try:
        if kind == ("RSA", None) and jwk.get("alg", "RS256") == "RS256" and _long_enough(jwk):
            return PublicKey("RS256", RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")}))
        if kind == ("EC", "P-256") and jwk.get("alg", "ES256") == "ES256":
            return PublicKey("ES256", ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")}))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        log.warning("a key of the issuer cannot be read: %.300r", error)
    return None


def _long_enough(jwk: dict[str, Any]) -> bool:
    """RFC 7518 section 3.3: a key of 2048 bits or larger."""
    return len(jwk["n"]) * 6 // 8 >= _MIN_RSA_MODULUS
