"""The host: many tenants in one process, each with its own database, key, clock and events.

Done: RFC 8414 §3.1 (issuers with a path; see `gate`).
Left out: several worker processes; tenants that outlive theirs.

A tenant is a copied file, so nothing of one can be in another (law 8): the routes are the process's own and see one
tenant at a time. What is shared on purpose: parsed keys by their thumbprint, and hashes of test passwords.

The server's own tenant can be steered too, as `root`, since some SDKs know no issuer with a path. All share it.
"""

import re
import secrets
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete

from authserver import keys
from authserver.dialects import POLICIES
from authserver.events import Event
from authserver.keys import Keyring
from authserver.registration import Passwords, register, seeded_people
from authserver.settings import Settings, is_loopback
from authserver.store.engine import Database
from authserver.store.tables import metadata, signing_keys
from authserver.tenant import Tenant
from authserver.tenant_file import Reading, TenantFile
from authserver.testing.faults.kept import Faults
from authserver.testing.key_pool import KeyPool
from authserver.testing.recording import Recording, note_event
from authserver.testing.turnable_clock import TurnableClock

ROOT = "root"
"""The name of the server's own tenant."""

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")

MOST = 1000
"""Tenants at once: a suite that never drops any is told so before the machine is full."""


class NoSuchTenant(LookupError):
    """There is none of this name, or there was."""


class Stays(ValueError):
    """The server's own tenant cannot be dropped."""


class NameTaken(ValueError):
    """Another living tenant has this name."""


class Exposed(ValueError):
    """An http issuer that is not on loopback."""


class TooMany(RuntimeError):
    """Some have to be dropped first."""


@dataclass
class Rehearsal:
    """One test's tenant. `file` is all that was registered; `browsers` the cookies of its virtual people.

    `visits` counts the requests that are in hand: `gate` does, on the loop, so it needs no lock. `baits`: fingerprints
    of codes that went out in a spoiled callback, and the rule of `problem_rules` that each tests.
    """

    name: str
    tenant: Tenant
    clock: TurnableClock
    lent: list[keys.SigningKey]
    file: TenantFile = field(default_factory=TenantFile)
    browsers: dict[str, Any] = field(default_factory=dict)
    baits: dict[str, str] = field(default_factory=dict)
    recording: Recording = field(init=False)
    faults: Faults = field(default_factory=Faults)
    turn: threading.Lock = field(default_factory=threading.Lock)
    visits: int = 0

    def __post_init__(self) -> None:
        self.recording = Recording(self.clock)


class Host:
    """Makes, finds and drops tenants. `announce` is told of each event. `root` is the server's own, with its file."""

    def __init__(self, settings: Settings, root: Tenant, file: TenantFile, announce: Callable[[Event], None]) -> None:
        clock = TurnableClock(root.now)
        self.root = Rehearsal(ROOT, replace(root, now=clock), clock, [], file)
        root.database.announce = self._announce
        self.settings, self._announce_elsewhere = settings, announce
        self._rehearsals: dict[str, Rehearsal] = {}
        self._turn, self._pool, self._keyring = threading.Lock(), KeyPool(), Keyring()
        self._passwords, self._idle = Passwords(), list[Database]()
        self._directory: Path | None = None

    def serves(self, host: str) -> bool:
        """Whether this Host is ours: what a tenant is known by; in a container also loopback, mapped from any port.

        Names of loopback cannot be rebound, and no page of another site gets past `gate`.
        """
        if self.settings.allow_insecure_testing and _LOOPBACK.fullmatch(host):
            return True
        known = [urlsplit(each.tenant.issuer).netloc for each in list(self._rehearsals.values())]
        return host in known

    def make(self, name: str | None = None, dialect: str | None = None, base_url: str | None = None) -> Rehearsal:
        """An empty tenant with one signing key. Raises NameTaken, TooMany, or Exposed.

        `base_url`: under which address this server is known to whoever uses the tenant; else the configured one.
        """
        base_url = base_url or self.settings.issuer
        parts = urlsplit(base_url)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "") or base_url == self.settings.issuer
        if not is_safe and not self.settings.allow_insecure_http_issuer:
            raise Exposed
        name = name or secrets.token_hex(8)
        with self._turn:
            if name == ROOT or name in self._rehearsals:
                raise NameTaken(name)
            if len(self._rehearsals) >= MOST:
                raise TooMany
            database = self._database()
        key, clock = self._pool.take(), TurnableClock()
        with database.write() as db:
            keys.install(db, clock(), key, activates_at=0)  # a clock may be turned back
        issuer = f"{base_url}t/{name}/"
        dialect = dialect or self.settings.dialect
        settings = self.settings.model_copy(update={"issuer": issuer, "dialect": dialect})
        tenant = Tenant(issuer, settings, POLICIES[dialect], database, keyring=self._keyring, now=clock)
        made = Rehearsal(name, tenant, clock, [key])
        with self._turn:
            taken = self._rehearsals.setdefault(name, made) is not made
        if taken:
            self._forget(made)
            raise NameTaken(name)
        return made

    def find(self, name: str) -> Rehearsal:
        """The living tenant of this name, or the server's own. Raises NoSuchTenant."""
        found = self.root if name == ROOT else self._rehearsals.get(name)
        if found is None:
            raise NoSuchTenant(name)
        return found

    def seek(self, name: str) -> Rehearsal | None:
        """The one that lives below `/t/`; None when there is none."""
        return self._rehearsals.get(name)

    def names(self) -> list[str]:
        """Of all that were made and live."""
        return sorted(self._rehearsals)

    def drop(self, name: str) -> None:
        """End a tenant and delete its database. Raises NoSuchTenant, or Stays."""
        if name == ROOT:
            raise Stays
        with self._turn:
            dropped = self._rehearsals.pop(name, None)
        if dropped is None:
            raise NoSuchTenant(name)
        self._forget(dropped)

    def close(self) -> None:
        """Drop them all, and the template."""
        for name in self.names():
            self.drop(name)
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def register(self, rehearsal: Rehearsal, section: str, key: tuple[str, ...], entry: Any) -> dict[str, str]:
        """Write one entry of a tenant file's section, new or instead of the one with the same `key`.

        Returns generated client secrets. Raises pydantic.ValidationError or TenantFileError.
        """

        def named(each: Any) -> tuple[str, ...]:
            return tuple(getattr(each, name) for name in key)

        tenant = rehearsal.tenant
        with rehearsal.turn:
            kept = [each for each in getattr(rehearsal.file, section) if named(each) != named(entry)]
            sections = {name: getattr(rehearsal.file, name) for name in rehearsal.file.model_fields_set}
            file = TenantFile(**{**sections, section: (*kept, entry)})
            reading = Reading(file)
            if section == "users":
                with tenant.database.read() as db:
                    self._passwords.ahead(reading, seeded_people(db))
            with tenant.database.write() as db:
                made = register(db, reading, self._passwords, tenant.now(), section).secrets
            rehearsal.file = file
        return made

    def rotate_keys(self, rehearsal: Rehearsal, lead: int, *, withdraw: bool = False) -> str:
        """Publish a successor that signs `lead` seconds from now, by the tenant's clock. Returns its kid.

        `withdraw`: it takes the place of the others, as if they had never been.
        """
        # What outlives this process gets a key that nobody else had or will have.
        key = keys.make(keys.RS256) if rehearsal is self.root else self._pool.take()
        now = rehearsal.clock()
        with rehearsal.turn:
            rehearsal.lent.append(key)
            with rehearsal.tenant.database.write() as db:
                if withdraw:
                    db.execute(delete(signing_keys).where(signing_keys.c.alg == key.alg))
                return keys.install(db, now, key, 0 if withdraw else now + lead)

    def _database(self) -> Database:
        """A copy of the template (under `_turn`). A used one is worth having: its statements are compiled already."""
        template = self._template()
        database = self._idle.pop() if self._idle else None
        if database is None:
            file = template.with_name(f"{secrets.token_hex(8)}.db")
            database = Database(f"sqlite:///{file}", throw_away=True)
            database.announce = self._announce
        shutil.copyfile(template, str(database.file))
        return database

    def _announce(self, event: Event) -> None:
        note_event(event)
        self._announce_elsewhere(event)

    def _forget(self, rehearsal: Rehearsal) -> None:
        rehearsal.faults.close()
        database, file = rehearsal.tenant.database, rehearsal.tenant.database.file
        database.close()
        for suffix in ("", "-wal", "-shm"):
            if file is not None:
                file.with_name(file.name + suffix).unlink(missing_ok=True)
        self._pool.give_back(rehearsal.lent)
        if not rehearsal.visits:  # else somebody who is still at work would find the next tenant in it
            with self._turn:
                self._idle.append(database)

    def _template(self) -> Path:
        """A database with all tables and nothing of anybody, made at the first call (which holds `_turn`)."""
        if self._directory is None:
            directory = Path(mkdtemp(prefix="understudy-testing-"))  # for its owner alone
            database = Database(f"sqlite:///{directory / 'template'}")
            with database.write() as db:
                metadata.create_all(db)
                register(db, Reading(TenantFile()), self._passwords, 0)
            database.close()
            self._directory = directory
        return self._directory / "template"
