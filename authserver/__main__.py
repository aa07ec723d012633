"""`python -m authserver`: serve · seed · rotate-keys · sweep · doctor.

Every option is also an environment variable (`AUTHSERVER_` and its name); the flag wins. What prevents a start is
said on stderr in one line each, with exit status 2.
"""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import NoReturn

import uvicorn
from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import CliApp, CliSubCommand, SettingsConfigDict, SettingsError
from uvicorn.supervisors import Multiprocess

from authserver import keys, seed
from authserver.app import create_app
from authserver.clock import system_clock
from authserver.doctor.command import Doctor
from authserver.settings import Settings
from authserver.slow_peers import ImpatientProtocol
from authserver.store.engine import Database, StoreError
from authserver.store.sweep import sweep
from authserver.tenant_file import TenantFileError, read_tenant_file

GRACE = 10
"""Seconds that requests in hand may take after SIGTERM."""


class Serve(Settings):
    """Run the authorization server. Prints one line, READY and the issuer, when it accepts requests."""

    def cli_cmd(self) -> None:
        listener = _listen(self.host, self.port)
        settings = self.resolved(bound="" if self.port else f"http://127.0.0.1:{listener.getsockname()[1]}/")
        app = create_app(settings)  # whatever is wrong is found here, once, and not in each worker
        os.environ.update(settings.environment())
        alone = settings.workers == 1
        config = uvicorn.Config(
            app if alone else "authserver.app:from_environment",
            factory=not alone,
            workers=settings.workers,
            http=ImpatientProtocol,
            access_log=False,  # request lines hold states and hints
            log_level="warning",
            proxy_headers=False,  # nothing that a proxy says changes who we are
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=256 * 1024,  # longer than any parameter that deserves an answer in our words
        )
        _announce(listener, settings.issuer)
        if alone:
            # After its graceful stop uvicorn raises the signal again; it has been obeyed by then.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: sys.exit(0))
            uvicorn.Server(config).run(sockets=[listener])
        else:
            Multiprocess(config, sockets=[listener]).run()


class Seed(Settings):
    """Prepare the database and print the secrets that were generated for confidential clients."""

    new_secrets: bool = Field(default=False, description="Generate new secrets for an existing tenant; old ones end.")

    def cli_cmd(self) -> None:
        settings = self.resolved()
        database = Database(settings.database_url)
        seeded = seed.prepare(database, settings, system_clock)
        secrets = seeded.secrets
        if self.new_secrets and not seeded.is_new:
            secrets = seed.renew_secrets(database, read_tenant_file(settings.tenant))
        if not seeded.is_new:
            _say("The tenant was here already; its clients, APIs and users stay as they are.")
        for client_id, secret in secrets.items():
            _say(f"client_id={client_id} client_secret={secret}")
        if secrets:
            _say("Keep these secrets: only their digests are stored. `seed --new-secrets` replaces them.")
        elif not seeded.is_new:
            _say("Secrets are printed once, when they are made. `seed --new-secrets` makes new ones.")


class RotateKeys(Settings):
    """Publish a successor for each signing key; every process begins to sign with it when the lead time is over."""

    lead: int = Field(
        default=keys.LEAD, ge=0, description="Seconds until it signs: as long as others cache our keys. 0: at once."
    )

    def cli_cmd(self) -> None:
        database = _prepared(self)
        with database.write() as db:
            for kid in keys.rotate(db, system_clock(), self.lead):
                _say(f"published {kid}, signs in {self.lead} seconds")


class Sweep(Settings):
    """Delete rows that can decide nothing any more, and keys that nothing alive was signed with."""

    def cli_cmd(self) -> None:
        database, now = _prepared(self), system_clock()
        with database.write() as db:
            swept = {**sweep(db, now), "signing keys": keys.forget(db, now)}
        _say(", ".join(f"{count} {name}" for name, count in swept.items()))


class Authserver(BaseModel):
    """Understudy's authorization server: plays the part of Auth0 while you rehearse."""

    model_config = SettingsConfigDict(
        cli_prog_name="python -m authserver", cli_kebab_case=True, cli_implicit_flags=True, cli_avoid_json=True
    )

    serve: CliSubCommand[Serve]
    seed: CliSubCommand[Seed]
    rotate_keys: CliSubCommand[RotateKeys]
    sweep: CliSubCommand[Sweep]
    doctor: CliSubCommand[Doctor]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)


def main(arguments: list[str]) -> None:
    """Run one command. Exits with status 2 and the reason when it cannot."""
    try:
        CliApp.run(Authserver, cli_args=arguments or ["--help"])
    except ValidationError as error:
        _refuse(*(_explain(dict(mistake)) for mistake in error.errors()))
    except (StoreError, TenantFileError, SettingsError, OSError) as error:
        _refuse(str(error))


def _prepared(settings: Settings) -> Database:
    settings = settings.resolved()
    database = Database(settings.database_url)
    if database.file and not database.file.exists():
        raise StoreError(f"database_url: there is no database at {database.file}; `seed` or `serve` makes one")
    seed.prepare(database, settings, system_clock)
    return database


def _explain(mistake: dict[str, object]) -> str:
    place = mistake["loc"]
    option = "--" + str(place[-1]).replace("_", "-") if isinstance(place, tuple) and len(place) > 1 else ""
    return f"{option}: {mistake['msg']}".removeprefix(": ").replace("Value error, ", "")


def _refuse(*reasons: str) -> NoReturn:
    for reason in reasons:
        sys.stderr.write(f"authserver: {reason}\n")
    raise SystemExit(2)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP spelled out: asyncio sets TCP_NODELAY only on sockets that say so.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        _refuse(f"--port: {host}:{port} cannot be listened on ({error.strerror}); stop what uses it, or name another")
    listener.listen(2048)
    return listener


def _announce(listener: socket.socket, issuer: str) -> None:
    """Print READY from this process once any worker answers."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    address = f"http://[{host}]:{port}/healthz" if ":" in host else f"http://{host}:{port}/healthz"

    def wait() -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            try:
                opener.open(address, timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        _say(f"READY {issuer}")

    threading.Thread(target=wait, daemon=True).start()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
