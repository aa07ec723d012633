"""Pictures for the README: `python -m tests.browser.screenshots docs/`.

Real screenshots of a real server, and the end of a real demo, side by side in one picture.
"""

import base64
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from authserver.settings import Settings
from tests.browser.visitor import Look, Visitor, find_chromium, launch
from tests.stage import ALICE, Clock, Stage, Theatre

PAGE = Look(460, "light")
LARGEST = 250_000
INK, NIGHT = (238, 237, 247), (32, 31, 46)
COLOURS = (
    NIGHT,
    (255, 140, 155),
    (140, 220, 160),
    (243, 179, 61),
    (165, 161, 255),
    (230, 150, 220),
    (120, 200, 220),
    INK,
)
SIDE_BY_SIDE = """<!doctype html><style>
body { margin: 0; padding: 28px; display: flex; gap: 28px; width: max-content; background: #e3e2ec }
figure { margin: 0; border-radius: 14px; overflow: hidden; background: #f1f1f6; display: flex; align-items: center }
figure:last-child { background: #201f2e }
img { display: block }
</style>"""
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 24px; width: max-content; background: {background}; color: {foreground} }}
pre {{ margin: 0; font: 13px/1.42 ui-monospace, "DejaVu Sans Mono", monospace }}
{stylesheet}
</style><pre>{code}</pre>"""


def main(directory: Path) -> None:
    executable = find_chromium()
    if executable is None:
        sys.exit("No Chromium on this machine.")
    told = demo()
    with sync_playwright() as playwright:
        browser = launch(playwright, executable)
        login, consent = pages(browser)
        together = side_by_side(browser, (login, consent, terminal(browser, told)))
        browser.close()
    for name, picture in (("login", login), ("consent", consent), ("understudy", together)):
        if len(picture) > LARGEST:
            sys.exit(f"{name}.png has {len(picture)} bytes; {LARGEST} are enough.")
        (directory / f"{name}.png").write_bytes(picture)


def pages(browser: Browser) -> tuple[bytes, bytes]:
    """The login page, about to be sent, and the consent page."""
    theatre = Theatre()
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{name}/authserver.db"
        issuer = f"http://127.0.0.1:{theatre.port}/"
        stage = Stage(theatre, Settings(issuer=issuer, database_url=url), Clock(), {})
        visitor = Visitor(browser, PAGE)
        visitor.open(stage)
        visitor.page.fill("#username", ALICE)
        visitor.page.fill("#password", "understudy")
        login = visitor.page.screenshot(full_page=True)
        visitor.page.click("#login-submit")
        visitor.sees("Allow access?")
        consent = visitor.page.screenshot(full_page=True)
        visitor.has_no_complaints()
        visitor.close()
        stage.close()
    theatre.close()
    return login, consent


def demo() -> str:
    """The last two steps of `make demo`, with their colours."""
    environment = {**os.environ, "HEADLESS": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-m", "client.demo"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    lines = done.stdout.rstrip().splitlines()
    headings = [number for number, line in enumerate(lines) if "───" in line]
    return "\n".join(lines[headings[-2] :])


def terminal(browser: Browser, told: str) -> bytes:
    console = Console(record=True, width=80, file=io.StringIO())
    console.print(Text.from_ansi(told))
    theme = TerminalTheme(background=NIGHT, foreground=INK, normal=list(COLOURS))
    return _picture(browser, console.export_html(theme=theme, code_format=TERMINAL))


def side_by_side(browser: Browser, pictures: tuple[bytes, ...]) -> bytes:
    images = (base64.b64encode(picture).decode() for picture in pictures)
    figures = "".join(f'<figure><img src="data:image/png;base64,{image}"></figure>' for image in images)
    return _picture(browser, SIDE_BY_SIDE + figures)


def _picture(browser: Browser, html: str) -> bytes:
    page = browser.new_page(viewport={"width": 2400, "height": 900})
    page.set_content(html, wait_until="load")
    picture = page.locator("body").screenshot()
    page.close()
    return picture


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
