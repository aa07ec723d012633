"""Keys: the issuer's public keys, cached, and beside them where it lets people log in.

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

from api.discovery import DiscoveryError, Login, Published
from api.errors import InvalidTokenError, KeysUnavailableError

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
    login: Login | None = None
    fetched_at: float = float("-inf")


class Keys:
    """`count` is told how each fetch went: "success", or the kind of DiscoveryError."""

    def __init__(self, fetch: Callable[[], Published], now: Callable[[], float], count: Callable[[str], None]) -> None:
        self._fetch = fetch
        self._now = now
        self._count = count
        self._problem: DiscoveryError | None = None
        self._snapshot = _Snapshot()
        self._in_flight = threading.Lock()
        self._paused_at = float("-inf")

    @property
    def login(self) -> Login | None:
        """Where people log in; None while the issuer has not said so."""
        return self._snapshot.login

    @property
    def problem(self) -> str:
        """Why the last fetch brought nothing, in words for anybody."""
        return self._problem.public if self._problem else "it has not been asked yet"

    def age(self) -> float:
        """Seconds since the keys were fetched; infinite while there are none."""
        return self._now() - self._snapshot.fetched_at

    def has(self, kid: str) -> bool:
        return self.usable() and kid in self._snapshot.keys

    def usable(self) -> bool:
        return self._younger_than(STALE_LIMIT)

    def due(self) -> bool:
        """Whether to fetch although the key is here. One request finds that out, the others go on."""
        return not self._younger_than(TTL) and not self._paused() and not self._in_flight.locked()

    def get(self, kid: str) -> PublicKey:
        if not self.usable():
            raise KeysUnavailableError(f"The keys of the issuer are not available: {self.problem}")
        try:
            return self._snapshot.keys[kid]
        except KeyError:
            raise InvalidTokenError(
                "The access token is signed with a key that its issuer does not publish", "unknown_key"
            ) from None

    def refresh(self, kid: str | None = None) -> None:
        """Fetch the keys, for a request that needs `kid`, unless somebody just did. Failures are logged."""
        with self._in_flight:
            if self._paused() or (self._younger_than(TTL) and (kid is None or self.has(kid))):
                return
            try:
                published = self._fetch()
                keys = _usable_keys(published.jwks)
            except DiscoveryError as error:
                self._problem = error
                self._count(error.kind)
                log.warning("keys not fetched", extra={"reason": str(error), "kind": error.kind})
            else:
                self._snapshot = _Snapshot(keys, published.login, self._now())
                self._count("success")
                log.info("keys fetched", extra={"kids": sorted(keys)})
                if kid is None or kid in keys:
                    return
            self._paused_at = self._now()

    def _younger_than(self, seconds: float) -> bool:
        # A clock that was set back must not make keys immortal, hence the lower bound.
        return 0 <= self.age() < seconds

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
        log.warning("a key of the issuer cannot be read", extra={"reason": f"{error!r:.300}"})
    return None


def _long_enough(jwk: dict[str, Any]) -> bool:
    """RFC 7518 section 3.3: a key of 2048 bits or larger."""
    return len(jwk["n"]) * 6 // 8 >= _MIN_RSA_MODULUS
