"""The containers of a set-up, as the Docker engine knows them: environment, published ports, and the files they are
from.

What runs counts, not what a file says: a file may have been changed since, or another one was used.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from authserver.doctor.dial import Outcome

Role = Literal["authserver", "api", "client"]
_ROLES: tuple[Role, ...] = ("authserver", "api", "client")
_SECONDS = 30
_LABEL = "com.docker.compose"

IMAGE_MARK = "UNDERSTUDY_CONTAINER"
"""A variable that our image sets."""

Run = Callable[[list[str]], str]
"""Runs a command and answers what it printed; raises OSError or subprocess.SubprocessError."""


@dataclass(frozen=True, slots=True)
class Container:
    """One running container of ours. `ports`: container port → the addresses (IP, port) where the host publishes it."""

    id: str
    service: str
    role: Role
    environment: dict[str, str]
    ports: dict[int, list[tuple[str, int]]]
    files: tuple[Path, ...]
    state: str

    def setting(self, name: str) -> str:
        """An environment variable; empty when it is not set."""
        return self.environment.get(name, "")

    def published(self, variable: str, default: int) -> list[tuple[str, int]]:
        """Where the host publishes the port that `variable` names."""
        return self.ports.get(int(self.setting(variable) or default), [])

    def inside(self, variable: str, default: int, tls: str) -> str:
        """The URL under which other containers dial it."""
        scheme = "https" if self.setting(tls) else "http"
        return f"{scheme}://{self.service}:{self.setting(variable) or default}/"


def containers(run: Run) -> list[Container]:
    """Our containers on this machine's engine; none when there is no engine or no `docker` command.

    COMPOSE_PROJECT_NAME chooses among several projects, as it does for Compose.
    """
    project = os.environ.get("COMPOSE_PROJECT_NAME")
    label = f"{_LABEL}.project={project}" if project else f"{_LABEL}.service"
    try:
        ids = run(["docker", "ps", "--quiet", "--no-trunc", "--filter", f"label={label}"]).split()
        described = json.loads(run(["docker", "inspect", *ids])) if ids else []
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return sorted(filter(None, map(_container, described)), key=lambda each: _ROLES.index(each.role))


def ask_inside(container: Container, url: str, ca_file: str, run: Run) -> Outcome:
    """Dial `url` from inside the container."""
    try:
        told = run(["docker", "exec", container.id, "python", "-m", "authserver.doctor.dial", url, ca_file])
        return Outcome(**json.loads(told))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        return Outcome(url, failure="unusable", detail=f"docker exec did not work: {error}")


def run_command(command: list[str]) -> str:
    """The real `Run`."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603 - fixed words, ids and URLs; no shell
    return done.stdout


def _container(described: dict[str, Any]) -> Container | None:
    config, labels = described["Config"], described["Config"].get("Labels") or {}
    words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    role = next((role for role in _ROLES if role in words), None)
    environment = dict(pair.partition("=")[::2] for pair in config.get("Env") or ())
    if role is None or IMAGE_MARK not in environment:  # others may well run something called "api"
        return None
    health = (described["State"].get("Health") or {}).get("Status")
    return Container(
        id=described["Id"],
        service=labels.get(f"{_LABEL}.service", ""),
        role=role,
        environment=environment,
        ports={
            int(inside.partition("/")[0]): [(each["HostIp"], int(each["HostPort"])) for each in outside or ()]
            for inside, outside in (described["NetworkSettings"].get("Ports") or {}).items()
        },
        files=tuple(map(Path, filter(None, labels.get(f"{_LABEL}.project.config_files", "").split(",")))),
        state=health or described["State"]["Status"],
    )


def line_of(name: str, container: Container | None, value: str) -> str:
    """The line that gives a variable its value, as it should read: `FILE:NUMBER: text`. Aliases are followed.

    Where no file sets it, the line to add, and where.
    """
    if container is None:
        return f"{name}={value}"
    found = _search(re.compile(rf"\s*(?:-\s+)?{re.escape(name)}\s*[:=]\s*(?P<value>\S+)"), container.files)
    if found and found.value.startswith("*"):
        anchor = re.compile(rf".*&{re.escape(found.value[1:])}\s+(?P<value>\S+)")
        found = _search(anchor, [found.file]) or found
    if found is None:
        return f"{name}: {value}   (new, under `environment` of the service {container.service})"
    return f"{found.file.name}:{found.number}: {found.line.replace(found.value, value, 1).strip()}"


@dataclass(frozen=True, slots=True)
class _Found:
    file: Path
    number: int
    line: str
    value: str


def _search(pattern: re.Pattern[str], files: Iterable[Path]) -> _Found | None:
    """In the last file that has it: later ones override earlier ones."""
    last = None
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for number, line in enumerate(lines, 1):
            if match := pattern.match(line):
                last = _Found(file, number, line, match["value"])
    return last
