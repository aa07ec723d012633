"""The bench looks at what it is answered, and says what it found. No figure is asserted: this machine is busy."""

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import figures, report
from tests.bench.__main__ import options, play_rounds
from tests.bench.cells import BARE, DISCOVERY, JWKS, OURS, ROUTES, Contestant
from tests.bench.http import Answer, Sample, WrongAnswerError, get, play, post
from tests.bench.servers import NODE, ROOT, Server
from tests.bench.stories import Tokens, same, take

GOOD = {
    "access_token": "a.b.c",
    "id_token": "d.e.f",
    "refresh_token": "new",
    "token_type": "Bearer",
    "expires_in": 10,
    "scope": "openid read:notes write:notes",
}


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Something on a port that says `answer` to every request, and then goes on if the answer lets it."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(65536):
                self.request.sendall(answer)
                if b"ength" not in answer:
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def said(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d Whatever\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def test_a_good_answer_counts_on_every_connection() -> None:
    with answering(said(200, b"right")) as url:
        sample = play(url, [same(get(f"{url}/x?y=z"), b"right")] * 3, 0, lambda: 0.0)
    assert sample.requests == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(200, b"other"), "another body"),
        (said(500, b"right"), "status 500"),
        (said(302, b""), "status 302"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "no Content-Length"),
        (b"HTTP/1.1 200", "closed"),
    ],
)
def test_a_wrong_answer_is_no_fast_request(answer: bytes, reason: str) -> None:
    with answering(answer) as url, pytest.raises(WrongAnswerError, match=reason):
        play(url, [same(get(f"{url}/"), b"right")], 0, lambda: 0.0)


def test_a_token_response_is_taken() -> None:
    tokens = Tokens(refresh_token="old")
    take(Answer(200, b"", json.dumps(GOOD).encode()), tokens, refresh=True)
    assert tokens == Tokens("a.b.c", "d.e.f", "new")


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": "opaque"},
        {"id_token": "opaque"},
        {"id_token": None},
        {"refresh_token": "old"},
        {"refresh_token": ""},
        {"token_type": "mac"},
        {"expires_in": 0},
        {"expires_in": "soon"},
        {"scope": "openid read:notes"},
        {"scope": None},
    ],
    ids=str,
)
def test_a_token_response_that_lacks_something_is_wrong(changed: dict[str, object]) -> None:
    with pytest.raises(WrongAnswerError):
        take(Answer(200, b"", json.dumps({**GOOD, **changed}).encode()), Tokens(refresh_token="old"), refresh=True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b"\xff"])
def test_what_is_no_token_response_is_wrong(body: bytes) -> None:
    with pytest.raises(WrongAnswerError):
        take(Answer(200, b"", body), Tokens(), refresh=True)


def test_requests_are_written_as_http_wants() -> None:
    assert get("http://h:1/p?q=r", {"Cookie": "a=b"}) == (
        b"GET /p?q=r HTTP/1.1\r\nHost: h:1\r\nAccept: */*\r\nCookie: a=b\r\n\r\n"
    )
    assert post("http://h:1/p", {"a": "ö&"}).endswith(b"\r\nContent-Length: 11\r\n\r\na=%C3%B6%26")


class Idle(Server):
    """A server for whose CPU nobody pays."""

    def __init__(self, url: str) -> None:
        self.url = url

    def cpu(self) -> float:
        return 0.0


def test_a_round_goes_on_past_a_wrong_cell_and_tells_of_it() -> None:
    quiet = Console(quiet=True)
    with answering(said(200, b"right")) as url:
        right = Contestant(JWKS, OURS, Idle(url), lambda n: [same(get(f"{url}/"), b"right")] * n)
        wrong = Contestant(JWKS, BARE, Idle(url), lambda n: [same(get(f"{url}/"), b"wrong")] * n)
        results, told = play_rounds([wrong, right], 1, 0, quiet)
    assert len(told) == 4, "two cells, and the round that warms up tells, too"
    assert all("JWKS, bare Starlette" in line and "another body" in line for line in told)
    first, second = results.table()
    assert first[:2] == (JWKS, OURS)
    assert "wrong" not in first
    assert second[:4] == ("", BARE, "wrong", "wrong")


def test_the_table_has_medians_spread_and_ratios_within_a_round() -> None:
    def cell(*milliseconds: float) -> dict[int, Sample]:
        return {number: Sample(10, 2.0, each / 1000) for number, each in enumerate(milliseconds, 1)}

    ours, bare = cell(10, 40, 20), cell(5, 10, 10)
    del bare[3]  # without its round the others still have theirs
    keys = [(DISCOVERY, side, n) for side in (OURS, BARE) for n in (1, 8)]
    samples = dict(zip(keys, (ours, ours, bare, bare), strict=True))
    rows = figures.Results(samples).table()
    assert rows == [
        (DISCOVERY, OURS, "2,000 (1,000 - 4,000)", "2,000 (1,000 - 4,000)", "5.0", "5.0", "3.00", "—"),
        ("", BARE, "750 (500 - 1,000)", "750 (500 - 1,000)", "5.0", "5.0", "", ""),
    ]
    console = Console(width=200)
    with console.capture() as shown:
        report.show(console, "Requests", figures.HEADER, rows, words=2)
    assert "2,000 (1,000 - 4,000)" in shown.get()
    assert "÷ oidc" in shown.get()


def test_the_page_keeps_everything_but_the_part_between_its_markers() -> None:
    before = report.PAGE.read_text(encoding="utf-8")
    row = ("R", "S", *"123456")
    once = report.page(before, {"Machine": "one"}, [row], [("start", "1", "2")])
    again = report.page(once, {"Machine": "two"}, [row], [("start", "1", "2")])
    assert again == once.replace("Machine: one", "Machine: two")
    assert once.partition(report.BEGIN)[0] == before.partition(report.BEGIN)[0]
    assert once.partition(report.END)[2] == before.partition(report.END)[2]
    assert "| R | S | 1 | 2 | 3 | 4 | 5 | 6 |\n" in once
    with pytest.raises(ValueError, match="markers"):
        report.page("no page", {}, [], [])


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--seconds", "-1"], ["--write", "--only", JWKS], ["--only", "x"]]
)
def test_what_makes_no_sense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        options(arguments)
    assert refused.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_the_lock_names_no_registry() -> None:
    lock = (NODE / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert "://" not in lock.replace("https://github.com/sponsors/", "").replace("https://opencollective.com/", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="CPU clocks of other processes are Linux'")
def test_a_tiny_run(tmp_path: Path) -> None:
    """Real servers, one request per cell; without Node, which is said by name."""
    file = tmp_path / "figures.json"
    only = [word for route in ROUTES for word in ("--only", route)]
    command = [sys.executable, "-m", "tests.bench", "--rounds", "1", "--seconds", "0", "--json", str(file), *only]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "oidc-provider is left out: Node is not on this machine" in done.stdout
    told = json.loads(file.read_text())
    assert told["wrong"] == []
    cells = {(cell["route"], cell["server"], cell["connections"]): cell["rounds"] for cell in told["cells"]}
    assert set(cells) == {(route, side, n) for route in ROUTES for side in (OURS, BARE) for n in (1, 8)}
    # Whoever is quick may be sent one more before the time is up, even if it is no time at all.
    odd = {cell: rounds for cell, rounds in cells.items() if rounds["1"]["requests"] < cell[2]}
    assert odd == {}
    # The kernel may not have booked a single short request yet; all of them together it has.
    assert sum(rounds["1"]["cpu_seconds"] for rounds in cells.values()) > 0
    assert all(name in done.stdout for name in (*ROUTES, "Python: ", "Packages: uvicorn "))
