"""A device without a browser, and the person who types its code somewhere else."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.stage import ALICE, API, SCOPE, Browser, Stage

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

PENDING, SLOW, DENIED, EXPIRED, UNKNOWN = (
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
    "invalid_grant",
)


@dataclass
class Device:
    """What it was told, and how it asks again."""

    stage: Stage
    told: dict[str, Any]

    @property
    def user_code(self) -> str:
        return str(self.told["user_code"])

    def poll(self, **changed: str) -> httpx2.Response:
        """At once, whatever the interval."""
        good = {"grant_type": DEVICE_GRANT, "device_code": self.told["device_code"]}
        return self.stage.token(**{**good, **changed})

    def waits(self, **changed: str) -> httpx2.Response:
        """As a polite device does: first the interval, then the question."""
        self.stage.clock.advance(self.told["interval"])
        return self.poll(**changed)

    def hears(self, response: httpx2.Response, error: str) -> bool:
        """Whether this is that error, with this dialect's status."""
        status = (429 if error == SLOW else 403) if self.stage.dialect == "auth0" else 400
        return (response.status_code, response.json().get("error")) == (status, error)


def asks(stage: Stage, **changed: str | None) -> httpx2.Response:
    good: dict[str, str | None] = {"client_id": "native-app", "scope": SCOPE, "audience": API}
    sent = {name: value for name, value in {**good, **changed}.items() if value is not None}
    return stage.http.post("/oauth/device/code", data=sent)


def device(stage: Stage, **changed: str | None) -> Device:
    """One that waits for its person."""
    response = asks(stage, **changed)
    assert response.status_code == 200, response.text
    return Device(stage, response.json())


def enters(browser: Browser, user_code: str) -> httpx2.Response:
    """The code is typed into the page; the page that follows, whichever it is."""
    return browser.follow(browser.submit(browser.get(browser.issuer + "activate"), user_code=user_code))


def reaches_the_decision(browser: Browser, user_code: str, user: str = ALICE) -> httpx2.Response:
    """Code and login: the page on which somebody who is logged in decides."""
    page = enters(browser, user_code)
    assert "Connect this device?" in page.text, page.text
    if "You are logged in as" not in page.text:
        login = browser.decide(page)
        assert "/u/login" in str(login.url)
        page = browser.log_in(login, user)
    return page


def approves(browser: Browser, user_code: str, user: str = ALICE) -> httpx2.Response:
    page = browser.decide(reaches_the_decision(browser, user_code, user))
    assert "Device connected" in page.text, page.text
    return page


def denies(browser: Browser, user_code: str, user: str = ALICE) -> httpx2.Response:
    page = browser.decide(reaches_the_decision(browser, user_code, user), "deny")
    assert "Device refused" in page.text, page.text
    return page
