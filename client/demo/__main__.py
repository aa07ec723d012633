"""`python -m client.demo`: start both servers on a throw-away directory and tell the story.

In a terminal a person logs in with their browser; with HEADLESS=1, or without a terminal, a scripted person does.
Exit status 0 only if every step did what it should.
"""

import os
import signal
import sys
import tempfile
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.markup import escape

from client.app import NativeApp
from client.demo.services import ServiceFailedError, running
from client.demo.story import StepFailedError, Story
from client.demo.telling import Teller
from client.errors import ClientError
from client.settings import Settings
from client.store import open_store


def main() -> int:
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        tell(console, by_hand=_has_person())
    except KeyboardInterrupt:
        console.print("\nStopped. Servers, tokens and databases of the demo are gone.")
        return 130
    except StepFailedError as problem:
        console.print(f"\n[bold red]✗ Step {problem.step} failed.[/]")
        console.print(f"  expected: {escape(problem.expected)}\n  got:      {escape(problem.got)}")
        return 1
    except (ServiceFailedError, ClientError) as problem:
        console.print(f"\n[bold red]✗[/] {escape(str(problem))}", soft_wrap=True)
        return 1
    return 0


def tell(console: Console, *, by_hand: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as name, ExitStack() as stack:
        directory = Path(name)
        teller = Teller(console)
        teller.opening(by_hand=by_hand)
        issuer = stack.enter_context(
            running(
                "authserver",
                "serve",
                environment={"AUTHSERVER_DATABASE_URL": f"sqlite:///{directory / 'authserver.db'}"},
                directory=directory,
            )
        )
        issuer = issuer.rstrip("/") + "/"
        api = stack.enter_context(
            running(
                "api",
                environment={"API_DATABASE_URL": f"sqlite:///{directory / 'api.db'}", "API_ISSUER": issuer},
                directory=directory,
            )
        )
        teller.say(f"Both servers are up: authorization server {issuer}, API {api}.")
        settings = Settings(issuer=issuer, api_url=api, token_dir=str(directory / "tokens"), token_store="file")
        app = NativeApp(settings, open_store(settings), on_exchange=teller.record)
        Story(app, teller, open_browser=webbrowser.open if by_hand else None).run()


def _has_person() -> bool:
    return os.environ.get("HEADLESS") != "1" and sys.stdin.isatty() and sys.stdout.isatty()


def _leave(number: int, _frame: FrameType | None) -> None:
    """As an exception, so that every `with` on the way out closes what it opened."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
