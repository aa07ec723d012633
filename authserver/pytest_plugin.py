"""The pytest plugin: `authserver`, a tenant of its own for each test, and `authserver_host`, the server under it.

Left out: starting a container; `--authserver-url` names one that runs.

It is loaded in every run of an environment in which Understudy is installed, so nothing heavy is imported before a
fixture is used.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from authserver.testing.handle import Authserver, Control


PROBLEMS = ("report", "error", "off")
"""What becomes of mistakes of the client under test: told where a test fails, an error of the test, or nothing."""


@dataclass(frozen=True, slots=True)
class _Judging:
    mode: str
    ignored: tuple[str, ...]


_JUDGING = pytest.StashKey[_Judging]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; look at the settings before any test runs."""
    config.addinivalue_line(
        "markers",
        "authserver_ignores(*rules): mistakes of the client that this test makes on purpose; without rules all of them",
    )
    mode, ignored = config.getini("authserver_problems"), tuple(config.getini("authserver_ignores"))
    if mode not in PROBLEMS:
        raise pytest.UsageError(f"authserver_problems is {mode!r}; it can be {', '.join(PROBLEMS)}")
    config.stash[_JUDGING] = _Judging(mode, ignored)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The server to use instead of one in this process, and what to do about mistakes of the client under test."""
    parser.addini(
        "authserver_problems",
        "mistakes of the client under test: report (where a test fails), error (an error of the test), off",
        default=PROBLEMS[0],
    )
    parser.addini("authserver_ignores", "rules of docs/problems.md that do not count", type="args", default=[])
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
    tenant, failed_before = authserver_host.make_tenant(), request.session.testsfailed
    yield tenant
    if not tenant.is_dropped:
        try:
            _judge(tenant, request.node, has_failed=request.session.testsfailed > failed_before)
        finally:
            tenant.drop()


def _judge(tenant: "Authserver", test: pytest.Item, *, has_failed: bool) -> None:
    judging = test.config.stash.get(_JUDGING, _Judging("off", ()))
    if judging.mode == "off" or (judging.mode == "report" and not has_failed):
        return
    from authserver.testing.handle.problems import left, told

    markers = list(test.iter_markers("authserver_ignores"))
    if any(not marker.args for marker in markers):
        return
    ignored = [*judging.ignored, *(rule for marker in markers for rule in marker.args)]
    if not (found := left(tenant.problems, ignored)):
        return
    if has_failed:
        test.add_report_section("teardown", "by understudy", told(found))
    else:
        pytest.fail(told(found), pytrace=False)
