"""Redaction: no secret of any flow is in what a test can read of its tenant, and what helps to understand still is."""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from starlette.datastructures import Headers

from authserver.store.outbox import mails
from authserver.testing.handle import Authserver, Control
from authserver.testing.live import LiveServer
from authserver.testing.redaction import MOST, MOST_SEEN, Redaction
from tests.harness.application import DEVICE_MEMBERS, Application
from tests.stage import http_client

SECRET = "v1.M" + "aB3_-x9Z" * 8
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
FINGERPRINT = re.compile(r"#[0-9a-f]{12}")


def secrets_of(live: LiveServer, tenant: Authserver) -> dict[str, str]:
    """Plays every flow of a tenant, and collects all that nobody else may have."""
    tv, app = Application(tenant, "tv", **DEVICE_MEMBERS), Application(tenant, confidential=True)
    login = app.login(browser="laptop", state="a-state-of-my-own", nonce="a-nonce-of-my-own")
    assert login._redemption
    tokens = login.tokens()
    rotated = app.refresh(tokens["refresh_token"]).json()
    opaque = app.login(audience=None, scope="openid", browser="laptop").tokens()["access_token"]
    told = tv.device()
    tv.approve(told["user_code"])
    assert tv.poll(told["device_code"]).status_code == 200
    app.login(password="a-password-that-is-wrong")
    with http_client() as http:
        lost = {"grant_type": "authorization_code", "code": "a-code-that-never-was", "code_verifier": "v" * 43}
        http.post(tenant.issuer + "oauth/token", data=lost, auth=("app", str(app.client.client_secret)))
    app.post("dbconnections/change_password", email=app.alice.email, connection="Username-Password-Authentication")
    rehearsal = live.app.state.testing_host.find(tenant.name)
    with rehearsal.tenant.database.read() as db:
        (ticket,) = [value for mail in mails(db) for _, value in parse_qsl(urlsplit(mail.link or "").query)]
        (link,) = [mail.link for mail in mails(db)]
    assert app.get(str(link).removeprefix(tenant.issuer)).status_code == 200
    session = {f"cookie {name}": str(value) for name, value in rehearsal.browsers["laptop"].items()}
    assert session
    return {
        "password": app.alice.password,
        "wrong password": "a-password-that-is-wrong",
        "wrong code": "a-code-that-never-was",
        "client_secret": str(app.client.client_secret),
        "code": login.code,
        "verifier": login._redemption.verifier,
        "state": "a-state-of-my-own",
        "nonce": "a-nonce-of-my-own",
        "ticket": ticket,
        "opaque access token": opaque,
        "device code": told["device_code"],
        "user code": told["user_code"],
        **{f"first {name}": tokens[name] for name in ("access_token", "refresh_token", "id_token")},
        **{f"second {name}": rotated[name] for name in ("access_token", "refresh_token", "id_token")},
        "ordered token": tenant.issue_token("auth0|alice", "https://notes.example/api", "read:notes"),
        **session,
    }


def misplace(tenant: Authserver, secret: str) -> None:
    """Sends it to every place where it does not belong."""
    cb, token, authorize = f"https://user:{secret}@app.example", tenant.issuer + "oauth/token", "authorize"
    with http_client() as http:
        for path in (secret, f"u/login/{secret}", f"userinfo?{secret}", f"userinfo?access_token={secret}"):
            http.get(tenant.issuer + path)
        for query in (
            {"client_id": secret},
            {"client_id": "app", "redirect_uri": f"{cb}/cb?odd={secret}#{secret}", "response_type": secret},
            {"client_id": "app", "redirect_uri": f"https://app.example/{secret}?{secret}"},
            {"client_id": "app", "redirect_uri": f"{secret}:x", "scope": f"openid {secret}."},
            {"client_id": "app", "id_token_hint": secret, "login_hint": secret, "prompt": f"none,{secret}"},
            {"client_id": ["app", secret], "scope": [secret, "openid"], secret: "1"},
        ):
            assert http.get(tenant.issuer + authorize, params=query).status_code < 500
        for body in (
            {"odd": {"deep": [secret]}, "scope": {"a": secret}, "client_id": [secret], secret: {secret: 1}},
            {"grant_type": secret, "audience": secret, "username": secret, "error_description": f"no: {secret}"},
        ):
            assert http.post(token, json=body).status_code < 500
        for text in (secret, f"client_id={secret}&client_id={secret}", f'--x\r\nname="password"\r\n\r\n{secret}\r\n'):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            assert http.post(token, content=text, headers=kind).status_code < 500
        for header in ({"AUTHORIZATION": f"bEaReR {secret}"}, {"authorization": secret}, {"User-Agent": secret}):
            assert http.post(token, headers=header).status_code < 500
        for auth in ((secret, "x"), ("app", secret)):
            assert http.post(token, auth=auth).status_code < 500


def all_that_is_told(tenant: Authserver) -> str:
    said = [tenant.call("GET", "exchanges"), tenant.call("GET", "lineage"), tenant.story()]
    with http_client() as http:
        url = f"{tenant.control.url}_testing/tenants/{tenant.name}/story"
        said.append(http.get(url, headers=tenant.control._headers).text)
    return "\n".join(each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in said)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_HT8_no_secret_of_any_flow_is_told(live: LiveServer, dialect: str) -> None:
    control = Control(live.url, live.token)
    tenant = control.make_tenant(dialect=dialect)
    secrets = secrets_of(live, tenant)
    misplaced_from = tenant.exchanges[-1].number
    for secret in secrets.values():
        misplace(tenant, secret)
    assert len(tenant.exchanges.select(endpoint="token")) > 10 * len(secrets)
    told = all_that_is_told(tenant)
    found = [name for name, secret in secrets.items() if {secret, quote(secret), json.dumps(secret)[1:-1]} & _in(told)]
    assert found == [], "told"
    assert [name for name, secret in secrets.items() if secret in told] == []
    # What helps to understand is there.
    for readable in ("alice@example.com", "openid profile offline_access read:notes", "http://127.0.0.1:8400/callback"):
        assert readable in told
    # And one secret is one fingerprint, wherever it went.
    for each in tenant.exchanges:
        if each.number > misplaced_from and each.endpoint == "authorize" and list(each.query) == ["client_id"]:
            assert FINGERPRINT.fullmatch(each.query["client_id"]), each.query
    sent_as_client = [each.query["client_id"] for each in tenant.exchanges if list(each.query) == ["client_id"]]
    presented = [each.presented["refresh_token"] for each in tenant.exchanges if "refresh_token" in each.presented]
    assert set(presented) <= set(sent_as_client)
    control.close()


def _in(told: str) -> set[str]:
    return set(re.findall(r'[^"]+', told))


def test_a_fingerprint_is_of_its_tenant(authserver_host: Control) -> None:
    shown = []
    for tenant in (authserver_host.make_tenant(), authserver_host.make_tenant()):
        with http_client() as http:
            http.post(tenant.issuer + "oauth/token", data={"refresh_token": SECRET})
        shown.append(tenant.exchanges.one(endpoint="token").body["refresh_token"])
    assert len(set(shown)) == 2


def test_a_password_cannot_be_guessed_from_its_fingerprint() -> None:
    """Whoever reads a report has no key to try passwords with."""
    assert len({Redaction().fingerprint("letmein") for _ in range(3)}) == 3


SAME: list[Callable[[Redaction], str]] = [
    lambda eyes: eyes.value("code", SECRET),
    lambda eyes: eyes.value("client_id", SECRET),
    lambda eyes: eyes.text(f"It was {SECRET}."),
    lambda eyes: eyes.text(f"openid {SECRET} profile"),
    lambda eyes: eyes.url(f"https://app.example/cb?code={SECRET}"),
    lambda eyes: eyes.url(f"https://app.example/{SECRET}#x"),
    lambda eyes: json.dumps(eyes.json(None, "", {"a": [{"b": SECRET}]})),
    lambda eyes: json.dumps(eyes.headers(Headers({"Authorization": f"Bearer {SECRET}"}))),
    lambda eyes: json.dumps(eyes.headers(Headers({"authorization": f"DPoP {SECRET}"}))),
    lambda eyes: json.dumps(eyes.pairs(((SECRET, ""),))),
]


@pytest.mark.parametrize("show", SAME)
def test_one_secret_has_one_fingerprint(show: Callable[[Redaction], str]) -> None:
    eyes = Redaction()
    said = show(eyes)
    assert eyes.fingerprint(SECRET) in said
    assert SECRET[-20:] not in said


def test_a_jwt_is_one_secret_unsigned_or_at_the_end_of_a_sentence() -> None:
    eyes, signed = Redaction(), JWT + "c2lnbmF0dXJl"
    assert eyes.text(f"not {JWT} here") == f"not {eyes.fingerprint(JWT)} here"
    assert eyes.text(f"Sent {signed}") == f"Sent {eyes.fingerprint(signed)}"


def test_what_was_a_secret_once_is_one_everywhere() -> None:
    eyes = Redaction()
    assert eyes.value("username", "hunter2-x") == "hunter2-x"
    eyes.value("password", "hunter2-x")
    for text in ("hunter2-x", "openid hunter2-x", "It is hunter2-x."):
        assert "hunter2" not in eyes.text(text), text


def test_a_user_code_is_the_same_however_it_is_typed() -> None:
    eyes = Redaction()
    shown = eyes.value("user_code", "BCDF-GHJK")
    assert eyes.value("user_code", "bcdf ghjk") == shown
    assert eyes.text("code BCDF-GHJK") == f"code {shown}"


def test_what_is_known_is_bounded() -> None:
    eyes = Redaction()
    for number in range(MOST_SEEN + 10):
        eyes.secret(f"secret-{number}")
    assert len(eyes._seen) == MOST_SEEN
    assert eyes.text("secret-3") == "secret-3"
    assert eyes.text(f"secret-{MOST_SEEN}") != f"secret-{MOST_SEEN}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://app.example/cb", "https://app.example/cb"),
        ("com.example.app://callback", "com.example.app://callback"),
        ("https://user:pw@app.example/cb", "https://app.example/cb"),
        ("https://app.example/cb?state=", "https://app.example/cb?state="),
        ("https://[", None),
        ("https:\\\\user:pw@app.example", None),
        ("https://app.example/cb#hunter2", "https://app.example/cb##…="),
        ("https://app.example/cb?next=https://x.example/?token=hunter2", "https://app.example/cb?next=#…"),
        ("https://\ud800.example/", "https://?.example/"),
    ],
)
def test_a_url_keeps_what_is_no_secret(url: str, shown: str | None) -> None:
    said = FINGERPRINT.sub("#…", Redaction().url(url))
    assert said == (shown or "#…")


def test_basic_shows_the_client_and_hides_its_secret() -> None:
    eyes = Redaction()
    said = eyes.headers(Headers({"authorization": "Basic YXBwOnMzY3JldA=="}))["authorization"]
    assert said == f"Basic app:{eyes.fingerprint('s3cret')}"


def test_empty_values_are_said_and_long_ones_cut() -> None:
    eyes = Redaction()
    assert eyes.pairs((("code", ""), ("client_id", ""))) == {"code": "", "client_id": ""}
    assert len(eyes.value("scope", "read " * 1000)) == MOST
