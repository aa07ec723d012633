"""P3: every endpoint, every field, everything that is no value. The answer is in the protocol's words, and nothing changes.

One stage takes many cases. What differs is who reads the answer: a program (JSON), a person (a page with the element `error`),
or the application at its redirect URI. No case may end in a 5xx, in a traceback, or in an echo of what was sent (TK21).
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest

from tests.attacks.judge import ask, interaction_of, json_error, nothing_changes, refusal, same_origin
from tests.stage import ALICE, CALLBACK, PASSWORD, Pkce, Stage, answer

# What PostgreSQL refuses (NUL in a text, for one) SQLite takes.
pytestmark = pytest.mark.parametrize(
    ("dialect", "backend"), [("auth0", "sqlite"), ("rfc", "sqlite"), ("auth0", "postgresql")]
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
CANARY = "canary"

VALUES = {
    "NUL": b"canary\x00canary",
    "controls": b"canary\x01\x07\x1b[31m\x7f\r\nSet-Cookie: canary=1",
    "C1 controls": "canary\x85\x9b".encode(),
    "invalid UTF-8": b"canary\xff\xfe\xc0\xaf",
    "UTF-8 surrogate": b"canary\xed\xa0\x80",
    "non-ASCII": "canary\u00e4\u4e2d\U0001f511".encode(),
    "bidi": "canary\u202e\u2066canary".encode(),
    "64 KB": b"canary" + b"x" * 65536,
    "quotes": b"canary'\"\\;--${7*7}{{7*7}}%s<script>",
    "digits of another script": "canary\u0661\u0662".encode(),
    "space": b" canary ",
    "number games": b"1_000canary",
}
MEMBERS: tuple[object, ...] = (
    None,
    True,
    0,
    -1.5,
    1e308,
    [],
    ["canary"],
    [["canary"]],
    {},
    {"canary": "canary"},
    "\ud800canary",
    "canary\x00",
)
BODIES = {
    "wrong content type": ({"Content-Type": "text/plain"}, b"canary=canary"),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=canary"}, b"--canary--"),
    "no content type": ({}, b"canary=canary"),
    "charset": ({"Content-Type": "application/x-www-form-urlencoded; charset=canary"}, b"canary=canary"),
    "coding": ({**FORM, "Content-Encoding": "canary"}, b"canary=canary"),
    "many fields": (FORM, b"&".join(b"c%d=" % number for number in range(30_000))),
    "100 000 fields": (FORM, b"a&" * 100_000),
    "deep JSON": (JSON, b"[" * 100_000),
    "deeper members": (JSON, b'{"client_id":' * 15_000 + b"1" + b"}" * 15_000),
    "no JSON": (JSON, b"canary"),
    "JSON array": (JSON, b'["canary"]'),
    "JSON pairs": (JSON, b'[["client_id", "canary"]]'),
    "JSON string": (JSON, b'"canary"'),
    "JSON null": (JSON, b"null"),
    "JSON with a tail": (JSON, b'{"client_id": "canary"} canary'),
    "JSON, bad UTF-8": (JSON, b'{"client_id": "\xff"}'),
    "huge number": (JSON, b'{"client_id": 1' + b"0" * 5000 + b"}"),
    "NaN": (JSON, b'{"client_id": NaN}'),
    "oversize": (FORM, b"canary=" + b"x" * 262_144),
}


def fields(good: dict[str, str]) -> Iterator[tuple[str, str, bytes]]:
    """Each field of a form spoiled in each way: what was done, to which field, and the encoded body."""
    for name in (*good, "made_up"):
        others = [(key, value) for key, value in good.items() if key != name]
        rest = urlencode(others).encode() + b"&" if others else b""
        key = quote(name).encode()
        for case, value in VALUES.items():
            yield case, name, rest + key + b"=" + quote(value).encode()
        held = quote(good.get(name, "x")).encode()
        yield "twice", name, rest + key + b"=" + held + b"&" + key + b"=" + held
        yield "twice, differing", name, rest + key + b"=" + held + b"&" + key + b"=canary"
        yield "twice, one empty", name, rest + key + b"=&" + key + b"=" + held
        yield "array syntax", name, rest + key + b"[]=" + held
        yield "index syntax", name, rest + key + b"[0]=" + held + b"&" + key + b"[canary]=x"
        yield "dotted", name, rest + key + b".canary=" + held
        yield "upper case", name, rest + key.upper() + b"=" + held
        yield "raw bytes", name, rest + key + b"=canary\xff\x00\xed\xa0\x80"
        yield "odd name", name, rest + key + b"%00canary=" + held


def in_words(response: httpx2.Response, case: object) -> None:
    """Whoever reads it, it is an answer of ours, without a traceback and without what was sent."""
    assert response.status_code < 500, (case, response.status_code)
    kind = response.headers.get("content-type", "")
    if "location" in response.headers:
        location = response.headers["location"]
        assert "set-cookie" not in response.headers or "canary" not in response.headers["set-cookie"], case
        assert location.isascii(), case
        assert location.isprintable(), case
        if location.startswith(CALLBACK):
            assert CANARY not in answer(response).get("error_description", ""), case
        return
    if response.status_code >= 400:
        if kind == "application/json":
            json_error(response)
            assert CANARY not in response.text, case
        elif kind.startswith("text/html"):
            assert 'id="error"' in response.text, case
        else:
            assert response.text == "Unauthorized", case
    assert "Traceback" not in response.text, case
    assert "<script>" not in response.text, case


def token_requests(stage: Stage) -> dict[str, dict[str, str]]:
    """A good request of each kind that the program endpoints take; every case spoils one of them."""
    pkce = Pkce()
    tokens = stage.tokens()
    code = {
        "grant_type": "authorization_code",
        "client_id": "native-app",
        "code": stage.code(pkce),
        "redirect_uri": CALLBACK,
    }
    refresh = {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": tokens["refresh_token"]}
    return {
        "/oauth/token": {**code, "code_verifier": pkce.verifier},
        "/oauth/token?": {**refresh, "scope": "openid"},
        "/oauth/revoke": {
            "client_id": "native-app",
            "token": tokens["refresh_token"],
            "token_type_hint": "refresh_token",
        },
    }


HARMLESS = {"made_up", "token_type_hint", "scope"}
"""Fields that leave the request good, so that it would be carried out: ignored, or dropped in one of the dialects."""


def test_TK21_the_programs_endpoints_answer_every_field_in_their_words(stage: Stage) -> None:
    requests = token_requests(stage)
    with nothing_changes(stage):
        for path, good in requests.items():
            for case, name, body in fields(good):
                if name in HARMLESS:
                    continue  # see the next test
                response = stage.http.post(path.rstrip("?"), content=body, headers=FORM)
                in_words(response, (path, name, case))
                if path != "/oauth/revoke":
                    assert response.status_code >= 400, (path, name, case)
                elif name != "token":
                    assert response.status_code >= 400 or name not in good, (path, name, case)
    # What nobody proved to hold is still as good as it was; the code had its guesses.
    assert stage.http.post("/oauth/token", data=requests["/oauth/token?"]).status_code == 200


def test_TK21_fields_that_nobody_reads_do_no_harm(stage: Stage) -> None:
    """The scope of a refresh is dropped or refused, the hint and unknown names are ignored; twice is always too much."""
    tokens = stage.tokens()
    for name in ("scope", "made_up", "token_type_hint"):
        for case, of, body in fields(
            {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": "R", name: "openid"}
        ):
            if of == name:
                body = body.replace(b"refresh_token=R", b"refresh_token=" + tokens["refresh_token"].encode())
                response = stage.http.post("/oauth/token", content=body, headers=FORM)
                in_words(response, (name, case))
                if case.startswith("twice"):
                    assert response.status_code == 400, (name, case)
                if response.status_code == 200:
                    assert CANARY not in response.text
                    tokens = response.json()
    assert stage.refresh(tokens["refresh_token"]).status_code == 200


def test_TK21_the_programs_endpoints_answer_every_body_in_their_words(stage: Stage) -> None:
    requests = token_requests(stage)
    with nothing_changes(stage):
        for path in ("/oauth/token", "/oauth/revoke"):
            for case, (headers, body) in BODIES.items():
                response = stage.http.post(path, content=body, headers=headers)
                in_words(response, (path, case))
                assert json_error(response)[0] in (400, 401, 413, 415), (path, case)
            chunked = stage.http.post(path, content=iter([b"canary=", b"x" * 200_000, b"x" * 200_000]), headers=FORM)
            assert json_error(chunked)[0] == 413
        for path, good in requests.items():
            for name in good:
                if stage.dialect == "auth0" and name not in HARMLESS:
                    for member in MEMBERS:
                        text = json.dumps({**good, name: member})
                        response = stage.http.post(path.rstrip("?"), content=text, headers=JSON)
                        in_words(response, (path, name, member))
                        assert response.status_code >= 400 or (name, path) == ("token", "/oauth/revoke"), (name, member)
                    twice = json.dumps(good)[:-1] + f', "{name}": "canary"}}'
                    assert json_error(stage.http.post(path.rstrip("?"), content=twice, headers=JSON)) == (
                        400,
                        "invalid_request",
                    )
    assert stage.http.post("/oauth/token", data=requests["/oauth/token?"]).status_code == 200


def test_TK21_an_optional_member_of_the_wrong_type_is_not_taken_as_absent(stage: Stage) -> None:
    good = {"grant_type": "refresh_token", "client_id": "native-app", "refresh_token": stage.tokens()["refresh_token"]}
    with nothing_changes(stage):
        for name in ("scope", "client_secret"):
            for member in (True, 0, {"canary": 1}, [["canary"]], [1]):
                response = stage.http.post("/oauth/token", json={**good, name: member})
                assert json_error(response) == (400, "invalid_request"), (name, member)
                assert CANARY not in response.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_TK21_the_authorization_endpoint_answers_every_field_in_its_words(stage: Stage, method: str) -> None:
    good = stage.parameters(prompt="login", max_age="60", login_hint=ALICE, response_mode="query")
    with nothing_changes(stage, but=("interactions",)):
        for case, name, pairs in fields(good):
            if method == "GET" and case in ("64 KB", "raw bytes"):
                continue  # no client would send it in a URL
            if method == "GET":
                response = stage.http.send(httpx2.Request("GET", stage.issuer + "authorize?" + pairs.decode("latin-1")))
            else:
                response = stage.http.post("/authorize", content=pairs, headers=FORM)
            in_words(response, (name, case))
            if case.startswith("twice"):
                assert (
                    response.status_code == 400 if name in ("client_id", "redirect_uri") else refusal(stage, response)
                )
            # Only what is free text may hold anything at all, and no value is taken for another.
            if name not in ("state", "nonce", "login_hint", "made_up", "scope", "audience") and case in VALUES:
                assert "/u/login" not in response.headers.get("location", ""), (name, case)
        if method == "POST":
            for case, (headers, body) in BODIES.items():
                response = stage.http.post("/authorize", content=body, headers=headers)
                in_words(response, case)
                assert response.status_code in (400, 413), case
        long = ask(stage, *((f"a{number}", "") for number in range(10_000 // 2)))
        in_words(long, "many fields")


def test_TK21_the_pages_answer_every_field_in_their_words(stage: Stage) -> None:
    browser = stage.browser()
    login = browser.follow(stage.authorize(browser))
    other = stage.browser()
    consent = other.log_in(stage.authorize(other))
    forms: list[tuple[Any, str, dict[str, str]]] = [
        (browser, "u/login", {"state": interaction_of(login), "username": ALICE, "password": PASSWORD}),
        (other, "u/consent", {"state": interaction_of(consent)}),
    ]
    headers = {**FORM, **same_origin(stage)}
    with nothing_changes(stage):
        for who, path, good in forms:
            for case, name, body in fields(good):
                if name == "made_up" or (name, case) in (("username", "space"),):
                    continue  # nobody reads it, so the form is as good as it was
                if case.startswith("twice") or "syntax" in case or case in ("dotted", "upper case", "odd name"):
                    if name != "state" or case.startswith("twice"):
                        continue  # see test_LO1_a_repeated_field_logs_nobody_in
                if (
                    path == "u/login"
                    and name != "state"
                    and case not in ("NUL", "invalid UTF-8", "64 KB", "bidi", "raw bytes")
                ):
                    continue  # a password costs what it costs
                response = who.http.post(stage.issuer + path, content=body, headers=headers)
                in_words(response, (path, name, case))
                assert response.status_code in (400, 403), (path, name, case)
            for case, (kind, body) in BODIES.items():
                response = who.http.post(stage.issuer + path, content=body, headers={**same_origin(stage), **kind})
                in_words(response, (path, case))
                assert response.status_code in (400, 413), (path, case)
            for page in (path, "authorize/resume"):
                for case, value in VALUES.items():
                    if case != "64 KB":
                        response = who.http.get(f"{stage.issuer}{page}?state={quote(value)}")
                        in_words(response, (page, case))
                        assert response.status_code in (400, 403), (page, case)
                assert who.http.get(f"{stage.issuer}{page}").status_code == 400
    assert "/u/consent" in str(browser.log_in(login).url)
    assert "code" in answer(other.decide(consent))


def test_TK21_userinfo_answers_every_header_in_its_words(stage: Stage) -> None:
    token = stage.tokens()["access_token"]
    with nothing_changes(stage):
        for case, value in VALUES.items():
            sendable = value.translate(None, b"\x00\x01\x07\x1b\x7f\r\n").strip()
            for header in (
                b"Bearer " + sendable,
                b"Bearer " + token.encode() + sendable,
                sendable,
                b"DPoP " + sendable,
            ):
                response = stage.http.get("/userinfo", headers={b"Authorization": header})
                in_words(response, case)
                assert response.status_code in (400, 401), case
            for response in (
                stage.http.get("/userinfo", params={"access_token": sendable[:30_000]}),
                stage.http.post("/userinfo", content=b"access_token=" + quote(value).encode(), headers=FORM),
            ):
                in_words(response, case)
                assert response.status_code in (400, 401), case
        for case, (headers, body) in BODIES.items():
            response = stage.http.post("/userinfo", content=body, headers=headers)
            in_words(response, case)
            assert response.status_code in (400, 401, 413), case
    assert stage.userinfo(token).status_code == 200


def test_TK21_discovery_and_keys_answer_anything(stage: Stage) -> None:
    paths = (".well-known/openid-configuration", ".well-known/oauth-authorization-server", ".well-known/jwks.json")
    for path in paths:
        plain = stage.http.get(path).json()
        for case, value in VALUES.items():
            if case == "64 KB":
                continue
            for query in (quote(value), "canary=" + quote(value), quote(value) + "=x"):
                response = stage.http.get(f"{stage.issuer}{path}?{query}")
                in_words(response, (path, case))
                assert response.status_code == 400 or response.json() == plain
        for method in ("POST", "PUT", "DELETE", "HEAD"):
            response = stage.http.request(method, path, content=b"canary")
            assert (response.status_code, response.headers["allow"]) == (405, "GET"), (path, method)
