"""`examples/`: each started by the command of its README, with nothing but addresses changed."""

import os
import re
import signal
import subprocess
import sys

import pytest
from harness import TOKEN
from house import HERE, OUTSIDE, ROOT, authserver, needed
from proves import proves


def command(example: str) -> list[str]:
    """The first indented line of the README, which is a command."""
    readme = (ROOT / "examples" / example / "README.md").read_text(encoding="utf-8")
    return re.search(r"^    (\S.*)$", readme, re.MULTILINE)[1].split()


def environment(server, api, **more) -> dict[str, str]:
    """The machine's own, without what `make test-sdk` tells its children."""
    held = {name: value for name, value in OUTSIDE.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return {**held, "AUTH0_DOMAIN": server.issuer.removesuffix("/"), "NOTES_API": api, **more}


@proves("GET /authorize", "code_challenge", "POST /oauth/token", "grant_type=authorization_code", "grant_type=refresh_token", "invalid_grant", "GET /userinfo", "POST /oauth/revoke")  # fmt: skip
def test_cli_python(server, api):
    browser = f"{sys.executable} {HERE / 'person.py'} %s &"
    done = subprocess.run(
        command("cli-python"),
        env=environment(server, api, BROWSER=browser),
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=600,  # most of it for setting up, once
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Logged in as alice@example.com, with scope openid profile email offline_access read:notes" in done.stdout
    assert re.search(r"Refreshed; the API has \d+ notes for the new token", done.stdout)
    assert "Revoked; a refresh is now refused: Unknown or invalid refresh token." in done.stdout


@pytest.fixture
def page(server, api, ports, chromium):
    """The browser application's page, in a browser."""
    needed("npm", "npm is needed; on Debian and Ubuntu: apt install npm")
    process = subprocess.Popen(
        command("spa"),
        env=environment(server, api, PORT=str(ports.spa)),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        said = next((line for line in process.stdout if line.startswith("Open ")), "it ended")
        context = chromium.new_context()
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.goto(said.split()[1])
        yield page
        context.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)
        process.stdout.close()


def log_in(window):
    window.fill("#username", "alice@example.com")
    window.fill("#password", "understudy")
    window.click("#login-submit")
    window.click("#consent-allow", no_wait_after=True)


@proves("GET /authorize", "response_mode=query", "response_mode=web_message", "POST /oauth/token", "grant_type=authorization_code", "grant_type=refresh_token", "GET /v2/logout")  # fmt: skip
def test_spa(page):
    page.click("#login")
    log_in(page)
    page.wait_for_selector("text=Logged in as alice@example.com")
    page.fill("#text", "Buy <b>oats</b>")
    page.click("#add button")
    page.wait_for_selector("#notes li:has-text('Buy <b>oats</b>')")
    page.click("#renew")
    page.wait_for_selector("text=The access token is a new one")
    page.click("#logout")
    page.wait_for_selector("text=You are not logged in")
    with page.expect_popup() as popup:
        page.click("#login-popup")
    log_in(popup.value)
    page.wait_for_selector("#notes li:has-text('Buy <b>oats</b>')")
    assert page.locator("#error").is_hidden()


@proves("GET /.well-known/jwks.json", "POST /oauth/token", "access_token", "scope")
def test_node_vitest(tmp_path, tenant, monkeypatch):
    needed("npm", "npm is needed; on Debian and Ubuntu: apt install npm")
    monkeypatch.setenv("AUTHSERVER_TESTING", "1")
    monkeypatch.setenv("AUTHSERVER_TESTING_TOKEN", TOKEN)
    with authserver(tmp_path, tenant) as server:
        done = subprocess.run(
            command("node-vitest"),
            env=environment(server, "", AUTHSERVER_TESTING_URL=server.issuer, AUTHSERVER_TESTING_TOKEN=TOKEN),
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tests .*44 passed", done.stdout), done.stdout
