"""Tenant: what belongs together. A request reaches anything only through its tenant."""

from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from authserver.actions import Actions
from authserver.clock import Clock, system_clock
from authserver.dialects import Policy
from authserver.events import Event
from authserver.keys import Keyring
from authserver.outbound import Outbound
from authserver.settings import Settings
from authserver.store import journal
from authserver.store.engine import Database

TENANT = "understudy.tenant"
"""Under this name an ASGI scope carries the tenant that the request is about, when it is not the one at the root."""


@dataclass(frozen=True)
class Tenant:
    """`issuer` is the identity, from configuration and never from a request; `now` answers epoch seconds."""

    issuer: str
    settings: Settings
    policy: Policy
    database: Database
    keyring: Keyring = field(default_factory=Keyring)
    actions: Actions = field(default_factory=Actions)
    now: Clock = system_clock
    outbound: Outbound = field(default_factory=Outbound)

    def url(self, path: str) -> str:
        """The absolute URL of a path of ours, which starts with a slash."""
        return self.issuer.removesuffix("/") + path

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer, as browsers write an Origin."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_https(self) -> bool:
        """Whether cookies can be marked Secure."""
        return self.issuer.startswith("https://")

    def cookie_name(self, purpose: str) -> str:
        """One name per issuer, because cookies are not separated by port (RFC 6265 §8.5)."""
        name = f"understudy-{sha256(self.issuer.encode()).hexdigest()[:8]}-{purpose}"
        return f"__Host-{name}" if self.is_https else name

    def record(self, event: Event) -> None:
        """Write an event that stands alone: a refusal changed nothing else."""
        with self.database.write() as db:
            journal.record(db, self.now(), event)
