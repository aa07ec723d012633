"""Security row CL7 and RFC 8414 section 3.3: a server that lies about itself is left before the browser opens."""

import itertools
import json
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from client.app import NativeApp
from client.errors import ClientError, MalformedError, SettingsError, UnavailableError
from client.settings import Settings
from client.store import MemoryStore
from client.wire import Wire, _trust
from tests.client.fake_server import Answer, FakeIssuer

WELL_KNOWN = "/.well-known/openid-configuration"


def refuses(app: NativeApp, issuer: FakeIssuer, kind: type[ClientError] = MalformedError) -> str:
    with pytest.raises(kind) as caught:
        app.begin_login()
    assert not issuer.asked("/authorize")
    return str(caught.value) + " " + caught.value.hint


@pytest.mark.parametrize("spelling", [str.upper, lambda url: url.rstrip("/"), lambda url: url + "x", lambda _: 7])
def test_CL7_issuer_must_be_identical(app: NativeApp, issuer: FakeIssuer, spelling: Callable[[str], object]) -> None:
    issuer.metadata["issuer"] = spelling(issuer.issuer)
    assert "CLIENT_ISSUER" in refuses(app, issuer)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://evil.example/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1@evil.example/x",
        "http://127.0.0.1\\@evil.example/x",
        "javascript:alert(1)",
        "",
        None,
        ["http://127.0.0.1/"],
    ],
)
def test_CL7_endpoints_are_at_the_issuer(app: NativeApp, issuer: FakeIssuer, name: str, url: object) -> None:
    issuer.metadata[name] = url
    assert name in refuses(app, issuer)


@pytest.mark.parametrize("name", ["userinfo_endpoint", "revocation_endpoint"])
def test_CL7_optional_endpoints_too(app: NativeApp, issuer: FakeIssuer, name: str) -> None:
    issuer.metadata[name] = "https://evil.example/x"
    refuses(app, issuer)


def test_CL7_http_endpoint_of_an_https_issuer_is_refused() -> None:
    from client.discovery import check

    base = "https://login.example/"
    document: dict[str, Any] = {
        "issuer": base,
        "authorization_endpoint": f"{base}authorize",
        "token_endpoint": "http://login.example/oauth/token",
        "jwks_uri": f"{base}jwks",
        "code_challenge_methods_supported": ["S256"],
    }
    with pytest.raises(MalformedError, match="plain http"):
        check(document, base)


@pytest.mark.parametrize("methods", [None, [], ["plain"], "S256", {"S256": 1}])
def test_CL7_without_S256_no_login(app: NativeApp, issuer: FakeIssuer, methods: object) -> None:
    issuer.metadata["code_challenge_methods_supported"] = methods
    assert "PKCE" in refuses(app, issuer)


def test_CL7_redirects_are_not_followed(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.routes["/elsewhere"] = issuer.routes[WELL_KNOWN]
    issuer.always(WELL_KNOWN, Answer(302, b"", {"Location": "/elsewhere"}))
    assert "302" in refuses(app, issuer)
    assert not issuer.asked("/elsewhere")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: Answer(body=good, headers={"Content-Type": "text/html"}),
        lambda good: Answer(body=good[:-1]),
        lambda good: Answer(body=b"[" + good + b"]"),
        lambda good: Answer(body=good[:-1] + b', "scopes_supported": [], "scopes_supported": []}'),
        lambda good: Answer(body=good[:-1] + b', "n": NaN}'),
        lambda good: Answer(body=good[:-1] + b', "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        lambda good: Answer(body=good[:-1] + b', "n": "\xff"}'),
        lambda good: Answer(404, good),
        lambda good: Answer(201, good),
        lambda good: Answer(body=good, headers={"Content-Encoding": "gzip"}),
        lambda good: Answer(body=good + b" " * 1024 * 1024),
    ],
    ids=["html", "cut", "list", "duplicate", "nan", "deep", "bytes", "404", "201", "compressed", "large"],
)
def test_CL7_documents_that_are_none(app: NativeApp, issuer: FakeIssuer, spoil: Callable[[bytes], Answer]) -> None:
    """Each would be a good document but for one thing."""
    issuer.always(WELL_KNOWN, spoil(json.dumps(issuer.metadata).encode()))
    refuses(app, issuer)


def test_CL7_endless_document(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.always(WELL_KNOWN, Answer(chunks=itertools.repeat(b" " * 65536)))
    assert "larger than" in refuses(app, issuer)


def test_CL7_slow_document(issuer: FakeIssuer) -> None:
    """A body that drips is given up when its time has passed, however alive each drop looks."""
    seconds = itertools.count(step=40)
    wire = Wire(httpx2.HTTPTransport(trust_env=False), {}, clock=lambda: next(seconds))
    issuer.always("/drip", Answer(chunks=iter([b" "] * 5)))
    with (
        httpx2.Client(transport=wire) as http,
        pytest.raises(httpx2.TransportError, match="not complete"),
    ):
        http.get(f"{issuer.origin}/drip")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_no_liar(app: NativeApp, issuer: FakeIssuer, status: int) -> None:
    issuer.always(WELL_KNOWN, Answer(status, {}))
    refuses(app, issuer, UnavailableError)


def test_a_server_that_is_down(issuer: FakeIssuer) -> None:
    down = Settings(issuer="http://127.0.0.1:9/")
    assert "running" in refuses(NativeApp(down, MemoryStore()), issuer, UnavailableError)


@pytest.mark.parametrize(
    "url", ["http://login.example/", "ftp://localhost/", "localhost:9000", "http://a@localhost/", "", "https://x/?a"]
)
def test_issuers_that_no_setting_may_name(url: str) -> None:
    with pytest.raises(SettingsError):
        Settings(issuer=url)


def test_two_addresses_one_identity(issuer: FakeIssuer, clock: Callable[[], float]) -> None:
    """In a container the issuer is dialled elsewhere; browser and `iss` keep the public name."""
    public = "http://localhost:9000/"
    issuer.issuer = public
    issuer.metadata = {
        name: value.replace(f"{issuer.origin}/", public) if isinstance(value, str) else value
        for name, value in issuer.metadata.items()
    }
    settings = Settings(issuer=public, issuer_internal_url=issuer.origin)
    app = NativeApp(settings, MemoryStore(), now=clock, ports=(0,))
    with app.begin_login() as pending:
        assert pending.url.startswith("http://localhost:9000/authorize?")
    answer = app.token_endpoint.refresh("r")
    assert answer.access_token == "access-1"
    assert [request.headers["host"] for request in issuer.asked("/oauth/token")] == [
        issuer.origin.removeprefix("http://")
    ]


@pytest.fixture
def _fresh_trust() -> Iterator[None]:
    """Trust is set up once per process; these tests want to see it done."""
    _trust.cache_clear()
    yield
    _trust.cache_clear()


@pytest.mark.usefixtures("_fresh_trust")
def test_CL22_no_ambient_proxy_netrc_or_certificates(
    app: NativeApp, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no-such-file"))
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    started = time.monotonic()
    _ = app.metadata
    assert time.monotonic() - started < 30
    app.token_endpoint.refresh("r")
    assert all("authorization" not in request.headers for request in issuer.requests)
    assert len(issuer.requests) == 2
    with app._http() as plain, app.token_endpoint._oauth() as oauth:
        assert plain.trust_env is oauth.trust_env is False


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tls.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return file


@pytest.mark.usefixtures("_fresh_trust")
def test_CL22_only_the_named_authority_is_trusted_besides(
    certificate: Path, clock: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    issuer = FakeIssuer(clock, tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # ambient trust counts for nothing
    try:
        strict = NativeApp(Settings(issuer=issuer.issuer), MemoryStore())
        with pytest.raises(UnavailableError, match="certificate"):
            _ = strict.metadata
        trusting = NativeApp(Settings(issuer=issuer.issuer, ca_file=str(certificate)), MemoryStore())
        assert trusting.metadata.issuer == issuer.issuer
    finally:
        issuer.close()


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CLIENT_CA_FILE"):
        Settings(ca_file=str(tmp_path / "missing"))
    (tmp_path / "junk").write_text("junk")
    app = NativeApp(Settings(ca_file=str(tmp_path / "junk")), MemoryStore())
    with pytest.raises(SettingsError, match="CLIENT_CA_FILE cannot be used"):
        _ = app.metadata
