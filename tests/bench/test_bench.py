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

from tests.bench import figures, harness, report
from tests.bench.__main__ import options, play_rounds
from tests.bench.cells import BARE, DISCOVERY, JWKS, OURS, ROUTES, Contestant
from tests.bench.http import Answer, Sample, WrongAnswerError, get, play, post
from tests.bench.rehearsals.timing import Took, expect_issuer
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
    once = report.page(before, {"Machine": "one"}, [row], [("start", "1", "2")], [("what", *"12345678")])
    again = report.page(once, {"Machine": "two"}, [row], [("start", "1", "2")], [("what", *"12345678")])
    assert again == once.replace("Machine: one", "Machine: two")
    assert once.partition(report.BEGIN)[0] == before.partition(report.BEGIN)[0]
    assert once.partition(report.END)[2] == before.partition(report.END)[2]
    assert "| R | S | 1 | 2 | 3 | 4 | 5 | 6 |\n" in once
    assert "| what | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |\n" in once
    with pytest.raises(ValueError, match="markers"):
        report.page("no page", {}, [], [], [])


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--seconds", "-1"], ["--write", "--only", JWKS], ["--only", "x"]]
)
def test_what_makes_no_sense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        options(arguments)
    assert refused.value.code == 2
    assert "error: " in capsys.readouterr().err


def took(*milliseconds: float) -> list[Took]:
    return [(each, each / 2) for each in milliseconds]


def test_the_harness_stands_beside_others_by_ratios_within_a_round() -> None:
    rehearsed = harness.Rehearsed(pairs=[((200, 100), (210, 104)), ((300, 150), (308, 158)), ((200, 100), (206, 106))])
    ours, theirs = (harness.UNDERSTUDY, "fresh"), (harness.MOCK, "fresh")
    rehearsed.samples[ours].update({1: took(4, 6, 8), 2: took(12, 12, 12), 3: took(1000)})
    rehearsed.samples[theirs].update({1: took(60), 2: took(40, 40)})  # the third went wrong
    rehearsed.samples[harness.NODES, "token"][1] = took(2, 2)
    rows = rehearsed.table()
    assert rows[2][2:6] == ("the difference of two runs, median", "8.0 (6.0 - 10.0)", "9.6", "6.0 (4.0 - 8.0)")
    assert [row[:2] for row in rows[3:]] == [(harness.FRESH, ours[0]), ("", theirs[0]), (harness.TOKEN, harness.NODES)]
    assert rows[3][3:] == ("12 (6 - 1,000)", "407", "6.0 (3.0 - 500.0)", "", "", "")
    assert rows[4][3:] == ("50 (40 - 60)", "56", "25 (20 - 30)", "", "0.20", "0.20")
    assert rows[5][3:] == ("2.0", "2.0", "1.0", "500", "—", "—")
    assert rehearsed.goals() == [
        "plugin unused, CPU ms more than plain pytest: 6.0 (goal: below 15)",
        "tenant, user, drop: median wall ms: 12.0 (goal: below 10; MISSED)",
    ]


def test_every_way_of_theirs_has_one_of_ours_to_stand_beside() -> None:
    ours = [way.what for way in harness.WAYS if way.who == harness.UNDERSTUDY]
    assert sorted(ours) == sorted({way.what for way in harness.WAYS})
    assert set(harness.commands(0)) == {way.who for way in harness.WAYS}


def test_a_mock_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = harness.why_missing(tmp_path)
    assert missing[harness.MOCK].startswith("it is not installed")
    assert missing[harness.NODES] == "Node is not on this machine"
    (tmp_path / "lib/python3.11/site-packages/oidc_provider_mock").mkdir(parents=True)
    assert set(harness.why_missing(tmp_path)) == {harness.NODES}


def test_a_rehearsal_that_fails_is_told_with_its_last_words() -> None:
    with pytest.raises(harness.RehearsalFailedError, match="no such luck"):
        harness.rehearse([sys.executable, "-c", "raise SystemExit('no such luck')"])
    line = """import sys; sys.stdout.write('{"first": [[3, 2]]}')"""
    assert harness.rehearse([sys.executable, "-c", line]) == {"first": [(3, 2)]}


@pytest.mark.parametrize("issuer", ["http://h.example/", "http://h.example"])
def test_a_rehearsal_wants_its_own_issuer(issuer: str) -> None:
    with answering(said(200, json.dumps({"issuer": issuer}).encode())) as url, pytest.raises(AssertionError):
        expect_issuer(url)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bench needs Linux")
def test_a_tiny_run_of_the_harness(tmp_path: Path) -> None:
    """One of each, and a pair of pytest runs; mocks that are there take part, others are named."""
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.bench", "--rounds", "1", "--seconds", "0", "--only", "Harness"]
    done = subprocess.run([*command, "--json", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    missing = harness.why_missing()
    assert all(f"{who} is left out: {reason}" in done.stdout for who, reason in missing.items())
    told = json.loads(file.read_text())
    assert (told["wrong"], told["cells"]) == ([], [])
    assert len(told["harness"]["plugin"]) == 1
    measured = {(way["what"], way["who"], way["how"]) for way in told["harness"]["ways"]}
    assert measured == {(way.what, way.who, way.how) for way in harness.WAYS if way.who not in missing}
    assert all(way["rounds"]["1"]["times"] >= 1 for way in told["harness"]["ways"])


def test_the_lock_names_no_registry() -> None:
    assert "://" not in (NODE.parent / "requirements.lock").read_text()
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
