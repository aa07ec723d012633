"""Our servers and other people's programs, as child processes that say READY."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = os.environ.get("UNDERSTUDY_PYTHON", str(ROOT / ".venv/bin/python"))
API = "https://notes.example/api"
OUTSIDE = dict(os.environ)
"""As it was before the tests' own authority came into it."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@dataclass(frozen=True)
class Ports:
    """Where the applications of the demo tenant listen in this run: whatever happens to be free."""

    spa: int = field(default_factory=free_port)
    web: int = field(default_factory=free_port)


class Authority:
    """A local certificate authority; `certificate` and `key` are a server's for localhost."""

    def __init__(self, directory: Path) -> None:
        self.itself, self.certificate, self.key = (directory / name for name in ("ca.pem", "cert.pem", "key.pem"))
        authority = trustme.CA()
        issued = authority.issue_cert("localhost")
        authority.cert_pem.write_to_path(str(self.itself))
        issued.private_key_pem.write_to_path(str(self.key))
        for pem in issued.cert_chain_pems:
            pem.write_to_path(str(self.certificate), append=True)
        self.context = ssl.create_default_context(cafile=str(self.itself))


@dataclass
class Server:
    """An authorization server of ours. `context` trusts its certificate."""

    issuer: str
    client_secrets: dict[str, str]
    context: ssl.SSLContext | None
    environment: dict[str, str]

    @property
    def domain(self) -> str:
        return self.issuer.partition("://")[2].removesuffix("/")

    def command(self, name: str) -> str:
        """`python -m authserver NAME` on this server's database."""
        command = [PYTHON, "-m", "authserver", name]
        return subprocess.run(
            command, check=True, env=self.environment, cwd=ROOT, text=True, capture_output=True
        ).stdout


@contextmanager
def running(command, environment, cwd=ROOT):
    """The process, once it has printed READY; the rest of that line. Killed at the end."""
    process = subprocess.Popen(command, env=environment, cwd=cwd, text=True, stdout=subprocess.PIPE)
    try:
        ready = process.stdout.readline().split()
        assert ready[:1] == ["READY"], (command, ready)
        yield ready[1]
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@contextmanager
def authserver(directory: Path, tenant: str, authority: Authority | None = None):
    """`python -m authserver serve`, on a new database with this tenant; under https if there is an authority."""
    port = free_port()
    (directory / "tenant.yaml").write_text(tenant)
    environment = {
        **os.environ,
        "AUTHSERVER_ISSUER": f"{'https' if authority else 'http'}://localhost:{port}/",
        "AUTHSERVER_PORT": str(port),
        "AUTHSERVER_DATABASE_URL": f"sqlite:///{directory / 'authserver.db'}",
        "AUTHSERVER_TENANT": str(directory / "tenant.yaml"),
    }
    if authority:
        environment |= {"AUTHSERVER_TLS_CERT": str(authority.certificate), "AUTHSERVER_TLS_KEY": str(authority.key)}
    server = Server(environment["AUTHSERVER_ISSUER"], {}, authority and authority.context, environment)
    server.client_secrets = dict(re.findall(r"client_id=(\S+) client_secret=(\S+)", server.command("seed")))
    with running([PYTHON, "-m", "authserver", "serve"], environment):
        yield server


@contextmanager
def notes_api(directory: Path, server: Server, authority: Authority, ports: Ports):
    """`python -m api` for this server's tokens. Its address."""
    environment = {
        **os.environ,
        "API_ISSUER": server.issuer,
        "API_PORT": "0",
        "API_DATABASE_URL": f"sqlite:///{directory / 'notes.db'}",
        "API_CA_FILE": str(authority.itself) if server.context else "",
        "API_WEB_ORIGINS": f"http://localhost:{ports.spa}",
    }
    with running([PYTHON, "-m", "api"], environment) as address:
        yield address


def call(url: str, access_token: str | None = None) -> tuple[int, dict, dict]:
    """GET at an API: status, JSON, headers."""
    headers = {"Authorization": f"Bearer {access_token}"} if access_token else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - an address of ours
        came = opener.open(asked, timeout=30)
    except urllib.error.HTTPError as error:
        came = error
    with came:
        return came.status, json.loads(came.read() or b"{}"), dict(came.headers)


def needed(command: str, sentence: str) -> str:
    """Where the program is; without it this run is a failure."""
    found = shutil.which(command)
    if found is None:
        pytest.fail(sentence, pytrace=False)
    return found


def node_command(script: str) -> list[str]:
    """`node SCRIPT` of ours, which uses somebody's SDK."""
    sentence = "Node.js 20.19 or newer is needed; on Debian and Ubuntu: apt install nodejs npm"
    program = needed("node", sentence)
    version = subprocess.run([program, "--version"], check=True, text=True, capture_output=True).stdout
    if tuple(int(part) for part in version.strip("v\n").split(".")[:2]) < (20, 19):
        pytest.fail(f"{sentence}; this one is {version.strip()}", pytrace=False)
    if not (HERE / "node/node_modules").is_dir():
        pytest.fail("npm is needed to install the SDKs; on Debian and Ubuntu: apt install npm", pytrace=False)
    return [program, f"{script}.mjs"]


def node(script: str, **environment: object):
    """The same, as something that runs: its address."""
    said = {name.upper(): str(value) for name, value in environment.items()}
    return running(node_command(script), {**os.environ, **said}, HERE / "node")
