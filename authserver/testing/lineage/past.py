"""The recording, asked about one code or token: which exchange issued it, used it, ended it."""

from collections.abc import Iterable, Iterator

from authserver.testing.recorded import Recorded

ENDING = {
    "RefreshTokenReused": "a spent refresh token came again",
    "CodeReplayed": "a used code came again",
    "DeviceCodeReplayed": "a used device code came again",
    "GrantRevoked": "its client revoked the grant",
}
"""Events that end a family, in words."""


class Past:
    """Exchanges by what went through them."""

    def __init__(self, exchanges: list[Recorded]) -> None:
        self.exchanges = exchanges
        self._presenting: dict[str, list[Recorded]] = {}
        self._issuing: dict[str, list[Recorded]] = {}
        for each in exchanges:
            for fingerprint in set(each.presented.values()):
                self._presenting.setdefault(fingerprint, []).append(each)
            for fingerprint in set(each.issued.values()):
                self._issuing.setdefault(fingerprint, []).append(each)

    def presenting(self, fingerprint: str) -> list[Recorded]:
        """In which it came in."""
        return self._presenting.get(fingerprint, [])

    def issuing(self, fingerprint: str, grant_id: str | None) -> Recorded | None:
        """In which it went out; under this grant, if the exchange knows its own."""
        every = self._issuing.get(fingerprint, [])
        return next((each for each in every if grant_id is None or each.grant_id in (grant_id, None)), None)

    def spending(self, fingerprint: str) -> Recorded | None:
        """In which it became tokens; None when that is forgotten."""
        return next(self._successes(fingerprint, "token"), None)

    def revoking(self, fingerprint: str) -> Recorded | None:
        """In which its client gave it back."""
        return next(self._successes(fingerprint, "revoke"), None)

    def ending(self, grant_id: str | None) -> tuple[Recorded, str] | None:
        """In which the whole family ended, and by what."""
        for each in self.exchanges if grant_id else ():
            if each.grant_id == grant_id:
                for happened in _types(each):
                    if happened in ENDING:
                        return each, ENDING[happened]
        return None

    def _successes(self, fingerprint: str, endpoint: str) -> Iterator[Recorded]:
        for each in self.presenting(fingerprint):
            if each.endpoint == endpoint and each.error is None and (each.status == 200 or each.events):
                yield each


def _types(each: Recorded) -> Iterable[str]:
    return (happened["type"] or "" for happened in each.events)
