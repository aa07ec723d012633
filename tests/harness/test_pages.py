"""Every snippet of the harness's pages runs: each page is a test file of somebody who installed the plugin."""

import re
from pathlib import Path

import pytest

from tests.harness.test_plugin import pytest_in

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs/harness.md", *sorted((ROOT / "docs/how-to-test").glob("*.md")))

MY_API = """
import pytest, api
from starlette.testclient import TestClient

@pytest.fixture
def my_api(authserver, tmp_path):
    settings = api.Settings(issuer=authserver.issuer, database_url=f"sqlite:///{tmp_path}/notes.db")
    with TestClient(api.create_app(settings)) as client:
        yield client
"""


def snippets(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda page: page.stem)
def test_what_the_page_says_runs(page: Path, tmp_path: Path) -> None:
    theirs = "\n\n".join(snippets(page))
    (tmp_path / "conftest.py").write_text(MY_API)
    (tmp_path / "test_theirs.py").write_text(theirs)
    said = pytest_in(tmp_path)
    assert re.search(r"^\d+ passed in", said, re.MULTILINE), said
    tests = re.findall(r"^(?:async )?def (test_\w+)", theirs, re.MULTILINE)
    assert tests
    assert len(tests) == len(set(tests)), "one name twice: only the last of them ran"
