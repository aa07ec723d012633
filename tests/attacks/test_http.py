"""HT1-HT10: the layer below OAuth, where two readers of one request must not understand it differently."""

import gzip
import json
from collections.abc import Callable

import pytest

from tests.attacks.judge import (
    ask,
    cookie,
    interaction_of,
    is_error_page,
    json_error,
    logged_in,
    nothing_changes,
    on_sqlite,
    raw,
    status_of,
)
from tests.stage import CALLBACK, Pkce, Stage, answer

pytestmark = on_sqlite

FORM = "application/x-www-form-urlencoded"
PAGES = ("/authorize", "/u/login", "/u/consent", "/activate", "/activate/confirm")
POSTS = ("/oauth/token", "/oauth/revoke", "/oauth/device/code", *PAGES, "/userinfo")


def refused_in_words(path: str, response_status: int, text: str) -> bool:
    return response_status in (400, 413, 415) and ('id="error"' in text if path in PAGES else '"error"' in text)


def test_HT1_what_is_too_large_is_refused_before_it_is_parsed(stage: Stage) -> None:
    many = "&".join(f"a{number}=" for number in range(20_000))
    huge = b"client_id=native-app&token=" + b"x" * (300 * 1024)
    with nothing_changes(stage):
        for path in POSTS:
            for body in (many.encode(), huge):
                response = stage.http.post(path, content=body, headers={"Content-Type": FORM})
                assert refused_in_words(path, response.status_code, response.text), path
            chunked = stage.http.post(path, content=iter([huge[:1000], huge[1000:]]), headers={"Content-Type": FORM})
            assert refused_in_words(path, chunked.status_code, chunked.text), path
            bomb = gzip.compress(b"x" * 10_000_000)
            squeezed = stage.http.post(path, content=bomb, headers={"Content-Type": FORM, "Content-Encoding": "gzip"})
            assert refused_in_words(path, squeezed.status_code, squeezed.text), path
    members = {f"a{number}": "" for number in range(10_000)} | {"client_id": "native-app"}
    for text in (json.dumps(members), "[" * 100_000, '{"a":' * 50_000, '{"client_id": ' + "9" * 5000 + "}"):
        response = stage.http.post("/oauth/token", content=text, headers={"Content-Type": "application/json"})
        assert json_error(response) == (400, "invalid_request")


def test_HT4_an_ambiguous_request_is_refused(stage: Stage) -> None:
    host = stage.issuer.split("/")[2].encode()
    body = b"client_id=native-app&token=x"
    length = str(len(body)).encode()
    post = b"POST /oauth/revoke HTTP/1.1\r\nContent-Type: " + FORM.encode() + b"\r\n"
    good = post + b"Host: " + host + b"\r\nContent-Length: " + length + b"\r\n\r\n" + body
    assert status_of(raw(stage, good)) == 200
    ambiguous = {
        "two lengths": post
        + b"Host: "
        + host
        + b"\r\nContent-Length: "
        + length
        + b"\r\nContent-Length: 3\r\n\r\n"
        + body,
        "list of lengths": post + b"Host: " + host + b"\r\nContent-Length: " + length + b", 3\r\n\r\n" + body,
        "signed length": post + b"Host: " + host + b"\r\nContent-Length: +" + length + b"\r\n\r\n" + body,
        "two hosts": post
        + b"Host: "
        + host
        + b"\r\nHost: "
        + host
        + b"\r\nContent-Length: "
        + length
        + b"\r\n\r\n"
        + body,
        "another host": post + b"Host: evil.test\r\nContent-Length: " + length + b"\r\n\r\n" + body,
        "no host": post + b"Content-Length: " + length + b"\r\n\r\n" + body,
        "no host, old": post.replace(b"1.1", b"1.0") + b"Content-Length: " + length + b"\r\n\r\n" + body,
        "unknown coding": post + b"Host: " + host + b"\r\nTransfer-Encoding: x\r\n\r\n" + body,
        "chunked twice": post + b"Host: " + host + b"\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "space before colon": post + b"Host: " + host + b"\r\nContent-Length : " + length + b"\r\n\r\n" + body,
        "control in a header": post
        + b"Host: "
        + host
        + b"\r\nX: a\x00b\r\nContent-Length: "
        + length
        + b"\r\n\r\n"
        + body,
        "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    }
    for name, request in ambiguous.items():
        assert status_of(raw(stage, request)) in (400, 421, None), name


FORGED = (
    {"X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "444"},
    {"Forwarded": "host=evil.test;proto=https", "X-Original-Host": "evil.test", "X-Host": "evil.test"},
    {
        "X-Forwarded-Prefix": "/evil",
        "X-Rewrite-URL": "/evil",
        "X-Original-URL": "/evil",
        "X-Forwarded-Server": "evil.test",
    },
)


def test_HT5_no_header_says_who_we_are(stage: Stage) -> None:
    plain = stage.http.get("/.well-known/openid-configuration").json()
    browser = stage.browser()
    for forged in FORGED:
        assert stage.http.get("/.well-known/openid-configuration", headers=forged).json() == plain
        redirect = browser.http.get(stage.issuer + "authorize", params=stage.parameters(), headers=forged)
        assert redirect.headers["location"].startswith(stage.issuer + "u/login?")
        assert "secure" not in redirect.headers.get("set-cookie", "").lower()
        page = browser.http.get(redirect.headers["location"], headers=forged)
        assert "evil" not in page.text + str(page.headers)
        silent = stage.http.get("/authorize", params=stage.parameters(prompt="none"), headers=forged)
        assert answer(silent)["iss"] == stage.issuer


def test_HT5_another_allowed_name_is_no_other_identity(raise_stage: Callable[..., Stage]) -> None:
    stage = raise_stage(allowed_hosts=("understudy.test", "authserver:9000"))
    plain = stage.http.get("/.well-known/openid-configuration").json()
    for name in ("understudy.test", "authserver:9000", "UNDERSTUDY.test"):
        headers = {"Host": name}
        assert stage.http.get("/.well-known/openid-configuration", headers=headers).json() == plain
        assert (
            answer(stage.http.get("/authorize", params=stage.parameters(prompt="none"), headers=headers))["iss"]
            == plain["issuer"]
        )
        asked = stage.http.get("/authorize", params=stage.parameters(), headers=headers)
        assert asked.headers["location"].startswith(stage.issuer + "u/login?")
    assert stage.http.get("/.well-known/openid-configuration", headers={"Host": "understudy.test:1"}).status_code in (
        400,
        421,
    )


def test_HT5_an_unknown_host_is_served_nothing(stage: Stage) -> None:
    host = stage.issuer.split("/")[2]
    port = host.partition(":")[2]
    unknown = (
        "evil.test",
        f"evil.test:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"localhost:{port}",
        f"127.0.0.1.evil.test:{port}",
        f"{host}.evil.test",
        f"user@{host}",
        f"{host}@evil.test",
        f"{host}, evil.test",
        f"{host}/",
        f"[::ffff:127.0.0.1]:{port}",
        f"127.1:{port}",
        f"169.254.169.254:{port}",
    )
    with nothing_changes(stage):
        for name in unknown:
            for path in (
                "/.well-known/openid-configuration",
                "/.well-known/jwks.json",
                "/authorize",
                "/static/icon.svg",
                "/x",
            ):
                response = stage.http.get(path, headers={"Host": name}, params=stage.parameters())
                assert response.status_code in (400, 421), name
                assert "location" not in response.headers
                assert "evil" not in response.text
            posted = stage.http.post("/oauth/token", headers={"Host": name}, data={"client_id": "native-app"})
            assert posted.status_code in (400, 421), name
    absolute = f"GET http://evil.test/.well-known/openid-configuration HTTP/1.1\r\nHost: {host}\r\n\r\n"
    assert b"http://evil.test" not in raw(stage, absolute.encode())


def test_HT6_cors_for_programs_by_registration_and_never_with_credentials(stage: Stage) -> None:
    registered, foreign = "http://localhost:3000", "https://evil.test"
    for origin in (registered, foreign, "null"):
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        for path in ("/authorize", "/authorize/resume", "/u/login", "/u/consent", "/"):
            for response in (stage.http.options(path, headers=headers), stage.http.get(path, headers=headers)):
                assert not [name for name in response.headers if name.startswith("access-control")], path
        for path in ("/oauth/token", "/oauth/revoke"):
            data = {"client_id": "native-app", "token": "x"}
            for response in (
                stage.http.options(path, headers=headers),
                stage.http.post(path, data=data, headers=headers),
            ):
                allowed = response.headers.get("access-control-allow-origin")
                assert allowed == (origin if origin == registered else None), (path, origin)
                assert "origin" in response.headers["vary"].lower()
                assert "access-control-allow-credentials" not in response.headers
        for path in ("/.well-known/openid-configuration", "/.well-known/jwks.json", "/userinfo"):
            response = stage.http.get(path, headers=headers)
            assert response.headers["access-control-allow-origin"] == "*", path
            assert "access-control-allow-credentials" not in response.headers
    for near in (
        "http://localhost:3000/",
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost:3000.evil.test",
    ):
        response = stage.http.post("/oauth/token", data={"client_id": "spa"}, headers={"Origin": near})
        assert "access-control-allow-origin" not in response.headers, near


def test_HT7_no_address_but_the_exact_one_answers_and_nothing_is_cached(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    good = {"grant_type": "authorization_code", "client_id": "native-app", "code": code, "redirect_uri": CALLBACK}
    good["code_verifier"] = pkce.verifier
    near = ("/x.css", "/", ";x", "%2f", "%00", "/..%2ftoken", ".json", "%20")
    with nothing_changes(stage):
        for suffix in near:
            response = stage.http.post("/oauth/token" + suffix, data=good)
            assert (response.status_code, response.headers["cache-control"]) == (404, "no-store"), suffix
        for path in ("/OAUTH/TOKEN", "//oauth/token", "/oauth//token", "/x/../oauth/token%2f", "/oauth%2ftoken/"):
            response = stage.http.post(stage.issuer.removesuffix("/") + path, data=good)
            assert response.status_code in (404, 405), path
        for path in ("/authorize/x.css", "/authorize/", "/u/login/style.css", "/userinfo/x.js", "/authorize/resume/"):
            assert stage.http.get(path, params=stage.parameters()).status_code == 404, path
    browser = stage.browser()
    login = browser.follow(stage.authorize(browser))
    steps = [
        stage.authorize(stage.browser()),
        login,
        browser.submit(login, username="alice@example.com", password="understudy"),
    ]
    assert [name for step in steps for name in step.headers if name == "set-cookie"]
    for step in steps:
        assert step.headers["cache-control"] == "no-store"
    assert stage.http.post("/oauth/token", data=good).status_code == 200


def test_HT7_static_files_are_only_those(stage: Stage) -> None:
    assert stage.http.get("/static/understudy.css").status_code == 200
    for path in (
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static//etc/passwd",
        "/static/",
        "/static",
    ):
        said = raw(stage, f"GET {path} HTTP/1.1\r\nHost: {stage.issuer.split('/')[2]}\r\n\r\n".encode())
        assert status_of(said) in (404, 405), path
        assert b"BaseSettings" not in said
        assert b"root:" not in said


def test_HT8_no_secret_is_logged(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    pkce, browser = Pkce(), stage.browser()
    code = stage.code(pkce, browser=browser, state="canary-state")
    tokens = stage.redeem(code, pkce).json()
    stage.refresh(tokens["refresh_token"])
    stage.refresh(tokens["refresh_token"])
    stage.revoke("canary-token")
    stage.token(client_secret="canary-secret")
    secrets = [
        code,
        pkce.verifier,
        *tokens.values(),
        browser.http.cookies[cookie(browser, "session")],
        "canary",
        "understudy",
    ]
    logged = "".join(capfd.readouterr())
    assert not [secret for secret in secrets if str(secret) in logged]
    rows = json.dumps([stage.rows("SELECT * FROM events"), stage.snapshot()], default=repr)
    kept = [
        code,
        pkce.verifier,
        tokens["refresh_token"],
        tokens["access_token"],
        browser.http.cookies[cookie(browser, "session")],
    ]
    assert not [secret for secret in kept if secret in rows]


def test_HT10_types_and_headers_are_right_and_nothing_is_left_open(stage: Stage) -> None:
    browser = logged_in(stage)
    page = browser.follow(stage.authorize(browser))
    answers = {
        "text/html; charset=utf-8": [page, ask(stage, client_id="<b>")],
        "application/json": [
            stage.http.get("/.well-known/openid-configuration"),
            stage.http.get("/.well-known/jwks.json"),
            stage.token(grant_type="<script>"),
            stage.http.get("/oauth/token"),
            stage.http.get("/nothing<script>"),
            stage.userinfo(stage.tokens()["access_token"]),
        ],
        "text/plain; charset=utf-8": [stage.userinfo("x"), stage.http.get("/healthz"), stage.http.get("/readyz")],
    }
    for content_type, responses in answers.items():
        for response in responses:
            assert response.headers["content-type"] == content_type, response.url
            assert response.headers["x-content-type-options"] == "nosniff", response.url
            assert "server" not in response.headers
            assert "x-powered-by" not in response.headers
    for path in (
        "/docs",
        "/redoc",
        "/openapi.json",
        "/docs/oauth2-redirect",
        "/debug",
        "/_testing",
        "/_testing/clock",
        "/admin",
        "/.env",
    ):
        for method in ("GET", "POST"):
            assert stage.http.request(method, path).status_code == 404, path
    assert is_error_page(browser.get(f"{stage.issuer}u/login?state={interaction_of(page)}x"))
