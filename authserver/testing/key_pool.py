"""Signing keys on loan: no two living tenants have one in common, and a test does not wait for its own to be made.

An RSA key costs a tenth of a second, so a dropped tenant's keys are lent again. What it signed says another issuer,
whose name never comes again.
"""

import threading

from authserver import keys


class KeyPool:
    """RS256 keys, made when none is free."""

    def __init__(self) -> None:
        self._free: list[keys.SigningKey] = []
        self._turn = threading.Lock()

    def take(self) -> keys.SigningKey:
        """A key that no other living tenant has."""
        with self._turn:
            if self._free:
                return self._free.pop()
        return keys.make(keys.RS256)

    def give_back(self, lent: list[keys.SigningKey]) -> None:
        """Their tenant is gone."""
        with self._turn:
            self._free.extend(lent)
