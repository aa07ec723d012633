"""The catalogue of wrong tokens: our own API refuses each of them, and takes the good one that they are made from."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from authserver.testing import forging
from authserver.testing.handle import Authserver, Control, HarnessError
from authserver.testing.live import LiveServer
from authserver.testing.wrong_tokens import CATALOGUE, WrongToken
from tests.harness.conftest import AUDIENCE

StartApi = Callable[[Authserver], TestClient]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def tenant(authserver: Authserver) -> Authserver:
    authserver.add_api(AUDIENCE, ["read:notes"])
    return authserver


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_our_api_refuses(wrong_token: WrongToken, alg: str, authserver: Authserver, api_of: StartApi) -> None:
    authserver.add_api(AUDIENCE, ["read:notes"], signing_alg=alg)
    tenant = authserver
    api = api_of(tenant)
    good = tenant.issue_token("auth0|alice", AUDIENCE, "read:notes")
    assert api.get("/notes", headers=bearer(good)).status_code == 200
    bad = tenant.wrong_token(wrong_token, AUDIENCE, "read:notes")
    response = api.get("/notes", headers=bearer(bad))
    assert response.status_code in wrong_token.statuses, wrong_token.sentence
    assert api.get("/notes", headers=bearer(good)).status_code == 200


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_each_is_wrong_in_one_thing_alone(alg: str, live: LiveServer, api_of: StartApi) -> None:
    """What they are made from is taken; so whoever refuses one has seen what its sentence says."""
    control = Control(live.url, live.token)
    tenant = control.make_tenant()
    tenant.add_api(AUDIENCE, ["read:notes"], signing_alg=alg)
    behind = live.app.state.testing_host.find(tenant.name).tenant
    good = forging.good(behind, "auth0|alice", AUDIENCE, "read:notes", "testing-client")
    assert api_of(tenant).get("/notes", headers=bearer(good.signed())).status_code == 200
    assert good.alg == alg
    assert len({forging.forge(each.name, good) for each in CATALOGUE} | {good.signed()}) == len(CATALOGUE) + 1
    control.close()


def test_the_catalogue_tells_what_why_and_where_it_is_written(authserver_host: Control) -> None:
    listed = authserver_host.call("GET", "wrong-tokens")
    assert [each["name"] for each in listed] == [each.name for each in CATALOGUE]
    assert len({each["name"] for each in listed}) == len(listed) == 40  # as docs/harness.md and the README say
    for each in listed:
        assert each["sentence"].endswith(".")
        assert each["rfc"].startswith("RFC ")
        assert all(400 <= status < 500 for status in each["statuses"])


def test_all_at_once_are_those_of_the_catalogue(tenant: Authserver) -> None:
    made = tenant.wrong_tokens(AUDIENCE, "read:notes")
    assert [each.wrong for each in made] == list(CATALOGUE)
    assert len({each.token for each in made}) == len(CATALOGUE)
    sizes = {each.wrong.name: len(each.token) for each in made}
    assert sizes["one-megabyte"] > 1024 * 1024
    parts = {each.wrong.name: each.token.count(".") + 1 for each in made}
    assert parts["jwe"] == 5
    with pytest.raises(HarnessError, match="404"):
        tenant.wrong_token("no-such-thing", AUDIENCE, "read:notes")
