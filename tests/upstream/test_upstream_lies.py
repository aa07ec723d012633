"""CL7, CL8, CL9 as seen from our side as a client: a provider that is down, or lies, logs nobody in.

Each lie ends on a page with the way back, and nothing that was said stands on it.
"""

import hmac
import json
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from itertools import repeat
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.attacks.judge import nothing_changes, on_sqlite
from tests.client.fake_server import CLIENT_ID, SUBJECT, Answer, FakeIssuer, ec_key, rsa_key
from tests.stage import ALICE, Pkce, Stage, claims
from tests.upstream.traveller import CONNECTION, Traveller, answer, connect, start

pytestmark = on_sqlite  # the database has no say in it

Travel = Callable[..., Traveller]
Lie = Callable[[FakeIssuer], object]

MARKUP = "<img src=x onerror=alert(1)>"
HTML = Answer(200, b"<html>" + MARKUP.encode(), {"Content-Type": "text/html"})
HUGE = Answer(body=b'{"issuer": "' + b"x" * 70_000 + b'"}')
METADATA, TOKEN, JWKS, USERINFO = (
    "/.well-known/openid-configuration",
    "/oauth/token",
    "/.well-known/jwks.json",
    "/userinfo",
)


def signed(key: Any, **header: Any) -> Lie:
    """The ID token, signed with another key or algorithm."""

    def tell(liar: FakeIssuer) -> None:
        liar.header = {"alg": "RS256", "kid": "k1", **header}
        liar.sign = lambda head, said: jwt.encode(head, said, key, algorithms=[head["alg"]])

    return tell


def by_hand(algorithm: str, secret: bytes | None) -> Lie:
    """Signed as no library would: not at all, or with a public key as the secret."""

    def sign(_: dict[str, Any], said: dict[str, Any]) -> str:
        head = {"alg": algorithm, "kid": "k1"}
        parts = [urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (head, said)]
        made = hmac.digest(secret, b".".join(parts), "sha256") if secret else b""
        return b".".join((*parts, urlsafe_b64encode(made).rstrip(b"="))).decode()

    return lambda liar: setattr(liar, "sign", sign)


def short_key(liar: FakeIssuer) -> None:
    with warnings.catch_warnings(action="ignore"):
        key = RSAKey.import_key(rsa.generate_private_key(65537, 1024), {"kid": "k1"})  # noqa: S505 - that is the lie
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, {"iss": liar.issuer}, key)
    has_keys(key.as_dict(private=False))(liar)
    liar.sign = lambda _head, _said: token


def says(**changed: Any) -> Lie:
    """The ID token says this."""
    return lambda liar: liar.claims.update(changed)


def calls_them(subject: Any) -> Lie:
    """The ID token calls the person this, and there is no userinfo that could contradict."""
    return lambda liar: (liar.metadata.pop("userinfo_endpoint"), liar.claims.update(sub=subject))


def answers(**changed: Any) -> Lie:
    """The token endpoint says this."""
    return lambda liar: liar.answer.update(changed)


def at(path: str, answered: Answer) -> Lie:
    return lambda liar: liar.always(path, answered)


def calls_back(**changed: str) -> Lie:
    return lambda liar: liar.callback.update(changed)


def publishes(**changed: Any) -> Lie:
    return lambda liar: liar.metadata.update(changed)


def has_keys(*keys: dict[str, Any]) -> Lie:
    return lambda liar: liar.jwks.update(keys=list(keys))


def redirect(liar: FakeIssuer, path: str) -> None:
    """To a place that would tell the truth."""
    liar.routes["/elsewhere"] = liar.routes[path]
    liar.always(path, Answer(302, {}, {"Location": f"{liar.origin}/elsewhere"}))


LIES: dict[str, Lie] = {
    # the answer of the browser
    "iss of somebody else": calls_back(iss="http://127.0.0.1:1/"),
    "iss left out though promised": calls_back(iss="(left out)"),
    "no code": calls_back(code="(left out)"),
    "an error with markup": calls_back(error=MARKUP, error_description=MARKUP),
    # the token endpoint
    "token: refused": at(TOKEN, Answer(400, {"error": "invalid_grant", "error_description": MARKUP})),
    "token: HTML": at(TOKEN, HTML),
    "token: a list": at(TOKEN, Answer(body=[1])),
    "token: error with status 200": answers(error=MARKUP),
    "token: no ID token": answers(id_token=None),
    "token: an ID token that is a number": answers(id_token=5),
    "token: no access token": answers(access_token=None),
    "token: not a bearer": answers(token_type="mac"),
    "token: huge": at(TOKEN, HUGE),
    "token: endless": at(TOKEN, Answer(chunks=repeat(b" " * 1000))),
    "token: compressed": at(TOKEN, Answer(200, b"\x1f\x8b", {"Content-Encoding": "gzip"})),
    "token: redirected": lambda liar: redirect(liar, TOKEN),
    # the signature
    "alg none": by_hand("none", None),
    "alg None": by_hand("None", None),
    "HS256 with the public key": by_hand("HS256", rsa_key().as_pem(private=False)),
    "HS256 with the client secret": signed(OctKey.import_key("s3cret-of-acme"), alg="HS256"),
    "another key": signed(rsa_key("thief")),
    "an unknown kid": signed(rsa_key("thief"), kid="thief"),
    "a key in the header": signed(rsa_key("thief"), jwk=rsa_key("thief").as_dict(private=False)),
    "no kid among several keys": lambda liar: (
        has_keys(rsa_key().as_dict(private=False), rsa_key("k2").as_dict(private=False))(liar),
        liar.header.pop("kid"),
    ),
    "a short key": short_key,
    "a key for encryption": has_keys({**rsa_key().as_dict(private=False), "use": "enc"}),
    "no keys": has_keys(),
    "keys: HTML": at(JWKS, HTML),
    "keys: huge": at(JWKS, HUGE),
    "keys: redirected": lambda liar: redirect(liar, JWKS),
    # the claims
    "iss": says(iss="http://127.0.0.1:1/"),
    "iss without its slash": lambda liar: liar.claims.update(iss=liar.issuer.removesuffix("/")),
    "aud": says(aud="somebody-else"),
    "aud absent": says(aud=None),
    "two audiences without azp": says(aud=[CLIENT_ID, "somebody-else"]),
    "azp": says(azp="somebody-else"),
    "expired": says(exp=1_799_999_900),
    "exp absent": says(exp=None),
    "exp as a word": says(exp="tomorrow"),
    "exp without end": says(exp=float("inf")),
    "from the future": says(iat=1_800_000_100),
    "iat absent": says(iat=None),
    "nonce": says(nonce="n-0S6_WzA2Mj"),
    "nonce absent": says(nonce=None),
    "at_hash": says(at_hash="MTIzNDU2Nzg5MDEyMzQ1Ng"),
    "sub absent": calls_them(None),
    "sub empty": calls_them(""),
    "sub a number": calls_them(7),
    "sub too long": calls_them("x" * 256),
    "sub unprintable": calls_them("alice\x00"),
    # userinfo
    "userinfo of somebody else": at(USERINFO, Answer(body={"sub": "mallory"})),
    "userinfo of nobody": at(USERINFO, Answer(body={"email": ALICE})),
    "userinfo: HTML": at(USERINFO, HTML),
    "userinfo: huge": at(USERINFO, HUGE),
}

DOWN: dict[str, Lie] = {
    "token: 500": at(TOKEN, Answer(500, {"error": MARKUP})),
    "token: too many": at(TOKEN, Answer(429, {})),
    "keys: 503": at(JWKS, Answer(503, {})),
    "userinfo: 502": at(USERINFO, HTML.__class__(502, b"bad gateway")),
    "says that it is overloaded": calls_back(error="temporarily_unavailable"),
}

METADATA_LIES: dict[str, Lie] = {
    "another issuer": publishes(issuer="http://127.0.0.1:1/"),
    "no issuer": publishes(issuer=None),
    "no token endpoint": publishes(token_endpoint=None),
    "a script instead of an endpoint": publishes(authorization_endpoint="javascript:alert(1)"),
    "data instead of an endpoint": publishes(authorization_endpoint="data:text/html,x"),
    "a file instead of keys": publishes(jwks_uri="file:///etc/passwd"),
    "an endpoint over http elsewhere": publishes(token_endpoint="http://idp.example.com/token"),
    "an endpoint with a user part": publishes(token_endpoint="https://idp.example.com@127.0.0.1/token"),
    "an endpoint that is a number": publishes(userinfo_endpoint=5),
    "HTML": at(METADATA, HTML),
    "huge": at(METADATA, HUGE),
    "not there": at(METADATA, Answer(404, {})),
    "redirected": lambda liar: redirect(liar, METADATA),
}


def failed(page: httpx2.Response, status: int) -> None:
    assert page.status_code == status, page.text
    assert 'id="error"' in page.text
    assert 'id="back-to-login"' in page.text
    for said in ("onerror", "thief", "mallory", "evil", "invalid_grant"):
        assert said not in page.text


def test_the_truth_logs_in(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    """Or all that follows would prove nothing."""
    pkce, traveller = Pkce(), travel(liar.origin)
    said = answer(traveller.allow(start(stage, traveller, connection=CONNECTION, code_challenge=pkce.challenge)))
    assert claims(stage.redeem(said["code"], pkce).json()["id_token"])["sub"] == f"{CONNECTION}|{SUBJECT}"
    sent = liar.asked(TOKEN)[0].form
    assert len(sent["code_verifier"]) == 43
    assert sent["redirect_uri"] == stage.issuer + "login/callback"


@pytest.mark.parametrize(
    "truth",
    [
        says(aud=[CLIENT_ID]),
        says(azp=CLIENT_ID),
        says(aud=[CLIENT_ID, "an-api"], azp=CLIENT_ID),
        says(exp=1_800_000_001),
        lambda liar: (has_keys(ec_key().as_dict(private=False))(liar), signed(ec_key(), alg="ES256", kid="e1")(liar)),
        lambda liar: liar.header.pop("kid"),
        lambda liar: liar.header.update(x5t="abc", x5c=["x" * 2000]),
        lambda liar: liar.metadata.pop("userinfo_endpoint"),
        lambda liar: (
            liar.metadata.pop("authorization_response_iss_parameter_supported"),
            calls_back(iss="(left out)")(liar),
        ),
    ],
)
def test_other_truths_log_in_too(stage: Stage, liar: FakeIssuer, travel: Travel, truth: Lie) -> None:
    truth(liar)
    traveller = travel(liar.origin)
    assert "code" in answer(traveller.allow(start(stage, traveller, connection=CONNECTION)))


@pytest.mark.parametrize("lie", LIES)
def test_CL8_a_lie_logs_nobody_in(stage: Stage, liar: FakeIssuer, travel: Travel, lie: str) -> None:
    LIES[lie](liar)
    traveller = travel(liar.origin)
    with nothing_changes(stage, but=("interactions",)):
        page = start(stage, traveller, connection=CONNECTION)
    failed(page, 400)
    assert stage.events() == ["LoginFailed"]
    assert stage.rows("SELECT connection FROM events") == [{"connection": CONNECTION}]
    said = answer(traveller.follow(traveller.submit(page, form=1, action="failed")))
    assert (said["error"], said["state"], said["iss"]) == ("server_error", "af0ifjsldkj", stage.issuer)


@pytest.mark.parametrize("lie", METADATA_LIES)
def test_CL7_metadata_that_lie_lead_nowhere(stage: Stage, liar: FakeIssuer, travel: Travel, lie: str) -> None:
    METADATA_LIES[lie](liar)
    traveller = travel(liar.origin)
    with nothing_changes(stage, but=("interactions",)):
        failed(start(stage, traveller, connection=CONNECTION), 400)
    assert [request.path for request in liar.requests] == [METADATA]


@pytest.mark.parametrize("lie", DOWN)
def test_CL9_a_provider_that_is_down_is_said_to_be(stage: Stage, liar: FakeIssuer, travel: Travel, lie: str) -> None:
    DOWN[lie](liar)
    traveller = travel(liar.origin)
    page = start(stage, traveller, connection=CONNECTION)
    failed(page, 503)
    said = answer(traveller.follow(traveller.submit(page, form=1, action="unavailable")))
    assert (said["error"], said["state"]) == ("temporarily_unavailable", "af0ifjsldkj")


def test_the_way_back_leads_to_the_one_that_was_asked_for(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    liar.claims["nonce"] = "another"
    traveller = travel(liar.origin)
    page = traveller.follow(traveller.submit(start(stage, traveller, connection=CONNECTION)))
    assert page.status_code == 200
    assert "Continue with Acme" in page.text
    assert 'name="password"' not in page.text, "the application said where its people come from"
    again = traveller.follow(traveller.submit(page, connection=CONNECTION))
    failed(again, 400)  # the same provider, asked anew
    del liar.claims["nonce"]
    again = traveller.follow(traveller.submit(traveller.submit(again), connection=CONNECTION))
    assert "code" in answer(traveller.allow(again))


def test_the_way_back_leads_to_the_password(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    liar.claims["nonce"] = "another"
    traveller = travel(liar.origin)
    wrong = traveller.follow(traveller.submit(start(stage, traveller), form=1, connection=CONNECTION))
    page = traveller.follow(traveller.submit(wrong))
    assert "code" in answer(traveller.log_in(page))


def callback(stage: Stage, traveller: Traveller) -> str:
    """The URL with which the provider sends this traveller back, not followed."""
    traveller.sites = (stage.issuer,)
    page = start(stage, traveller, connection=CONNECTION)
    return str(traveller.get(page.headers["location"]).headers["location"])


def test_AZ35_another_browser_cannot_finish_a_login(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    """Neither the victim's browser with the attacker's answer (LO1), nor the attacker's with the victim's."""
    url = callback(stage, travel())
    for other in (travel(), travel()):
        for _ in range(2):
            page = other.get(url)
            assert page.status_code == 403
            assert "set-cookie" not in page.headers
            start(stage, other)  # and now with a cookie, and an interaction, of its own
    assert liar.asked(TOKEN) == []
    assert stage.rows("SELECT 1 FROM login_sessions") == []


def test_AZ35_an_answer_counts_once_and_in_its_time(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    traveller = travel()
    url = callback(stage, traveller)
    assert traveller.get(url).status_code == 302
    used = traveller.get(url)
    assert used.status_code == 400
    assert "set-cookie" not in used.headers
    assert len(liar.asked(TOKEN)) == 1
    traveller = travel()
    late = callback(stage, traveller)
    stage.clock.advance(stage.settings.interaction_lifetime)
    assert traveller.get(late).status_code == 400
    assert len(liar.asked(TOKEN)) == 1


def test_AZ35_a_state_is_whole_or_worth_nothing(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    traveller = travel()
    url = httpx2.URL(callback(stage, traveller))
    state = url.params["state"]
    first, _, second = state.partition(".")
    for wrong in (first, first + ".", first + "." + second[:-1], second, "." + second, state + "x", "", "\x00", MARKUP):
        page = traveller.get(str(url.copy_set_param("state", wrong)))
        assert page.status_code in (400, 403), wrong
        assert "onerror" not in page.text
    page = traveller.get(f"{url}&state={state}")
    assert page.status_code == 400
    assert liar.asked(TOKEN) == []
    assert traveller.get(str(url)).status_code == 302


def test_mix_up_a_code_never_goes_to_another_provider(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    """RFC 9700 §4.4: the honest provider's answer, brought to the login that was begun with the dishonest one."""
    honest = FakeIssuer(stage.clock)
    connect(stage, "honest", options={"issuer": honest.issuer, "client_id": CLIENT_ID})
    try:
        for promises in (True, False):
            for provider in (liar, honest):
                provider.metadata["authorization_response_iss_parameter_supported"] = promises
            stage.restart()  # what was remembered of them is forgotten
            liar.routes["/authorize"] = lambda request: Answer(
                302, b"", {"Location": f"{honest.origin}/authorize?" + str(httpx2.QueryParams(request.query))}
            )
            traveller = travel(liar.origin, honest.origin)
            if not promises:
                honest.callback["iss"] = "(left out)"
                # It sends codes only to the address that is registered with it.
                honest.routes["/authorize"] = lambda request: Answer(
                    302,
                    b"",
                    {
                        "Location": f"{stage.issuer}login/callback?connection=honest&code=c&state={request.query['state']}"
                    },
                )
            failed(start(stage, traveller, connection=CONNECTION), 400)
            assert liar.asked(TOKEN) == []
    finally:
        honest.close()


def test_two_providers_that_do_not_promise_iss_have_addresses_of_their_own(
    stage: Stage, liar: FakeIssuer, travel: Travel
) -> None:
    del liar.metadata["authorization_response_iss_parameter_supported"]
    connect(stage, "other", options={"issuer": "https://idp.example.com/", "client_id": CLIENT_ID})
    traveller = travel()
    location = start(stage, traveller, connection=CONNECTION).headers["location"]
    asked = httpx2.URL(location).params
    assert asked["redirect_uri"] == f"{stage.issuer}login/callback?connection={CONNECTION}"
    for come_to in ("", "&connection=other", "&connection="):
        again = httpx2.URL(start(stage, traveller, connection=CONNECTION).headers["location"]).params["state"]
        failed(traveller.get(f"{stage.issuer}login/callback?code=c&state={again}{come_to}"), 400)
    assert liar.asked(TOKEN) == []
    traveller.get(location)
    page = traveller.get(f"{stage.issuer}login/callback?code=c&state={asked['state']}&connection={CONNECTION}")
    assert page.status_code == 302
    assert liar.asked(TOKEN)[0].form["redirect_uri"] == asked["redirect_uri"]


def test_an_unknown_key_is_looked_for_once_in_a_while(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    traveller = travel(liar.origin)
    assert "code" in answer(traveller.allow(start(stage, traveller, connection=CONNECTION)))
    assert len(liar.asked(JWKS)) == 1
    signed(rsa_key("k2"), kid="k2")(liar)
    for _ in range(3):
        failed(start(stage, traveller, connection=CONNECTION, prompt="select_account"), 400)
    assert len(liar.asked(JWKS)) == 1  # fetched a moment ago
    stage.clock.advance(30)
    has_keys(rsa_key("k2").as_dict(private=False))(liar)
    assert "code" in answer(traveller.allow(start(stage, traveller, connection=CONNECTION, prompt="select_account")))
    assert len(liar.asked(JWKS)) == 2
    assert len(liar.asked(METADATA)) == 1


@pytest.mark.parametrize("said", [{"auth_time": None}, {"auth_time": 1_799_999_000}, {"auth_time": "now"}])
@pytest.mark.parametrize("changed", [{"prompt": "login"}, {"max_age": "60"}])
def test_an_old_login_there_is_no_new_one_here(
    stage: Stage, liar: FakeIssuer, travel: Travel, said: dict[str, Any], changed: dict[str, str]
) -> None:
    liar.claims.update(said)
    failed(start(stage, travel(liar.origin), connection=CONNECTION, **changed), 400)


def test_CL8_nobody_takes_over_an_account_of_another_kind(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    user_id = f"{CONNECTION}|{SUBJECT}"
    stage.change("DELETE FROM user_roles")
    stage.change("UPDATE users SET user_id = :to WHERE username_key = :of", to=user_id, of=ALICE)
    with nothing_changes(stage, but=("interactions",)):
        said = answer(start(stage, travel(liar.origin), connection=CONNECTION))
    assert said["error"] == "access_denied"


def test_a_profile_is_made_of_what_is_known_and_fits(stage: Stage, liar: FakeIssuer, travel: Travel) -> None:
    said = {
        "sub": SUBJECT,
        "name": MARKUP,
        "email": "x" * 3000,
        "email_verified": "true",
        "nickname": 5,
        "locale": "de\x00",
        "address": {"country": "DE", "planet": "Earth", "street_address": "One\nTwo", "region": ["x"]},
        "roles": ["admin"],
        "user_id": "auth0|1",
        "blocked": False,
    }
    liar.always(USERINFO, Answer(body=said))
    traveller = travel(liar.origin)
    page = start(stage, traveller, connection=CONNECTION)
    assert "onerror" not in page.text
    profile = stage.rows("SELECT profile FROM users WHERE connection = :of", of=CONNECTION)[0]["profile"]
    assert profile == (
        '{"name": "<img src=x onerror=alert(1)>", "address": {"street_address": "One\\nTwo", "country": "DE"}}'
    )


def test_secrets_are_not_in_the_log(
    stage: Stage, liar: FakeIssuer, travel: Travel, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    LIES["nonce"](liar)
    start(stage, travel(liar.origin), connection=CONNECTION)
    liar.claims.clear()
    start(stage, travel(liar.origin), connection=CONNECTION)
    written = "".join(record.getMessage() for record in caplog.records if record.name.startswith("authserver"))
    written += "".join(capfd.readouterr()) + str(stage.rows("SELECT * FROM events"))
    written += str(stage.rows("SELECT * FROM upstream_logins"))
    for secret in ("s3cret-of-acme", "the-secret-code", "access-1", liar.asked(TOKEN)[0].form["code_verifier"]):
        assert secret not in written
