"""Fixtures: the live server of this worker, and a stage of its own for each test.

Whatever uses `stage` runs on SQLite and on PostgreSQL. A part of the machine that is missing is reported by name as
skipped, or, with `--require-all`, as a failure.
"""

import itertools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

import pytest

from authserver import seed
from authserver.settings import Settings
from authserver.store.engine import Database
from authserver.tenant_file import read_tenant
from tests.authority import Authority
from tests.postgres import Postgres
from tests.stage import Clock, Stage, Theatre, copy_sqlite

_numbers = itertools.count()

INSTALLED_AT = 1_700_000_000
"""When the databases were made: before the stage's time and before the machine's, whichever a test goes by."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-all", action="store_true", help="a missing PostgreSQL or browser is a failure")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test` keeps to its minutes; CI (`make test-all`) leaves nothing out."""
    for item in items:
        if (mark := item.get_closest_marker("thorough")) and not config.getoption("--require-all"):
            item.add_marker(pytest.mark.skip(reason=f"left to make test-all: {mark.args[0]}"))
    # Files that take long begin first: the last one would keep a single worker, while the others have nothing to do.
    long = {item.path for item in items if item.get_closest_marker("thorough") or _asks_for(item, "thorough")}
    items.sort(key=lambda item: item.path not in long)


def _asks_for(item: pytest.Item, fixture: str) -> bool:
    return isinstance(item, pytest.Function) and fixture in item.fixturenames


def pytest_configure() -> None:
    """One seed for the random plays, chosen before the workers start, which inherit it."""
    os.environ.setdefault("REFRESH_FAMILIES_SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_report_header() -> str:
    return f"random plays of refresh families: REFRESH_FAMILIES_SEED={os.environ['REFRESH_FAMILIES_SEED']}"


@pytest.fixture(scope="session")
def missing(request: pytest.FixtureRequest) -> Callable[[str], NoReturn]:
    """What to do when the machine lacks an optional part."""

    def say(reason: str) -> NoReturn:
        if request.config.getoption("--require-all"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)  # optional on a developer's machine, never in CI

    return say


@pytest.fixture(scope="session")
def thorough(request: pytest.FixtureRequest) -> bool:
    """CI (`make test-all`) repeats races and random plays as often as is promised; `make test` keeps to its five minutes."""
    return bool(request.config.getoption("--require-all"))


@pytest.fixture(scope="session")
def theatre() -> Iterator[Theatre]:
    theatre = Theatre()
    yield theatre
    theatre.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres(missing: Callable[[str], NoReturn]) -> Iterator[Postgres]:
    try:
        cluster = Postgres()
    except FileNotFoundError as error:
        missing(f"PostgreSQL: {error}")
    yield cluster
    cluster.close()


class Prepared(Protocol):
    """A prepared database as a template, and what was generated for it."""

    secrets: dict[str, str]

    def copy(self, directory: Path) -> str: ...


class _SqliteTemplate:
    def __init__(self, directory: Path) -> None:
        self.file = directory / "template.db"
        self.secrets = _prepare(f"sqlite:///{self.file}")

    def copy(self, directory: Path) -> str:
        target = directory / f"authserver-{next(_numbers)}.db"
        copy_sqlite(self.file, target)
        return f"sqlite:///{target}"


class _PostgresTemplate:
    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.secrets = _prepare(postgres.make("tenant_template"))

    def copy(self, _: Path) -> str:
        return self.postgres.make(f"tenant_{next(_numbers)}", "tenant_template")


def _prepare(url: str, **settings: Any) -> dict[str, str]:
    database = Database(url)
    merged = Settings(**{"database_url": url, "issuer": "http://127.0.0.1:1/", **settings})
    seeded = seed.prepare(database, merged, read_tenant(merged.tenant), lambda: INSTALLED_AT)
    database.close()
    return seeded.secrets


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> _SqliteTemplate:
    return _SqliteTemplate(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def _postgresql_template(postgres: Postgres) -> _PostgresTemplate:
    return _PostgresTemplate(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def prepared(backend: str, request: pytest.FixtureRequest) -> Prepared:
    """The prepared template of this backend; the other backend's is never made."""
    return template_of(request, backend)


def template_of(request: pytest.FixtureRequest, backend: str) -> Prepared:
    """For fixtures that outlive one test."""
    template: Prepared = request.getfixturevalue(f"_{backend}_template")
    return template


@pytest.fixture
def dialect() -> str:
    """Parametrize it to play a test in both."""
    return "auth0"


@pytest.fixture
def raise_stage(theatre: Theatre, prepared: Prepared, dialect: str, tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Make a stage with settings of the test's choice. A `tenant` of its own needs a new `database_url` too."""
    stages: list[Stage] = []

    def make(**settings: Any) -> Stage:
        issuer = f"http://127.0.0.1:{theatre.port}/"
        if "tenant" in settings:
            secrets = _prepare(settings["database_url"], tenant=settings["tenant"])
        else:
            secrets, settings = prepared.secrets, {"database_url": prepared.copy(tmp_path), **settings}
        merged = {"issuer": issuer, "dialect": dialect, **settings}
        stages.append(Stage(theatre, Settings(**merged), Clock(), secrets))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()


@pytest.fixture
def stage(raise_stage: Callable[..., Stage]) -> Stage:
    """This test's authorization server, on the demo tenant."""
    return raise_stage()
