"""The page's address: one origin that the browser knows it by, and two names that lead there.

Done: RFC 8252 section 7.3 (the literal 127.0.0.1). The port must be the same inside and outside a container: it is in
the redirect URI, and the issuer compares.
"""

from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Address:
    port: int

    @property
    def authority(self) -> str:
        return HOST + self._port

    @property
    def origin(self) -> str:
        return "http://" + self.authority

    @property
    def redirect_uri(self) -> str:
        return self.origin + "/callback"

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of this machine. Cookies of one name are unknown at the other, so nothing begins there."""
        return "localhost" + self._port, "[::1]" + self._port

    @property
    def _port(self) -> str:
        return "" if self.port == 80 else f":{self.port}"  # as browsers write it
