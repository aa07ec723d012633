"""What a deployment must hold whoever sends what: two installs, forwarded addresses, pinned libraries, a pasted callback.

Rooms: authserver/__main__.py, authserver/attempts.py, authserver/endpoints/interaction.py
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from authserver.attempts import PER_SOURCE
from tests.attacks.test_races import serving
from tests.conftest import Prepared
from tests.stage import Browser, Pkce, Stage, request_parameters

LOCK = Path(__file__).parents[2] / "requirements.lock"


@pytest.fixture
def backend() -> str:
    """None of these is about the database."""
    return "sqlite"


def test_DE4_nothing_of_one_install_works_at_another(raise_stage: Callable[..., Stage], tmp_path: Path) -> None:
    """Even under the same issuer: other keys, other rows."""
    one, pkce = raise_stage(), Pkce()
    browser = one.browser()
    code, tokens = one.code(pkce), one.tokens(browser=browser)
    other = raise_stage(database_url=f"sqlite:///{tmp_path / 'other.db'}")
    assert other.issuer == one.issuer
    assert other.bad_grant(other.redeem(code, pkce))
    assert other.bad_grant(other.refresh(tokens["refresh_token"]))
    assert other.userinfo(tokens["access_token"]).status_code == 401
    page = browser.follow(other.authorize(browser))
    assert "/u/login" in str(page.url), "a session of one install was taken by the other"
    hinted = other.authorize(browser, id_token_hint=tokens["id_token"])
    assert "error=invalid_request" in hinted.headers["location"]


def test_DE5_a_forwarded_address_does_not_reset_the_lock(prepared: Prepared, tmp_path: Path) -> None:
    """As its users start it: the server trusts no proxy, so every attempt counts for the address that really sent it."""
    with serving(prepared.copy(tmp_path), workers=1) as issuer:
        browser = Browser(issuer)
        form = browser.follow(browser.get(issuer + "authorize", **request_parameters(Pkce())))
        statuses = []
        for number in range(PER_SOURCE + 1):
            forged = {
                "X-Forwarded-For": f"203.0.113.{number}",
                "Forwarded": f"for=203.0.113.{number}",
                "X-Real-IP": "::1",
            }
            browser.http.headers.update(forged)
            statuses.append(browser.submit(form, username="alice@example.com", password="wrong").status_code)
        browser.http.close()
    assert statuses == [400] * PER_SOURCE + [429]


def test_DE6_no_library_with_a_known_hole_is_locked() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==([0-9.]+)", LOCK.read_text(), re.MULTILINE))
    least = {"authlib": (1, 7, 1), "pyjwt": (2, 13, 0), "h11": (0, 16), "joserfc": (1, 8)}
    for name, version in least.items():
        assert tuple(int(part) for part in locked[name].split(".")) >= version, name
    assert not {"python-jose", "httpx", "jose"} & set(locked)


def test_CL17_a_code_that_somebody_pastes_elsewhere_is_short_lived_and_the_page_warns(stage: Stage) -> None:
    browser, pkce = stage.browser(), Pkce()
    consent = browser.log_in(stage.authorize(browser, pkce))
    assert "Only continue if you started this yourself" in " ".join(consent.text.split())
    code = stage.code(pkce)
    stage.clock.advance(60)
    assert stage.bad_grant(stage.redeem(code, pkce))
