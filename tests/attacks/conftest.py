"""The attacks play on SQLite, except where the database has a say: those name both backends."""

import pytest


@pytest.fixture
def backend() -> str:
    """Parametrize it with `judge.both_backends` where storage decides."""
    return "sqlite"
