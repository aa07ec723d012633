"""The documents that are made and not written: `make docs` writes them, `test_docs` fails when one is stale."""

from tests.documents.auth0 import compatibility_page
from tests.documents.dialects import dialects_page
from tests.documents.layout import ROOT
from tests.documents.map import SERVICES, DocumentError, map_page, tests
from tests.documents.problems import problems_page
from tests.documents.settings import settings_page
from tests.documents.tenant_import import tenant_import_page
from tests.documents.wrong_tokens import wrong_tokens_page

__all__ = ["ROOT", "SERVICES", "DocumentError", "documents", "stale", "tests"]


def documents() -> dict[str, str]:
    """Every generated page: its path, and its text as it should be."""
    return {
        "docs/map.md": map_page(),
        "docs/dialects.md": dialects_page(),
        "docs/settings.md": settings_page(),
        "docs/problems.md": problems_page(),
        "docs/auth0-compatibility.md": compatibility_page(),
        "docs/tenant-import.md": tenant_import_page(),
        "docs/wrong-tokens.md": wrong_tokens_page(),
    }


def stale() -> list[str]:
    """The pages that are not what they should be."""
    return [path for path, text in documents().items() if not (ROOT / path).is_file() or _held(path) != text]


def _held(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")
