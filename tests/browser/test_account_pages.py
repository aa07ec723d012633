"""Signing up, forgetting a password, verifying an address: as people see it."""

from playwright.sync_api import expect

from tests.browser.visitor import Listener, Visitor
from tests.flows.test_database_connections import GOOD, NEW, link_in_mail
from tests.stage import ALICE, Stage

LONG = "alice.pleasance.liddell.of.the.deanery+rehearsal@correspondence.christ-church.example.com"


def test_signing_up(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.page.click("#to-signup")
    visitor.sees("Sign up")
    visitor.has_focus("#username")
    expect(visitor.page.locator("main")).to_contain_text("Notes (native app)")
    expect(visitor.page.locator("#policy li")).to_have_count(6)
    visitor.finds_nothing_wrong()

    visitor.page.fill("#username", NEW)
    visitor.page.fill("#password", "short")
    visitor.page.click("#signup-submit")
    expect(visitor.page.locator("#error")).to_have_text("The password is too weak.")
    assert visitor.status == 400
    visitor.has_focus("#password")
    expect(visitor.page.locator("#username")).to_have_value(NEW)
    expect(visitor.page.locator("#password")).to_have_value("")
    expect(visitor.page.locator("#password")).to_have_accessible_description(
        "The password is too weak. At least 8 characters in length"
        " Contain at least 3 of the following 4 types of characters: lower case letters (a-z)"
        " upper case letters (A-Z) numbers (i.e. 0-9) special characters (e.g. !@#$%^&*)"
    )
    visitor.finds_nothing_wrong()

    visitor.page.fill("#password", GOOD)
    visitor.page.click("#signup-submit")
    visitor.sees("Allow access?")
    expect(visitor.page.locator("main")).to_contain_text(NEW)
    visitor.page.click("#consent-allow")
    assert "code" in listener.answer()
    visitor.has_no_complaints()


def test_signing_up_first_with_an_address_that_is_taken(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener, screen_hint="signup", login_hint=ALICE)
    visitor.sees("Sign up")
    visitor.has_focus("#password")
    visitor.page.fill("#password", GOOD)
    visitor.page.click("#signup-submit")
    expect(visitor.page.locator("#error")).to_have_text("The account could not be made.")
    visitor.finds_nothing_wrong()
    visitor.page.click("#to-login")
    visitor.sees("Log in")
    visitor.log_in()
    visitor.sees("Allow access?")


def test_a_forgotten_password(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    stage.change("UPDATE users SET profile = replace(profile, :old, :new) WHERE user_id LIKE '%1'", old=ALICE, new=LONG)
    visitor.open(stage, listener)
    visitor.page.click("#to-reset-password")
    visitor.sees("Forgot your password?")
    visitor.has_focus("#username")
    visitor.finds_nothing_wrong()
    visitor.page.fill("#username", "alice")
    visitor.page.click("#reset-submit")
    expect(visitor.page.locator("#error")).to_have_text("Please give an email address.")
    visitor.finds_nothing_wrong()
    visitor.page.fill("#username", ALICE)
    visitor.page.click("#reset-submit")
    visitor.sees("Look at your mail")
    visitor.finds_nothing_wrong()

    visitor.page.goto(link_in_mail(stage, LONG))
    visitor.sees("Choose a new password")
    visitor.has_focus("#password")
    expect(visitor.page.locator("main")).to_contain_text(LONG)
    visitor.finds_nothing_wrong()
    visitor.page.fill("#password", GOOD)
    visitor.page.fill("#password-again", GOOD + "x")
    visitor.page.click("#reset-submit")
    expect(visitor.page.locator("#error")).to_have_text("The two passwords differ.")
    visitor.finds_nothing_wrong()
    visitor.page.fill("#password", GOOD)
    visitor.page.fill("#password-again", GOOD)
    visitor.page.click("#reset-submit")
    visitor.sees("Password changed")
    visitor.finds_nothing_wrong()

    visitor.open(stage, listener)
    visitor.log_in(password=GOOD)
    visitor.sees("Allow access?")
    visitor.page.goto(link_in_mail(stage, LONG))
    visitor.sees("This did not work")
    expect(visitor.page.locator("#error")).to_contain_text("This link has been used already")
    visitor.finds_nothing_wrong()


def test_verifying_an_address(stage: Stage, visitor: Visitor) -> None:
    signing_up = {
        "client_id": "native-app",
        "email": LONG,
        "password": GOOD,
        "connection": "Username-Password-Authentication",
    }
    assert stage.http.post("/dbconnections/signup", json=signing_up).status_code == 200
    visitor.page.goto(link_in_mail(stage, LONG, "verify-email"))
    visitor.sees("Confirm your email address")
    expect(visitor.page.locator("main")).to_contain_text(LONG)
    visitor.finds_nothing_wrong()
    visitor.page.click("#verify-submit")
    visitor.sees("Address confirmed")
    visitor.finds_nothing_wrong()
