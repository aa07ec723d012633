"""Two tenants of ours, of which one is the other's client; and a provider that lies as it is told."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from authserver.settings import Settings
from tests.client.fake_server import CLIENT_ID, FakeIssuer
from tests.conftest import Prepared
from tests.stage import Stage, Theatre
from tests.upstream.traveller import CONNECTION, Traveller, connect


@pytest.fixture(scope="session")
def second_theatre() -> Iterator[Theatre]:
    theatre = Theatre()
    yield theatre
    theatre.close()


@pytest.fixture
def provider(second_theatre: Theatre, prepared: Prepared, stage: Stage, tmp_path: Path) -> Iterator[Stage]:
    """Another tenant, on the same clock; `stage` is its confidential client, by the connection `acme`."""
    issuer = f"http://127.0.0.1:{second_theatre.port}/"
    settings = Settings(issuer=issuer, dialect="rfc", database_url=prepared.copy(tmp_path))
    provider = Stage(second_theatre, settings, stage.clock, prepared.secrets)
    provider.configure_client(
        "web-app",
        callbacks=[stage.issuer + "login/callback"],
        allowed_logout_urls=[stage.issuer + "v2/logout/callback"],
    )
    connect(
        stage,
        display_name="Acme",
        options={
            "issuer": issuer,
            "client_id": "web-app",
            "client_secret": prepared.secrets["web-app"],
            "token_endpoint_auth_method": "client_secret_post",
        },
    )
    yield provider
    provider.close()


@pytest.fixture
def liar(stage: Stage) -> Iterator[FakeIssuer]:
    """A provider that says the truth until a test changes that; connected as `acme`."""
    liar = FakeIssuer(stage.clock)
    liar.metadata["authorization_response_iss_parameter_supported"] = True
    connect(
        stage,
        CONNECTION,
        display_name="Acme",
        options={"issuer": liar.issuer, "client_id": CLIENT_ID, "client_secret": "s3cret-of-acme"},
    )
    yield liar
    liar.close()


@pytest.fixture
def travel(stage: Stage) -> Iterator[Callable[..., Traveller]]:
    """Make a person whose browser goes between us and `sites`."""
    travellers: list[Traveller] = []

    def make(*sites: str, is_browser: bool = False) -> Traveller:
        travellers.append(Traveller(stage.issuer, *sites, is_browser=is_browser))
        return travellers[-1]

    yield make
    for traveller in travellers:
        traveller.http.close()
