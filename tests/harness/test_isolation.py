"""DE4: nothing of one tenant counts in another, and nothing of one can be found in another."""

import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from authserver.testing.handle import Authserver, Client, Control, Login, User
from authserver.testing.live import LiveServer
from tests.harness.conftest import AUDIENCE
from tests.stage import http_client

CANARY = "canary-7f3a9c"
SCOPE = "openid offline_access read:notes"


class Twin:
    """A tenant in which everything has the same name as in the other."""

    def __init__(self, control: Control) -> None:
        self.authserver: Authserver = control.make_tenant()
        self.authserver.add_api(AUDIENCE, ["read:notes"])
        self.alice: User = self.authserver.add_user("alice@example.com", user_id="auth0|alice")
        self.app: Client = self.authserver.register_client("app", ask_consent=False)

    def login(self) -> Login:
        return self.authserver.login(self.alice, self.app, audience=AUDIENCE, scope=SCOPE)

    def token(self, **form: str) -> httpx2.Response:
        with http_client() as http:
            return http.post(self.authserver.issuer + "oauth/token", data={"client_id": "app", **form})

    def userinfo(self, token: str) -> int:
        with http_client() as http:
            headers = {"Authorization": f"Bearer {token}"}
            return http.get(self.authserver.issuer + "userinfo", headers=headers).status_code


@pytest.fixture
def twins(authserver_host: Control) -> tuple[Twin, Twin]:
    return Twin(authserver_host), Twin(authserver_host)


def test_DE4_a_code_of_one_tenant_is_nothing_in_another(twins: tuple[Twin, Twin]) -> None:
    here, there = twins
    login = here.login()
    assert login._redemption
    form = {
        "grant_type": "authorization_code",
        "code": login.code,
        "redirect_uri": str(here.app.redirect_uri),
        "code_verifier": login._redemption.verifier,
    }
    assert there.token(**form).json()["error"] == "invalid_grant"
    assert here.token(**form).status_code == 200  # nor was it spent


def test_DE4_tokens_of_one_tenant_are_nothing_in_another(twins: tuple[Twin, Twin]) -> None:
    here, there = twins
    tokens = here.login().tokens()
    assert (here.userinfo(tokens["access_token"]), there.userinfo(tokens["access_token"])) == (200, 401)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert there.token(**refresh).json()["error"] == "invalid_grant"
    assert here.token(**refresh).status_code == 200


def test_DE4_an_api_of_one_tenant_takes_no_token_of_another(
    twins: tuple[Twin, Twin], api_of: Callable[[Authserver], TestClient]
) -> None:
    api = api_of(twins[0].authserver)
    own, foreign = (twin.authserver.issue_token("auth0|alice", AUDIENCE, "read:notes") for twin in twins)
    assert api.get("/notes", headers={"Authorization": f"Bearer {own}"}).status_code == 200
    assert api.get("/notes", headers={"Authorization": f"Bearer {foreign}"}).status_code == 401


def test_DE4_two_living_tenants_share_no_key(authserver_host: Control, twins: tuple[Twin, Twin]) -> None:
    gone = authserver_host.make_tenant()
    gone.rotate_keys()
    gone.drop()
    living = [*(twin.authserver for twin in twins), authserver_host.make_tenant(), authserver_host.make_tenant()]
    living[0].rotate_keys()
    kids = []
    with http_client() as http:
        for each in living:
            kids += [key["kid"] for key in http.get(each.jwks_uri).json()["keys"]]
    assert len(kids) == len(set(kids)) == 5


def test_DE4_a_session_of_one_tenant_is_nothing_in_another(twins: tuple[Twin, Twin]) -> None:
    """One browser, one host, one port: the cookies of both come along to each."""
    here, there = twins
    query = {"client_id": "app", "redirect_uri": str(here.app.redirect_uri), "response_type": "code"}
    challenge = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    with http_client(follow_redirects=True) as browser:
        page = browser.get(here.authserver.issuer + "authorize", params={**query, **challenge})
        state = dict(page.url.params)["state"]
        foreign = browser.get(there.authserver.issuer + "u/login", params={"state": state})
        assert foreign.status_code == 400  # an interaction of one is unknown to the other
        browser.follow_redirects = False
        form = {"username": here.alice.email, "password": here.alice.password, "state": state, "action": "default"}
        assert browser.post(page.url, data=form).status_code == 303
        silent = {**query, **challenge, "prompt": "none"}
        answers = {}
        for twin in twins:
            issuer = twin.authserver.issuer
            response = browser.get(issuer + "authorize", params=silent)
            while response.headers["location"].startswith(issuer):
                response = browser.get(response.headers["location"])
            answers[twin] = dict(httpx2.URL(response.headers["location"]).params)
        assert "code" in answers[here]
        assert answers[there]["error"] == "login_required"
        renamed = {name: value for name, value in browser.cookies.items() if name.endswith("session")}
        assert len(renamed) == 1


def test_DE4_an_id_token_of_one_tenant_is_no_hint_in_another(twins: tuple[Twin, Twin]) -> None:
    """The same `sub` is logged in at both; the foreign ID token proves nothing about it."""
    here, there = twins
    hints = [twin.login().tokens()["id_token"] for twin in twins]
    there.authserver.login(there.alice, there.app, browser="laptop")
    answers = [
        there.authserver.login(there.alice, there.app, browser="laptop", prompt="none", id_token_hint=hint)
        for hint in hints
    ]
    assert ["code" in answer.parameters for answer in answers] == [False, True]
    assert here.alice.user_id == there.alice.user_id


def test_DE4_who_is_still_at_work_does_not_find_the_next_tenant(live: LiveServer) -> None:
    """A request is in hand while its tenant is dropped and another is made; it ends without touching the other."""
    control, host = Control(live.url, live.token), live.app.state.testing_host
    gone = control.make_tenant()
    file = host.find(gone.name).tenant.database.file
    url = httpx2.URL(gone.issuer + "oauth/token")
    body = b"grant_type=authorization_code&client_id=app&code=x&code_verifier=y"
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nContent-Length: {len(body)}\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
    with socket.create_connection((url.host, url.port)) as slow:
        slow.sendall((head + kind).encode() + body[:10])
        while not host.find(gone.name).visits:
            control.call("GET", "tenants")  # until the server has begun with it
        gone.drop()
        following = control.make_tenant()
        following.register_client("app")
        assert host.find(following.name).tenant.database.file != file
        slow.sendall(body[10:])
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith((b"HTTP/1.1 503 ", b"HTTP/1.1 4")), answer
    assert following.events == []
    control.close()


def test_DE4_people_and_applications_of_one_tenant_are_unknown_in_another(twins: tuple[Twin, Twin]) -> None:
    here, there = twins
    bob = here.authserver.add_user("bob@example.com")
    only_here = here.authserver.register_client("only-here")
    assert there.authserver.login(bob, there.app).error == "Wrong email or password."
    assert there.authserver.login(there.alice, only_here).page == "authorize"
    assert [event.user_id for event in there.authserver.events if event.user_id == bob.user_id] == []


def test_DE4_a_canary_of_one_tenant_is_nowhere_in_another(live: LiveServer) -> None:
    """Planted in whatever can be planted in; looked for in the bytes of every other database, the recycled one too."""
    control = Control(live.url, live.token)
    before = control.make_tenant()
    plant(before)
    host = live.app.state.testing_host
    file = host.find(before.name).tenant.database.file
    assert CANARY in text_of(file)
    before.drop()
    assert not file.exists()
    after, other = control.make_tenant(), control.make_tenant()
    assert host.find(after.name).tenant.database.file == file, "nothing was recycled: this test looks in vain"
    for clean in (after, other, None):
        database = host.find(clean.name).tenant.database if clean else live.app.state.tenant.database
        assert CANARY not in text_of(database.file)
    plant(other)
    assert CANARY in text_of(host.find(other.name).tenant.database.file)
    assert CANARY not in text_of(file)
    assert after.events == []
    control.close()


def plant(tenant: Authserver) -> None:
    tenant.add_api(f"https://{CANARY}.example/", ["read:notes"], name=CANARY)
    app = tenant.register_client(CANARY, name=CANARY, client_metadata={"bird": CANARY})
    person = tenant.add_user(f"{CANARY}@example.com", name=CANARY, user_metadata={"bird": CANARY})
    login = tenant.login(person, app, audience=f"https://{CANARY}.example/", scope=SCOPE, browser=CANARY, state=CANARY)
    login.tokens()
    with http_client() as http:
        form = {"email": person.email, "client_id": app.client_id, "connection": "Username-Password-Authentication"}
        assert http.post(tenant.issuer + "dbconnections/change_password", data=form).status_code == 200


def text_of(file: Path) -> str:
    """Every row, and every byte that is left of one."""
    with closing(sqlite3.connect(file)) as db:
        dump = "\n".join(db.iterdump())
    files = [file.with_name(file.name + suffix) for suffix in ("", "-wal")]
    return dump + "".join(each.read_bytes().decode("latin-1") for each in files if each.exists())
