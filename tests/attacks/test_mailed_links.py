"""LO6, LO9, LO10, TK20, B4: signing up and mailed links give nobody else's account away.

Rooms: authserver/connections/new_password.py, authserver/connections/sign_up.py, authserver/store/tickets.py
"""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from authserver.attempts import PER_DOOR, PER_SOURCE, WINDOW
from authserver.connections.mails import LIFETIMES
from tests.attacks.judge import (
    cookie,
    interaction_of,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
    refusal,
    same_origin,
)
from tests.attacks.test_bad_input import BODIES, FORM, VALUES, in_words
from tests.attacks.test_login_pages import FOREIGN
from tests.flows.test_database_connections import (
    GOOD,
    NEW,
    allow_saying_that_users_exist,
    choose,
    forgot,
    link_in_mail,
    log_in,
    set_options,
    sign_up,
)
from tests.stage import ALICE, BOB, PASSWORD, Clock, Pkce, Stage, answer

RESET, VERIFY = "reset-password", "verify-email"
AT_ONCE = 8


def reset_link(stage: Stage, email: str = ALICE) -> str:
    assert forgot(stage, email).status_code == 200
    return link_in_mail(stage, email)


def ticket_of(link: str) -> str:
    return link.partition("?ticket=")[2]


def alices_password(stage: Stage) -> str:
    (row,) = stage.rows("SELECT password_hash FROM users WHERE user_id LIKE '%1'")
    return str(row["password_hash"])


# One link, one password --------------------------------------------------------------------------------------------


def test_B4_a_link_changes_one_password_once(stage: Stage) -> None:
    link = reset_link(stage)
    assert choose(stage, link, GOOD).status_code == 200
    with nothing_changes(stage):
        assert is_error_page(stage.browser().get(link))
        data = {"ticket": ticket_of(link), "password": "Another-password-1"}
        again = stage.http.post("/u/reset-password", data=data, headers=same_origin(stage))
        assert is_error_page(again)
        assert "invalid_ticket" in again.text
    assert stage.events().count("PasswordChanged") == 1


def test_B4_of_many_at_once_one_wins(stage: Stage) -> None:
    """Also of two links for one account: the first that is followed to its end is the last."""
    links = [reset_link(stage), reset_link(stage)]
    headers = same_origin(stage)

    def one(number: int) -> int:
        data = {"ticket": ticket_of(links[number % 2]), "password": f"Down-the-hole-{number}"}
        return stage.http.post("/u/reset-password", data=data, headers=headers).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(one, range(AT_ONCE)))
    assert Counter(statuses) == {200: 1, 400: AT_ONCE - 1}
    assert stage.events().count("PasswordChanged") == 1
    winner = f"Down-the-hole-{statuses.index(200)}"
    assert "/u/consent" in str(log_in(stage, winner, ALICE).url)


@on_sqlite
def test_B4_a_link_ends_with_its_hour(stage: Stage) -> None:
    assert LIFETIMES == {RESET: 3600, VERIFY: 5 * 86400}
    for purpose, link in ((RESET, reset_link(stage)), (VERIFY, "")):
        if purpose == VERIFY:
            assert sign_up(stage).status_code == 200
            link = link_in_mail(stage, template=VERIFY)
        browser = stage.browser()
        stage.clock.advance(LIFETIMES[purpose] - 1)
        page = browser.get(link)
        assert page.status_code == 200
        stage.clock.advance(1)
        with nothing_changes(stage):
            assert is_error_page(browser.get(link))
            assert is_error_page(browser.submit(page, password=GOOD))


@on_sqlite
def test_B4_a_change_of_the_password_ends_every_other_link(stage: Stage) -> None:
    first, second, bobs = reset_link(stage), reset_link(stage), reset_link(stage, BOB)
    page = stage.browser().get(first)
    assert choose(stage, second, GOOD).status_code == 200
    with nothing_changes(stage):
        assert is_error_page(stage.browser().submit(page, password="Another-password-1"))
    assert choose(stage, bobs, GOOD).status_code == 200  # which is not his business


@on_sqlite
def test_B4_a_link_is_good_for_its_own_purpose_alone(stage: Stage) -> None:
    sign_up(stage)
    reset, verify = ticket_of(reset_link(stage, NEW)), ticket_of(link_in_mail(stage, template=VERIFY))
    with nothing_changes(stage):
        for path, foreign in (("/u/reset-password", verify), ("/u/email-verification", reset)):
            for ticket in (foreign, "", "x", "\x00", foreign[:-1], foreign.swapcase(), "x" * 5000):
                data = {"ticket": ticket, "password": GOOD, "password-again": GOOD}
                assert is_error_page(stage.http.post(path, data=data, headers=same_origin(stage))), (path, ticket)
                assert is_error_page(stage.http.get(path, params={"ticket": ticket})), (path, ticket)
                # Only the form counts: what stands in the URL alone has been in logs and histories.
                posted = stage.http.post(path, params=data, data={"x": "y"}, headers=same_origin(stage))
                assert is_error_page(posted), (path, ticket)


@on_sqlite
def test_B4_an_address_that_is_the_users_no_more_is_not_verified(stage: Stage) -> None:
    sign_up(stage)
    page = stage.browser().get(link_in_mail(stage, template=VERIFY))
    profile = json.dumps({"email": "other@example.com", "email_verified": False})
    stage.change("UPDATE users SET profile = :to WHERE username_key = :of", to=profile, of=NEW)
    with nothing_changes(stage):
        assert is_error_page(stage.browser().submit(page))


@on_sqlite
def test_LO1_a_form_from_elsewhere_changes_nothing(stage: Stage) -> None:
    sign_up(stage)
    reset, verify = reset_link(stage), link_in_mail(stage, template=VERIFY)
    browser = stage.browser()
    state = interaction_of(browser.follow(stage.authorize(browser, screen_hint="signup")))
    forms = {
        "u/reset-password": {"ticket": ticket_of(reset), "password": GOOD},
        "u/email-verification": {"ticket": ticket_of(verify)},
        "u/signup": {"state": state, "username": "x@example.com", "password": GOOD},
        "u/reset-password/request": {"state": state, "username": ALICE},
    }
    mails = len(stage.mails())
    with nothing_changes(stage):
        for path, data in forms.items():
            for headers in FOREIGN:
                refused = browser.http.post(stage.issuer + path, data=data, headers=headers)
                assert is_error_page(refused, 403), (path, headers)
        # Nor does a browser go on with what another one began.
        for path in ("u/signup", "u/reset-password/request"):
            other = stage.browser().http.post(stage.issuer + path, data=forms[path], headers=same_origin(stage))
            assert is_error_page(other, 403), path
    assert len(stage.mails()) == mails
    for path, data in forms.items():
        assert browser.http.post(stage.issuer + path, data=data, headers=same_origin(stage)).status_code in (200, 303)


def test_I12_a_link_stands_in_the_outbox_and_nowhere_else(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    link = reset_link(stage)
    ticket = ticket_of(link)
    assert len(ticket) >= 43
    (row,) = stage.rows("SELECT * FROM tickets")
    assert bytes(row["digest"]) == sha256(ticket.encode()).digest()
    for table in ("tickets", "events", "users", "interactions", "login_attempts"):
        assert ticket not in repr(stage.rows(f"SELECT * FROM {table}")), table  # noqa: S608 - constants
    (mail,) = stage.mails()
    assert mail.link == link
    page = stage.browser().get(link)
    assert page.text.count(ticket) == 1  # the hidden field
    assert page.headers["referrer-policy"] == "no-referrer"
    choose(stage, link, GOOD)
    assert ticket not in "".join(capfd.readouterr())


# What ends with a password -----------------------------------------------------------------------------------------


def test_LO4_a_new_password_ends_sessions_and_tokens(stage: Stage) -> None:
    thief, owner = stage.browser(), stage.browser()
    stolen, own = stage.tokens(browser=thief), stage.tokens(browser=owner)
    waiting, bobs = Pkce(), stage.tokens(user=BOB)
    code = stage.code(waiting, browser=thief)
    consent = logged_in(stage)
    page = consent.follow(stage.authorize(consent))
    assert "/u/consent" in str(page.url)
    assert choose(stage, reset_link(stage), GOOD, owner).status_code == 200

    for browser in (thief, owner, consent):
        assert refusal(stage, stage.authorize(browser, prompt="none")) == "login_required"
    assert consent.decide(page).status_code == 403
    for tokens in (stolen, own):
        assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
        assert stage.userinfo(tokens["access_token"]).status_code == 401
    assert stage.bad_grant(stage.redeem(code, waiting))
    assert stage.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL AND user_id LIKE '%1'") == []
    # Nobody else is concerned, and the owner comes back with the new password.
    assert stage.refresh(bobs["refresh_token"]).status_code == 200
    assert "/u/consent" in str(log_in(stage, GOOD, ALICE).url)


class Watch(Clock):
    """Somebody does something at the very moment at which the server looks at it for the n-th time."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.deed: Callable[[], None] = lambda: None

    def __call__(self) -> int:
        self.looks -= 1
        if self.looks == 0:
            self.deed()
        return self.now


def test_LO4_nothing_is_issued_past_a_change(stage: Stage) -> None:
    """The session ends while a code is being made for it: no code leaves, and no grant stays behind."""
    watch = stage.clock = Watch()
    stage.restart()
    watch.deed = lambda: stage.change("UPDATE login_sessions SET ended_at = :now", now=watch.now)
    for look in (1, 2, 3):  # the interaction is found, the session is found, the code is made
        browser = logged_in(stage)
        ready = browser.submit(browser.follow(stage.authorize(browser)), action="default")
        watch.looks = look
        assert is_error_page(browser.http.get(ready.headers["location"]), 403), look
        assert watch.looks <= 0, look
    assert stage.rows("SELECT 1 FROM grants") == []


def test_LO4_nobody_logs_in_past_a_change(stage: Stage) -> None:
    """Logins with the old password, at the very moment of the change: none has a session afterwards."""
    browsers = [stage.browser() for _ in range(AT_ONCE)]
    pages = [browser.follow(stage.authorize(browser)) for browser in browsers]
    link = reset_link(stage)

    def log_in_or_change(number: int) -> None:
        if number == AT_ONCE // 2:
            choose(stage, link, GOOD)
        browsers[number].submit(pages[number], username=ALICE, password=PASSWORD)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(log_in_or_change, range(AT_ONCE)))
    assert stage.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL") == []


# Who is there ------------------------------------------------------------------------------------------------------


def test_LO10_a_link_goes_to_the_accounts_own_address(stage: Stage) -> None:
    """The typed spelling finds the account; mail to it would reach whoever registered the look-alike domain."""
    for spelling in (
        "\uff41lice@example.com",
        "ALICE@EXAMPLE.COM",
        "alice@example\u200b.com",
        "alice@\uff45xample.com",
    ):
        assert forgot(stage, spelling).status_code == 200
    assert {mail.to for mail in stage.mails()} == {ALICE}
    assert len(stage.mails()) == 4


@on_sqlite
def test_LO6_asking_for_a_link_tells_nobody_who_is_there(stage: Stage) -> None:
    browser = stage.browser()
    login = browser.follow(stage.authorize(browser))
    request = browser.get(f"{stage.issuer}u/reset-password/request", state=interaction_of(login))
    seen: dict[str, list[tuple[int, str]]] = {}
    for email in (ALICE, "nobody@example.com"):
        pages = [browser.submit(request, username=email) for _ in range(PER_SOURCE + 1)]
        seen[email] = [(page.status_code, page.text.replace(email, "NAME")) for page in pages]
        answers = [forgot(stage, email) for _ in range(2)]
        seen[email] += [(each.status_code, each.text) for each in answers]
    assert seen[ALICE] == seen["nobody@example.com"]
    assert [status for status, _ in seen[ALICE]] == [200] * PER_SOURCE + [429] * 3
    assert len(stage.mails()) == PER_SOURCE

    # Logging in has a count of its own, and this one lets go by itself.
    assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE).url)
    stage.clock.advance(WINDOW)
    assert forgot(stage, ALICE).status_code == 200


@on_sqlite
def test_LO6_requests_from_one_source_are_braked_whatever_names_they_bring(stage: Stage) -> None:
    for send, at_best in ((sign_up, 400), (forgot, 200)):
        set_options(stage, disable_signup=True)  # nothing has to be hashed
        statuses = Counter(send(stage, email=f"{number}@example.com").status_code for number in range(PER_DOOR + 1))
        assert statuses == {at_best: PER_DOOR, 429: 1}
        said = send(stage, email=ALICE).json()
        assert (said["code"], said["statusCode"]) == ("too_many_requests", 429)
    stage.clock.advance(WINDOW)
    assert forgot(stage).status_code == 200


@on_sqlite
def test_LO6_the_signup_page_says_as_much_as_the_tenant_allows(stage: Stage) -> None:
    browser = stage.browser()
    page = browser.follow(stage.authorize(browser, screen_hint="signup"))
    with nothing_changes(stage):
        told = browser.submit(page, username=ALICE, password=GOOD)
        assert is_error_page(told)
        assert "Invalid sign up" in told.text
        assert "exists" not in told.text
        allow_saying_that_users_exist(stage)
        assert "The user already exists." in browser.submit(page, username=ALICE, password=GOOD).text
    assert stage.mails() == []
    assert "set-cookie" not in told.headers
    assert alices_password(stage).startswith("$argon2id$")
    assert "/u/consent" in str(browser.log_in(stage.authorize(browser), ALICE).url)


def test_LO10_of_many_who_sign_up_with_one_address_one_wins(stage: Stage) -> None:
    spellings = [NEW, NEW.upper(), "\uff44inah@example.com", " dinah@example.com"] * 2

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(lambda email: sign_up(stage, email=email).status_code, spellings))
    assert statuses == {200: 1, 400: AT_ONCE - 1}
    assert len(stage.rows("SELECT 1 FROM users WHERE username_key LIKE 'dinah%'")) == 1


@on_sqlite
def test_LO4_signing_up_changes_the_session_id(stage: Stage) -> None:
    browser = logged_in(stage)
    before = browser.http.cookies[cookie(browser, "session")]
    page = browser.follow(stage.authorize(browser, prompt="login", screen_hint="signup"))
    consent = browser.follow(browser.submit(page, username=NEW, password=GOOD))
    assert NEW in consent.text
    assert browser.http.cookies[cookie(browser, "session")] != before
    assert len(stage.rows("SELECT 1 FROM login_sessions WHERE ended_at IS NULL")) == 1
    assert "code" in answer(browser.decide(consent))


@on_sqlite
def test_TK20_nobody_signs_up_as_somebody_else_or_as_a_client(stage: Stage) -> None:
    extras: tuple[dict[str, Any], ...] = (
        {"user_id": "backend@clients", "sub": "backend@clients", "_id": "65f0a11ce000000000000001"},
        {"app_metadata": {"role": "admin"}, "email_verified": "true", "blocked": "false"},
    )
    for number, extra in enumerate(extras):
        response = sign_up(stage, email=f"{number}@example.com", **extra)
        said = response.json()
        assert response.status_code == 200
        assert said["email_verified"] is False
        (row,) = stage.rows("SELECT * FROM users WHERE username_key = :of", of=said["email"])
        assert row["user_id"] == "auth0|" + said["_id"] != "auth0|65f0a11ce000000000000001"
        assert row["app_metadata"] in ({}, "{}")
        assert "role" not in str(row["profile"])
        assert "true" not in str(row["profile"]).lower()
    for email in ("backend@clients", "auth0|65f0a11ce000000000000001@clients"):
        response = sign_up(stage, email=email)
        if response.status_code == 200:
            assert response.json()["_id"] not in email
    assert stage.rows("SELECT 1 FROM users WHERE user_id LIKE '%@clients'") == []


def test_TK21_the_account_pages_answer_every_value_in_their_words(stage: Stage) -> None:
    reset = ticket_of(reset_link(stage))
    browser = stage.browser()
    state = interaction_of(browser.follow(stage.authorize(browser, screen_hint="signup")))
    headers = {**FORM, **same_origin(stage)}
    forms = {
        "u/signup": {"state": state, "username": NEW, "password": "short"},
        "u/reset-password/request": {"state": state, "username": "nobody"},
        "u/reset-password": {"ticket": reset, "password": "short", "password-again": "short"},
        "u/email-verification": {"ticket": reset},
    }
    with nothing_changes(stage):
        for path, good in forms.items():
            for name in good:
                if name.startswith("password"):
                    continue  # any bytes make one
                for case, value in VALUES.items():
                    rest = urlencode({key: held for key, held in good.items() if key != name}).encode()
                    body = rest + b"&" + name.encode() + b"=" + quote(value).encode()
                    response = browser.http.post(stage.issuer + path, content=body, headers=headers)
                    in_words(response, (path, name, case))
                    assert response.status_code in (400, 403), (path, name, case)
            for case, (kind, body) in BODIES.items():
                response = browser.http.post(stage.issuer + path, content=body, headers={**same_origin(stage), **kind})
                in_words(response, (path, case))
                assert response.status_code in (400, 413), (path, case)
    assert choose(stage, stage.issuer + "u/reset-password?ticket=" + reset, GOOD).status_code == 200
