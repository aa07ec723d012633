"""A freshly started server for other people's SDKs, one line for each SDK and scenario.

These tests run in an environment of their own (`make test-sdk`); the servers run in the project's.
"""

import os
import shutil

import pytest
from catalogue import ORDER
from harness import TOKEN, steer
from house import ROOT, Authority, Ports, authserver, notes_api
from person import Person
from proves import title, told

# Two more applications than the demo tenant has: what the console offers, and these SDKs can do.
_MORE_CLIENTS = """
  - name: Notes (browser app that is trusted on this machine)
    client_id: spa-trusted
    app_type: spa
    token_endpoint_auth_method: none
    grant_types: [authorization_code, refresh_token]
    callbacks: [http://localhost:3000]
    allowed_logout_urls: [http://localhost:3000]
    web_origins: [http://localhost:3000]
    skip_non_verifiable_callback_uri_confirmation_prompt: true
    refresh_token: {rotation_type: rotating, expiration_type: expiring, leeway: 0}

  - name: Notes (web app whose refresh tokens rotate)
    client_id: web-rotating
    app_type: regular_web
    token_endpoint_auth_method: client_secret_basic
    grant_types: [authorization_code, refresh_token]
    callbacks: [http://localhost:3001/callback]
    allowed_logout_urls: [http://localhost:3001]
    refresh_token: {rotation_type: rotating, expiration_type: expiring, leeway: 0}
"""


def pytest_sessionstart():
    """What each scenario proves is there to be read."""
    told()


def pytest_report_teststatus(report, config):
    """A line for each scenario instead of a letter: `auth0-python · refresh rotates: passed`."""
    if report.when != "call" and report.outcome == "passed":
        return None
    outcome = "passed" if report.passed else "skipped" if report.skipped else "FAILED"
    file, _, name = report.location
    sdk, scenario = title(config.rootpath / file, name)
    return report.outcome, f"{sdk} · {scenario}: {outcome}\n", outcome


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Trusted by whatever this process starts, and by the HTTP clients in it."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    trust = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    before = {name: os.environ.get(name) for name in trust}
    os.environ.update(dict.fromkeys(trust, str(made.itself)))
    yield made
    for name, value in before.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def ports() -> Ports:
    return Ports()


@pytest.fixture(scope="session")
def tenant(ports) -> str:
    """The demo tenant, with its applications on this run's ports."""
    demo = (ROOT / "authserver/tenant.yaml").read_text(encoding="utf-8")
    # A server-side app on auth0-python sends a secret or a verifier, never both: the registration says so.
    web_app, behind = "    client_id: web-app\n", "\nresourceServers:"
    assert web_app in demo
    assert behind in demo
    demo = demo.replace(web_app, web_app + "    allow_insecure_missing_pkce: true\n")
    demo = demo.replace(behind, _MORE_CLIENTS + behind)
    for written, port in (("3000", ports.spa), ("3001", ports.web)):
        demo = demo.replace(f"http://localhost:{written}", f"http://localhost:{port}")
    return demo


@pytest.fixture(scope="session")
def server(tmp_path_factory, tenant):
    with authserver(tmp_path_factory.mktemp("http"), tenant) as server:
        yield server


@pytest.fixture(scope="session")
def secure_server(tmp_path_factory, tenant, authority):
    """For SDKs that insist on https."""
    with authserver(tmp_path_factory.mktemp("https"), tenant, authority) as server:
        yield server


@pytest.fixture(scope="session")
def api(tmp_path_factory, server, authority, ports):
    """The notes API's address; it takes the tokens of `server`."""
    with notes_api(tmp_path_factory.mktemp("api"), server, authority, ports) as address:
        yield address


@pytest.fixture(scope="session")
def secure_api(tmp_path_factory, secure_server, authority, ports):
    """The same for `secure_server`."""
    with notes_api(tmp_path_factory.mktemp("secure-api"), secure_server, authority, ports) as address:
        yield address


@pytest.fixture(scope="session")
def steered(tmp_path_factory, tenant, authority):
    """A server whose harness is on. Its own tenant is asked: two of the SDKs know no issuer with a path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHSERVER_TESTING", "1")
        patch.setenv("AUTHSERVER_TESTING_TOKEN", TOKEN)
        with authserver(tmp_path_factory.mktemp("steered"), tenant, authority) as server:
            yield server


@pytest.fixture(scope="session")
def good(steered):
    """What every wrong token is made from."""
    return steer(steered, "POST", "tokens", ORDER)["access_token"]


@pytest.fixture(scope="session")
def wrong(steered):
    """The whole catalogue."""
    made = steer(steered, "POST", "wrong-tokens", ORDER)
    assert len(made) >= 40
    return made


@pytest.fixture
def person(server) -> Person:
    return Person(server.issuer)


@pytest.fixture
def secure_person(secure_server) -> Person:
    return Person(secure_server.issuer, context=secure_server.context)


@pytest.fixture(scope="session")
def chromium():
    """A real browser."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.fail("A Chromium is needed; on Debian: apt install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
