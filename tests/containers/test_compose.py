"""The compose files from `up` to `down`, in this order: a person in a browser, the command line, a restart, a changed port."""

import json
import re

from playwright.sync_api import Page, expect

from tests.containers.conftest import Project

NOTE = "Rehearse in a container"


def log_in(window: Page, project: Project) -> None:
    window.goto(project.page)
    window.click("#login")
    expect(window).to_have_url(re.compile(re.escape(project.issuer)))
    if window.locator("#username").is_visible():
        window.fill("#username", "alice@example.com")
        window.fill("#password", "understudy")
        window.click("#login-submit")
    window.click("#consent-allow")
    expect(window).to_have_url(project.page)
    expect(window.locator("#person")).to_contain_text("alice@example.com")


def test_up_becomes_healthy(project: Project) -> None:
    project.compose("up", "--build", "--wait")
    described = json.loads(project.docker("inspect", *project.ids()))
    assert len(described) == 3
    for container in described:
        assert container["State"]["Health"]["Status"] == "healthy"
        assert container["Config"]["User"] == "10001:10001"
        assert container["HostConfig"]["ReadonlyRootfs"] is True
        assert container["HostConfig"]["CapDrop"] == ["ALL"]


def test_nobody_inside_is_root_or_can_write(project: Project) -> None:
    for service in ("authserver", "api", "client"):
        assert project.compose("exec", "-T", service, "id", "-u").strip() == "10001"
        assert "Read-only file system" in project.compose("exec", "-T", service, "sh", "-c", "echo > /app/x", status=2)
        assert project.compose("exec", "-T", service, "sh", "-c", "command -v curl wget", status=127) == ""
        assert "700" in project.compose("exec", "-T", service, "stat", "-c", "%a", "/data")


def test_a_person_logs_in_and_sees_notes(project: Project, window: Page) -> None:
    log_in(window, project)
    window.fill("#text", NOTE)
    window.click("#add")
    expect(window.locator(".notes li")).to_contain_text(NOTE)


def test_the_command_line_has_the_same_tokens(project: Project) -> None:
    assert NOTE in project.compose("run", "--rm", "-T", "client", "notes")
    assert "alice@example.com" in project.compose("run", "--rm", "-T", "client", "whoami")
    assert project.issuer in project.compose("run", "--rm", "-T", "client", "status")


def test_a_restart_loses_nothing(project: Project, window: Page) -> None:
    kids = _kids(project)
    project.compose("restart", "authserver")
    project.compose("up", "--wait")
    assert _kids(project) == kids
    assert NOTE in project.compose("run", "--rm", "-T", "client", "notes")
    project.compose("run", "--rm", "-T", "client", "refresh")
    window.reload()
    expect(window.locator(".notes li")).to_contain_text(NOTE)
    # The browser's session at the server outlived it, too: consent is asked, and no password.
    window.click("#logout")
    window.goto(project.page)
    window.click("#login")
    expect(window.locator("#consent-allow")).to_be_visible()
    window.click("#consent-allow")
    expect(window.locator(".notes li")).to_contain_text(NOTE)


def test_doctor_finds_nothing(project: Project) -> None:
    said = project.doctor(status=0)
    assert f"✓ {project.issuer} answers." in said
    assert f"✓ The app's page is {project.page}" in said
    assert "Inside the container api" in said
    assert "Inside the container client" in said
    weakened = "AUTHSERVER_ALLOW_INSECURE_LISTEN" in said
    assert weakened is not project.tls


def test_inside_the_server_doctor_says_what_it_cannot_see(project: Project) -> None:
    said = project.compose("exec", "-T", "authserver", "python", "-m", "authserver", "doctor")
    assert "only the host can tell" in said


def test_a_changed_host_port(project: Project, window: Page) -> None:
    file = project.files[-1]
    published, old = file.read_text(), project.issuer
    moved = project.ports["AUTHSERVER"] = _another_than(project.ports["AUTHSERVER"])
    inside = "9443" if project.tls else "9000"
    issuer_line = next(line for line in published.splitlines() if line.startswith("x-issuer:"))
    fixed = issuer_line.split(": &issuer ")[0] + f": &issuer {old}"
    file.write_text(published.replace(issuer_line, fixed))  # somebody moves the port and forgets the issuer
    project.compose("up", "--wait")

    said = project.doctor(status=1)
    project.issuer = old.replace(old.rsplit(":", 1)[1], f"{moved}/")
    number = published.splitlines().index(issuer_line) + 1
    mended = f"x-issuer: &issuer {project.issuer}"
    assert f"change: {file.name}:{number}: {mended}\n" in said
    assert f":{inside}" in published

    file.write_text(file.read_text().replace(fixed, mended))
    project.compose("up", "--wait")
    project.doctor(status=0)
    log_in(window, project)
    expect(window.locator(".notes li")).to_contain_text(NOTE)


def test_a_forgotten_inner_address(project: Project) -> None:
    file = project.files[-1]
    good = file.read_text()
    file.write_text(re.sub(r"API_METADATA_URL: .*", f"API_METADATA_URL: {project.issuer}", good))
    project.compose("up", "--detach", "--no-deps", "api")
    said = project.doctor(status=1)
    assert "inside a container, localhost is the container itself" in said
    assert "API_METADATA_URL: http" in said
    file.write_text(good)
    project.compose("up", "--wait")
    project.doctor(status=0)


def test_new_client_secrets_can_be_had(project: Project) -> None:
    assert "client_id=backend client_secret=" in project.compose(
        "run", "--rm", "-T", "authserver", "seed", "--new-secrets"
    )


def test_they_stop_when_they_are_told(project: Project) -> None:
    project.compose("stop")
    for container in json.loads(project.docker("inspect", *project.ids(everything=True))):
        assert container["State"]["ExitCode"] == 0, container["Name"]


def test_down_leaves_nothing_running(project: Project) -> None:
    project.compose("down")
    assert project.ids(everything=True) == []
    networks = project.docker(
        "network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project.name}"
    )
    assert networks.split() == []


def _kids(project: Project) -> list[str]:
    told = project.compose("exec", "-T", "authserver", "python", "-m", "authserver.doctor.dial", *_inside(project))
    return [key["kid"] for key in json.loads(told)["document"]["keys"]]


def _inside(project: Project) -> tuple[str, ...]:
    if project.tls:
        return ("https://authserver:9443/.well-known/jwks.json", "/run/secrets/ca")
    return ("http://authserver:9000/.well-known/jwks.json",)


def _another_than(port: int) -> int:
    return port + 1 if port < 65000 else port - 1
