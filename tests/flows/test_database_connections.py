"""Database connections: sign-up, reset and verification, as an application and a person see them.

Rooms: authserver/endpoints/dbconnections.py, authserver/endpoints/signup.py, authserver/endpoints/reset_password.py
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.attacks.judge import both_dialects, interaction_of, is_error_page, nothing_changes, on_sqlite, refusal
from tests.devices import device, enters
from tests.processes import ROOT, environment
from tests.proves import proves
from tests.stage import ALICE, PASSWORD, Browser, Pkce, Stage, answer, claims

NEW = "dinah@example.com"
GOOD = "Down-the-rabbit-hole-4"
DATABASE = "Username-Password-Authentication"
WEB = {"client_id": "web-app", "redirect_uri": "http://localhost:3001/callback"}


def body(**changed: Any) -> dict[str, Any]:
    good = {"client_id": "native-app", "email": NEW, "password": GOOD, "connection": DATABASE}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def sign_up(stage: Stage, **changed: Any) -> httpx2.Response:
    return stage.http.post("/dbconnections/signup", json=body(**changed))


def set_options(
    stage: Stage, name: str = DATABASE, /, enabled_clients: list[str] | None = None, **options: Any
) -> None:
    """What an administrator would set at a database; a new one if there is none of this name."""
    settings = json.dumps({"enabled_clients": enabled_clients, "options": options})
    stage.change("DELETE FROM connections WHERE name = :name", name=name)
    stage.change("INSERT INTO connections VALUES (:name, 'auth0', :settings)", name=name, settings=settings)


def allow_saying_that_users_exist(stage: Stage) -> None:
    flags = json.dumps({"enable_public_signup_user_exists_error": True})
    stage.change("UPDATE tenant_settings SET value = :flags WHERE name = 'flags'", flags=flags)


def link_in_mail(stage: Stage, to: str = NEW, template: str = "reset-password") -> str:
    link = [mail.link for mail in stage.mails(to) if mail.template == template][-1]
    assert link is not None
    return link


def forgot(stage: Stage, email: str = NEW, **changed: Any) -> httpx2.Response:
    asked = {"client_id": "native-app", "email": email, "connection": DATABASE, **changed}
    return stage.http.post("/dbconnections/change_password", json=asked)


def choose(stage: Stage, link: str, password: str, browser: Browser | None = None) -> httpx2.Response:
    browser = browser or stage.browser()
    return browser.submit(browser.get(link), password=password, **{"password-again": password})


def log_in(stage: Stage, password: str, email: str = NEW, **changed: str | None) -> httpx2.Response:
    browser = stage.browser()
    return browser.log_in(stage.authorize(browser, **changed), email, password)


# The API -----------------------------------------------------------------------------------------------------------


@both_dialects
@pytest.mark.parametrize("form", ["json", "form"])
@proves("POST /dbconnections/signup", "email, password, connection", "user_metadata")
def test_signup_answers_with_the_account_and_logs_nobody_in(stage: Stage, form: str) -> None:
    sent = {"given_name": "Dinah", "family_name": "Liddell", "nickname": "di", "picture": "https://example.com/d.png"}
    metadata = {"plan": "gold", "color": "\u00e4 & b"}
    if form == "json":
        response = sign_up(stage, **sent, user_metadata=metadata, username=None, organization="")
    else:
        flat = {f"user_metadata[{name}]": value for name, value in metadata.items()}
        response = stage.http.post("/dbconnections/signup", data=body(**sent, **flat))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    said = response.json()
    assert re.fullmatch(r"[0-9a-f]{24}", said.pop("_id"))
    assert said == {"email": NEW, "email_verified": False, **sent, "user_metadata": metadata}
    assert stage.rows("SELECT 1 FROM login_sessions") == []
    assert stage.events() == ["SignUpSucceeded", "MailPutInOutbox"]

    page = log_in(stage, GOOD)
    assert "/u/consent" in str(page.url)
    (row,) = stage.rows("SELECT * FROM users WHERE username_key = :of", of=NEW)
    assert row["user_id"] == "auth0|" + response.json()["_id"]
    assert row["connection"] == DATABASE


@both_dialects
def test_signup_makes_an_account_that_gets_tokens(stage: Stage) -> None:
    user_id = "auth0|" + sign_up(stage, given_name="Dinah").json()["_id"]
    browser, pkce = stage.browser(), Pkce()
    page = browser.log_in(stage.authorize(browser, pkce), NEW, GOOD)
    tokens = stage.redeem(answer(browser.decide(page))["code"], pkce).json()
    said = claims(tokens["id_token"])
    assert (said["sub"], said["email"], said["email_verified"]) == (user_id, NEW, False)
    assert (said["name"], said["nickname"], said["given_name"]) == (NEW, "dinah", "Dinah")


def test_a_missing_field_is_named(stage: Stage) -> None:
    for field in ("client_id", "email", "password", "connection"):
        expected = (400, {"error": f"{field} is required"})
        for sent in ({**body(), field: None}, {**body(), field: ""}, body(**{field: None})):
            with nothing_changes(stage):
                response = stage.http.post("/dbconnections/signup", json=sent)
                assert (response.status_code, response.json()) == expected, sent
                if field in ("email", "connection"):
                    response = stage.http.post("/dbconnections/change_password", json=sent)
                    assert (response.status_code, response.json()) == expected, sent


@both_dialects
def test_an_existing_user_is_told_as_the_tenant_says(stage: Stage) -> None:
    sentences = {
        "auth0": ("Invalid sign up", "The user already exists."),
        "rfc": ("The account could not be made.", "There is an account with this email address already."),
    }[stage.dialect]
    generic = {"name": "BadRequestError", "code": "invalid_signup", "description": sentences[0], "statusCode": 400}
    plain = {"name": "BadRequestError", "code": "user_exists", "description": sentences[1], "statusCode": 400}
    with nothing_changes(stage):
        for spelling in (
            ALICE,
            "ALICE@Example.com",
            "\uff41lice@example.com",
            " alice@example.com",
            "alice\u200b@example.com",
        ):
            response = sign_up(stage, email=spelling)
            assert (response.status_code, response.json()) == (400, generic), spelling
        allow_saying_that_users_exist(stage)
        response = sign_up(stage, email=ALICE)
        assert (response.status_code, response.json()) == (400, plain)
    assert stage.mails() == []
    assert stage.events() == ["SignUpFailed"] * 6


def test_a_weak_password_is_explained_rule_by_rule(stage: Stage) -> None:
    with nothing_changes(stage):
        response = sign_up(stage, password="short")
    assert response.status_code == 400
    said = response.json()
    assert list(said) == ["name", "message", "code", "description", "policy", "statusCode"]
    assert (said["name"], said["message"]) == ("PasswordStrengthError", "Password is too weak")
    assert (said["code"], said["statusCode"]) == ("invalid_password", 400)
    assert said["policy"].splitlines()[0] == "* At least 8 characters in length"
    assert said["policy"].splitlines()[1] == "* Contain at least 3 of the following 4 types of characters:"
    length, kinds = said["description"]["rules"]
    assert said["description"]["verified"] is False
    assert length == {
        "message": "At least %d characters in length",
        "format": [8],
        "code": "lengthAtLeast",
        "verified": False,
    }
    assert (kinds["code"], kinds["format"], kinds["verified"]) == ("containsAtLeast", [3, 4], False)
    assert [(item["code"], item["verified"]) for item in kinds["items"]] == [
        ("lowerCase", True),
        ("upperCase", False),
        ("numbers", False),
        ("specialCharacters", False),
    ]
    assert "short" not in response.text


POLICIES = [
    ({"passwordPolicy": "none"}, ["a", " "], []),
    ({"passwordPolicy": "low"}, ["abcdef"], ["abcde"]),
    ({"passwordPolicy": "fair"}, ["Abcdefg1"], ["Abcdef1", "abcdefg1", "ABCDEFG1", "Abcdefgh", "abcdefg!"]),
    (
        {"passwordPolicy": "good"},
        ["Abcdefg1", "abcdefg1!", "ABCDEFG1!"],
        ["Abcdef1", "Abcdefgh", "abcdefg1", "12345678!"],
    ),
    (
        {"passwordPolicy": "excellent"},
        ["Abcdefghi1", "Aabbccddee1!"],
        ["Abcdefgh1", "Aaaabcdefg1", "Abcdefghi\u00e41111"],
    ),
    ({}, ["Abcdefg1"], ["Abcdef1", "abcdefgh"]),
    ({"passwordPolicy": "low", "password_complexity_options": {"min_length": 12}}, ["abcdefghijkl"], ["abcdefghijk"]),
    (
        {"passwordPolicy": "low", "password_dictionary": {"enable": True, "dictionary": ["Wonderland"]}},
        ["wonderland1"],
        ["wonderland", "PASSWORD", "understudy"],
    ),
    (
        {"passwordPolicy": "low", "password_no_personal_info": {"enable": True}},
        ["cheshire-cat", "di is short"],
        ["xDINAHx", "the-liddells-pet", "dinah1"],
    ),
]


@on_sqlite
@pytest.mark.parametrize(
    ("options", "good", "bad"), POLICIES, ids=lambda value: "" if isinstance(value, list) else str(value)[:40]
)
def test_the_policy_of_the_database_decides(
    stage: Stage, options: dict[str, Any], good: list[str], bad: list[str]
) -> None:
    set_options(stage, **options)
    codes = {
        "password_dictionary": "password_dictionary_error",
        "password_no_personal_info": "password_no_user_info_error",
    }
    expected = next((codes[name] for name in options if name in codes), "invalid_password")
    with nothing_changes(stage):
        for password in bad:
            said = sign_up(stage, password=password, family_name="Liddell").json()
            assert said["code"] == expected, password
            assert password not in json.dumps({**said, "policy": ""}), password
    for number, password in enumerate(good):
        stage.change("DELETE FROM login_attempts")
        email = f"dinah+{number}@example.com"
        assert sign_up(stage, password=password, email=email, family_name="Liddell").status_code == 200, password
        assert "/u/consent" in str(log_in(stage, password, email).url)


@on_sqlite
def test_signup_can_be_switched_off(stage: Stage) -> None:
    set_options(stage, disable_signup=True)
    said = {
        "name": "BadRequestError",
        "code": "unauthorized",
        "description": "Public signup is disabled",
        "statusCode": 400,
    }
    with nothing_changes(stage, but=("interactions",)):
        response = sign_up(stage)
        assert (response.status_code, response.json()) == (400, said)
        browser = stage.browser()
        login = browser.follow(stage.authorize(browser, screen_hint="signup"))
        assert "/u/login" in str(login.url)
        assert "Sign up" not in login.text
        assert is_error_page(browser.get(f"{stage.issuer}u/signup", state=interaction_of(login)))
    assert forgot(stage, ALICE).status_code == 200
    assert len(stage.mails(ALICE)) == 1


BAD_FIELDS: list[dict[str, Any]] = [
    {"email": "dinah"},
    {"email": "@example.com"},
    {"email": "dinah@"},
    {"email": "\u200b@example.com"},
    {"email": "di nah@example.com"},
    {"email": "a@b@c.example"},
    {"email": "d\u0007@example.com"},
    {"email": "x" * 250 + "@example.com"},
    {"email": "\ufdfa" * 20 + "@example.com"},
    {"email": ["dinah@example.com"]},
    {"email": 5},
    {"password": {"a": "b"}},
    {"password": "Aa1!" * 300},
    {"picture": "javascript:alert(1)"},
    {"given_name": "x" * 151},
    {"name": "\u0000"},
    {"user_metadata": {str(number): "x" for number in range(11)}},
    {"user_metadata": {"a": "x" * 501}},
    {"user_metadata": {"x" * 501: "a"}},
    {"user_metadata": {"a": 5}},
    {"user_metadata": {"a": {"b": "c"}}},
    {"user_metadata": {"a\u0000": "b"}},
    {"user_metadata": {"a": "\u0000"}},
    {"user_metadata": "a"},
    {"user_metadata": ["a"]},
    {"user_metadata": 5},
    {"user_metadata": True},
]


def test_P3_bad_fields_are_refused_in_the_apis_own_shape(stage: Stage) -> None:
    with nothing_changes(stage):
        for changed in BAD_FIELDS:
            response = sign_up(stage, **changed)
            assert response.status_code == 400, changed
            assert set(response.json()) >= {"name", "code", "description", "statusCode"}, changed
            assert response.headers["cache-control"] == "no-store"
            stage.change("DELETE FROM login_attempts")
        twice = json.dumps(body())[:-1]
        for tail in (
            ', "email": "x@example.com"}',
            ', "user_metadata": {"a": "b"}, "user_metadata": {"c": "d"}}',
            ', "user_metadata": {"a": "b", "a": "c"}}',
        ):
            response = stage.http.post(
                "/dbconnections/signup", content=twice + tail, headers={"Content-Type": "application/json"}
            )
            assert (response.status_code, response.json()["code"]) == (400, "invalid_request"), tail
        for path in ("/dbconnections/signup", "/dbconnections/change_password"):
            for content, kind in (
                (b"{", "application/json"),
                (b"[]", "application/json"),
                (b"email=x", "text/plain"),
                (b"x" * 300_000, "application/json"),
            ):
                response = stage.http.post(path, content=content, headers={"Content-Type": kind})
                assert response.status_code in (400, 413), (path, content[:9])
                assert set(response.json()) == {"name", "code", "description", "statusCode"}
            assert stage.http.post(path, params={"email": NEW}, json=body()).status_code == 400
            assert stage.http.get(path).status_code == 405
    assert sign_up(stage, user_metadata={}, picture=None, given_name="").status_code == 200


@on_sqlite
def test_unknown_clients_and_connections_are_refused(stage: Stage) -> None:
    set_options(stage, "Customers", enabled_clients=["web-app"])
    with nothing_changes(stage):
        for send in (sign_up, lambda stage, **sent: forgot(stage, **sent)):
            for sent, code in (
                ({"client_id": "nobody"}, "invalid_client"),
                ({"connection": "nothing"}, "invalid_connection"),
                ({"connection": "Customers"}, "invalid_connection"),
            ):
                response = send(stage, **sent)
                assert (response.status_code, response.json()["code"]) == (400, code), sent
    assert sign_up(stage, client_id="web-app", connection="Customers").status_code == 200


@on_sqlite
def test_the_api_is_read_by_registered_origins_alone(stage: Stage) -> None:
    for path in ("/dbconnections/signup", "/dbconnections/change_password"):
        preflight = stage.http.options(
            path, headers={"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
        )
        assert preflight.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert "content-type" in preflight.headers["access-control-allow-headers"]
        for origin, allowed in (("http://localhost:3000", "http://localhost:3000"), ("https://evil.test", None)):
            response = stage.http.post(path, json=body(email=f"{len(origin)}@example.com"), headers={"Origin": origin})
            assert response.headers.get("access-control-allow-origin") == allowed


@both_dialects
@proves("POST /dbconnections/change_password", "email, connection")
def test_change_password_says_the_same_to_everybody(stage: Stage) -> None:
    seen = set()
    for email in (ALICE, "nobody@example.com", "no address", "ALICE@example.com"):
        response = forgot(stage, email)
        seen.add((response.status_code, response.headers["content-type"], response.text, len(response.headers)))
    assert {(status, kind, text) for status, kind, text, _ in seen} == {
        (200, "text/html; charset=utf-8", "We've just sent you an email to reset your password.")
    }
    assert len(seen) == 1
    without_client = stage.http.post("/dbconnections/change_password", data={"email": ALICE, "connection": DATABASE})
    assert without_client.status_code == 200
    assert [mail.to for mail in stage.mails()] == [ALICE] * 3


# The pages ---------------------------------------------------------------------------------------------------------


@both_dialects
@proves("GET /authorize", "screen_hint=signup")
def test_somebody_signs_up_on_the_page_and_goes_on_to_the_application(stage: Stage) -> None:
    browser, pkce = stage.browser(), Pkce()
    page = browser.follow(stage.authorize(browser, pkce, screen_hint="signup", login_hint=NEW))
    assert "/u/signup" in str(page.url)
    assert f'value="{NEW}"' in page.text
    weak = browser.submit(page, username=NEW, password="short", action="default")
    assert is_error_page(weak)
    assert "At least 8 characters" in weak.text
    consent = browser.follow(browser.submit(page, username=NEW, password=GOOD, action="default"))
    assert "/u/consent" in str(consent.url)
    tokens = stage.redeem(answer(browser.decide(consent))["code"], pkce).json()
    assert claims(tokens["id_token"])["email"] == NEW
    assert stage.events()[:4] == ["SignUpFailed", "SignUpSucceeded", "MailPutInOutbox", "LoginSucceeded"]
    # From now on it is a login like any other.
    assert "/u/consent" in str(log_in(stage, GOOD).url)


def test_the_login_page_leads_to_signup_and_reset(stage: Stage) -> None:
    browser = stage.browser()
    login = browser.follow(stage.authorize(browser))
    signup = browser.get(stage.issuer.removesuffix("/") + re.findall(r'href="(/u/signup[^"]+)"', login.text)[0])
    assert "<h1>Sign up</h1>" in signup.text
    reset = browser.get(
        stage.issuer.removesuffix("/") + re.findall(r'href="(/u/reset-password/request[^"]+)"', login.text)[0]
    )
    sent = browser.submit(reset, username=ALICE)
    assert sent.status_code == 200
    nobody = browser.submit(reset, username="nobody@example.com")
    assert nobody.text.replace("nobody@example.com", ALICE) == sent.text
    assert len(stage.mails()) == 1
    back = browser.get(stage.issuer.removesuffix("/") + re.findall(r'href="(/u/login[^"]+)"', sent.text)[0])
    assert "/u/consent" in str(browser.log_in(back).url)


@on_sqlite
def test_another_screen_hint_shows_the_login(stage: Stage) -> None:
    for hint in ("login", "", "signup ", "SIGNUP", "nothing"):
        browser = stage.browser()
        assert "/u/login" in str(browser.follow(stage.authorize(browser, screen_hint=hint)).url)


def test_a_new_password_by_mail(stage: Stage) -> None:
    assert forgot(stage, ALICE).status_code == 200
    link = link_in_mail(stage, ALICE)
    assert link.startswith(stage.issuer + "u/reset-password?ticket=")
    browser = stage.browser()
    page = browser.get(link)
    assert browser.get(link).status_code == 200  # looking uses nothing up
    refused = browser.submit(page, password="short", **{"password-again": "short"})
    assert is_error_page(refused)
    differing = browser.submit(page, password=GOOD, **{"password-again": GOOD + "x"})
    assert is_error_page(differing)
    done = browser.submit(page, password=GOOD, **{"password-again": GOOD})
    assert (done.status_code, "Password changed" in done.text) == (200, True)
    assert not browser.http.cookies, "choosing a password logs nobody in"
    assert is_error_page(log_in(stage, PASSWORD, ALICE))
    assert "/u/consent" in str(log_in(stage, GOOD, ALICE).url)
    assert stage.events()[:3] == ["MailPutInOutbox", "PasswordResetRequested", "PasswordChanged"]


def test_verifying_an_address(stage: Stage) -> None:
    sign_up(stage)
    link = link_in_mail(stage, template="verify-email")
    browser = stage.browser()
    page = browser.get(link)
    profile = "SELECT profile FROM users WHERE username_key = :of"

    def verified() -> bool:
        (row,) = stage.rows(profile, of=NEW)
        held = row["profile"]
        return bool((json.loads(held) if isinstance(held, str) else held)["email_verified"])

    assert (page.status_code, verified()) == (200, False)  # a mail scanner that opens links confirms nothing
    assert "Address confirmed" in browser.submit(page).text
    assert verified()
    assert is_error_page(browser.submit(page))
    assert is_error_page(browser.get(link))
    assert stage.events()[-1] == "EmailVerified"


# Which database ----------------------------------------------------------------------------------------------------


def test_one_address_may_stand_in_two_databases(stage: Stage) -> None:
    set_options(stage, "Customers", passwordPolicy="none")
    other = sign_up(stage, email=ALICE, password="other", connection="Customers")
    assert other.status_code == 200
    assert sign_up(stage, email="ALICE@example.com", connection="Customers").status_code == 400
    pkce, browser = Pkce(), stage.browser()
    page = browser.log_in(stage.authorize(browser, pkce, connection="Customers"), ALICE, "other")
    tokens = stage.redeem(answer(browser.decide(page))["code"], pkce).json()
    assert claims(tokens["id_token"])["sub"] == "auth0|" + other.json()["_id"]
    for password, connection in (("other", None), ("other", DATABASE), (PASSWORD, "Customers")):
        assert is_error_page(log_in(stage, password, ALICE, connection=connection))
    for connection in (None, DATABASE):
        assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE, connection=connection).url)
    # A link chooses the password of that account alone.
    forgot(stage, ALICE, connection="Customers")
    assert choose(stage, link_in_mail(stage, ALICE), "x").status_code == 200
    assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE).url)
    assert "/u/consent" in str(log_in(stage, "x", ALICE, connection="Customers").url)


@both_dialects
@on_sqlite
def test_a_connection_that_does_not_serve_the_client_is_refused(stage: Stage) -> None:
    set_options(stage, "Customers", enabled_clients=["web-app"])
    said = {
        "auth0": "the connection was not found",
        "rfc": "The connection is unknown, or not enabled for this client.",
    }[stage.dialect]
    with nothing_changes(stage):
        for name in ("Customers", "nothing", DATABASE.lower(), DATABASE + " "):
            response = stage.authorize(stage.browser(), connection=name)
            assert refusal(stage, response) == "invalid_request", name
            assert answer(response)["error_description"] == said
    assert "/u/login" in str(
        stage.browser().follow(stage.authorize(stage.browser(), connection="Customers", **WEB)).url
    )


@on_sqlite
def test_nobody_logs_in_where_their_database_does_not_serve(stage: Stage) -> None:
    known = stage.browser()
    known.log_in(stage.authorize(known, **WEB))
    early = stage.browser()
    open_page = early.follow(stage.authorize(early))
    set_options(stage, enabled_clients=["web-app"])
    browser = stage.browser()
    closed = browser.follow(stage.authorize(browser))
    assert "No way to log in is enabled for this application." in closed.text
    assert ('id="password"' in open_page.text, 'id="password"' in closed.text) == (True, False)
    credentials = {"state": interaction_of(closed), "username": ALICE, "password": PASSWORD}
    assert is_error_page(browser.submit(closed, **credentials))
    assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE, **WEB).url)
    # Nor does the session of another client open it: nor that of another database the one that is asked for.
    assert refusal(stage, stage.authorize(known, prompt="none")) == "login_required"
    assert "/u/login" in str(known.follow(stage.authorize(known)).url)
    assert refusal(stage, stage.authorize(known, prompt="none", **WEB)) == "consent_required"
    set_options(stage, "Customers")
    assert refusal(stage, stage.authorize(known, prompt="none", connection="Customers", **WEB)) == "login_required"
    assert refusal(stage, stage.authorize(known, prompt="none", connection=DATABASE, **WEB)) == "consent_required"


@on_sqlite
def test_nobody_lets_a_device_in_whose_client_their_database_does_not_serve(stage: Stage) -> None:
    set_options(stage, "Customers", passwordPolicy="none")
    sign_up(stage, connection="Customers")
    known, tv = stage.browser(), device(stage)
    known.log_in(stage.authorize(known))
    set_options(stage, enabled_clients=["web-app"])
    page = enters(known, tv.user_code)
    assert ALICE not in page.text
    login = known.decide(page)
    assert "/u/login" in str(login.url)
    assert is_error_page(known.log_in(login))
    again = known.log_in(login, NEW, GOOD)
    assert NEW in again.text
    assert "Device connected" in known.decide(again).text
    assert claims(tv.waits().json()["id_token"])["email"] == NEW


def test_the_tenant_file_says_which_database_a_user_is_in(raise_stage: Callable[..., Stage], tmp_path: Path) -> None:
    tenant = (ROOT / "authserver/tenant.yaml").read_text("utf-8")
    databases = (
        "databases:\n  - {name: Staff, options: {passwordPolicy: low}}\n  - {name: Customers, enabled_clients: [spa]}\n"
    )
    tenant = tenant.replace("    email: bob@example.com", "    email: alice@example.com\n    connection: Customers")
    (tmp_path / "tenant.yaml").write_text(tenant + databases, "utf-8")
    stage = raise_stage(tenant=tmp_path / "tenant.yaml", database_url=f"sqlite:///{tmp_path / 'own.db'}")
    held = stage.rows("SELECT connection FROM users ORDER BY user_id")
    assert [row["connection"] for row in held] == ["Staff", "Customers", "Staff"]
    assert sign_up(stage, connection="Staff", password="sixsix").status_code == 200
    spa = {"client_id": "spa", "redirect_uri": "http://localhost:3000/callback"}
    assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE, connection="Customers", **spa).url)
    assert "/u/consent" in str(log_in(stage, PASSWORD, ALICE).url)


# The outbox --------------------------------------------------------------------------------------------------------


def test_the_operator_reads_the_outbox(stage: Stage) -> None:
    settings = {"AUTHSERVER_DATABASE_URL": stage.settings.database_url, "AUTHSERVER_ISSUER": stage.issuer}

    def outbox(*options: str) -> str:
        command = [sys.executable, "-m", "authserver", "outbox", *options]
        done = subprocess.run(
            command, env=environment(**settings), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert outbox() == "The outbox is empty.\n"
    assert json.loads(outbox("--json")) == []
    sign_up(stage)
    forgot(stage)
    verify, reset = json.loads(outbox("--json"))
    assert list(verify) == ["at", "to", "subject", "template", "body", "link"]
    assert (verify["to"], verify["template"], reset["template"]) == (NEW, "verify-email", "reset-password")
    assert (verify["at"], reset["link"]) == (stage.clock(), link_in_mail(stage))
    assert reset["link"] in reset["body"]
    for said in (NEW, "Choose a new password", reset["link"]):
        assert said in outbox()
