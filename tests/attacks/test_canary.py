"""Nothing secret is left behind (HT8, I12, L19): not in lines, pages, errors, figures or the database, in any form.

Rooms: authserver/logs.py, authserver/exchanges.py, authserver/store/issued.py, authserver/pages.py
"""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.attacks.canary import Play, forms, holds, play

IN_ROWS = ("state of the application", "ticket")
"""What the database must keep to be able to send it back, and the mail that nobody sends."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    directory = tmp_path_factory.mktemp("canary")
    if request.param == "sqlite":
        yield play(directory, f"sqlite:///{directory / 'canary.db'}")
    else:
        postgres = request.getfixturevalue("postgres")
        yield play(directory, postgres.make("canary"))
        postgres.drop("canary")


def test_HT8_no_line_holds_a_secret(played: Play) -> None:
    for place in ("log of authserver", "log of api", "stdout"):
        assert played.leaks(place) == [], place
    # It was talkative, and it did come to exceptions that nobody expected.
    log = played.places["log of authserver"].decode()
    assert log.count('"event": "request"') > 500
    assert log.count('"event": "unexpected exception"') > 20


def test_HT8_no_page_no_error_and_no_figure_holds_a_secret(played: Play) -> None:
    answers = [place for place in played.places if place[0].isdigit()]
    assert len(answers) > 500
    assert {place: leaks for place in answers if (leaks := played.leaks(place))} == {}
    assert played.secrets["interaction"] in played.states


def test_I12_no_row_and_no_file_holds_a_secret(played: Play) -> None:
    for place in ("rows", "database files", "notes"):
        if place in played.places:
            assert played.leaks(place, besides=IN_ROWS) == [], place
    assert holds(played.places["rows"], "alice@example.com"), "this is not the database"


def test_L19_the_search_would_notice_each_of_them(played: Play) -> None:
    """Every kind of secret was there, and in whatever form it is left somewhere, it is found."""
    assert len(played.secrets) >= 20
    assert min(map(len, played.secrets.values())) >= 12
    for kind, secret in played.secrets.items():
        assert not holds(b"", secret)
        for beside in ("", "x", "xy"):
            written = f"{beside}{secret}!!!!"
            for form in (
                written,
                written[: len(beside) + 20],
                quote(written, safe=""),
                base64.b64encode(written.encode()).decode(),
                base64.urlsafe_b64encode(written.encode()).decode(),
                base64.b64encode(written[: len(beside) + 23].encode()).decode(),
                written.encode().hex(),
            ):
                played.places["planted"] = f'{{"event": "{form}"}}'.encode()
                assert kind in played.leaks("planted"), (kind, form)
        assert all(len(form) >= 12 for form in forms(secret)), "too short to mean anything"
