"""TLS on the authorization server (RFC 9325), and what may not be combined with it (security case DE7).

Rooms: authserver/tls.py, authserver/serve.py, authserver/settings.py
"""

import socket
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest
from pydantic import ValidationError

from authserver.__main__ import main
from authserver.settings import Settings
from authserver.slow_peers import PATIENCE
from tests.authority import Authority
from tests.conftest import Prepared
from tests.processes import served
from tests.stage import Browser, Pkce, answer, http_client, request_parameters


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.mark.parametrize("workers", [1, 2])
def test_DE7_the_whole_login_over_tls(prepared: Prepared, authority: Authority, tmp_path: Path, workers: int) -> None:
    """The issuer is https by itself, cookies are bound to it, and no address in between falls back to http."""
    options = (*authority.options, "--workers", str(workers))
    with served(tmp_path, *options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server:
        assert server.issuer.startswith("https://127.0.0.1:")
        browser, pkce = Browser(server.issuer), Pkce()
        browser.http.close()
        with http_client(verify=authority.context) as browser.http:
            document = browser.get(server.issuer + ".well-known/openid-configuration").json()
            assert document["issuer"] == server.issuer
            assert not [value for value in document.values() if str(value).startswith("http://")]
            page = browser.get(document["authorization_endpoint"], **request_parameters(pkce))
            cookie = page.headers["set-cookie"]
            assert cookie.startswith("__Host-")
            assert "; Secure" in cookie
            code = answer(browser.decide(browser.log_in(page)))["code"]
            redemption = {
                "grant_type": "authorization_code",
                "client_id": "native-app",
                "code": code,
                "code_verifier": pkce.verifier,
                "redirect_uri": request_parameters(pkce)["redirect_uri"],
            }
            assert browser.http.post(document["token_endpoint"], data=redemption).status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")  # which is the point
def test_rfc9325_3_1_1_nothing_older_than_tls_1_2(prepared: Prepared, authority: Authority, tmp_path: Path) -> None:
    with served(tmp_path, *authority.options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server:
        address = urlsplit(server.issuer)
        spoken = {version: _speak(version, authority, address) for version in ("TLSv1_1", "TLSv1_2", "TLSv1_3")}
    assert spoken == {"TLSv1_1": "refused", "TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}


def _speak(version: str, authority: Authority, address: SplitResult) -> str | None:
    """What a client that knows this version alone gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.itself)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that it is the server who refuses
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=address.hostname) as over_tls:
                return over_tls.version()
        except ssl.SSLError:
            return "refused"


@pytest.mark.thorough("it waits twenty seconds")
def test_HT2_a_handshake_that_never_ends_is_cut_and_others_are_served(
    prepared: Prepared, authority: Authority, tmp_path: Path
) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # the beginning of a ClientHello
    with (
        served(tmp_path, *authority.options, AUTHSERVER_DATABASE_URL=prepared.copy(tmp_path)) as server,
        http_client(verify=authority.context) as http,
        ExitStack() as stack,
    ):
        address = urlsplit(server.issuer)
        silent = [
            stack.enter_context(socket.create_connection((address.hostname or "", address.port or 0), PATIENCE + 20))
            for _ in range(200)
        ]
        silent[0].sendall(hello)
        assert http.get(server.issuer + "healthz").status_code == 200
        # Reading ends by the server's closing, not by the socket's patience, which is longer.
        assert {connection.recv(1) for connection in silent} == {b""}
        assert http.get(server.issuer + "healthz").status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


def refusal(capsys: pytest.CaptureFixture[str], *options: object) -> str:
    """What `serve` says when it does not start: one line, status 2."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", "0", *map(str, options)])
    assert ended.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    return written.err


def test_what_is_no_pair_is_refused_in_one_line(
    authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cert, key = authority.certificate, authority.key
    junk, other, locked = tmp_path / "junk.pem", tmp_path / "other.pem", tmp_path / "locked.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    other.mkdir()
    other = Authority(other).key
    lock = ["openssl", "pkey", "-aes128", "-passout", "pass:x", "-in", str(key), "-out", str(locked)]
    subprocess.run(lock, check=True, capture_output=True)
    assert "needed together" in refusal(capsys, "--tls-cert", cert)
    assert "needed together" in refusal(capsys, "--tls-key", key)
    assert "there is no file" in refusal(capsys, "--tls-cert", tmp_path / "absent", "--tls-key", key)
    assert "there is no file" in refusal(capsys, "--tls-cert", tmp_path, "--tls-key", key)
    assert "must hold" in refusal(capsys, "--tls-cert", junk, "--tls-key", key)
    assert "must hold" in refusal(capsys, "--tls-cert", cert, "--tls-key", junk)
    assert "not encrypted" in refusal(capsys, "--tls-cert", cert, "--tls-key", locked)
    assert "is not the key of" in refusal(capsys, "--tls-cert", cert, "--tls-key", other)
    assert "authorities" in refusal(capsys, "--ca-file", junk)
    assert "there is no file" in refusal(capsys, "--ca-file", tmp_path / "absent")
    contradiction = refusal(capsys, "--tls-cert", cert, "--tls-key", key, "--issuer", "http://localhost:9000/")
    assert "contradicts tls_cert" in contradiction


def test_DE7_tls_here_or_in_front(authority: Authority) -> None:
    here: dict[str, Any] = {"tls_cert": authority.certificate, "tls_key": authority.key}
    assert Settings(**here).resolved().issuer == "https://localhost:9000/"
    assert Settings(**here, port=0).resolved(bound=1234).issuer == "https://127.0.0.1:1234/"
    assert Settings(**here, host="0.0.0.0").serves_tls  # no allow_insecure_listen is needed
    assert Settings(**here, issuer="https://auth.example.com/").serves_tls
    in_front = Settings(issuer="https://auth.example.com/")
    assert not in_front.serves_tls
    assert in_front.resolved().issuer == "https://auth.example.com/"
    with pytest.raises(ValidationError, match="allow_insecure_listen"):
        Settings(issuer="https://auth.example.com/", host="0.0.0.0")


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As compose files write it."""
    for name in ("TLS_CERT", "TLS_KEY", "CA_FILE", "ISSUER", "PORT", "ALLOWED_HOSTS", "ALLOW_INSECURE_LISTEN"):
        monkeypatch.setenv(f"AUTHSERVER_{name}", "")
    assert Settings() == Settings.model_construct()
