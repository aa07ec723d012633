"""`python -m authserver`: serve · seed · rotate-keys · sweep · outbox · doctor.

Every option is also an environment variable (`AUTHSERVER_` and its name); the flag wins. What prevents a start is
said on stderr in one line each, with exit status 2.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import NoReturn

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import CliApp, CliSubCommand, SettingsConfigDict, SettingsError

from authserver import keys, seed
from authserver.clock import system_clock
from authserver.doctor.command import Doctor
from authserver.serve import serve
from authserver.settings import Settings
from authserver.store.engine import Database, StoreError
from authserver.store.outbox import mails
from authserver.store.sweep import sweep
from authserver.tenant_file import TenantFileError, read_tenant_file


class Serve(Settings):
    """Run the authorization server. Prints one line, READY and the issuer, when it accepts requests."""

    def cli_cmd(self) -> None:
        sys.exit(serve(self))


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
        for kid in keys.rotate(database, system_clock(), self.lead):
            _say(f"published {kid}, signs in {self.lead} seconds")


class Sweep(Settings):
    """Delete rows that can decide nothing any more, and keys that nothing alive was signed with."""

    def cli_cmd(self) -> None:
        database, now = _prepared(self), system_clock()
        with database.write() as db:
            swept = {**sweep(db, now, self), "signing keys": keys.forget(db, now)}
        _say(", ".join(f"{count} {name}" for name, count in swept.items()))


class Outbox(Settings):
    """Show the mail that would have gone out: nothing leaves this server. The links in it are keys to accounts."""

    as_json: bool = Field(default=False, description="One JSON array instead of text.")

    def cli_cmd(self) -> None:
        with _prepared(self).read() as db:
            found = mails(db)
        if self.as_json:
            _say(json.dumps([asdict(mail) for mail in found], indent=2, ensure_ascii=False))
            return
        for mail in found:
            when = datetime.fromtimestamp(mail.at, UTC).isoformat()
            _say(f"{when} · to {mail.to} · {mail.subject}\n\n{mail.body}")
        if not found:
            _say("The outbox is empty.")


class Authserver(BaseModel):
    """Understudy's authorization server: plays the part of Auth0 while you rehearse."""

    model_config = SettingsConfigDict(
        cli_prog_name="python -m authserver",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_avoid_json=True,
        cli_shortcuts={"as-json": "json"},
    )

    serve: CliSubCommand[Serve]
    seed: CliSubCommand[Seed]
    rotate_keys: CliSubCommand[RotateKeys]
    sweep: CliSubCommand[Sweep]
    outbox: CliSubCommand[Outbox]
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
    except KeyboardInterrupt:
        sys.exit(130)  # before serving began; while serving, the server takes the signal


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


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
