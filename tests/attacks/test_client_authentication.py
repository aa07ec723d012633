"""CA1-CA5, CA11: a client proves who it is by exactly one method, and a stranger learns nothing from the answer."""

import base64
import hashlib
import time
from statistics import median
from urllib.parse import quote

import httpx2
import pytest

from authserver.attempts import SECRETS, WINDOW
from tests.attacks.judge import WEB_APP, both_dialects, is_invalid_client, json_error, nothing_changes, on_sqlite
from tests.stage import API, Pkce, Stage

pytestmark = [both_dialects, on_sqlite]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = {"grant_type": "refresh_token", "refresh_token": "x"}


def basic(value: bytes) -> dict[bytes, bytes]:
    return {b"Authorization": b"Basic " + base64.b64encode(value)}


def test_CA1_unknown_client_and_wrong_secret_are_one_answer(stage: Stage) -> None:
    for path in ("/oauth/token", "/oauth/revoke", "/oauth/device/code"):
        answers = set()
        for client_id, secret in (
            ("web-app", "wrong"),
            ("backend", "wrong"),
            ("nobody", "wrong"),
            ("native-app", "wrong"),
        ):
            posted = stage.http.post(
                path, data={**GRANT, "token": "x", "client_id": client_id, "client_secret": secret}
            )
            headed = stage.http.post(path, data={**GRANT, "token": "x"}, auth=(client_id, secret))
            for response in (posted, headed):
                assert is_invalid_client(stage, response), client_id
                answers.add(response.text)
        assert len(answers) == 1


def test_CA1_unknown_client_and_wrong_secret_take_the_same_time(stage: Stage) -> None:
    """A slow hash that only known clients cost would show.

    Processor time of this whole process, client and server, so that a busy machine does not count.
    """
    times: dict[str, list[float]] = {"web-app": [], "nobody": []}
    for _ in range(30):
        for client_id, measured in times.items():
            started = time.process_time()
            stage.http.post("/oauth/token", data={**GRANT, "client_id": client_id, "client_secret": "wrong"})
            measured.append(time.process_time() - started)
    assert abs(median(times["web-app"]) - median(times["nobody"])) < 0.005


def test_CA2_odd_secrets_and_ids_are_refused_in_the_protocols_words(stage: Stage) -> None:
    odd = [
        b"\xff\xfe",
        b"\x00",
        b"\xed\xa0\x80",
        "pässword".encode(),
        b"a" * 65536,
        "\U0001f511".encode(),
        b"\r\n",
        b"'; --",
    ]
    with nothing_changes(stage):
        for value in odd:
            encoded = quote(value).encode()
            for body in (
                b"grant_type=refresh_token&refresh_token=x&client_id=web-app&client_secret=" + encoded,
                b"grant_type=refresh_token&refresh_token=x&client_secret=x&client_id=" + encoded,
                b"grant_type=refresh_token&refresh_token=x&client_id=" + encoded,
            ):
                assert is_invalid_client(stage, stage.http.post("/oauth/token", content=body, headers=FORM)), value[:9]
            for credentials in (b"web-app:" + value, value + b":x", b"web-app:" + encoded, encoded + b":x"):
                response = stage.http.post("/oauth/token", data=GRANT, headers=basic(credentials))
                assert is_invalid_client(stage, response), credentials[:20]
        if stage.dialect == "auth0":
            for member in (
                '"client_id": "web-app", "client_secret": "\\ud800"',
                '"client_id": "\\udfff", "client_secret": "x"',
            ):
                text = '{"grant_type": "refresh_token", "refresh_token": "x", ' + member + "}"
                response = stage.http.post("/oauth/token", content=text, headers={"Content-Type": "application/json"})
                assert is_invalid_client(stage, response), member


def test_CA4_malformed_basic_credentials_are_refused(stage: Stage) -> None:
    good = base64.b64encode(f"web-app:{stage.secrets['web-app']}".encode())
    odd = [
        b"Basic",
        b"Basic !!!!",
        b"Basic " + base64.b64encode(b"no colon"),
        b"Basic " + base64.b64encode(b":"),
        b"Basic " + base64.b64encode(b"web-app:"),
        b"Basic " + base64.b64encode(b"web-app:%zz"),
        b"Basic " + base64.b64encode(b"web-app:\xff"),
        b"Basic " + good + b"x",
        b"Basic " + good[:-1] + b"*",
        b"Basic " + good[:8] + b" " + good[8:],
        b"Basic \xff\xfe",
        b"Bearer " + good,
        b"Digest username=web-app",
        good,
        b"Basic " + good + b"," + good,
    ]
    with nothing_changes(stage):
        for header in odd:
            response = stage.http.post("/oauth/revoke", data={"token": "x"}, headers={b"Authorization": header})
            assert is_invalid_client(stage, response), header[:30]


def test_CA4_id_and_secret_are_form_decoded(stage: Stage) -> None:
    secret = "with:colon +%/ü and=more&"
    digest = hashlib.sha256(secret.encode()).digest()
    columns = stage.rows("SELECT * FROM clients WHERE client_id = 'backend'")[0].keys() - {"client_id", "secret_digest"}
    rest = ", ".join(columns)
    copy = f"SELECT 'b ä:1', :digest, {rest} FROM clients WHERE client_id = 'backend'"  # noqa: S608 - column names
    stage.change(f"INSERT INTO clients (client_id, secret_digest, {rest}) {copy}", digest=digest)
    encoded = f"{quote('b ä:1', safe='')}:{quote(secret, safe='')}".encode()
    plus = encoded.replace(b"%20", b"+")
    for credentials in (encoded, plus):
        assert stage.http.post("/oauth/revoke", data={"token": "x"}, headers=basic(credentials)).status_code == 200
    raw = f"b ä:1:{secret}".encode()
    assert is_invalid_client(stage, stage.http.post("/oauth/revoke", data={"token": "x"}, headers=basic(raw)))


def test_CA5_a_secret_is_needed_where_there_is_one_and_refused_where_there_is_none(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce, **WEB_APP)
    secret = stage.secrets["web-app"]
    with nothing_changes(stage):
        for missing in (
            {},
            {"client_secret": ""},
            {"client_secret": "x"},
            {"client_secret": secret[:-1]},
            {"client_secret": secret + " "},
        ):
            assert is_invalid_client(stage, stage.redeem(code, pkce, **WEB_APP, **missing))
        other = {"client_secret": stage.secrets["backend"]}
        assert is_invalid_client(stage, stage.redeem(code, pkce, **WEB_APP, **other))
        for offered in ("x", secret):
            assert is_invalid_client(stage, stage.token(**GRANT, client_secret=offered))
        headed = stage.http.post("/oauth/token", data=GRANT, auth=("native-app", "x"))
        assert is_invalid_client(stage, headed)
        assertion = {
            "client_assertion": "e30.e30.e30",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        assert is_invalid_client(stage, stage.redeem(code, pkce, **WEB_APP, **assertion))
        assert is_invalid_client(stage, stage.token(**GRANT, **assertion))
    assert stage.redeem(code, pkce, **WEB_APP, client_secret=secret).status_code == 200


def test_CA5_the_registered_method_or_any_as_the_dialect_says(stage: Stage) -> None:
    registered = {"web-app": "post", "backend": "basic"}
    for client_id, method in registered.items():
        body = {"token": "x", "client_id": client_id, "client_secret": stage.secrets[client_id]}
        posted = stage.http.post("/oauth/revoke", data=body)
        headed = stage.http.post("/oauth/revoke", data={"token": "x"}, auth=stage.basic(client_id))
        for response, used in ((posted, "post"), (headed, "basic")):
            if stage.dialect == "auth0" or used == method:
                assert response.status_code == 200, (client_id, used)
            else:
                assert is_invalid_client(stage, response), (client_id, used)


def test_CA5_two_methods_at_once_are_refused(stage: Stage) -> None:
    secret = stage.secrets["backend"]
    two = [
        stage.http.post("/oauth/revoke", data={"token": "x", "client_secret": secret}, auth=stage.basic("backend")),
        stage.http.post(
            "/oauth/revoke",
            data={"token": "x", "client_id": "backend", "client_secret": secret},
            auth=stage.basic("backend"),
        ),
        stage.http.post("/oauth/revoke", data={"token": "x", "client_id": "web-app"}, auth=stage.basic("backend")),
        stage.http.post(
            "/oauth/revoke",
            data={"token": "x"},
            headers=[("Authorization", "Basic eDp5"), ("Authorization", "Basic eDp5")],
        ),
        stage.http.post("/oauth/revoke", params={"client_id": "backend", "client_secret": secret}, data={"token": "x"}),
        stage.http.post("/oauth/revoke", params={"client_id": "native-app"}, data={"token": "x"}),
        stage.http.post("/oauth/token", params=GRANT, data={"client_id": "native-app"}),
    ]
    for response in two:
        assert json_error(response) == (400, "invalid_request"), response.text
    assert (
        stage.http.post(
            "/oauth/revoke", data={"token": "x", "client_id": "backend"}, auth=stage.basic("backend")
        ).status_code
        == 200
    )


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/device/code"])
def test_CA5_nobody_is_invalid_request(stage: Stage, path: str) -> None:
    response: httpx2.Response = stage.http.post(path, data={**GRANT, "token": "x"})
    assert json_error(response) == (400, "invalid_request")


def test_CA11_guessing_secrets_is_braked_for_known_and_unknown_clients_alike(stage: Stage) -> None:
    body = {"grant_type": "client_credentials", "audience": API}
    for client_id in ("backend", "nobody"):
        for _ in range(SECRETS):
            assert stage.http.post("/oauth/token", data=body, auth=(client_id, "wrong")).status_code == 401
        braked = stage.http.post("/oauth/token", data=body, auth=(client_id, "wrong"))
        assert (braked.status_code, braked.json()["error"]) == (429, "too_many_requests")
    # Not even the right one tells now; other clients go on, and so does this one when the window has passed.
    assert stage.http.post("/oauth/token", data=body, auth=stage.basic("backend")).status_code == 429
    tokens = stage.tokens()
    stage.clock.advance(WINDOW)
    assert stage.http.post("/oauth/token", data=body, auth=stage.basic("backend")).status_code == 200
    assert stage.refresh(tokens["refresh_token"]).status_code == 200
