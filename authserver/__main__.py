"""`python -m authserver`: serve · seed · rotate-keys · sweep · logs · outbox · doctor.

Every option is also an environment variable (`AUTHSERVER_` and its name); the flag wins. What prevents a start is
said on stderr in one line each, with exit status 2.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import CliApp, CliPositionalArg, CliSubCommand, SettingsConfigDict, SettingsError

from authserver import keys, seed
from authserver.clock import system_clock
from authserver.doctor.command import Doctor
from authserver.log_types import as_line, as_log
from authserver.registration import report
from authserver.serve import serve
from authserver.settings import Settings
from authserver.store import journal
from authserver.store.engine import Database, StoreError
from authserver.store.outbox import mails
from authserver.store.sweep import sweep
from authserver.tenant_file import Besides, TenantFileError, credentials, read_tenant, with_users


class Serve(Settings):
    """Run the authorization server. Prints one line, READY and the issuer, when it accepts requests."""

    def cli_cmd(self) -> None:
        sys.exit(serve(self))


class Seed(Settings):
    """Prepare the database from a tenant file, ours or an export of auth0-deploy-cli; or bring it up to date.

    Prints what was taken, what not and why, and the secrets that were generated for confidential clients.
    """

    tenant_file: CliPositionalArg[Path | None] = Field(
        default=None, description="The tenant file; a tenant that is here already is made to agree with it."
    )
    users: Path | None = Field(default=None, description="People to import, in Auth0's bulk-import JSON.")
    client_id: dict[str, str] = Field(
        default={}, description="NAME=ID: the client_id of a client that the file knows by name alone; repeatable."
    )
    client_ids: Path | None = Field(
        default=None, description="YAML or JSON: client names with their client_id, or client_id and client_secret."
    )
    new_secrets: bool = Field(default=False, description="Generate new secrets for an existing tenant; old ones end.")
    dry_run: bool = Field(default=False, description="Say what would be done, and change nothing.")
    as_json: bool = Field(default=False, description="Say it as JSON; --json for short.")

    def cli_cmd(self) -> None:
        settings = self.resolved()
        if self.tenant_file is not None:
            settings = settings.model_copy(update={"tenant": self.tenant_file})
        reading = read_tenant(settings.tenant, Besides(credentials(self.client_id, self.client_ids)))
        if self.users is not None:
            reading = with_users(reading, self.users)
        # A tenant that nobody names is the demo's, and that must not come over somebody's own by itself.
        is_named = not {"tenant_file", "tenant", "users"}.isdisjoint(self.model_fields_set)
        database = Database(settings.database_url)
        if self.dry_run:
            seeded = seed.rehearse(database, settings, reading, system_clock)
        elif is_named:
            seeded = seed.update(database, settings, reading, system_clock)
        else:
            seeded = seed.prepare(database, settings, reading, system_clock)
        secrets = seeded.secrets
        if self.new_secrets and not seeded.is_new and not self.dry_run:
            secrets = secrets | seed.renew_secrets(database, reading.file)
        if self.as_json:
            _say(report.as_json(settings.tenant, reading, seeded.changes, secrets, is_rehearsal=self.dry_run))
        else:
            told = report.as_text(settings.tenant, reading, seeded.changes, is_rehearsal=self.dry_run)
            _say("\n".join([*(told if is_named or self.dry_run else ()), *self._about(secrets, seeded, is_named)]))

    def _about(self, secrets: dict[str, str], seeded: seed.Seeded, is_named: bool) -> Iterator[str]:
        """What is said of the secrets, which nobody will see again."""
        if self.dry_run:
            yield "This was a rehearsal: nothing was changed."
            return
        if not seeded.is_new and not is_named:
            yield "The tenant was here already; its clients, APIs and users stay as they are."
        for client_id, secret in secrets.items():
            yield f"client_id={client_id} client_secret={secret}"
        if secrets:
            yield "Keep these secrets: only their digests are stored. `seed --new-secrets` replaces them."
        elif not seeded.is_new:
            yield "Secrets are printed once, when they are made. `seed --new-secrets` makes new ones."


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


class Logs(Settings):
    """Show what happened, newest last, under the codes of Auth0's log: s, fp, seacft, ferrt and the like."""

    last: int = Field(default=50, ge=1, le=100_000, description="How many to show.")
    as_json: bool = Field(default=False, description="One JSON object a line, with Auth0's member names.")

    def cli_cmd(self) -> None:
        database = _prepared(self)
        with database.read() as db:
            rows = journal.read_last(db, self.last)
        for row in rows:
            _say(json.dumps(as_log(row)) if self.as_json else as_line(row))
        if not rows:
            _say("Nothing has happened yet.")


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
    logs: CliSubCommand[Logs]
    outbox: CliSubCommand[Outbox]
    doctor: CliSubCommand[Doctor]

    def cli_cmd(self) -> None:
        CliApp.run_subcommand(self)


def main(arguments: list[str]) -> None:
    """Run one command. Exits with status 2 and the reason when it cannot."""
    arguments = ["--as-json" if argument == "--json" else argument for argument in arguments]
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
    seed.prepare(database, settings, read_tenant(settings.tenant), system_clock)
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
