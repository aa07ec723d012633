"""DV1, DV3 to DV6, B7, B9, L15: device codes and the people who are talked into typing them."""

import re
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest

from authserver.attempts import DEVICE_CODES, USER_CODES, USER_CODES_ANYWHERE, WINDOW
from authserver.endpoints.device import LIFETIME
from authserver.store.issued import digest
from tests.attacks.judge import cookie, logged_in, on_sqlite
from tests.attacks.test_bad_input import BODIES, fields, in_words
from tests.devices import (
    DENIED,
    DEVICE_GRANT,
    PENDING,
    SLOW,
    UNKNOWN,
    approves,
    asks,
    device,
    enters,
    reaches_the_decision,
)
from tests.stage import ALICE, API, BOB, SCOPE, Stage

AT_ONCE = 50


def is_refused(page: httpx2.Response) -> bool:
    """A page that says no, in the place where errors are said."""
    return page.status_code in (400, 403, 429) and 'id="error"' in page.text


def at_once(*acts: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    """Each in a thread of its own, let go together."""
    gate = threading.Barrier(len(acts))

    def act(one: Callable[[], httpx2.Response]) -> httpx2.Response:
        gate.wait(timeout=30)
        return one()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_DV1_too_fast_is_slower_by_five_seconds_each_time(stage: Stage) -> None:
    tv = device(stage)
    assert tv.hears(tv.poll(), PENDING)
    stage.clock.advance(4)
    assert tv.hears(tv.poll(), SLOW)
    stage.clock.advance(5)
    assert tv.hears(tv.poll(), SLOW), "nine seconds after the last answer, when ten are due"
    stage.clock.advance(5)
    assert tv.hears(tv.poll(), SLOW), "fourteen, when fifteen are due"
    stage.clock.advance(6)
    assert tv.hears(tv.poll(), PENDING)
    stage.clock.advance(19)
    assert tv.hears(tv.poll(), SLOW), "the interval stays what it has become"
    # Another device is not concerned.
    other = device(stage)
    assert other.hears(other.poll(), PENDING)
    assert other.hears(other.waits(), PENDING)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_DV1_of_polls_at_once_one_is_answered(stage: Stage) -> None:
    tv = device(stage)
    heard = Counter(response.json()["error"] for response in at_once(*[tv.poll] * 8))
    assert heard == {PENDING: 1, SLOW: 7}


@on_sqlite
def test_DV1_the_pace_counts_whatever_has_been_decided(stage: Stage) -> None:
    tv = device(stage)
    assert tv.hears(tv.poll(), PENDING)
    approves(stage.browser(), tv.user_code)
    assert tv.hears(tv.poll(), SLOW)
    assert stage.rows("SELECT 1 FROM access_tokens") == []
    stage.clock.advance(10)
    assert tv.poll().status_code == 200


def test_DV3_who_entered_the_code_has_it(stage: Stage) -> None:
    alices, bobs, tv = stage.browser(), stage.browser(), device(stage)
    bobs.log_in(stage.authorize(bobs), BOB)
    page = enters(alices, tv.user_code)
    # Bob knows the code, and the address of her page.
    assert is_refused(enters(bobs, tv.user_code))
    for action in ("default", "deny"):
        assert is_refused(bobs.get(str(page.url)))
        assert is_refused(bobs.submit(page, action=action))
    # Even with her pre-login cookie he stays who he is: what she claims, once she is logged in, is hers.
    page = alices.log_in(alices.decide(page), ALICE)
    bobs.http.cookies.set(cookie(alices, "browser"), alices.http.cookies[cookie(alices, "browser")], domain="127.0.0.1")
    assert is_refused(enters(bobs, tv.user_code))
    for action in ("default", "deny"):
        assert is_refused(bobs.get(str(page.url)))
        assert is_refused(bobs.submit(page, action=action))
    assert tv.hears(tv.waits(), PENDING)
    assert "Device connected" in alices.decide(page).text
    assert tv.waits().status_code == 200
    assert stage.rows("SELECT user_id FROM grants WHERE client_id = 'native-app' AND user_id LIKE '%2'") == []


@on_sqlite
def test_DV3_the_next_person_at_the_same_browser_does_not_get_it(stage: Stage) -> None:
    """A library's computer: alice enters her code while she is logged in, leaves, and bob logs in."""
    browser, tv = logged_in(stage), device(stage)
    page = enters(browser, tv.user_code)
    browser.get(stage.issuer + "v2/logout")
    browser.follow(browser.log_in(stage.authorize(browser), BOB))
    for action in ("default", "deny"):
        assert is_refused(browser.get(str(page.url)))
        assert is_refused(browser.submit(page, action=action))
    assert is_refused(enters(browser, tv.user_code))
    assert tv.hears(tv.waits(), PENDING)


@on_sqlite
def test_DV3_whoever_logged_in_on_the_way_goes_on(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    page = reaches_the_decision(browser, tv.user_code, ALICE)
    browser.log_in(stage.authorize(browser, prompt="login"), BOB)
    assert is_refused(browser.submit(page, action="default"))
    assert is_refused(browser.submit(page, action="deny"))
    browser.http.cookies.clear()
    assert is_refused(browser.submit(page, action="default"))
    assert tv.hears(tv.waits(), PENDING)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_DV4_the_complete_address_approves_nothing(stage: Stage) -> None:
    browser, tv = logged_in(stage), device(stage)
    before = stage.snapshot()
    form = browser.get(tv.told["verification_uri_complete"])
    assert f'value="{tv.user_code}"' in form.text
    assert stage.snapshot() == before, "looking changes nothing"
    stage.clock.advance(125)
    page = browser.follow(browser.submit(form, user_code=tv.user_code))
    for fact in (
        tv.user_code,
        "Notes (native app)",
        "Notes API",
        "write:notes",
        "2 minutes ago",
        "08:00 UTC",
        "127.0.0.1",
    ):
        assert fact in page.text, fact
    assert "Did you start this?" in page.text
    assert tv.hears(tv.waits(), PENDING)
    assert stage.rows("SELECT 1 FROM device_codes WHERE decision IS NOT NULL") == []


@on_sqlite
def test_DV4_the_page_tells_when_the_device_is_somewhere_else(stage: Stage) -> None:
    tv = device(stage)
    stage.change("UPDATE device_codes SET source = '203.0.113.7'")
    page = enters(stage.browser(), tv.user_code)
    assert "203.0.113.7" in page.text
    assert "not the address of this browser" in page.text


@on_sqlite
def test_DV4_nothing_but_the_button_allows(stage: Stage) -> None:
    for action in ("", "allow", "yes", "DEFAULT", "deny"):
        browser, tv = logged_in(stage), device(stage)
        page = browser.decide(enters(browser, tv.user_code), action)
        assert "Device refused" in page.text
        assert tv.hears(tv.poll(), DENIED)


@on_sqlite
def test_L15_the_mailed_link_gives_the_kind_helpdesk_nothing(stage: Stage) -> None:
    """Alice is logged in and opens what she was sent; the link alone, and also ahead of time, does nothing."""
    victim, theirs = logged_in(stage), device(stage)
    link = theirs.told["verification_uri_complete"]
    victim.http.get(link, headers={"Sec-Purpose": "prefetch"})
    victim.get(link)
    victim.http.post(link, headers={"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"})
    assert theirs.hears(theirs.poll(), PENDING)
    # Nor are short codes guessed meanwhile.
    assert [enters(victim, "BCDFGHJK").status_code for _ in range(USER_CODES + 1)] == [400] * USER_CODES + [429]
    assert theirs.hears(theirs.waits(), PENDING)


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_DV5_a_device_code_of_another_client(stage: Stage) -> None:
    stage.configure_client("spa", grant_types=["authorization_code", DEVICE_GRANT])
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    for _ in range(3):
        assert tv.hears(tv.poll(client_id="spa"), UNKNOWN)
    assert tv.poll().status_code == 200, "a stranger's polls change nothing, not even the pace"
    assert tv.hears(tv.poll(client_id="spa"), UNKNOWN)
    assert "DeviceCodeReplayed" not in stage.events()


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
@pytest.mark.parametrize("seconds", [0, 5, 2000])
def test_DV5_a_used_code_that_comes_again_ends_the_family(stage: Stage, seconds: int) -> None:
    tv = device(stage)
    approves(stage.browser(), tv.user_code)
    tokens = tv.poll().json()
    stage.clock.advance(seconds)
    assert tv.hears(tv.poll(), UNKNOWN)
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
    assert stage.userinfo(tokens["access_token"]).status_code == 401
    assert stage.events().count("DeviceCodeReplayed") == 1


@on_sqlite
def test_DV5_a_used_code_is_recognised_while_its_family_lives(stage: Stage) -> None:
    tv, waiting = device(stage), device(stage)
    approves(stage.browser(), tv.user_code)
    tokens = tv.poll().json()
    stage.clock.advance(3 * 86400)
    assert stage.sweep()["device codes"] == 1, "the one that nobody approved"
    assert waiting.hears(waiting.poll(), UNKNOWN)
    device(stage)  # which clears away, too, what nobody approved
    assert tv.hears(tv.poll(), UNKNOWN)
    assert stage.bad_grant(stage.refresh(tokens["refresh_token"]))
    stage.clock.advance(60 * 86400)
    stage.sweep()
    assert stage.rows("SELECT 1 FROM device_codes") == stage.rows("SELECT 1 FROM grants") == []


@on_sqlite
@pytest.mark.parametrize("code", ["", "x", "\udcff", "a" * 5000, "null", "\x00"])
def test_DV5_what_is_no_code(stage: Stage, code: str) -> None:
    body = {"grant_type": DEVICE_GRANT, "client_id": "native-app"}
    response = stage.http.post(
        "/oauth/token", data={**body, "device_code": code.encode("utf-8", "surrogateescape")} if code else body
    )
    if code:
        assert stage.bad_grant(response)
        assert "DeviceCodeRefused" in stage.events()
    else:
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_DV5_a_flood_is_answered_429_and_the_store_stays_bounded(stage: Stage) -> None:
    stage.configure_client("spa", grant_types=["authorization_code", DEVICE_GRANT])
    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(lambda _: asks(stage).status_code, range(DEVICE_CODES + 10)))
    assert statuses == {200: DEVICE_CODES, 429: 10}
    refused = asks(stage)
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
    assert len(stage.rows("SELECT 1 FROM device_codes")) == DEVICE_CODES
    assert asks(stage, client_id="spa").status_code == 200, "other clients are not concerned"
    # Later there is room again, and what nobody approved has made it.
    stage.clock.advance(2 * max(LIFETIME, WINDOW))
    assert asks(stage).status_code == 200
    assert len(stage.rows("SELECT 1 FROM device_codes")) == 1


@on_sqlite
def test_DV6_the_code_is_read_as_people_write_it(stage: Stage) -> None:
    for spelling in (
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code.replace('-', chr(0x2013))} ",
        lambda code: "-".join(code.lower().replace("-", "")),
    ):
        tv = device(stage)
        assert tv.user_code in enters(stage.browser(), spelling(tv.user_code)).text


@on_sqlite
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ('"><script>alert(1)</script>', "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<b>BCDF</b>", "&lt;b&gt;BCDF&lt;/b&gt;"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ("BCDF\r\nSet-Cookie: a=b", ""),
        ("B" * 65, ""),
    ],
)
def test_DV6_markup_in_a_code_is_text(stage: Stage, typed: str, shown: str) -> None:
    browser = stage.browser()
    for page in (browser.get(stage.issuer + "activate", user_code=typed), enters(browser, typed)):
        assert f' value="{shown}" required' in page.text


@on_sqlite
def test_DV6_a_form_without_its_token_or_from_elsewhere(stage: Stage) -> None:
    browser, other, tv = stage.browser(), stage.browser(), device(stage)
    form, theirs = browser.get(stage.issuer + "activate"), other.get(stage.issuer + "activate")
    good = {"user_code": tv.user_code, "action": "default"}
    token = form.text.partition('name="state" value="')[2].partition('"')[0]
    foreign = theirs.text.partition('name="state" value="')[2].partition('"')[0]
    assert len({token, foreign, ""}) == 3
    for state in ("", "x", "\u00e9", foreign):
        assert browser.http.post(form.url, data={**good, "state": state}).status_code == 403
    assert stage.browser().http.post(form.url, data={**good, "state": token}).status_code == 403
    for elsewhere in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        refused = browser.http.post(form.url, data={**good, "state": token}, headers=elsewhere)
        assert refused.status_code == 403, elsewhere
    assert stage.rows("SELECT 1 FROM device_codes WHERE browser_digest IS NOT NULL") == []
    assert stage.rows("SELECT 1 FROM login_attempts WHERE attempts > 1") == [], "none of these was looked at"

    page = browser.follow(browser.http.post(form.url, data={**good, "state": token}))
    assert tv.user_code in page.text
    state = page.text.partition('name="state" value="')[2].partition('"')[0]
    elsewhere = {"Origin": "https://evil.example"}
    for action in ("default", "deny"):
        refused = browser.http.post(page.url, data={"state": state, "action": action}, headers=elsewhere)
        assert refused.status_code == 403
        assert browser.http.post(page.url, data={"action": action}).status_code == 400
    assert tv.hears(tv.poll(), PENDING)


@on_sqlite
def test_DV6_the_store_has_no_user_code_and_no_device_code(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    reaches_the_decision(browser, tv.user_code)
    held = [repr(stage.rows(f"SELECT * FROM {table}")) for table in ("device_codes", "interactions", "events")]  # noqa: S608 - constants
    for secret in (tv.user_code, tv.user_code.replace("-", ""), tv.told["device_code"]):
        assert not any(secret in rows for rows in held)


def test_B7_approve_and_deny_at_once_have_one_winner(stage: Stage) -> None:
    for _ in range(6):
        browser, tv = logged_in(stage), device(stage)
        page = enters(browser, tv.user_code)
        second = enters(browser, tv.user_code)  # the same person's second tab
        ended = at_once(
            partial(browser.submit, page, action="default"),
            partial(browser.submit, second, action="deny"),
        )
        said = [
            "connected" if "Device connected" in each.text else "refused" if "Device refused" in each.text else "lost"
            for each in ended
        ]
        assert said in (["connected", "lost"], ["lost", "refused"]), said
        polled = tv.poll()
        assert polled.status_code == 200 if said[0] == "connected" else tv.hears(polled, DENIED)
    decisions = Counter(event for event in stage.events() if event in ("DeviceApproved", "DeviceCancelled"))
    assert decisions.total() == 6
    device_grants = stage.rows("SELECT 1 FROM grants WHERE grant_id NOT IN (SELECT grant_id FROM authorization_codes)")
    assert len(device_grants) == decisions["DeviceApproved"], "the loser's grant is undone"


def test_B7_two_people_enter_the_code_at_once_and_one_has_it(stage: Stage) -> None:
    for _ in range(4):
        alices, bobs, tv = stage.browser(), stage.browser(), device(stage)
        forms = [(browser, browser.get(stage.issuer + "activate")) for browser in (alices, bobs)]
        entered = at_once(*(partial(browser.submit, form, user_code=tv.user_code) for browser, form in forms))
        assert sorted(each.status_code for each in entered) == [303, 400]


def test_B7_two_polls_after_the_approval_have_one_success(stage: Stage) -> None:
    for _ in range(6):
        tv = device(stage)
        approves(stage.browser(), tv.user_code)
        polled = at_once(*[tv.poll] * 6)
        assert Counter(each.status_code for each in polled)[200] == 1
        assert {each.json().get("error") for each in polled} <= {None, SLOW, UNKNOWN}
    assert stage.events().count("DeviceCodeExchanged") == 6
    assert stage.rows("SELECT device_codes.grant_id FROM device_codes WHERE used_at IS NULL") == []


def test_B9_parallel_guesses_at_user_codes_cannot_outrun_the_count(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    form = browser.get(stage.issuer + "activate")

    def guess(number: int) -> int:
        return browser.submit(form, user_code=f"BCDF-{number:04}").status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(guess, range(AT_ONCE)))
    assert statuses == {400: USER_CODES, 429: AT_ONCE - USER_CODES}
    counted = [row["attempts"] for row in stage.rows("SELECT attempts FROM login_attempts ORDER BY 1")]
    assert counted == [1, AT_ONCE, AT_ONCE], "the device's request, the guesses from here, those from anywhere"
    # Now the right one is not looked up either, whoever types it here, until the window is over.
    assert enters(stage.browser(), tv.user_code).status_code == 429
    stage.clock.advance(WINDOW)
    tv = device(stage)
    assert tv.user_code in enters(browser, tv.user_code).text


@on_sqlite
def test_B9_right_codes_are_no_guesses_and_hide_none(stage: Stage) -> None:
    """An office behind one address; and a guesser who types right codes of its own in between."""
    browser = stage.browser()
    for _ in range(USER_CODES - 1):
        assert enters(browser, "BCDF-BCDF").status_code == 400
        assert "Connect this device?" in enters(browser, device(stage).user_code).text
    assert enters(browser, "BCDF-BCDF").status_code == 400
    assert enters(browser, device(stage).user_code).status_code == 429


@on_sqlite
def test_B9_guesses_from_everywhere_do_not_lock_known_browsers_out(stage: Stage) -> None:
    known, stranger, tv = logged_in(stage), stage.browser(), device(stage)
    stage.change(
        "INSERT INTO login_attempts (digest, attempts, since) VALUES (:of, :all, :now)",
        of=digest("*\nuser code\n"),
        all=USER_CODES_ANYWHERE,
        now=stage.clock(),
    )
    assert enters(stranger, tv.user_code).status_code == 429
    assert tv.user_code in enters(known, tv.user_code).text
    stage.clock.advance(WINDOW - 1)
    assert enters(stranger, device(stage).user_code).status_code == 429
    stage.clock.advance(1)
    assert enters(stranger, device(stage).user_code).status_code == 200


@on_sqlite
def test_LO3_the_pages_of_a_device_are_never_framed_and_run_nothing(stage: Stage) -> None:
    browser, tv = stage.browser(), device(stage)
    form = browser.get(tv.told["verification_uri_complete"])
    wrong = enters(browser, "BCDF-BCDF")
    confirmation = reaches_the_decision(browser, tv.user_code)
    done = browser.decide(confirmation)
    again = browser.decide(confirmation)
    assert [page.status_code for page in (form, wrong, confirmation, done, again)] == [200, 400, 200, 200, 400]
    for page in (form, wrong, confirmation, done, again):
        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert policy.endswith("form-action 'self'")
        assert "script-src" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert not re.search(r"<script|\son\w+=|javascript:|<style|\sstyle=", page.text)


@on_sqlite
@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_TK21_every_field_of_the_device_flow_is_answered_in_its_words(stage: Stage) -> None:
    browser, tv = logged_in(stage), device(stage)
    confirmation = enters(browser, tv.user_code)
    form = browser.get(stage.issuer + "activate")
    state = {page: page.text.partition('name="state" value="')[2].partition('"')[0] for page in (form, confirmation)}
    good = {
        "oauth/device/code": {"client_id": "native-app", "scope": SCOPE, "audience": API},
        "oauth/token": {"client_id": "native-app", "grant_type": DEVICE_GRANT, "device_code": "x"},
        "activate": {"state": state[form], "user_code": "BCDF-BCDF"},
        "activate/confirm": {"state": state[confirmation], "action": "no button of ours"},
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": stage.issuer.removesuffix("/")}
    for path, parameters in good.items():
        for case, name, body in fields(parameters):
            if path == "activate/confirm" and name != "state":
                continue  # whatever else is sent declines
            in_words(browser.http.post(stage.issuer + path, content=body, headers=headers), (path, name, case))
        for case, (kind, body) in BODIES.items():
            in_words(browser.http.post(stage.issuer + path, content=body, headers={**headers, **kind}), (path, case))
    assert tv.hears(tv.poll(), PENDING)
    assert "Device connected" in browser.decide(confirmation).text
