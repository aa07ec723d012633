"""The pages of a device's code in a real Chromium: on a phone and on a desk, light and dark, with scripts and without."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor
from tests.devices import DENIED, PENDING, Device, device
from tests.stage import ALICE, MALLORY, Stage


def goes_to_the_decision(visitor: Visitor, tv: Device) -> None:
    visitor.page.goto(tv.told["verification_uri_complete"])
    visitor.page.click("#activate-submit")
    visitor.sees("Connect this device?")
    visitor.page.click("#consent-allow")
    visitor.sees("Log in")
    expect(visitor.page.locator("main")).to_contain_text("Notes (native app)")
    visitor.finds_nothing_wrong()


def test_a_person_types_the_code_and_lets_the_device_in(stage: Stage, visitor: Visitor) -> None:
    tv = device(stage)
    visitor.page.goto(stage.issuer + "activate")
    visitor.sees("Connect a device")
    visitor.has_focus("#user_code")
    visitor.finds_nothing_wrong()
    visitor.page.fill("#user_code", tv.user_code.lower().replace("-", " "))
    visitor.page.keyboard.press("Enter")
    visitor.sees("Connect this device?")
    for fact in (tv.user_code, "Notes (native app)", "Notes API", "read:notes", "Did you start this?", "127.0.0.1"):
        expect(visitor.page.locator("main")).to_contain_text(fact)
    expect(visitor.page.locator("#consent-allow")).not_to_be_focused()
    visitor.finds_nothing_wrong()
    visitor.page.click("#consent-allow")
    visitor.sees("Log in")
    visitor.log_in()
    visitor.sees("Connect this device?")
    expect(visitor.page.locator("main")).to_contain_text(ALICE)
    visitor.finds_nothing_wrong()
    visitor.page.click("#consent-allow")
    visitor.sees("Device connected")
    visitor.finds_nothing_wrong()
    assert tv.poll().status_code == 200


def test_a_wrong_code(stage: Stage, visitor: Visitor) -> None:
    visitor.page.goto(stage.issuer + "activate")
    visitor.page.fill("#user_code", "BCDF-BCDF")
    visitor.page.click("#activate-submit")
    expect(visitor.page.locator("#error")).to_contain_text("code is invalid")
    assert visitor.status == 400
    assert visitor.page.url == stage.issuer + "activate"
    visitor.has_focus("#user_code")
    expect(visitor.page.locator("#user_code")).to_have_value("BCDF-BCDF")
    visitor.finds_nothing_wrong()
    tv = device(stage)
    visitor.page.fill("#user_code", tv.user_code)
    visitor.page.click("#activate-submit")
    visitor.sees("Connect this device?")


def test_a_person_declines(stage: Stage, visitor: Visitor) -> None:
    tv = device(stage)
    goes_to_the_decision(visitor, tv)
    visitor.log_in()
    visitor.sees("Connect this device?")
    assert tv.hears(tv.poll(), PENDING)
    visitor.page.click("#consent-deny")
    visitor.sees("Device refused")
    visitor.finds_nothing_wrong()
    assert tv.hears(tv.waits(), DENIED)


@pytest.mark.parametrize("late", ["#consent-allow", "#consent-deny"])
def test_a_code_that_is_over(stage: Stage, visitor: Visitor, late: str) -> None:
    tv = device(stage)
    stage.clock.advance(60)
    goes_to_the_decision(visitor, tv)
    visitor.log_in()
    visitor.sees("Connect this device?")
    stage.clock.advance(840)
    visitor.page.click(late)
    visitor.sees("This did not work")
    expect(visitor.page.locator("#error")).to_contain_text("no longer valid")
    visitor.finds_nothing_wrong()


def test_somebody_who_is_blocked(stage: Stage, visitor: Visitor) -> None:
    tv = device(stage)
    goes_to_the_decision(visitor, tv)
    visitor.log_in(MALLORY)
    visitor.sees("This did not work")
    expect(visitor.page.locator("#error")).to_contain_text("blocked")
    visitor.finds_nothing_wrong()
    assert tv.hears(tv.poll(), DENIED)
