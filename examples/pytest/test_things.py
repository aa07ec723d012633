import pytest
from starlette.testclient import TestClient
from things import AUDIENCE, create_app


@pytest.fixture
def ask(authserver):
    authserver.add_api(AUDIENCE, ["read:things", "write:things"])
    with TestClient(create_app(authserver.issuer)) as api:
        yield lambda token: api.get("/things", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_good_token(authserver, ask):
    alice, app = authserver.add_user(), authserver.register_client()
    tokens = authserver.login(alice, app, audience=AUDIENCE, scope="openid read:things").tokens()
    assert ask(tokens["access_token"]) == 200
    assert ask(tokens["id_token"]) == 401


def test_too_little_and_too_late(authserver, ask):
    assert ask(authserver.issue_token("auth0|alice", AUDIENCE, "write:things")) == 403
    authserver.clock.advance(-3600)
    assert ask(authserver.issue_token("auth0|alice", AUDIENCE, "read:things", expires_in=60)) == 401


def test_for_another_api(authserver, ask):
    other = authserver.add_api("https://other.example/api", ["read:things"])
    assert ask(authserver.issue_token("auth0|alice", other, "read:things")) == 401


def test_every_wrong_token(wrong_token, authserver, ask):
    token = authserver.wrong_token(wrong_token, AUDIENCE, "read:things")
    assert ask(token) in wrong_token.statuses, wrong_token.sentence
