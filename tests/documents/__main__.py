"""`python -m tests.documents [--check]`: write the generated pages, or only say which are stale."""

import sys

from rich.console import Console

from tests.documents import ROOT, DocumentError, documents, stale


def main(arguments: list[str]) -> int:
    """Write the pages; with `--check` only say which are stale."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        old = stale()
    except DocumentError as error:
        out.print(f"[bold red]✗[/] {error}")
        return 1
    if "--check" in arguments:
        out.print(f"stale: {', '.join(old)} (run make docs)" if old else "All generated pages are fresh.")
        return 1 if old else 0
    for path, text in documents().items():
        (ROOT / path).write_text(text, encoding="utf-8")
    out.print(f"Written: {', '.join(old)}." if old else "Nothing had changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
