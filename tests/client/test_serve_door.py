"""The door of the page: names, origins, forms and limits, before any room is reached.

Rooms: client/serve/door.py, client/serve/visit.py, client/serve/slow_peers.py
"""

import socket
from contextlib import ExitStack
from dataclasses import replace

import httpx2
import pytest

from client.serve.slow_peers import PATIENCE
from client.serve.visit import BODY_SECONDS, MAX_FORM
from client.settings import Settings
from tests.client.conftest import Clock
from tests.client.fake_server import FakeApi, FakeIssuer
from tests.client.serving import Browser, Served, token_file, words

REBINDING = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.:{port}",
    "127.0.0.1:{port}.evil.example",
    "[::1]",
    "0.0.0.0:{port}",
    "",
]


@pytest.fixture
def browser(served: Served) -> Browser:
    return served.browser()


@pytest.mark.parametrize("host", REBINDING)
def test_CL2_under_a_foreign_name_there_is_nothing(served: Served, browser: Browser, host: str) -> None:
    """DNS rebinding: a page of another name that resolves to this machine reads nothing and sends nothing."""
    browser.log_in()
    headers = {"Host": host.format(port=served.port)}
    for path in ("/", "/callback?state=x", "/static/notes.css", "/login/x", "/nothing"):
        answer = browser.get(path, headers=headers)
        assert answer.status_code == 421
        assert "set-cookie" not in answer.headers
        assert served.origin in answer.text
    token = browser.form_token()
    answer = browser.raw_post("/notes", {"form_token": token, "text": "x"}, Origin=served.origin, **headers)
    assert answer.status_code == 421


def test_two_hosts_or_none(served: Served) -> None:
    for lines in ("", f"Host: 127.0.0.1:{served.port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
            assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_answered_under_any_name(served: Served, browser: Browser, path: str) -> None:
    for host in (f"127.0.0.1:{served.port}", f"client:{served.port}"):
        answer = browser.get(path, headers={"Host": host})
        assert (answer.status_code, answer.text) == (200, "ok\n")


def test_not_ready_when_the_store_cannot_be_used(browser: Browser, settings: Settings) -> None:
    browser.log_in()
    token_file(settings).chmod(0o644)
    assert browser.get("/readyz").status_code == 503
    assert browser.get("/healthz").status_code == 200
    page = browser.get()
    assert page.status_code == 500
    assert "chmod 600" in words(page)


@pytest.mark.parametrize("alias", ["localhost", "[::1]"])
def test_the_other_names_lead_to_the_one_that_has_the_cookies(served: Served, browser: Browser, alias: str) -> None:
    """Before a login starts: its answer comes back to 127.0.0.1, where a cookie of localhost would be missing."""
    headers = {"Host": f"{alias}:{served.port}"}
    answer = browser.get("/?x=y", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (302, served.origin + "/")
    assert "set-cookie" not in answer.headers
    for path in ("/callback?code=c&state=s", "/login/x", "/static/notes.css"):
        assert browser.get(path, headers=headers).status_code == 421
    assert browser.http.post("/login", headers=headers).status_code == 421


def test_LO3_what_every_answer_carries(browser: Browser, issuer: FakeIssuer) -> None:
    browser.log_in()
    answers = [
        browser.get(path)
        for path in ("/", "/nothing", "/callback", "/static/notes.css", "/healthz", "/notes", "/logged-out")
    ]
    answers.append(browser.get(headers={"Host": "evil.example"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert f"form-action 'self' {issuer.origin}" in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert answers[3].headers["content-type"].startswith("text/css")


def test_the_policy_has_no_ipv6_literal(settings: Settings, clock: Clock) -> None:
    """CSP's grammar knows none, and a source that cannot be read allows nothing."""
    served = Served(replace(settings, issuer="http://[::1]:9000/"), clock)
    try:
        assert served.browser().get().headers["content-security-policy"].endswith("form-action 'self' http:")
    finally:
        served.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/login", "/notes", "/notes/delete", "/refresh", "/logout"])
def test_LO1_forms_of_other_sites_are_not_obeyed(
    served: Served, browser: Browser, api: FakeApi, path: str, headers: dict[str, str]
) -> None:
    browser.log_in()
    held, calls = served.store.load(), len(api.requests)
    sent = {"form_token": browser.form_token(), "text": "x", "id": "n1"}
    calls = len(api.requests)
    answer = browser.raw_post(path, sent, **{name: value.format(port=served.port) for name, value in headers.items()})
    assert answer.status_code == 403
    assert "another site" in words(answer)
    assert served.store.load() == held
    assert len(api.requests) == calls


@pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1:{port}"}, {"Sec-Fetch-Site": "same-origin"}], ids=str)
def test_one_true_word_of_the_browser_is_enough(served: Served, browser: Browser, headers: dict[str, str]) -> None:
    sent = {"form_token": browser.form_token()}
    answer = browser.raw_post(
        "/login", sent, **{name: value.format(port=served.port) for name, value in headers.items()}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/login", "/notes", "/notes/delete", "/refresh", "/logout"])
def test_LO1_a_form_needs_the_token_of_its_browser(served: Served, browser: Browser, api: FakeApi, path: str) -> None:
    browser.log_in()
    held = served.store.load()
    others = served.browser().form_token()
    browser.get()
    calls = len(api.requests)
    for token in ("", "0" * 64, others, "é"):
        sent = {"form_token": token, "text": "x", "id": "n1"}
        answer = browser.raw_post(path, sent, Origin=served.origin)
        assert answer.status_code == 403
        assert "form is not from the page" in words(answer)
    assert browser.raw_post(path, {"text": "x", "id": "n1"}, Origin=served.origin).status_code == 403
    assert served.store.load() == held
    assert len(api.requests) == calls


def test_a_browser_that_keeps_no_cookies_is_told(served: Served, browser: Browser) -> None:
    token = browser.form_token()
    browser.http.cookies.clear()
    answer = browser.raw_post("/login", {"form_token": token}, Origin=served.origin)
    assert answer.status_code == 403
    assert "cookies allowed" in words(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"text=" + b"x" * MAX_FORM, 413),
        (b"&".join(b"f%d=1" % number for number in range(100)), 400),
        (b"text=a&text=b", 400),
        (b"form_token=a&form_token=b", 400),
        (b"text=%ff", 400),
        (b"text=\xff", 400),
        (b"", 403),
    ],
    ids=["too long", "too many", "twice", "token twice", "no UTF-8", "no ASCII", "empty"],
)
def test_HT1_forms_that_are_not_read(served: Served, browser: Browser, api: FakeApi, body: bytes, status: int) -> None:
    browser.log_in()
    calls = len(api.requests)
    headers = {"Origin": served.origin, "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.http.post("/notes", content=body, headers=headers).status_code == status
    chunked = browser.http.post("/notes", content=iter([body]), headers=headers)
    assert chunked.status_code == status
    assert len(api.requests) == calls


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", None])
def test_other_kinds_of_bodies_are_not_read(served: Served, browser: Browser, kind: str | None) -> None:
    headers = {"Origin": served.origin} | ({"Content-Type": kind} if kind else {})
    assert browser.http.post("/login", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/static/", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404),
        ("/notes", 405),
        ("/logout", 405),
        ("/login/", 404),
        ("//evil.example", 404),
        ("/docs", 404),
    ],
)
def test_addresses_that_lead_nowhere_are_pages_with_a_way_on(browser: Browser, path: str, status: int) -> None:
    answer = browser.http.get(httpx2.URL(browser.origin).copy_with(raw_path=path.encode()))
    assert answer.status_code == status
    assert "To the notes" in words(answer)
    assert "location" not in answer.headers


@pytest.mark.parametrize("cookie", ["x", "é", '"quoted"', "x" * 5000, "x" * 42 + "\\"])
def test_cookies_that_are_none_of_ours(served: Served, cookie: str) -> None:
    names = [f"understudy-notes-{served.port}-{which}" for which in ("browser", "session")]
    sent = "; ".join(f"{name}={cookie}" for name in names).encode("latin-1")
    answer = httpx2.get(served.origin, headers=[(b"cookie", sent)], trust_env=False)
    assert answer.status_code == 200
    assert names[0] in answer.headers["set-cookie"], "it gets one that is"


@pytest.mark.thorough("it waits twenty seconds")
def test_HT2_slow_peers_are_closed_and_others_served(served: Served, browser: Browser) -> None:
    """Silent, slow in the headers, slow in the headers of a second request, slow in the body: each ends in 10 to 30 s."""
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nOrigin: {served.origin}\r\n"
    body = head + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nform_token=x"
    second = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n" + head
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60)) for _ in range(100)
        ]
        for connection, sent in zip(slow, ("", head, second, body), strict=False):
            connection.sendall(sent.encode())
        assert browser.get().status_code == 200
        received = [b"".join(iter(lambda: connection.recv(65536), b"")) for connection in slow]  # noqa: B023 - used at once
    assert browser.get().status_code == 200
    # Reading above ended by the server's closing, not by the socket's minute; the row asks for 10 to 30 seconds.
    assert 10 <= PATIENCE <= 30
    assert 10 <= BODY_SECONDS <= 30
    assert received[0] == b""
    assert received[1] == b""
    assert received[2].startswith(b"HTTP/1.1 200 ")
    assert received[3].startswith(b"HTTP/1.1 408 ")
    assert b"took too long" in received[3]


def test_an_endless_head_is_refused(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
