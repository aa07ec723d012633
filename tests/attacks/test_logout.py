"""OU1, OU3: a logout link leads nowhere else, ends nothing by stealth, and leaves nothing that still opens."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.attacks import corpora
from tests.attacks.judge import (
    WEB_APP,
    ask,
    cookie,
    interaction_of,
    is_error_page,
    logged_in,
    nothing_changes,
    on_sqlite,
    refusal,
    same_origin,
)
from tests.stage import ALICE, BOB, Browser, Pkce, Stage, claims, header

pytestmark = on_sqlite

APP, WEB, HTTPS = "http://127.0.0.1:8400/", "http://localhost:3001", "https://app.example.com/signed-out"
ENDPOINTS = {"v2/logout": "returnTo", "oidc/logout": "post_logout_redirect_uri"}


def id_token(stage: Stage, browser: Browser, user: str = ALICE) -> str:
    """The web app's, from this browser."""
    pkce = Pkce()
    code = stage.code(pkce, browser=browser, user=user, **WEB_APP)
    token: str = stage.redeem(code, pkce, client_secret=stage.secrets["web-app"], **WEB_APP).json()["id_token"]
    return token


def send(browser: Browser, method: str, path: str, *pairs: tuple[str, str]) -> httpx2.Response:
    """`pairs` in the query of a GET or in the form of a POST."""
    url, encoded = browser.issuer + path, urlencode(pairs)
    if method == "GET":
        return browser.get(f"{url}?{encoded}")
    return browser.http.post(url, content=encoded, headers={"Content-Type": "application/x-www-form-urlencoded"})


def leaves(response: httpx2.Response) -> bool:
    return "location" in response.headers or response.status_code in range(300, 400)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_OU1_only_a_registered_url_is_gone_to(stage: Stage, path: str) -> None:
    stage.configure_client("native-app", allowed_logout_urls=[APP, HTTPS, "com.example.notes://callback"])
    browser = logged_in(stage)
    sid = stage.rows("SELECT sid FROM login_sessions")[0]["sid"]
    tricks = {trick for uri in (APP, HTTPS) for trick in corpora.spellings(uri)}
    tricks |= {f"http://{host}:8400/" for host in corpora.LOOPBACKS} | set(corpora.DIFFERENTIALS)
    tricks |= {
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.test",
        "/\\evil.test",
        "https:evil.test",
        " ",
        "?",
        "#",
    }
    tricks |= {
        "com.example.notes://callback@evil.test",
        "com.example.notes:///evil",
        "http://[::1",
        "http://[x]/",
        "http://[",
        "//[",
    }
    tricks |= {HTTPS + "#日本", HTTPS + "#a#b", HTTPS + "\r\nSet-Cookie: x=y", HTTPS + "#\r\nX: y", HTTPS + "?\u2028"}
    if path == "v2/logout":
        # Here the query, the fragment, and the case of scheme and host do not count.
        def reduced(url: str) -> str:
            bare = url.partition("#")[0].partition("?")[0]
            scheme, joint, rest = bare.partition("://")
            host, slash, tail = rest.partition("/")
            return scheme.lower() + joint + host.lower() + slash + tail

        harmless = {
            trick for trick in tricks if reduced(trick) in (APP, HTTPS) and trick.isprintable() and trick.isascii()
        }
        harmless -= {trick for trick in harmless if set(trick) & set("\\@ ") or trick.count("#") > 1}
        for url in harmless:
            assert ask_logout(stage, stage.browser(), path, url).headers["location"] == url
        tricks -= harmless
    assert len(tricks) > 200
    tricks -= {APP, HTTPS}
    with nothing_changes(stage):
        for url in sorted(tricks):
            # With proof that the person means it, so that the URL alone is what refuses.
            page = ask_logout(stage, browser, path, url, logout_hint=sid)
            assert is_error_page(page), url
            assert "set-cookie" not in page.headers, url
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"
    assert ask_logout(stage, browser, path, HTTPS, logout_hint=sid).headers["location"] == HTTPS


def ask_logout(stage: Stage, browser: Browser, path: str, url: str, **more: str) -> httpx2.Response:
    return browser.get(stage.issuer + path, **{"client_id": "native-app", ENDPOINTS[path]: url, **more})


def forged(stage: Stage, real: str) -> dict[str, str]:
    """Hints that look like `real` and are not ours."""
    head, body, signature = real.split(".")
    said, kid = claims(real), header(real)["kid"]
    stranger = RSAKey.generate_key(2048)
    public = json.dumps(stage.jwks()[kid])
    rs256 = {"alg": "RS256", "kid": kid}

    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return {
        "another key": jwt.encode(rs256, said, stranger),
        "its own key": jwt.encode({**rs256, "jwk": stranger.as_dict(private=False)}, said, stranger),
        "HS256 with our public key": jwt.encode({"alg": "HS256", "kid": kid}, said, OctKey.import_key(public)),
        "unsigned": f"{encoded({'alg': 'none'})}.{body}.",
        "without signature": f"{head}.{body}.",
        "other claims": f"{head}.{encoded({**said, 'sid': 'x'})}.{signature}",
        "crit of a wrong type": f"{encoded({**rs256, 'crit': 5})}.{body}.{signature}",
        "alg of a wrong type": f"{encoded({'alg': ['RS256']})}.{body}.{signature}",
        "a header that is none": f"{encoded([1])}.{body}.{signature}",
        "deep": f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.{body}.{signature}",
        "five parts": f"{real}.x.y",
        "garbage": "x",
        "not ASCII": "ä.ö.ü",
        "no text": "\x00",
    }


def test_OU1_a_hint_that_is_not_ours_refuses_the_whole_request(
    stage: Stage, raise_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    browser = stage.browser()
    hint = id_token(stage, browser)
    bad = forged(stage, hint)
    bad["an access token for an API alone"] = stage.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "audience": "https://notes.example/api"},
        auth=stage.basic("backend"),
    ).json()["access_token"]
    bad["an access token for an API and userinfo"] = stage.tokens(browser=browser)["access_token"]
    theatre_app = stage.theatre.app
    other = raise_stage(database_url=f"sqlite:///{tmp_path / 'other.db'}")
    theirs = other.browser()
    pkce = Pkce()
    bad["another server's"] = other.redeem(other.code(pkce, browser=theirs), pkce).json()["id_token"]
    stage.theatre.app = theatre_app
    session = browser.http.cookies[cookie(browser, "session")]
    with nothing_changes(stage):
        for name, token in bad.items():
            for more in (
                {},
                {"post_logout_redirect_uri": WEB},
                {"client_id": "web-app", "logout_hint": claims(hint)["sid"]},
            ):
                page = browser.http.post(stage.issuer + "oidc/logout", data={"id_token_hint": token, **more})
                assert is_error_page(page), name
    assert browser.http.cookies[cookie(browser, "session")] == session
    assert refusal(stage, stage.authorize(browser, prompt="none")) == "consent_required"


def test_OU1_a_link_from_elsewhere_cannot_log_anybody_out_by_oidc(stage: Stage) -> None:
    victim, attacker = stage.browser(), stage.browser()
    hint = id_token(stage, attacker, BOB)
    id_token(stage, victim)
    lures: tuple[dict[str, str], ...] = (
        {},
        {"id_token_hint": hint},
        {"id_token_hint": hint, "logout_hint": claims(hint)["sid"], "post_logout_redirect_uri": WEB},
        {"logout_hint": "auth0|65f0a11ce000000000000001", "client_id": "web-app"},
        {"logout_hint": "", "action": "default"},
    )
    with nothing_changes(stage):
        for said in lures:
            for method in ("GET", "POST"):
                page = send(victim, method, "oidc/logout", *said.items())
                assert page.status_code == 200
                assert not leaves(page)
                assert 'id="logout-yes"' in page.text
                assert page.headers["x-frame-options"] == "DENY"
                assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert refusal(stage, stage.authorize(victim, prompt="none")) == "consent_required"


def test_OU1_a_refused_request_changes_nothing(stage: Stage) -> None:
    browser = stage.browser()
    hint = id_token(stage, browser)
    proved = {"id_token_hint": hint, "post_logout_redirect_uri": WEB, "client_id": "web-app"}
    oidc, v2 = "oidc/logout", "v2/logout"
    refused: list[tuple[str, list[tuple[str, str]]]] = [
        (oidc, [*proved.items(), (name, value)]) for name, value in [*proved.items(), ("client_id", "native-app")]
    ]
    refused += [
        (oidc, [*proved.items(), ("state", "a"), ("state", "a")]),
        (oidc, [*proved.items(), ("x", "1"), ("x", "2")]),
    ]
    refused += [(oidc, [*proved.items(), ("state", odd)]) for odd in ("\x00", "\r\nX: y", "\x7f", "x" * 5000)]
    refused += [(oidc, [*proved.items(), ("logout_hint", odd)]) for odd in ("\x00", "x" * 5000)]
    refused += [(v2, [("client_id", "web-app"), ("returnTo", url)]) for url in ("\x00", WEB + "\n", "x" * 5000)]
    refused += [
        (v2, [("client_id", "web-app"), ("client_id", "web-app")]),
        (v2, [("returnTo", WEB), ("returnTo", WEB)]),
    ]
    refused += [(v2, [("client_id", "\x00")]), (v2, [("client_id", "x" * 300)])]
    with nothing_changes(stage):
        for path, pairs in refused:
            for method in ("GET", "POST") if path == oidc else ("GET",):
                page = send(browser, method, path, *pairs)
                assert is_error_page(page), (path, pairs[-1])
                assert "set-cookie" not in page.headers
        # The same name in query and body is twice, too.
        split = browser.http.post(stage.issuer + oidc, params={"client_id": "web-app"}, data=proved)
        assert is_error_page(split)
    assert "LoggedOut" not in stage.events()
    assert browser.get(stage.issuer + oidc, **proved).headers["location"] == WEB


@pytest.mark.parametrize("path", ENDPOINTS)
def test_OU3_after_logout_the_old_cookie_and_the_back_button_open_nothing(stage: Stage, path: str) -> None:
    browser, thief = stage.browser(), stage.browser()
    hint = id_token(stage, browser)
    waiting = browser.follow(stage.authorize(browser))  # a consent page, left open in another tab
    approved = browser.follow(stage.authorize(browser))
    browser.submit(approved, action="default")
    old = {each.name: each.value or "" for each in browser.http.cookies.jar}
    assert waiting.headers["cache-control"] == "no-store"
    browser.get(stage.issuer + path, **({"id_token_hint": hint} if path == "oidc/logout" else {}))
    for name, value in old.items():
        thief.http.cookies.set(name, value, domain="127.0.0.1")
    resume = f"{stage.issuer}authorize/resume?state="
    with nothing_changes(stage, but=("interactions",)):
        for each in (browser, thief):
            assert refusal(stage, stage.authorize(each, prompt="none")) == "login_required"
            assert "/u/login" in stage.authorize(each).headers["location"]
            assert is_error_page(each.get(str(waiting.url)), 403)
            assert is_error_page(each.submit(waiting, action="default"), 403)
            # Approved before the logout, but not yet gone: it does not go any more.
            assert is_error_page(each.get(resume + interaction_of(approved)), 403)
    # What waited without anybody's decision can go on, by logging in.
    assert ask(stage).status_code == 302
    again = browser.http.get(resume + interaction_of(waiting), headers=same_origin(stage))
    assert "/u/login" in again.headers["location"]
