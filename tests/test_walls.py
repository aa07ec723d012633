"""The walls: which room may import which, and who may know what."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Prepared

ROOT = Path(__file__).parents[1]


def test_imports_run_one_way() -> None:
    """The contracts in pyproject.toml; `make check` runs the same."""
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nobody_but_the_policies_knows_a_dialects_name() -> None:
    """Rooms ask the policy for a row; a name in a comparison would be a special case that no table shows."""
    knowing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "authserver").rglob("*.py")
        if re.search(r"""["'](auth0|rfc)["']|\bdialect\s*==""", path.read_text())
    }
    assert knowing == {
        "authserver/dialects/auth0.py",
        "authserver/dialects/rfc.py",
        "authserver/settings.py",  # where the choice is made
        "authserver/store/engine.py",  # the database's dialect, another matter
        "authserver/seed.py",  # likewise
        "authserver/store/connections.py",  # a connection's strategy, as Auth0 names it
        "authserver/store/migrations/versions/0004_database_connections.py",  # likewise
        "authserver/tenant_file/models.py",  # the strategy of a database, as Auth0 calls it
    }


def test_a_server_without_upstream_connections_loads_nothing_for_them() -> None:
    """Calling others costs half a second to import; whoever calls nobody starts without it."""
    probe = (
        "import sys, authserver.app; print([m for m in ('httpx2', 'authlib', 'lxml', 'signxml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_start_without_a_migration_loads_no_alembic(prepared: Prepared, tmp_path: Path) -> None:
    probe = (
        "import sys; from authserver.app import create_app; from authserver.settings import Settings;"
        f" create_app(Settings(database_url={prepared.copy(tmp_path)!r})); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_importing_the_package_imports_nothing_heavy() -> None:
    """It loads into other people's programs."""
    probe = "import sys, authserver; print([m for m in ('fastapi', 'sqlalchemy', 'joserfc', 'pydantic', 'structlog', 'prometheus_client', 'uvicorn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
