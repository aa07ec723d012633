"""A tenant under the address by which its users know the server: a container's port on the host may be any."""

from collections.abc import Iterator

import pytest

from authserver.testing.handle import Control, HarnessError
from authserver.testing.live import LiveServer
from tests.stage import http_client

MAPPED = "http://localhost:49153/"


@pytest.fixture
def control(live: LiveServer) -> Iterator[Control]:
    control = Control(live.url, live.token)
    yield control
    control.close()


def status(live: LiveServer, path: str, host: str) -> int:
    with http_client() as http:
        return http.get(live.url + path, headers={"Host": host}).status_code


def test_its_issuer_is_what_its_users_say(control: Control, live: LiveServer) -> None:
    tenant = control.make_tenant("here", base_url=MAPPED)
    assert tenant.issuer == MAPPED + "t/here/"
    with http_client() as http:
        metadata = http.get(live.url + "t/here/.well-known/openid-configuration", headers={"Host": "localhost:49153"})
    assert metadata.json()["token_endpoint"] == MAPPED + "t/here/oauth/token"
    login = tenant.login(tenant.add_user(), tenant.register_client(), scope="openid")
    assert login.parameters["iss"] == tenant.issuer
    assert login._redemption
    assert login._redemption.token_endpoint.startswith(live.url)  # dialled where the server is


def test_DE1_another_host_is_served_as_long_as_its_tenant_lives(control: Control, live: LiveServer) -> None:
    path, host = "t/there/.well-known/jwks.json", "auth.example"
    assert status(live, path, host) == 421
    tenant = control.make_tenant("there", base_url="https://auth.example/")
    assert status(live, path, host) == 200
    assert status(live, path, "auth.example.evil.example") == 421
    tenant.drop()
    assert status(live, path, host) == 421


@pytest.fixture
def container(live: LiveServer) -> LiveServer:
    """As it is started in a container, where others than this machine reach it."""
    settings = live.app.state.testing_host.settings
    live.app.state.testing_host.settings = settings.model_copy(update={"allow_insecure_testing": True})
    return live


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:65535", "[::1]:80", "localhost"])
def test_in_a_container_loopback_is_served_on_any_port(container: LiveServer, host: str) -> None:
    assert status(container, ".well-known/jwks.json", host) == 200


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1:65535", "[::1]:80", "localhost"])
def test_DE1_elsewhere_it_is_not(live: LiveServer, host: str) -> None:
    assert status(live, ".well-known/jwks.json", host) == 421


@pytest.mark.parametrize(
    "host", ["localhost.evil.example", "127.0.0.1.evil.example:1", "evil.example:80", "", "[::1", "@"]
)
def test_DE1_what_only_looks_like_loopback_is_not(container: LiveServer, host: str) -> None:
    assert status(container, ".well-known/jwks.json", host) in (400, 421)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://evil.example/",  # not on loopback
        "http://localhost:49153",  # no slash at its end
        "http://localhost/path/",
        "http://user@localhost/",
        "http://localhost/?x",
        "ftp://localhost/",
        "http://LOCALHOST/",
        "http://localhost:0/",
        "//localhost/",
        "http:///",
    ],
)
def test_what_is_no_address_of_ours_is_refused(control: Control, base_url: str) -> None:
    with pytest.raises(HarnessError, match=r"422 .*base_url"):
        control.make_tenant(base_url=base_url)
    assert control.call("GET", "tenants") == []
