"""TK1-TK24: a code is worth tokens once, to the client and the transaction that it was issued for."""

import json
from typing import Any

import httpx2
import pytest

from tests.attacks.judge import (
    WEB_APP,
    both_dialects,
    is_error_page,
    is_invalid_client,
    json_error,
    nothing_changes,
    on_sqlite,
)
from tests.stage import BOB, CALLBACK, Pkce, Stage, claims

pytestmark = on_sqlite

SPA = {"client_id": "spa", "redirect_uri": "http://localhost:3000"}
FORM = "application/x-www-form-urlencoded"
NOT_PUBLIC = {"auth0": (403, "unauthorized_client"), "rfc": (400, "unauthorized_client")}


def request(code: str, pkce: Pkce, **changed: str) -> dict[str, str]:
    good = {"grant_type": "authorization_code", "client_id": "native-app", "code": code, "redirect_uri": CALLBACK}
    return {**good, "code_verifier": pkce.verifier, **changed}


def alive(stage: Stage, tokens: dict[str, Any]) -> bool:
    """Whether the family lives: its access token at userinfo, and its refresh token, which is spent by this."""
    return (
        stage.userinfo(tokens["access_token"]).status_code == stage.refresh(tokens["refresh_token"]).status_code == 200
    )


def test_TK1_only_post_has_a_token_endpoint(stage: Stage) -> None:
    pkce = Pkce()
    good = request(stage.code(pkce), pkce)
    with nothing_changes(stage):
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "POSTX"):
            response = stage.http.send(httpx2.Request(method, stage.issuer + "oauth/token", params=good))
            assert (response.status_code, response.headers["allow"]) == (405, "POST"), method
    assert stage.http.post("/oauth/token", data=good).status_code == 200


@both_dialects
def test_TK3_only_the_named_formats_are_read(stage: Stage) -> None:
    pkce = Pkce()
    good = request(stage.code(pkce), pkce)
    form, as_json = str(httpx2.QueryParams(good)).encode(), json.dumps(good).encode()
    odd = [
        (None, form),
        ("text/plain", form),
        ("application/x-www-form-urlencoded; charset=utf-7", form),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", form),
        ("application/x-www-form-urlencoded; boundary=x", form),
        ("application/x-www-form-urlencoded, application/json", form),
        ("application/x-www-form-urlencodedx", form),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\nx\r\n--x--\r\n',
        ),
        ("application/xml", b"<code/>"),
        ("application/jwt", as_json),
        ("text/json", as_json),
        ("application/json; charset=utf-7", as_json),
        ("application/json", form),
        (FORM, as_json),
    ]
    odd += [("application/json", as_json)] if stage.dialect == "rfc" else []
    with nothing_changes(stage):
        for content_type, body in odd:
            headers = {"Content-Type": content_type} if content_type else {}
            response = stage.http.post("/oauth/token", content=body, headers=headers)
            assert json_error(response)[1] == "invalid_request", content_type
            assert response.status_code in (400, 415), content_type
        for header in ("Content-Encoding", "content-encoding"):
            coded = stage.http.post("/oauth/token", content=form, headers={"Content-Type": FORM, header: "gzip"})
            assert json_error(coded)[1] == "invalid_request"
        two = stage.http.post(
            "/oauth/token", content=form, headers=[("Content-Type", FORM), ("Content-Type", "application/json")]
        )
        assert json_error(two)[1] == "invalid_request"
    accepted = "application/json" if stage.dialect == "auth0" else "APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8"
    body = as_json if stage.dialect == "auth0" else form
    assert stage.http.post("/oauth/token", content=body, headers={"Content-Type": accepted}).status_code == 200


@both_dialects
def test_TK4_a_repeated_parameter_is_refused_and_nothing_is_spent(stage: Stage) -> None:
    pkce = Pkce()
    good = request(stage.code(pkce), pkce)
    tokens = stage.tokens()
    refresh = {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": tokens["refresh_token"]}
    with nothing_changes(stage):
        for honest in (good, refresh):
            for name in (*honest, "scope", "made_up"):
                for second in (honest.get(name, "x"), "other", ""):
                    body = str(httpx2.QueryParams([*{name: "x", **honest}.items(), (name, second)]))
                    response = stage.http.post("/oauth/token", content=body, headers={"Content-Type": FORM})
                    assert json_error(response) == (400, "invalid_request"), name
                    both = stage.http.post("/oauth/token", params={name: second or "x"}, data=honest)
                    assert json_error(both) == (400, "invalid_request"), name
                if stage.dialect == "auth0":
                    text = json.dumps({name: "x", **honest})[:-1] + f', "{name}": "other"}}'
                    twice = stage.http.post("/oauth/token", content=text, headers={"Content-Type": "application/json"})
                    assert json_error(twice) == (400, "invalid_request"), name
    assert stage.http.post("/oauth/token", data=good).status_code == 200
    assert stage.http.post("/oauth/token", data=refresh).status_code == 200


@both_dialects
def test_TK5_the_grant_type_exists_and_is_this_clients(stage: Stage) -> None:
    pkce = Pkce()
    good = request(stage.code(pkce), pkce)
    with nothing_changes(stage):
        for missing in ("", None):
            without = {name: value for name, value in {**good, "grant_type": missing}.items() if value is not None}
            assert json_error(stage.http.post("/oauth/token", data=without)) == (400, "invalid_request")
        for unknown in ("password", "implicit", "AUTHORIZATION_CODE", "authorization_code ", "urn:x", "<b>", "refresh"):
            response = stage.http.post("/oauth/token", data={**good, "grant_type": unknown})
            assert json_error(response) == (400, "unsupported_grant_type"), unknown
        backend = {**good, "client_id": "backend", "client_secret": stage.secrets["backend"]}
        forbidden = [
            stage.http.post("/oauth/token", auth=stage.basic("backend"), data={**good, "client_id": "backend"})
        ]
        forbidden += [stage.token(grant_type="refresh_token", refresh_token="x", client_id="api-docs")]
        if stage.dialect == "auth0":
            forbidden += [stage.http.post("/oauth/token", data=backend)]
        for response in forbidden:
            assert json_error(response) == NOT_PUBLIC[stage.dialect]


@both_dialects
def test_TK6_what_is_no_code_is_an_invalid_grant(stage: Stage) -> None:
    pkce = Pkce()
    tokens = stage.tokens()
    code = stage.code(pkce)
    kinds = (tokens["access_token"], tokens["refresh_token"], tokens["id_token"])
    odd = (
        "x",
        code[:-1],
        code + "x",
        code.swapcase(),
        " " + code,
        code + "\n",
        code + "\x00",
        "\x00",
        "x" * 65536,
        "%",
        "ä",
        "'--",
    )
    with nothing_changes(stage):
        for wrong in (*kinds, *odd):
            assert stage.bad_grant(stage.redeem(wrong, pkce)), wrong[:20]
        for invalid in ("%FF%FE", "%ED%A0%80", "%C0%80"):
            body = str(httpx2.QueryParams(request("CODE", pkce))).replace("CODE", invalid)
            response = stage.http.post("/oauth/token", content=body, headers={"Content-Type": FORM})
            assert stage.bad_grant(response), invalid
        missing = request("", pkce)
        assert json_error(stage.http.post("/oauth/token", data=missing)) == (400, "invalid_request")
    assert stage.redeem(code, pkce).status_code == 200


@both_dialects
def test_TK8_a_replay_without_proof_ends_nothing(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    tokens = stage.redeem(code, pkce).json()
    without_verifier = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    with nothing_changes(stage):
        for _ in range(3):
            assert stage.bad_grant(stage.redeem(code, Pkce()))
            assert stage.bad_grant(stage.redeem(code, Pkce(pkce.challenge)))
            assert stage.bad_grant(stage.token(**without_verifier))
        assert stage.bad_grant(stage.redeem(code, pkce, client_id="spa"))
        assert stage.bad_grant(stage.redeem(code, pkce, redirect_uri="http://127.0.0.1:8401/callback"))
        assert is_invalid_client(stage, stage.redeem(code, pkce, client_id="nobody"))
        assert is_invalid_client(stage, stage.redeem(code, pkce, client_id="web-app"))
        assert is_invalid_client(stage, stage.redeem(code, pkce, client_id="web-app", client_secret="wrong"))
    assert stage.userinfo(tokens["access_token"]).status_code == 200
    latest = stage.refresh(tokens["refresh_token"])
    assert latest.status_code == 200
    # Who proves possession twice shows that two hold the code: then nobody keeps what it gave.
    assert stage.bad_grant(stage.redeem(code, pkce))
    assert "CodeReplayed" in stage.events()
    assert stage.userinfo(tokens["access_token"]).status_code == 401
    assert stage.bad_grant(stage.refresh(latest.json()["refresh_token"]))


@both_dialects
def test_TK8_a_confidential_clients_code_needs_its_secret_also_to_be_replayed(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce, **WEB_APP)
    secret = {"client_secret": stage.secrets["web-app"]}
    tokens = stage.redeem(code, pkce, **WEB_APP, **secret).json()
    with nothing_changes(stage):
        assert is_invalid_client(stage, stage.redeem(code, pkce, **WEB_APP))
        assert is_invalid_client(stage, stage.redeem(code, pkce, **WEB_APP, client_secret="wrong"))
        assert stage.bad_grant(stage.redeem(code, Pkce(), **WEB_APP, **secret))
    assert stage.userinfo(tokens["access_token"]).status_code == 200
    assert stage.bad_grant(stage.redeem(code, pkce, **WEB_APP, **secret))
    assert stage.userinfo(tokens["access_token"]).status_code == 401


@both_dialects
def test_TK9_a_code_ends_to_the_second(stage: Stage) -> None:
    early, late, lifetime = Pkce(), Pkce(), stage.settings.code_lifetime
    assert lifetime <= 60
    codes = stage.code(early), stage.code(late)
    stage.clock.advance(lifetime - 1)
    assert stage.redeem(codes[0], early).status_code == 200
    stage.clock.advance(1)
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(codes[1], late))
        stage.clock.advance(10**8)
        assert stage.bad_grant(stage.redeem(codes[1], late))


@both_dialects
def test_TK10_a_code_is_bound_to_its_client(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    secret = {"client_id": "web-app", "client_secret": stage.secrets["web-app"]}
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(code, pkce, client_id="spa"))
        assert stage.bad_grant(stage.redeem(code, pkce, client_id="api-docs"))
        assert stage.bad_grant(stage.redeem(code, pkce, **secret))
        assert stage.bad_grant(stage.redeem(code, pkce, **SPA))
    assert stage.events().count("CodeRefused") == 4
    assert stage.redeem(code, pkce).status_code == 200


@both_dialects
def test_TK11_the_redirect_uri_must_be_repeated_exactly(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    others = (
        "http://127.0.0.1:8401/callback",
        CALLBACK + "/",
        CALLBACK + "?",
        "HTTP://127.0.0.1:8400/callback",
        " " + CALLBACK,
        "",
    )
    with nothing_changes(stage):
        for other in (
            *others,
            "http://127.0.0.1:8499/callback",
            CALLBACK + "#",
            CALLBACK + "\x00",
            "com.example.notes://callback",
        ):
            assert stage.bad_grant(stage.redeem(code, pkce, redirect_uri=other)), other
        missing = {name: value for name, value in request(code, pkce).items() if name != "redirect_uri"}
        assert stage.bad_grant(stage.http.post("/oauth/token", data=missing))
    assert stage.redeem(code, pkce).status_code == 200


@both_dialects
def test_TK13_a_verifier_without_a_challenge_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.change("UPDATE authorization_codes SET code_challenge = NULL")  # as if it had been stripped on the way
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(code, pkce))
        assert stage.bad_grant(stage.redeem(code, Pkce("x" * 43)))


@both_dialects
def test_TK13_a_client_that_may_leave_pkce_out_may_not_add_it_later(stage: Stage) -> None:
    stage.configure_client("web-app", allow_insecure_missing_pkce=True)
    client = {**WEB_APP, "client_secret": stage.secrets["web-app"]}
    without: dict[str, Any] = {**WEB_APP, "code_challenge": None, "code_challenge_method": None}
    pkce = Pkce()
    code = stage.code(pkce, **without)
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(code, pkce, **client))
    plain = {name: value for name, value in request(code, pkce, **client).items() if name != "code_verifier"}
    assert stage.http.post("/oauth/token", data=plain).status_code == 200
    # Nor may it leave out at the end what it began with.
    begun = {**plain, "code": stage.code(Pkce(), **WEB_APP)}
    assert stage.bad_grant(stage.http.post("/oauth/token", data=begun))


@both_dialects
def test_TK14_only_the_verifier_itself_verifies(stage: Stage) -> None:
    pkce = Pkce()
    wrong = (
        pkce.challenge,  # S256 taken for plain
        "abc",
        "x" * 42,
        "x" * 129,
        pkce.verifier[:-1],
        pkce.verifier + "=",
        pkce.verifier.swapcase(),
        pkce.verifier + "\n",
        "ä" * 43,
        "\x00" * 43,
        "",
    )
    for start in range(0, len(wrong), 4):  # four guesses a code
        code = stage.code(pkce)
        with nothing_changes(stage):
            for verifier in wrong[start : start + 4]:
                assert stage.bad_grant(stage.redeem(code, pkce, code_verifier=verifier)), verifier
        assert stage.redeem(code, pkce).status_code == 200


@both_dialects
def test_TK14_a_verifier_that_is_too_short_or_odd_fails_even_when_it_matches(stage: Stage) -> None:
    for odd in ("short", "x" * 42, "x" * 129, "x" * 42 + " ", "x" * 42 + "+"):
        pkce = Pkce(odd)
        assert stage.bad_grant(stage.redeem(stage.code(pkce), pkce)), odd
    longest = Pkce("x" * 128)
    assert stage.redeem(stage.code(longest), longest).status_code == 200


@both_dialects
def test_TK15_a_code_is_void_after_five_guesses(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    for _ in range(5):
        assert stage.bad_grant(stage.redeem(code, Pkce()))
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(code, pkce))
    # Only guesses count, and only those of its client.
    other = stage.code(pkce)
    for _ in range(7):
        assert stage.bad_grant(stage.redeem(other, Pkce(), client_id="spa"))
    assert stage.redeem(other, pkce).status_code == 200


@both_dialects
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM users WHERE user_id LIKE '%1'",
        "UPDATE users SET blocked = true WHERE user_id LIKE '%1'",
        "UPDATE grants SET revoked_at = 1",
        "DELETE FROM grants",
    ],
    ids=["deleted", "blocked", "revoked", "forgotten"],
)
def test_TK16_a_person_or_consent_that_is_gone_gives_nothing(stage: Stage, change: str) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    stage.change(change)
    with nothing_changes(stage):
        response = stage.redeem(code, pkce)
        assert response.status_code == (403 if stage.dialect == "auth0" else 400)
        assert json_error(response)[1] in ("invalid_grant", "unauthorized")


def test_TK16_a_deleted_client_is_nobody(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    tokens = stage.tokens()
    stage.change("DELETE FROM clients WHERE client_id = 'native-app'")
    assert is_invalid_client(stage, stage.redeem(code, pkce))
    assert is_invalid_client(stage, stage.refresh(tokens["refresh_token"]))
    assert stage.userinfo(tokens["access_token"]).status_code == 401


@both_dialects
def test_TK18_the_answer_is_wellmannered(stage: Stage) -> None:
    pkce = Pkce()
    for response in (stage.redeem(stage.code(pkce), pkce), stage.redeem(stage.code(pkce), Pkce())):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["pragma"] == "no-cache"
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in response.headers
    tokens = stage.tokens()
    assert type(tokens["expires_in"]) is int
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", claims(tokens["access_token"])["scope"])
    assert {type(tokens[name]) for name in ("access_token", "refresh_token", "id_token", "scope")} == {str}


@both_dialects
def test_TK19_no_refresh_token_without_offline_access(stage: Stage) -> None:
    assert "refresh_token" not in stage.tokens(scope="openid read:notes")
    api = json.dumps({"scopes": {"read:notes": ""}, "allow_offline_access": False})
    stage.change("UPDATE resource_servers SET settings = :settings", settings=api)
    tokens = stage.tokens(scope="openid offline_access read:notes")
    assert "refresh_token" not in tokens
    assert "offline_access" not in tokens["scope"]
    explorer: dict[str, Any] = {"client_id": "api-docs", "redirect_uri": "http://localhost:8000/docs/oauth2-redirect"}
    pkce = Pkce()
    answered = stage.redeem(
        stage.code(pkce, scope="openid offline_access", audience=None, **explorer), pkce, **explorer
    ).json()
    assert "refresh_token" not in answered


@both_dialects
def test_TK21_no_description_repeats_what_was_sent(stage: Stage) -> None:
    canary = 'canary<script>"\\\x07ä'
    pkce = Pkce()
    good = request(stage.code(pkce), pkce)
    for name in good:
        for value in (canary, "canary-plain"):
            response = stage.http.post("/oauth/token", data={**good, name: value})
            assert 400 <= response.status_code < 500
            assert json_error(response)
            assert "canary" not in response.text, name
    for name in ("response_type", "scope", "audience", "max_age", "prompt", "code_challenge_method", "response_mode"):
        response = stage.http.get("/authorize", params=stage.parameters(**{name: "canary-plain"}))
        assert "canary" not in response.headers.get("location", ""), name


@both_dialects
def test_TK23_a_stolen_code_is_useless_in_another_transaction(stage: Stage) -> None:
    victim, attacker = Pkce(), Pkce()
    stolen = stage.code(victim)
    own = stage.code(attacker, user=BOB)
    with nothing_changes(stage):
        assert stage.bad_grant(stage.redeem(stolen, attacker))
    assert stage.redeem(own, attacker).status_code == 200
    assert stage.redeem(stolen, victim).status_code == 200


@both_dialects
def test_TK24_userinfo_takes_an_access_token_for_userinfo_alone(stage: Stage) -> None:
    tokens = stage.tokens()
    token = tokens["access_token"]
    good = {"Authorization": f"Bearer {token}"}
    for wrong in (
        tokens["id_token"],
        tokens["refresh_token"],
        stage.code(Pkce()),
        token[:-1],
        token + "=",
        token + "x",
        "x",
        "ä",
    ):
        response = stage.http.get("/userinfo", headers={b"Authorization": f"Bearer {wrong}".encode()})
        assert response.status_code == 401, wrong[:10]
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    without = stage.tokens(scope="read:notes")["access_token"]
    narrow = stage.userinfo(without)
    assert narrow.status_code == 403
    assert 'error="insufficient_scope"' in narrow.headers["www-authenticate"]
    # For userinfo by its audience, and yet without openid.
    assert stage.userinfo(stage.tokens(scope="email", audience=None)["access_token"]).status_code == 403
    assert stage.http.get("/userinfo", params={"access_token": token}).status_code in (400, 401)
    assert stage.http.get("/userinfo", params={"access_token": token}, headers=good).status_code == 400
    assert stage.http.post("/userinfo", data={"access_token": token}).status_code in (400, 401)
    assert stage.http.post("/userinfo", data={"access_token": token}, headers=good).status_code == 400
    twice = [("Authorization", f"Bearer {token}")] * 2
    assert stage.http.get("/userinfo", headers=twice).status_code == 400
    for header in (f"Basic {token}", f"Bearer {token} {token}", f"Bearer\t{token}", "Bearer", token, f"Bearer,{token}"):
        assert stage.http.get("/userinfo", headers={"Authorization": header}).status_code in (400, 401), header[:12]
    assert stage.userinfo(token).status_code == 200
    assert stage.http.get("/userinfo", headers={"Authorization": f"bearer {token}"}).status_code == 200


def test_TK24_userinfo_ends_with_the_token_the_grant_and_the_person(stage: Stage) -> None:
    token = stage.tokens()["access_token"]
    stage.clock.advance(86400 - 1)
    assert stage.userinfo(token).status_code == 200
    stage.clock.advance(1)
    assert stage.userinfo(token).status_code == 401
    granted = stage.tokens()
    assert stage.revoke(granted["refresh_token"]).status_code == 200
    assert stage.userinfo(granted["access_token"]).status_code == 401
    for change in ("UPDATE users SET blocked = true", "DELETE FROM users"):
        fresh = stage.tokens(user=BOB)["access_token"]
        stage.change(change + " WHERE user_id LIKE '%2'")
        assert stage.userinfo(fresh).status_code == 401
        stage.change("UPDATE users SET blocked = false WHERE user_id LIKE '%2'")
    assert is_error_page(stage.http.get("/authorize", params={"client_id": "nobody"}))
