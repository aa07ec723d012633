"""The image and the compose files, as far as they can be judged without a Docker engine (with one: tests/containers)."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.client.fake_server import Answer, FakeServer

ROOT = Path(__file__).parents[1]
SERVICES = ("authserver", "api", "client")


class _Loader(yaml.SafeLoader):
    """YAML as Compose reads it."""


def _override(loader: _Loader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


_Loader.add_constructor("!override", _override)


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    return loaded


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


def test_the_image_has_the_packages_that_were_tested_and_no_tools() -> None:
    image, tested = pins("requirements-image.lock"), pins("requirements.lock")
    assert image.items() <= tested.items()
    assert {"fastapi", "psycopg", "authlib", "typer"} <= image.keys()
    assert not {"pytest", "mypy", "ruff", "playwright", "trustme", "hypothesis"} & image.keys()


def test_every_package_in_the_image_is_checked_by_its_hash() -> None:
    text = (ROOT / "requirements-image.lock").read_text(encoding="utf-8")
    assert len(pins("requirements-image.lock")) == len(re.findall(r"==\S+.*\\\n    --hash=sha256:", text))
    assert "--require-hashes" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_what_the_image_copies_is_not_ignored() -> None:
    copied = set(re.findall(r"^COPY (?!--)(\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
    allowed = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    assert copied == allowed
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_nobody_is_root_and_nothing_can_be_written_or_gained() -> None:
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    for name, service in compose("docker-compose.yml")["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.tls.yml"])
def test_every_port_is_published_on_this_machine_alone(name: str) -> None:
    ports = [port for service in compose(name)["services"].values() for port in service.get("ports", ())]
    assert len(ports) >= 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize(("name", "scheme"), [("docker-compose.yml", "http"), ("docker-compose.tls.yml", "https")])
def test_one_issuer_for_everybody(name: str, scheme: str) -> None:
    services = compose(name)["services"]
    told = {services[each]["environment"][f"{each.upper()}_ISSUER"] for each in SERVICES}
    assert len(told) == 1
    assert next(iter(told)).startswith(f"{scheme}://localhost:")
    inside = services["api"]["environment"]["API_METADATA_URL"]
    assert inside == services["client"]["environment"]["CLIENT_ISSUER_INTERNAL_URL"]
    assert inside == f"{scheme}://{services['authserver']['environment']['AUTHSERVER_ALLOWED_HOSTS']}/"


def test_no_secret_stands_in_a_compose_file() -> None:
    for name in ("docker-compose.yml", "docker-compose.tls.yml"):
        assert not re.search(r"password|secret:|token:", (ROOT / name).read_text(encoding="utf-8"), re.IGNORECASE)
        assert "certs/\n" in (ROOT / ".gitignore").read_text(encoding="utf-8")


@pytest.mark.parametrize(("answer", "status"), [(Answer(), 0), (Answer(503), 1), (Answer(404), 1), (None, 1)])
def test_the_health_check(answer: Answer | None, status: int) -> None:
    server = FakeServer()
    if answer:
        server.always("/readyz", answer)
    else:
        server.close()
    environment = {**os.environ, "HEALTH_URL": f"{server.origin}/readyz", "http_proxy": "http://127.0.0.1:1"}
    check = [sys.executable, "-I", str(ROOT / "healthcheck.py")]
    done = subprocess.run(check, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (status, "")
    if answer:
        server.close()
