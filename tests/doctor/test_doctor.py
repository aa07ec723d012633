"""`python -m authserver doctor`: which side would fail, and the line that mends it.

The authorization server is real; the Docker engine is a table of what it would print, because these tests also run
where there is none (with a real one: tests/containers).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from authserver.doctor.compose import IMAGE_MARK
from authserver.doctor.dial import Outcome, dial
from authserver.doctor.examine import examine, metadata_of
from authserver.doctor.report import Side, as_json, lines
from authserver.settings import Settings
from tests.client.fake_server import Answer, FakeServer
from tests.stage import Stage

COMPOSE = """\
x-issuer: &issuer http://localhost:9000/
services:
  authserver:
    environment:
      AUTHSERVER_ISSUER: *issuer # for all
      AUTHSERVER_ALLOWED_HOSTS: other:1
  api:
    environment:
      - API_METADATA_URL=http://localhost:9000/
"""


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no certificates lie about, and outside of the image."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(IMAGE_MARK, raising=False)


@pytest.fixture
def api() -> Iterator[FakeServer]:
    server = FakeServer()
    server.always("/readyz", Answer(body={"status": "ready"}))
    server.always("/healthz", Answer(body={"status": "ok"}))
    yield server
    server.close()


class Engine:
    """A Docker engine with these containers, in which these addresses answer so."""

    def __init__(self, tmp_path: Path) -> None:
        self.file = tmp_path / "docker-compose.yml"
        self.file.write_text(COMPOSE)
        self.containers: list[dict[str, Any]] = []
        self.answers: dict[str, Outcome] = {}

    def add(self, role: str, ports: dict[str, tuple[str, int]] | None = None, **environment: str) -> None:
        published = {inside: [{"HostIp": ip, "HostPort": str(port)}] for inside, (ip, port) in (ports or {}).items()}
        self.containers.append(
            {
                "Id": f"id-of-{role}",
                "Config": {
                    "Entrypoint": ["python", "-m", role],
                    "Cmd": None,
                    "Env": [f"{IMAGE_MARK}=1", *(f"{name}={value}" for name, value in environment.items())],
                    "Labels": {
                        "com.docker.compose.service": role,
                        "com.docker.compose.project.config_files": str(self.file),
                    },
                },
                "State": {"Status": "running"},
                "NetworkSettings": {"Ports": published},
            }
        )

    def __call__(self, command: list[str]) -> str:
        match command:
            case ["docker", "ps", *_]:
                return "\n".join(each["Id"] for each in self.containers)
            case ["docker", "inspect", *ids]:
                return json.dumps([each for each in self.containers if each["Id"] in ids])
            case ["docker", "exec", _, "python", "-m", "authserver.doctor.dial", url, _]:
                return json.dumps(asdict(self.answers[url]))
        raise AssertionError(command)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def none(_: list[str]) -> str:
    raise FileNotFoundError("docker")


def told(sides: list[Side]) -> str:
    return "\n".join(lines(sides))


def port_of(stage: Stage) -> int:
    return int(stage.issuer.rstrip("/").rpartition(":")[2])


def answers(issuer: str, address: str = "http://authserver:9000/") -> dict[str, Outcome]:
    return {metadata_of(address): Outcome(metadata_of(address), 200, {"issuer": issuer})}


def test_all_is_well(stage: Stage, api: FakeServer) -> None:
    sides = examine(Settings(issuer=stage.issuer), api.origin, run=none)
    said = told(sides)
    assert f"✓ {stage.issuer} answers." in said
    assert "signing keys are there (1)" in said
    assert f"✓ The API at {api.origin} has the issuer's keys" in said
    assert "Every side that can be seen from here works." in said
    assert as_json(sides)["works"] is True


def test_it_leaves_no_trace(stage: Stage, api: FakeServer, engine: Engine) -> None:
    engine.add("client", {"8400/tcp": ("127.0.0.1", int(api.origin.rpartition(":")[2]))}, CLIENT_ISSUER=stage.issuer)
    engine.answers = answers(stage.issuer, stage.issuer) | {
        "http://localhost:8000/healthz": Outcome("http://localhost:8000/healthz", 200)
    }
    before, events = stage.snapshot(), stage.events()
    assert "is no callback of native-app" in told(examine(Settings(issuer=stage.issuer), api.origin, run=engine))
    assert (stage.snapshot(), stage.events()) == (before, events)


def test_nothing_runs() -> None:
    sides = examine(Settings(issuer="http://127.0.0.1:1/"), "http://127.0.0.1:1", run=none)
    assert "✗ Nothing listens at http://127.0.0.1:1/" in told(sides)
    assert "change: python -m authserver serve" in told(sides)
    assert as_json(sides)["works"] is False


def test_somebody_else_answers(api: FakeServer) -> None:
    sides = examine(Settings(issuer=f"{api.origin}/"), api.origin, run=none)
    assert "is no authorization server (status 404)" in told(sides)
    assert sides[0].fails


def test_the_server_calls_itself_otherwise(stage: Stage, api: FakeServer) -> None:
    port = port_of(stage)
    stage_known_as_localhost = Settings(issuer=f"http://localhost:{port}/")
    api.always("/.well-known/openid-configuration", Answer(body={"issuer": "https://other.example/"}))
    said = told(examine(Settings(issuer=f"{api.origin}/"), api.origin, run=none))
    assert "calls itself https://other.example/" in said
    assert "change: AUTHSERVER_ISSUER=https://other.example/" in said
    # The right server under a name that it does not know: the Host gate refuses, and says so with 421.
    said = told(examine(stage_known_as_localhost, api.origin, run=none))
    assert f"does not know itself by the name localhost:{port}" in said
    assert f"AUTHSERVER_ALLOWED_HOSTS=localhost:{port}" in said


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(503, {"error_description": "The keys of the issuer are not available"}), "not ready (The keys of the"),
        (Answer(503, b"<html>"), "not ready (it does not say why)"),
        (Answer(404, {}), "does not answer (404)"),
    ],
)
def test_an_api_that_is_not_ready(stage: Stage, api: FakeServer, answer: Answer, says: str) -> None:
    api.always("/readyz", answer)
    sides = examine(Settings(issuer=stage.issuer), api.origin, run=none)
    assert says in told(sides)
    assert sides[0].fails


def test_no_api_is_no_failure(stage: Stage) -> None:
    sides = examine(Settings(issuer=stage.issuer), "http://127.0.0.1:1", run=none)
    assert "! No API at http://127.0.0.1:1. To start it: python -m api" in told(sides)
    assert not sides[0].fails


def test_a_changed_host_port_names_the_line(api: FakeServer, engine: Engine) -> None:
    engine.add("authserver", {"9000/tcp": ("127.0.0.1", 9100)}, AUTHSERVER_ISSUER="http://localhost:9000/")
    said = told(examine(Settings(), api.origin, run=engine))
    assert (
        "http://localhost:9000/ is the issuer, but the containers publish the server as http://localhost:9100/" in said
    )
    assert "change: docker-compose.yml:1: x-issuer: &issuer http://localhost:9100/\n" in said


def test_a_port_that_is_not_published(api: FakeServer, engine: Engine) -> None:
    engine.add("authserver", AUTHSERVER_ISSUER="http://localhost:1/")
    said = told(examine(Settings(), api.origin, run=engine))
    assert "no port of the container is published there" in said
    assert 'change: ports: ["127.0.0.1:' in said


CONTAINER_FAULTS: list[tuple[dict[str, str], Outcome, str, str]] = [
    (
        {"API_METADATA_URL": "http://localhost:9000/"},
        Outcome(metadata_of("http://localhost:9000/"), failure="refused", detail="refused"),
        "inside a container, localhost is the container itself",
        "docker-compose.yml:9: - API_METADATA_URL=http://authserver:9000/",
    ),
    (
        {"API_METADATA_URL": "http://nobody:9000/"},
        Outcome(metadata_of("http://nobody:9000/"), failure="unknown name", detail="no such name"),
        "cannot be reached at http://nobody:9000/: no such name",
        "docker-compose.yml:9: - API_METADATA_URL=http://authserver:9000/",
    ),
    (
        {"API_METADATA_URL": "http://authserver:9000/"},
        Outcome(metadata_of("http://authserver:9000/"), 421, {}),
        "does not know itself by the name authserver:9000",
        "docker-compose.yml:6: AUTHSERVER_ALLOWED_HOSTS: other:1,authserver:9000",
    ),
    (
        {"API_METADATA_URL": "http://authserver:9000/", "API_ISSUER": "(without its slash)"},
        Outcome(metadata_of("http://authserver:9000/"), 200, {"issuer": "(the issuer)"}),
        "every token would be refused",
        "API_ISSUER: (the issuer)   (new, under `environment` of the service api)",
    ),
    (
        {"API_METADATA_URL": "https://authserver:9000/"},
        Outcome(
            metadata_of("https://authserver:9000/"), failure="untrusted", detail="self-signed certificate in chain"
        ),
        "is not trusted here",
        "API_CA_FILE: /run/secrets/ca",
    ),
    (
        {"API_METADATA_URL": "https://authserver:9000/"},
        Outcome(metadata_of("https://authserver:9000/"), failure="untrusted", detail="Hostname mismatch, not valid"),
        "is for other names",
        "make certs",
    ),
    (
        {"API_METADATA_URL": "https://authserver:9000/"},
        Outcome(metadata_of("https://authserver:9000/"), failure="no tls", detail="wrong version number"),
        "asked with TLS, is no authorization server",
        "docker-compose.yml:9: - API_METADATA_URL=http://authserver:9000/",
    ),
]


@pytest.mark.parametrize(("environment", "outcome", "says", "mend"), CONTAINER_FAULTS)
def test_a_container_that_would_fail(
    stage: Stage, api: FakeServer, engine: Engine, environment: dict[str, str], outcome: Outcome, says: str, mend: str
) -> None:
    document = outcome.document and dict.fromkeys(outcome.document, stage.issuer)
    told_issuer = stage.issuer.rstrip("/") if "API_ISSUER" in environment else stage.issuer
    own = ("127.0.0.1", port_of(stage))
    engine.add("authserver", {"9000/tcp": own}, AUTHSERVER_ISSUER=stage.issuer, AUTHSERVER_ALLOWED_HOSTS="other:1")
    engine.add("api", None, **(environment | {"API_ISSUER": told_issuer}))
    engine.answers = {outcome.url: Outcome(**(asdict(outcome) | {"document": document}))}
    sides = examine(Settings(), api.origin, run=engine)
    (inside,) = (side for side in sides if side.name == "Inside the container api")
    assert inside.fails
    assert says in told([inside])
    assert f"change: {mend.replace('(the issuer)', stage.issuer)}" in told([inside])


def test_a_container_that_works(stage: Stage, api: FakeServer, engine: Engine) -> None:
    port = int(api.origin.rpartition(":")[2])
    engine.add("authserver", {"9000/tcp": ("127.0.0.1", port_of(stage))}, AUTHSERVER_ISSUER=stage.issuer)
    engine.add(
        "api", {"8000/tcp": ("127.0.0.1", port)}, API_ISSUER=stage.issuer, API_METADATA_URL="http://authserver:9000/"
    )
    engine.add(
        "client",
        CLIENT_ISSUER=stage.issuer,
        CLIENT_ISSUER_INTERNAL_URL="http://authserver:9000/",
        CLIENT_API_INTERNAL_URL="http://api:8000",
    )
    engine.answers = answers(stage.issuer) | {"http://api:8000/healthz": Outcome("http://api:8000/healthz", 200)}
    sides = examine(Settings(), "http://127.0.0.1:1", run=engine)
    assert f"✓ http://authserver:9000/ answers, and calls itself {stage.issuer}" in told(sides)
    assert f"The API at http://localhost:{port} has the issuer's keys" in told(sides)
    assert "✓ http://api:8000 is the API." in told(sides)
    assert not any(side.fails for side in sides)

    engine.answers["http://api:8000/healthz"] = Outcome("http://api:8000/healthz", failure="unknown name", detail="?")
    assert "CLIENT_API_INTERNAL_URL: http://api:8000   (new" in told(examine(Settings(), api.origin, run=engine))


def test_what_is_weakened_is_shown(stage: Stage, api: FakeServer, engine: Engine) -> None:
    engine.add(
        "authserver",
        {"9000/tcp": ("0.0.0.0", port_of(stage))},
        AUTHSERVER_ISSUER=stage.issuer,
        AUTHSERVER_ALLOW_INSECURE_LISTEN="1",
        AUTHSERVER_ALLOW_INSECURE_HTTP_ISSUER="0",
    )
    said = told(examine(Settings(), api.origin, run=engine))
    assert "! AUTHSERVER_ALLOW_INSECURE_LISTEN" in said
    assert "HTTP_ISSUER" not in said
    assert f"! authserver is published on 0.0.0.0:{port_of(stage)}, for everybody in your network" in said


def test_inside_the_image_it_says_what_it_cannot_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IMAGE_MARK, "1")
    sides = examine(Settings(), "http://127.0.0.1:1", run=none)
    assert "only the host can tell" in told(sides)
    assert "AUTHSERVER_ALLOWED_HOSTS: authserver:9000" in told(sides)


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://127.0.0.1:1/", "refused"),
        ("http://no-such-name.invalid/", "unknown name"),
        ("http://local host/", "unusable"),
        ("http://[::1/", "unusable"),
        ("file:///etc/passwd", "unusable"),
        ("http://localhost:1/\x00é", "unusable"),
    ],
)
def test_dialling_never_raises(url: str, failure: str) -> None:
    assert dial(url).failure == failure


def test_dialling_knows_tls_from_none(api: FakeServer) -> None:
    assert dial(api.origin.replace("http:", "https:")).failure == "no tls"
    assert dial(api.origin, "/no/such/file").failure == "unusable"


@pytest.mark.parametrize("body", [b"[]", b"null", b"<html>", b"[" * 100_000, b"\xff", b""])
def test_what_is_no_json_object_is_no_document(api: FakeServer, body: bytes) -> None:
    api.always("/x", Answer(body=body))
    outcome = dial(f"{api.origin}/x")
    assert (outcome.status, outcome.document, outcome.issuer) == (200, None, None)


def test_a_redirect_is_an_answer(api: FakeServer) -> None:
    api.always("/x", Answer(302, headers={"Location": f"{api.origin}/readyz"}, body=b""))
    outcome = dial(f"{api.origin}/x")
    assert (outcome.status, outcome.location, outcome.document) == (302, f"{api.origin}/readyz", None)
