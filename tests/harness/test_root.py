"""The server's own tenant: steered like the others, shared by all, and never dropped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from authserver.testing.handle import Authserver, Client, Control, HarnessError, User
from authserver.testing.live import LiveServer
from tests.processes import served
from tests.stage import http_client

AUDIENCE = "https://notes.example/api"


@pytest.fixture
def control(live: LiveServer) -> Iterator[Control]:
    control = Control(live.url, live.token)
    yield control
    control.close()


def test_it_is_where_the_server_is(control: Control) -> None:
    root = control.root
    assert root.issuer == control.url
    with http_client() as http:
        assert http.get(root.metadata_url).json()["issuer"] == root.issuer


def test_it_is_steered_like_the_others(control: Control) -> None:
    root = control.root
    alice, app = root.add_user("alice@example.com"), root.register_client(ask_consent=False)
    root.add_api(AUDIENCE, ["read:notes"])
    root.clock.freeze(1_900_000_000)
    tokens = root.login(alice, app, audience=AUDIENCE, scope="openid read:notes").tokens()
    with http_client() as http:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert http.get(root.issuer + "userinfo", headers=headers).json()["sub"] == alice.user_id
        root.clock.advance(86400)
        assert http.get(root.issuer + "userinfo", headers=headers).status_code == 401
        kids = [key["kid"] for key in http.get(root.jwks_uri).json()["keys"]]
        assert root.rotate_keys() not in kids
    assert root.events[-1].at == 1_900_000_000
    assert [each.endpoint for each in root.exchanges][-3:] == ["userinfo", "userinfo", "jwks"]
    assert root.wrong_token("expired", AUDIENCE, "read:notes").count(".") == 2


def test_nothing_of_it_is_in_another(control: Control) -> None:
    control.root.clock.freeze(1_900_000_000)
    control.root.add_user("alice@example.com")
    other: Authserver = control.make_tenant()
    assert other.clock.now < 1_900_000_000
    assert other.exchanges == []
    other.login(other.add_user(), other.register_client())
    assert control.root.exchanges == []


def test_it_stays_and_its_name_is_its_own(control: Control) -> None:
    with pytest.raises(HarnessError, match="409 the server's own tenant stays"):
        control.root.drop()
    with pytest.raises(HarnessError, match="409 name"):
        control.make_tenant("root")
    assert control.call("GET", "tenants") == []
    with http_client() as http:
        assert http.get(control.url + "t/root/.well-known/jwks.json").status_code == 404


def test_a_tenant_of_a_file_keeps_what_is_in_it(tmp_path: Path) -> None:
    """The demo tenant, on a database that lasts: what a test adds comes to what is there."""
    token = "a-token-for-this-test-7f3a9c"
    variables = {"AUTHSERVER_TESTING_TOKEN": token, "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    with served(tmp_path, AUTHSERVER_TESTING="1", **variables) as server:
        control = Control(server.url, token)
        root = control.root
        added = root.add_user("dora@example.com")
        alice, app = (
            User("", "alice@example.com", "understudy"),
            Client("native-app", None, "http://127.0.0.1:8400/callback"),
        )
        for person in (added, alice):
            assert root.login(person, app).code
        control.close()
