"""A server whose harness is on."""

from authserver.testing.handle.authserver import Authserver
from authserver.testing.handle.connection import Connection


class Control(Connection):
    """Makes tenants there: what the fixture `authserver_host` hands out."""

    def make_tenant(
        self, name: str | None = None, dialect: str | None = None, base_url: str | None = None
    ) -> Authserver:
        """A tenant with nothing in it.

        `base_url`: where its users reach the server, if not at the configured issuer: `http://localhost:49153/` when
        49153 is what a container's port is mapped to.
        """
        asked = {"name": name, "dialect": dialect, "base_url": base_url}
        made = self.call("POST", "tenants", {key: value for key, value in asked.items() if value is not None})
        return Authserver(self, made["name"], made["issuer"])

    @property
    def root(self) -> Authserver:
        """The server's own tenant, for SDKs that know no issuer with a path. All tests share it, and it stays."""
        return Authserver(self, "root", self.call("GET", "tenants/root")["issuer"])
