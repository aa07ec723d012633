"""The pages, as people see them: on a phone and on a desk, light and dark, with scripts and without."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import PHONE, Listener, Visitor
from tests.stage import ALICE, API, SCOPE, Stage

LONG_ACCOUNT = "alice.pleasance.liddell.of.the.deanery+rehearsal@correspondence.christ-church.example.com"
LONG_SCOPES = {
    "manage:attachments": "Manage the attachments of every notebook in every workspace that you belong to",
    "manage:labels": "",
    "manage:a_permission_with_a_very_long_name_that_nobody_wanted:and_somebody_has_all_the_same": "",
    **{f"read:notebook-{number}": f"Read notebook {number}" for number in range(12)},
}


def test_login(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.sees("Log in")
    visitor.has_focus("#username")
    expect(visitor.page.locator("main")).to_contain_text("Notes (native app)")
    visitor.finds_nothing_wrong()


def test_login_of_somebody_who_is_known(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener, login_hint=ALICE)
    visitor.has_focus("#password")
    expect(visitor.page.locator("#username")).to_have_value(ALICE)
    visitor.finds_nothing_wrong()


def test_a_wrong_password(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in(password="wrong")
    expect(visitor.page.locator("#error")).to_have_text("Wrong email or password.")
    assert visitor.status == 400
    visitor.has_focus("#password")
    expect(visitor.page.locator("#username")).to_have_value(ALICE)
    expect(visitor.page.locator("#password")).to_have_value("")
    expect(visitor.page.locator("#password")).to_have_accessible_description("Wrong email or password.")
    visitor.finds_nothing_wrong()

    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.has_no_complaints()


def test_consent(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.finds_nothing_wrong()
    page = visitor.page
    host = listener.url.removeprefix("http://").removesuffix("/callback")
    for text in ("Notes (native app)", ALICE, "Notes API", "Read your notes", "read:notes", host):
        expect(page.locator("main")).to_contain_text(text)
    deny, allow = page.locator("#consent-deny").bounding_box(), page.locator("#consent-allow").bounding_box()
    assert deny
    assert allow
    assert (deny["y"], deny["width"], deny["height"]) == (allow["y"], allow["width"], allow["height"])
    assert deny["x"] + deny["width"] < allow["x"]
    expect(page.locator("#consent-allow")).not_to_be_focused()  # nobody allows by pressing Enter once too often


def test_consent_to_a_great_deal(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    (api,) = stage.rows("SELECT settings FROM resource_servers WHERE identifier = :api", api=API)
    (user,) = stage.rows("SELECT user_id, profile FROM users WHERE user_id LIKE '%1'")
    settings, profile = json.loads(api["settings"]), json.loads(user["profile"])
    settings["scopes"] |= LONG_SCOPES
    profile["email"] = LONG_ACCOUNT
    change = "UPDATE resource_servers SET settings = :settings, name = :name WHERE identifier = :api"
    stage.change(change, settings=json.dumps(settings), name="N" * 60, api=API)
    change_user = "UPDATE users SET profile = :profile WHERE user_id = :of"
    stage.change(change_user, profile=json.dumps(profile), of=user["user_id"])
    stage.change("UPDATE clients SET name = :name WHERE client_id = 'native-app'", name="Notes" * 20)

    visitor.open(stage, listener, scope=" ".join((SCOPE, *LONG_SCOPES)))
    visitor.finds_nothing_wrong()
    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.finds_nothing_wrong()
    expect(visitor.page.locator("main")).to_contain_text(LONG_ACCOUNT)
    expect(visitor.page.locator(".permissions li")).to_have_count(len(SCOPE.split()) + len(LONG_SCOPES))


def test_an_unknown_application(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener, client_id="nobody")
    _is_told(visitor, 400, "The application is not known here", "invalid_request")
    assert listener.heard_nothing()


def test_a_redirect_uri_that_is_not_registered(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, redirect_uri=listener.url + "/elsewhere")
    _is_told(visitor, 400, "Callback URL mismatch", "invalid_request")
    assert listener.heard_nothing()


def test_a_login_page_that_waited_too_long(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    stage.clock.advance(stage.settings.interaction_lifetime)
    visitor.log_in()
    _is_told(visitor, 400, "no longer open", "interaction_lost")
    assert listener.heard_nothing()


def test_a_consent_page_that_waited_too_long(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.sees("Allow access?")
    stage.clock.advance(stage.settings.interaction_lifetime)
    visitor.page.click("#consent-allow")
    _is_told(visitor, 400, "no longer open", "interaction_lost")
    assert listener.heard_nothing()


def _is_told(visitor: Visitor, status: int, text: str, code: str) -> None:
    visitor.sees("This did not work")
    expect(visitor.page.locator("#error")).to_contain_text(text)
    expect(visitor.page.locator("main")).to_contain_text(code)
    assert visitor.status == status
    visitor.finds_nothing_wrong()


def test_logout(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.log_in()
    visitor.sees("Allow access?")
    visitor.page.goto(stage.issuer + "oidc/logout?client_id=native-app")
    visitor.sees("Log out?")
    visitor.finds_nothing_wrong()
    visitor.page.click("#logout-yes")
    visitor.sees("Logged out")
    visitor.finds_nothing_wrong()
    visitor.open(stage, listener)
    visitor.sees("Log in")


SPOILT = {
    "scrolls sideways": "document.querySelector('h1').style.width = '400px'",
    "sticks out: h1": "document.querySelector('h1').style.marginLeft = '-50px'",
    "without label: input#password": "document.querySelector('[for=password]').remove()",
    "too low for a finger: button#login-submit": "document.querySelector('button').style.transform = 'scale(0.5)'",
    "too little contrast: h1": "document.querySelector('h1').style.color = '#888'",
    "title or language missing": "document.title = ''",
}


@pytest.mark.parametrize("look", [PHONE], ids=str)
def test_these_tests_would_notice(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    visitor.open(stage, listener)
    visitor.finds_nothing_wrong()
    for fault, spoiling in SPOILT.items():
        visitor.page.reload()
        visitor.page.evaluate(spoiling)
        assert any(found.startswith(fault) for found in visitor.look_around()["faults"]), fault
    visitor.open(stage, listener, client_id="nobody")
    visitor.page.evaluate("document.querySelector('#error').style.marginTop = '900px'")
    assert "error outside the view: p#error" in visitor.look_around()["faults"]
