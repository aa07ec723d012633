"""Fixtures: the plugin's own, as somebody who installed it has them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import api
from authserver.pytest_plugin import authserver, authserver_host, pytest_generate_tests
from authserver.testing.handle import Authserver
from authserver.testing.live import LiveServer

__all__ = ["authserver", "authserver_host", "pytest_generate_tests"]

AUDIENCE = "https://notes.example/api"


@pytest.fixture
def live() -> Iterator[LiveServer]:
    """A server of this test's own, to look into."""
    server = LiveServer()
    yield server
    server.close()


@pytest.fixture
def api_of(tmp_path: Path) -> Iterator[Callable[[Authserver], TestClient]]:
    """Our resource API in front of an issuer."""
    with ExitStack() as running:

        def start(of: Authserver) -> TestClient:
            values = {"issuer": of.issuer, "database_url": f"sqlite:///{tmp_path}/{of.name}.db"}
            app = api.create_app(api.Settings.model_validate(values))
            return running.enter_context(TestClient(app, raise_server_exceptions=False))

        yield start
