"""Fixtures: the compose files, run as they are on the engine that DOCKER_HOST names, beside whatever else runs there."""

import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.visitor import ARGUMENTS, find_chromium

ROOT = Path(__file__).parents[2]
CALLBACK_PORTS = (8400, 8401, 8402)


class Project:
    """A compose project of our own. The files are copies, so that a test can change a line as a person would."""

    def __init__(self, directory: Path, *, tls: bool) -> None:
        self.tls = tls
        self.name = "understudy-test"
        self.files = [directory / name for name in ("docker-compose.yml", *(["docker-compose.tls.yml"] if tls else []))]
        for file in self.files:
            shutil.copy(ROOT / file.name, file)
        self.ports = {"AUTHSERVER": _free(), "API": _free(), "CLIENT": _free(*CALLBACK_PORTS)}
        scheme = "https" if tls else "http"
        self.issuer = f"{scheme}://localhost:{self.ports['AUTHSERVER']}/"
        self.page = f"http://127.0.0.1:{self.ports['CLIENT']}/"

    @property
    def environment(self) -> dict[str, str]:
        ports = {f"{service}_HOST_PORT": str(port) for service, port in self.ports.items()}
        return {**os.environ, **ports, "COMPOSE_PROJECT_NAME": self.name}

    def compose(self, *arguments: str, status: int = 0) -> str:
        files = [word for file in self.files for word in ("-f", str(file))]
        return self._run(["docker", "compose", *files, "--project-directory", str(ROOT), *arguments], status)

    def docker(self, *arguments: str) -> str:
        return self._run(["docker", *arguments], 0)

    def doctor(self, *, status: int) -> str:
        """`make doctor`, which knows nothing of this project but its name."""
        return self._run([sys.executable, "-m", "authserver", "doctor", "--ca-file", "certs/ca.pem"], status)

    def ids(self, *, everything: bool = False) -> list[str]:
        every = ["--all"] if everything else []
        return self.docker("ps", "--quiet", *every, "--filter", f"label=com.docker.compose.project={self.name}").split()

    def _run(self, command: list[str], status: int) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=900, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == status, f"{' '.join(command)}\n{said}"
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)


def _free(*among: int) -> int:
    for port in among or (0,):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError(f"none of the ports {among} is free: is another set-up running?")


@pytest.fixture(scope="module", params=["http", "https"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    subprocess.run([shutil.which("make") or "make", "certs"], cwd=ROOT, check=True, capture_output=True)
    project = Project(tmp_path_factory.mktemp("compose"), tls=request.param == "https")
    project.compose("down", "--volumes", "--remove-orphans")
    yield project
    if request.session.testsfailed:
        sys.stderr.write(project.compose("logs", "--no-color", "--tail", "40"))
    project.compose("down", "--volumes", "--remove-orphans")


@pytest.fixture(scope="module")
def window(project: Project) -> Iterator[Page]:
    """A browser on the host; under TLS it believes in the one certificate that `make certs` has made."""
    chromium = find_chromium()
    assert chromium, "a Chromium is needed on this machine"
    arguments = [*ARGUMENTS, *([f"--ignore-certificate-errors-spki-list={_pin()}"] if project.tls else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        context: BrowserContext = browser.new_context(viewport={"width": 1100, "height": 850})
        context.set_default_timeout(20_000)
        yield context.new_page()
        browser.close()


def _pin() -> str:
    certificate = x509.load_pem_x509_certificate((ROOT / "certs/localhost.pem").read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
