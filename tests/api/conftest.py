"""Fixtures: the real application in front of a real, obedient or misbehaving, issuer."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api import Settings, create_app
from tests.api.fake_issuer import Clock, FakeIssuer

StartApi = Callable[..., TestClient]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    issuer = FakeIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def start_api(issuer: FakeIssuer, clock: Clock, tmp_path: Path) -> Iterator[StartApi]:
    """Starts an API with these settings; those of one test share a database."""
    with ExitStack() as running:

        def start(**settings: object) -> TestClient:
            values = {"issuer": issuer.url, "database_url": f"sqlite:///{tmp_path}/notes.db", **settings}
            app = create_app(Settings.model_validate(values), clock)
            return running.enter_context(TestClient(app, raise_server_exceptions=False))

        yield start


@pytest.fixture
def api(start_api: StartApi) -> TestClient:
    return start_api()
