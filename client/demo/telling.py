"""How the story is told: numbered headings with reasons, and what went over the wire since the last one."""

import threading

from rich.console import Console
from rich.text import Text

from client.telling import Screen
from client.wire import Exchange


class Teller(Screen):
    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self.step = 0
        self.title = ""

    def record(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.append(exchange)

    def take(self) -> list[Exchange]:
        with self._lock:
            taken, self._exchanges = self._exchanges, []
        return taken

    def opening(self, *, by_hand: bool) -> None:
        who = "You log in with your browser." if by_hand else "A scripted person fills in the login forms."
        self._console.print(Text("Understudy: call your API from your native app", "bold"))
        self.say(
            f"Three programs that share no code: an authorization server, an API and this native app. {who} "
            "→ is what was sent, ← what came back. Secrets are shortened. Everything lives in a throw-away directory."
        )

    def heading(self, title: str, why: str, rfc: str) -> None:
        self.step += 1
        self.title = title
        self._console.print()
        self._console.rule(Text(f"{self.step}  {title}", "bold cyan"), align="left", style="cyan")
        self.say(why)
        self._console.print(Text(rfc, "dim italic"))

    def wire(self, exchanges: list[Exchange]) -> None:
        for exchange in exchanges:
            self.exchange(exchange)
