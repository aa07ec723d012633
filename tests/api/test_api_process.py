"""`python -m api` as its users see it: one READY line, one line per mistake, a clean end."""

import json
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.api.fake_issuer import FakeIssuer, ec_key

ROOT = Path(__file__).parents[2]


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("API_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **variables}


def refused(tmp_path: Path, *flags: str, **variables: str) -> str:
    """What a start that must fail says."""
    command = [sys.executable, "-m", "api", "--port", "0", *flags]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(**variables), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("api: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@contextmanager
def serving(tmp_path: Path, *flags: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "api", "--port", "0", *flags]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = re.fullmatch(r"READY (https?://\S+[^/])\n", process.stdout.readline())
            assert ready is not None
            yield process, ready[1]
        finally:
            process.kill()


def hang_up_in_the_middle(url: str, token: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    lines = ("POST /notes HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}")
    head = "\r\n".join((*lines, "Content-Type: application/json", "Content-Length: 100", "", '{"text": '))
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())


def test_starts_says_ready_once_and_stops_with_zero(tmp_path: Path, issuer: FakeIssuer) -> None:
    now = int(time.time())
    token = issuer.token(iat=now, exp=now + 600)
    with serving(tmp_path, "--issuer", issuer.url) as (process, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        with httpx2.Client(trust_env=False) as http:  # and keeps its connection open meanwhile
            assert http.get(f"{url}/public").status_code == 200
            assert http.get(f"{url}/me?access_token=canary").status_code == 400
            assert http.get(f"{url}/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
            hang_up_in_the_middle(url, token)
            assert http.get(f"{url}/public").status_code == 200
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert "canary" not in err
    assert (tmp_path / ".understudy").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".understudy/notes.db").stat().st_mode & 0o777 == 0o600


def test_the_flag_wins_over_the_environment(tmp_path: Path) -> None:
    flags = ("--database-url", f"sqlite:///{tmp_path}/flag.db")
    variables = {"API_DATABASE_URL": f"sqlite:///{tmp_path}/variable.db", "API_CA_FILE": ""}
    with serving(tmp_path, *flags, **variables):
        assert (tmp_path / "flag.db").exists()
        assert not (tmp_path / "variable.db").exists()


@pytest.mark.parametrize(
    ("flag", "value", "says"),
    [
        ("port", "x", "--port"),
        ("port", "65536", "--port"),
        ("issuer", "ftp://a/", "--issuer"),
        ("issuer", "http://a/?b", "--issuer"),
        ("issuer", "http://a:b@c/", "--issuer"),
        ("issuer", "http://a b/", "--issuer"),
        ("issuer", "http://[::1", "--issuer"),
        ("issuer", "http:///", "--issuer"),
        ("metadata-url", "nothing", "--metadata-url"),
        ("database-url", "mysql://a/b", "sqlite or postgresql"),
        ("database-url", "nothing", "--database-url"),
        ("database-url", "sqlite://", "must name a file"),
        ("database-url", "postgresql://u:hidden@127.0.0.1:1/x", "the database cannot be used"),
        ("tls-cert", "/dev/null", "needed together"),
        ("ca-file", "/nowhere.pem", "no such file"),
        ("host", "nowhere.invalid", "cannot listen"),
        ("require-at-jwt", "maybe", "require"),
        ("log-level", "loud", "--log-level"),
        ("log-format", "xml", "--log-format"),
        ("docs-client-id", "\u00e4", "--docs-client-id"),
        ("no-such-flag", "1", "no-such-flag"),
    ],
)
def test_a_bad_setting_is_one_line_and_status_two(tmp_path: Path, flag: str, value: str, says: str) -> None:
    reason = refused(tmp_path, f"--{flag}={value}" if flag == "require-at-jwt" else f"--{flag}", value)
    assert says in reason
    assert "hidden" not in reason


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    assert "API_ISSUER" in refused(tmp_path, API_ISSUER="issuer")
    assert "API_REQUIRE_AT_JWT" in refused(tmp_path, API_REQUIRE_AT_JWT="perhaps")


def test_help_teaches(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "api", "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0
    for words in ("--issuer", "API_ISSUER", "--require-at-jwt", "--metadata-url", "--ca-file", "--tls-cert"):
        assert words in done.stdout


def test_an_empty_client_switches_the_docs_off(tmp_path: Path) -> None:
    for variables, status in (({}, 200), ({"API_DOCS_CLIENT_ID": ""}, 404)):
        with serving(tmp_path, **variables) as (_, url), httpx2.Client(trust_env=False) as http:
            assert http.get(f"{url}/docs").status_code == status


@pytest.mark.parametrize("wanted", ["json", "text"])
def test_what_is_logged_is_for_programs_or_for_people(tmp_path: Path, issuer: FakeIssuer, wanted: str) -> None:
    with serving(tmp_path, "--issuer", issuer.url, "--log-format", wanted) as (process, url):
        with httpx2.Client(trust_env=False) as http:
            http.get(f"{url}/me?canary", headers={"Authorization": f"Bearer {issuer.token(exp=1)}"})
            http.get(f"{url}/healthz")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    lines = err.splitlines()
    (line,) = (each for each in lines if "/me" in each)
    assert "The access token has expired" in line
    assert "canary" not in err
    assert "/healthz" not in err
    if wanted == "json":
        assert all({"event", "level", "timestamp", "logger"} <= json.loads(each).keys() for each in lines)
    else:
        assert "route=/me" in line


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    for content in (b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000):
        file.write_bytes(content)
        assert "database" in refused(tmp_path, "--database-url", f"sqlite:///{file}")
        assert file.read_bytes() == content


def test_a_database_with_a_damaged_page_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    flags = ("--database-url", f"sqlite:///{file}")
    with serving(tmp_path, *flags) as (process, _):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\x5a" * 4096
    file.write_bytes(content)
    assert "damaged" in refused(tmp_path, *flags) or "malformed" in refused(tmp_path, *flags)


def test_a_database_with_damage_where_nobody_looks_yet_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    flags = ("--database-url", f"sqlite:///{file}")
    with serving(tmp_path, *flags) as (process, _):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    connection = sqlite3.connect(file)
    rows = [(f"{number:032x}", "auth0|alice", "x" * 1000, number) for number in range(200)]
    connection.executemany("INSERT INTO notes (id, sub, text, created_at) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = file.read_bytes()
    middle = len(content) // 8192 * 4096
    file.write_bytes(content[:middle] + b"\x5a" * 4096 + content[middle + 4096 :])
    assert "damaged" in refused(tmp_path, *flags)


def test_a_database_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "notes.db") as connection:
        connection.execute("CREATE TABLE notes (something TEXT)")
    connection.close()
    assert "no such column" in refused(tmp_path, "--database-url", f"sqlite:///{tmp_path}/notes.db")


def test_an_unusable_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file" in refused(tmp_path, "--database-url", f"sqlite:///{tmp_path}/file/notes.db")
    assert "directory" in refused(tmp_path, "--database-url", f"sqlite:///{tmp_path}").lower()


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen" in refused(tmp_path, "--port", str(taken.getsockname()[1]))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    key, name = ec_key("tls"), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(built.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert_file, key_file


def test_serves_https_and_trusts_the_ca_file(
    tmp_path: Path, issuer: FakeIssuer, certificate: tuple[Path, Path]
) -> None:
    cert, key = map(str, certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    issuer.server.socket = context.wrap_socket(issuer.server.socket, server_side=True)
    url = f"https://localhost:{issuer.server.server_port}"
    issuer.metadata = {"issuer": f"{url}/", "jwks_uri": f"{url}/.well-known/jwks.json"}
    flags = ("--tls-cert", cert, "--tls-key", key, "--issuer", f"{url}/", "--host", "localhost")
    trust = ssl.create_default_context(cafile=cert)
    for trusting, status in (((), 503), (("--ca-file", cert), 200)):
        with serving(tmp_path, *flags, *trusting) as (_, base), httpx2.Client(verify=trust, trust_env=False) as http:
            assert base.startswith("https://localhost:")
            assert http.get(f"{base}/readyz").status_code == status


def test_a_bad_certificate_is_refused(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = map(str, certificate)
    (tmp_path / "no.pem").write_text("no certificate")
    assert "certificate" in refused(tmp_path, "--tls-cert", str(tmp_path / "no.pem"), "--tls-key", key)
    assert "certificate" in refused(tmp_path, "--tls-cert", key, "--tls-key", cert)
    assert "certificate" in refused(tmp_path, "--ca-file", str(tmp_path / "no.pem"))
