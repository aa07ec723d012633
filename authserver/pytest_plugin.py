"""The pytest plugin: `authserver`, a tenant of its own for each test, and `authserver_host`, the server under it.

Left out: starting a container; `--authserver-url` names one that runs.

It is loaded in every run of an environment in which Understudy is installed, so nothing heavy is imported before a
fixture is used.

A test that used `authserver` and failed tells what came in and went out there, in a section of its report.
"""

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from authserver.testing.handle import Authserver, Control


_TENANT = pytest.StashKey["Authserver"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The server to use instead of one in this process."""
    group = parser.getgroup("understudy", "Understudy authorization server")
    group.addoption(
        "--authserver-url",
        default=os.environ.get("AUTHSERVER_TESTING_URL"),
        help="a running Understudy with AUTHSERVER_TESTING=1, instead of one in this process"
        " (AUTHSERVER_TESTING_URL); its token is read from AUTHSERVER_TESTING_TOKEN",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whoever asks for `wrong_token` runs once for each entry of the catalogue."""
    if "wrong_token" in metafunc.fixturenames:
        from authserver.testing.wrong_tokens import CATALOGUE

        metafunc.parametrize("wrong_token", CATALOGUE, ids=str)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The story of the test's tenant, where the test failed."""
    report = yield
    tenant = item.stash.get(_TENANT, None)
    if report.failed and report.when != "teardown" and tenant is not None and not tenant.is_dropped:
        try:
            said = tenant.story()
        except Exception as error:  # whatever it is, the test's own failure is what has to be told
            said = f"(nothing can be told: {error!r})"
        report.sections.append(("Understudy: what happened", said))
    return report


@pytest.fixture(scope="session")
def authserver_host(request: pytest.FixtureRequest) -> "Iterator[Control]":
    """This worker's server, live on a free port; or the one that `--authserver-url` names."""
    from authserver.testing.handle import Control

    url = request.config.getoption("--authserver-url", default=None)
    if url:
        control = Control(url, os.environ.get("AUTHSERVER_TESTING_TOKEN", ""))
        yield control
        control.close()
        return
    from authserver.testing.live import LiveServer

    server = LiveServer()
    control = Control(server.url, server.token)
    yield control
    control.close()
    server.close()


@pytest.fixture
def authserver(authserver_host: "Control", request: pytest.FixtureRequest) -> "Iterator[Authserver]":
    """An authorization server for this test alone: a tenant without people, applications and APIs."""
    tenant = request.node.stash[_TENANT] = authserver_host.make_tenant()
    yield tenant
    if not tenant.is_dropped:
        tenant.drop()
