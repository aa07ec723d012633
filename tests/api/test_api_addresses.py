"""Two addresses, one identity: whatever keeps the API from its issuer's keys is one line that says what to change."""

import json
import logging
import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.api.conftest import StartApi
from tests.api.fake_issuer import JWKS, METADATA, FakeIssuer, reply
from tests.stage import Stage


@pytest.fixture
def backend() -> str:
    """Of the real authorization server in one test; what differs between databases is tested elsewhere."""
    return "sqlite"


PUBLIC = "http://localhost:9000/"


def readiness(start_api: StartApi, caplog: pytest.LogCaptureFixture, **settings: object) -> tuple[str, str]:
    """What an API that cannot get ready tells the world, and what it tells its operator."""
    answer = start_api(**settings).get("/readyz")
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    (record,) = (each for each in caplog.records if each.getMessage() == "keys not fetched")
    assert record.levelno == logging.WARNING
    told = str(vars(record)["reason"])
    assert "\n" not in told
    public = str(answer.json()["error_description"])
    assert "127.0.0.1" not in public  # where services live inside is nobody's business
    assert "/" not in public
    return public, told


@pytest.mark.parametrize(
    "path", ["", "/", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
)
def test_the_internal_address_is_an_origin_or_a_document(start_api: StartApi, issuer: FakeIssuer, path: str) -> None:
    document = path if "well-known" in path else METADATA
    issuer.metadata = {"issuer": PUBLIC, "jwks_uri": f"{PUBLIC}.well-known/jwks.json"}
    issuer.answers[document] = lambda handler: reply(handler, json.dumps(issuer.metadata).encode())
    assert start_api(issuer=PUBLIC, metadata_url=issuer.origin + path).get("/readyz").status_code == 200
    assert issuer.requests == [document, JWKS]


def test_a_refused_host_names_the_servers_setting(
    start_api: StartApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers[METADATA] = lambda handler: reply(handler, b"{}", status=421)
    public, told = readiness(start_api, caplog, issuer=PUBLIC, metadata_url=issuer.url)
    host = issuer.origin.removeprefix("http://")
    assert told == f"{issuer.url}.well-known/openid-configuration answered 421: add {host} to AUTHSERVER_ALLOWED_HOSTS"
    assert "does not know itself by the address at which this API dials it" in public


def test_another_issuer_names_both_spellings(
    start_api: StartApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.metadata["issuer"] = "http://localhost:9000\n"
    public, told = readiness(start_api, caplog, issuer=PUBLIC, metadata_url=issuer.url)
    assert (
        "is the issuer 'http://localhost:9000\\n', and API_ISSUER is 'http://localhost:9000/': set API_ISSUER" in told
    )
    assert "another issuer answers" in public


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (lambda url: {"issuer": url}, r"does the authorization server run\?.*set API_METADATA_URL"),
        (lambda url: {"issuer": PUBLIC, "metadata_url": url}, r"is API_METADATA_URL right\?"),
        (
            lambda _: {"issuer": PUBLIC, "metadata_url": "http://authserver.invalid:9000/"},
            r"is API_METADATA_URL right\?",
        ),
    ],
    ids=["issuer", "internal", "no such host"],
)
def test_nobody_there(
    start_api: StartApi,
    caplog: pytest.LogCaptureFixture,
    settings: Callable[[str], dict[str, object]],
    advice: str,
) -> None:
    public, told = readiness(start_api, caplog, **settings(closed_port()))
    assert re.search(rf"cannot be reached \(\w+: .+\): .*{advice}", told), told
    assert "it does not answer" in public


def test_an_unknown_authority_names_the_file(
    start_api: StartApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    issuer.server.socket = context.wrap_socket(issuer.server.socket, server_side=True)
    url = issuer.url.replace("http:", "https:")
    issuer.metadata = {"issuer": url, "jwks_uri": f"{url}.well-known/jwks.json"}
    _, told = readiness(start_api, caplog, issuer=url)
    assert told.endswith("name the certificate authority with API_CA_FILE")
    caplog.clear()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    assert start_api(issuer=url, ca_file=tmp_path / "ca.pem").get("/readyz").status_code == 200


@pytest.mark.parametrize("status", [404, 500, 302])
def test_something_else_there(
    start_api: StartApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    issuer.answers[METADATA] = lambda handler: reply(handler, b"{}", status=status)
    public, told = readiness(start_api, caplog)
    assert f"answered {status}: is this the authorization server's address?" in told
    assert "what it answers cannot be used" in public


def test_the_refused_key_set_names_the_setting_too(
    start_api: StartApi, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers[JWKS] = lambda handler: reply(handler, b"{}", status=421)
    _, told = readiness(start_api, caplog)
    assert "jwks.json answered 421: add" in told


def test_the_line_of_the_log_mends_it(
    start_api: StartApi, raise_stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """The real authorization server, dialled by a name that is not its issuer's."""
    stage = raise_stage()
    dialled = stage.issuer.replace("127.0.0.1", "localhost")
    _, told = readiness(start_api, caplog, issuer=stage.issuer, metadata_url=dialled)
    host = told.partition("add ")[2].partition(" to AUTHSERVER_ALLOWED_HOSTS")[0]
    raise_stage(allowed_hosts=[host])
    assert start_api(issuer=stage.issuer, metadata_url=dialled).get("/readyz").status_code == 200
