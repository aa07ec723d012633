"""The login as a whole: RFC 8252, RFC 9207, OpenID Connect Core; rows CL5, CL8, CL9, CL19 and CL23."""

import base64
import hmac
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt

from client.app import NativeApp
from client.errors import ClientError, LoginFailedError, MalformedError, StoreError, UnavailableError
from client.id_token import at_hash
from client.pkce import s256
from client.settings import Settings
from client.store import FileStore, open_store
from tests.client.conftest import Clock, log_in, visit
from tests.client.fake_server import CLIENT_ID, SUBJECT, Answer, FakeIssuer, ec_key, rsa_key


def fails(app: NativeApp, kind: type[ClientError] = MalformedError) -> str:
    with pytest.raises(kind) as caught:
        log_in(app)
    assert app.store.load() is None, "nothing may be stored"
    return str(caught.value)


def test_login_stores_what_the_server_granted(app: NativeApp, clock: Clock) -> None:
    done = log_in(app)
    stored = app.store.load()
    assert stored == done.tokens
    assert stored is not None
    assert stored.access_token == "access-1"
    assert stored.refresh_token == "refresh-1"
    assert stored.expires_at == clock.time + 3600
    assert stored.identity["sub"] == SUBJECT
    assert done.clock_difference == 0


def test_the_authorization_request(app: NativeApp, settings: Settings) -> None:
    with app.begin_login() as pending:
        sent = {name: value for name, (value,) in parse_qs(urlsplit(pending.url).query).items()}
        assert "+" not in pending.url
    assert sent["response_type"] == "code"
    assert sent["code_challenge_method"] == "S256"
    assert sent["scope"] == settings.scope
    assert sent["audience"] == settings.audience
    assert len(sent["code_challenge"]) == 43
    assert min(len(sent[name]) for name in ("state", "nonce")) >= 43
    assert len({sent[name] for name in ("state", "nonce", "code_challenge")}) == 3


def test_randomness_is_new_each_time(app: NativeApp) -> None:
    with app.begin_login() as one, app.begin_login() as other:
        for name in ("state", "nonce", "code_challenge"):
            assert one.parameters[name] != other.parameters[name]


def test_the_token_request_proves_the_verifier(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    (form,) = [request.form for request in issuer.asked("/oauth/token")]
    (asked,) = [request.query for request in issuer.asked("/authorize")]
    assert form["grant_type"] == "authorization_code"
    assert s256(form["code_verifier"]) == asked["code_challenge"]
    assert form["redirect_uri"] == asked["redirect_uri"]
    assert form["client_id"] == CLIENT_ID
    assert "scope" not in form


def test_s256_of_rfc_7636_appendix_b() -> None:
    assert s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "callback",
    [
        {"iss": "https://evil.example/"},
        {"iss": "(left out)"},
        {"iss": ""},
        {"code": "(left out)"},
        {"code": ""},
        {"error": "server_error"},
        {"code": "(left out)", "error": "server_error"},
    ],
)
def test_CL2_callbacks_that_bring_no_code(app: NativeApp, issuer: FakeIssuer, callback: dict[str, str]) -> None:
    issuer.callback = callback
    fails(app, LoginFailedError)
    assert not issuer.asked("/oauth/token"), "the code may not be redeemed"


def test_iss_comes_before_error(app: NativeApp, issuer: FakeIssuer) -> None:
    """Two faults at once: who speaks is settled before what is said (A.2)."""
    issuer.callback = {"iss": "https://evil.example/", "code": "(left out)", "error": "access_denied"}
    assert "evil.example" in fails(app, LoginFailedError)


def test_iss_differs_by_a_slash(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.callback = {"iss": issuer.origin}
    fails(app, LoginFailedError)


def test_iss_or_code_twice(app: NativeApp, issuer: FakeIssuer) -> None:
    for extra in (f"&iss={issuer.issuer}", "&code=another"):
        with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
            state = pending.parameters["state"]
            target = f"{pending.redirect_uri}?code=c&state={state}&iss={issuer.issuer}{extra}"
            page = pool.submit(visit, target)
            with pytest.raises(LoginFailedError):
                pending.finish(20)
            assert page.result().status_code == 400
    assert not issuer.asked("/oauth/token")


def test_CL5_the_person_says_no(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.callback = {"code": "(left out)", "error": "access_denied", "error_description": "<b>no</b>\x1b[2J"}
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        browser = pool.submit(visit, pending.url)
        with pytest.raises(LoginFailedError, match="declined") as caught:
            pending.finish(20)
        final = browser.result()
    assert "\x1b" not in str(caught.value)
    assert final.status_code == 400
    assert "&lt;b&gt;no&lt;/b&gt;" in final.text
    assert "<b>" not in final.text


def test_CL5_the_browser_ends_at_a_clean_address(app: NativeApp) -> None:
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        browser = pool.submit(visit, pending.url)
        pending.finish(20)
        assert browser.result().url.path == "/done"
        assert not browser.result().url.query


def test_the_final_page_waits_for_the_tokens_to_be_stored(app: NativeApp, settings: Settings) -> None:
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        browser = pool.submit(visit, pending.url)
        browser.add_done_callback(lambda _: stored.append(open_store(settings).load()))
        stored: list[Any] = []
        pending.finish(20)
        browser.result()
    assert stored[0] is not None


def test_CL19_the_listener_is_closed_whatever_happens(app: NativeApp) -> None:
    with pytest.raises(KeyboardInterrupt), app.begin_login() as pending:
        raise KeyboardInterrupt
    with httpx2.Client(trust_env=False) as browser, pytest.raises(httpx2.ConnectError):
        browser.get(pending.redirect_uri)


def test_CL19_giving_up_wakes_the_one_who_waits(app: NativeApp) -> None:
    with app.begin_login() as pending, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pending.finish, 20)
        pending.give_up()
        with pytest.raises(LoginFailedError, match="given up"):
            waiting.result()


@pytest.mark.parametrize("minutes", [-10, 10])
def test_CL19_a_clock_that_is_wrong_by_ten_minutes(
    app: NativeApp, issuer: FakeIssuer, clock: Clock, minutes: int
) -> None:
    server_time = clock.time + minutes * 60
    issuer._now = lambda: server_time
    issuer.claims = {"exp": int(server_time) + 60}
    done = log_in(app)
    assert done.clock_difference == minutes * 60
    assert done.tokens.expires_at == clock.time + 3600
    assert done.tokens.is_valid(clock.time + 3599)
    assert not done.tokens.is_valid(clock.time + 3600)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", "https://evil.example/"),
        ("iss", None),
        ("aud", "another-app"),
        ("aud", [CLIENT_ID, "another-app"]),
        ("aud", []),
        ("aud", None),
        ("azp", "another-app"),
        ("nonce", "another"),
        ("nonce", None),
        ("nonce", 7),
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("exp", None),
        ("exp", "tomorrow"),
        ("exp", 1),
        ("exp", True),
        ("iat", None),
        ("iat", "now"),
        ("iat", 4102444800),
        ("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("at_hash", 7),
    ],
    ids=str,
)
def test_CL8_id_token_claims(app: NativeApp, issuer: FakeIssuer, name: str, value: Any) -> None:
    issuer.claims = {name: value}
    assert "ID token" in fails(app)


def test_CL8_no_id_token_at_all(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.answer = {"id_token": None}
    assert "sent no ID token" in fails(app)


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "é.é.é", "a.b.c.d.e", "e30.e30."])
def test_CL8_what_is_no_jwt(app: NativeApp, issuer: FakeIssuer, token: str) -> None:
    issuer.answer = {"id_token": token}
    fails(app)


def _plain(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_plain(header | {'alg': 'none'})}.{_plain(claims)}."


def _with_public_key_as_secret(header: dict[str, Any], claims: dict[str, Any]) -> str:
    signed = f"{_plain(header | {'alg': 'HS256'})}.{_plain(claims)}"
    mac = hmac.digest(rsa_key().as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _by_a_stranger(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, rsa_key("stranger"), algorithms=["RS256"])


def _with_its_own_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
    stranger = rsa_key("stranger")
    return jwt.encode(header | {"jwk": stranger.as_dict(private=False)}, claims, stranger, algorithms=["RS256"])


def _broken(header: dict[str, Any], claims: dict[str, Any]) -> str:
    token = jwt.encode(header, claims, rsa_key(), algorithms=["RS256"])
    return token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")


def _of_another_algorithm(header: dict[str, Any], claims: dict[str, Any]) -> str:
    key = rsa_key("rs512").__class__.import_key(
        {name: value for name, value in rsa_key().as_dict(private=True).items() if name not in ("alg", "use")}
    )
    return jwt.encode(header | {"alg": "RS512"}, claims, key, algorithms=["RS512"])


@pytest.mark.parametrize(
    "sign",
    [_unsigned, _with_public_key_as_secret, _by_a_stranger, _with_its_own_key, _broken, _of_another_algorithm],
)
def test_CL8_id_token_signatures(
    app: NativeApp, issuer: FakeIssuer, sign: Callable[[dict[str, Any], dict[str, Any]], str]
) -> None:
    issuer.sign = sign
    assert "ID token" in fails(app)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "kid": "k2"},
        {"alg": "RS256", "kid": "k1", "typ": "at+jwt"},
        {"alg": "RS256", "kid": "k1", "typ": "logout+jwt"},
    ],
)
def test_CL8_id_token_headers(app: NativeApp, issuer: FakeIssuer, header: dict[str, Any]) -> None:
    issuer.header = header
    fails(app)


def test_CL8_empty_crit_is_refused_too(app: NativeApp, issuer: FakeIssuer) -> None:
    """joserfc lets `crit: []` pass; RFC 7515 section 4.1.11 does not."""
    issuer.header = {"alg": "RS256", "kid": "k1", "crit": []}
    assert "crit" in fails(app)


def test_CL8_no_kid_among_many_keys(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.header = {"alg": "RS256"}
    log_in(app)  # with one key there is no doubt
    app.store.delete()
    issuer.jwks["keys"].append(rsa_key("k2").as_dict(private=False))
    fails(app)


def test_CL8_two_keys_with_one_kid(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.jwks["keys"].append(rsa_key("k2").as_dict(private=False) | {"kid": "k1"})
    fails(app)


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "c2VjcmV0"}, {"n": "!"}])
def test_CL8_keys_that_are_for_something_else(app: NativeApp, issuer: FakeIssuer, change: dict[str, str]) -> None:
    issuer.jwks["keys"][0] |= change
    fails(app)


@pytest.mark.parametrize("jwks", [{}, {"keys": []}, {"keys": {}}, {"keys": [1, None, "k"]}])
def test_CL8_key_sets_without_keys(app: NativeApp, issuer: FakeIssuer, jwks: dict[str, Any]) -> None:
    issuer.jwks = jwks
    fails(app)


def test_keys_that_nobody_understands_do_not_spoil_the_set(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.jwks["keys"] = [{"kty": "AKP", "kid": "k1"}, *issuer.jwks["keys"], {"kty": "RSA", "kid": "broken"}]
    log_in(app)


@pytest.mark.parametrize("purpose", [{"use": "enc"}, {"alg": "PS256"}, {"kty": "oct", "k": "c2VjcmV0"}])
def test_without_a_kid_only_keys_for_this_purpose_count(
    app: NativeApp, issuer: FakeIssuer, purpose: dict[str, str]
) -> None:
    issuer.header = {"alg": "RS256"}
    issuer.jwks["keys"].append(rsa_key("k2").as_dict(private=False) | purpose)
    log_in(app)


def test_es256_is_welcome(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.jwks["keys"].append(ec_key().as_dict(private=False))
    issuer.header = {"alg": "ES256", "kid": "e1"}
    issuer.sign = lambda header, claims: jwt.encode(header, claims, ec_key(), algorithms=["ES256"])
    log_in(app)


def test_CL23_at_hash_binds_the_access_token(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.claims = {"at_hash": at_hash("access-1")}
    log_in(app)
    app.store.delete()
    assert "at_hash" in fails(app)  # the next answer carries access-2


def test_CL9_the_key_set_is_away(app: NativeApp, issuer: FakeIssuer) -> None:
    issuer.always("/.well-known/jwks.json", Answer(503, {}))
    fails(app, UnavailableError)


def test_CL12_an_unsafe_store_is_noticed_before_the_browser_opens(app: NativeApp, issuer: FakeIssuer) -> None:
    log_in(app)
    assert isinstance(app.store, FileStore)
    app.store.path.chmod(0o644)
    asked = len(issuer.asked("/authorize"))
    with pytest.raises(StoreError, match="Others"):
        log_in(app)
    assert len(issuer.asked("/authorize")) == asked


def test_randomness_and_time_are_arguments(settings: Settings, clock: Clock) -> None:
    fixed = NativeApp(settings, open_store(settings), now=clock, random=lambda: "x" * 43, ports=(0,))
    with fixed.begin_login() as pending:
        assert pending.parameters["state"] == "x" * 43
