"""A real PostgreSQL for one test worker: a cluster of its own in a temporary directory, reached by a Unix socket."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path


class Postgres:
    """Raises FileNotFoundError when the machine has no PostgreSQL server."""

    def __init__(self) -> None:
        self._bin = _binaries()
        self.directory = Path(tempfile.mkdtemp(prefix="understudy-pg-"))
        self._prefix: list[str] = []
        if os.geteuid() == 0:
            # initdb refuses to run as root.
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            self._prefix = ["runuser", "-u", "postgres", "--"]
        self._run(
            "initdb", "-D", str(self.directory / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={self.directory} -c fsync=off -c max_connections=200"
        )
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-o", options, "-l", log, "-w", "start")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def make(self, database: str, template: str = "template1") -> str:
        """A new database; returns its URL."""
        self._psql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self._psql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def close(self) -> None:
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _psql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host={self.directory} user=postgres dbname=postgres", autocommit=True) as db:
            db.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._prefix, str(self._bin / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.directory, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")


def _binaries() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise FileNotFoundError("no PostgreSQL server (initdb) on this machine")
    return versions[-1].parent
