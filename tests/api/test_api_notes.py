"""Scopes, whose notes they are, and what a note may be (API17, API18, bad input)."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.conftest import StartApi
from tests.api.fake_issuer import START, FakeIssuer, Json


class Caller:
    """Somebody with an access token."""

    def __init__(self, api: TestClient, token: str) -> None:
        self.api = api
        self.headers = {"Authorization": f"Bearer {token}"}

    def add(self, text: str) -> Response:
        return self.api.post("/notes", headers=self.headers, json={"text": text})

    def add_raw(self, body: bytes, kind: str = "application/json") -> Response:
        return self.api.post("/notes", headers={**self.headers, "content-type": kind}, content=body)

    def list(self) -> Response:
        return self.api.get("/notes", headers=self.headers)

    def delete(self, note: str) -> Response:
        return self.api.delete(f"/notes/{note}", headers=self.headers)


@pytest.fixture
def alice(api: TestClient, issuer: FakeIssuer) -> Caller:
    return Caller(api, issuer.token())


@pytest.fixture
def bob(api: TestClient, issuer: FakeIssuer) -> Caller:
    return Caller(api, issuer.token(sub="auth0|bob"))


def test_notes_are_kept_listed_and_deleted(alice: Caller) -> None:
    added = alice.add("buy milk\n\t✓ 🥛")
    assert added.status_code == 201
    note = added.json()
    assert note == {"id": note["id"], "text": "buy milk\n\t✓ 🥛", "created_at": int(START)}
    assert alice.list().json() == [note]
    deleted = alice.delete(note["id"])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert alice.list().json() == []
    assert alice.delete(note["id"]).status_code == 404


def test_notes_outlive_the_process(start_api: StartApi, issuer: FakeIssuer) -> None:
    note = Caller(start_api(), issuer.token()).add("still here").json()
    assert Caller(start_api(), issuer.token()).list().json() == [note]


def test_notes_written_in_parallel_are_all_kept(alice: Caller) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(alice.add, map(str, range(40))))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(note["text"] for note in alice.list().json()) == sorted(map(str, range(40)))


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        "read",
        "notes",
        "read:note",
        "read:notes2",
        "xread:notes",
        "READ:NOTES",
        "read:notes,write:notes",
        "read:*",
        "read:notes\twrite:notes",
        "read:notes  write:notes",
        " read:notes",
        "read:notes\0",
        "read:notes \ud800",
        ["read:notes", "write:notes"],
        {"read:notes": True},
        True,
    ],
)
def test_API17_scopes_are_whole_words_of_one_string(api: TestClient, issuer: FakeIssuer, scope: object) -> None:
    response = Caller(api, issuer.token(scope=scope)).list()
    assert response.status_code == 403
    assert response.json()["error"] == "insufficient_scope"
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="notes", error="insufficient_scope", error_description="')
    assert challenge.endswith(', scope="read:notes"')
    # What cannot be understood grants nothing; the token is good all the same.
    assert api.get("/me", headers={"Authorization": f"Bearer {issuer.token(scope=scope)}"}).status_code == 200


def test_API17_permissions_are_not_scopes(api: TestClient, issuer: FakeIssuer) -> None:
    caller = Caller(api, issuer.token(scope=None, permissions=["read:notes"], scopes="read:notes", scp="read:notes"))
    assert caller.list().status_code == 403


def test_API17_each_route_has_a_scope_of_its_own(api: TestClient, issuer: FakeIssuer) -> None:
    note = Caller(api, issuer.token()).add("mine").json()["id"]
    for scope, allowed in (("read:notes", 200), ("write:notes", 201), ("delete:notes", 204)):
        caller = Caller(api, issuer.token(scope=f"openid {scope} profile"))
        answers = {caller.list().status_code, caller.add("x").status_code, caller.delete(note).status_code}
        assert answers == {allowed, 403}


def test_API17_scope_comes_before_the_object_and_the_body(api: TestClient, issuer: FakeIssuer) -> None:
    caller = Caller(api, issuer.token(scope="read:notes"))
    assert caller.delete("0" * 32).status_code == 403
    assert caller.delete("no-such-form").status_code == 403
    assert caller.add_raw(b"{").status_code == 403


def test_API18_somebody_elses_note_does_not_exist(alice: Caller, bob: Caller) -> None:
    note = alice.add("secret").json()
    assert bob.list().json() == []
    refused, missing = bob.delete(note["id"]), bob.delete(uuid.uuid4().hex)
    assert refused.status_code == 404
    assert refused.json() == missing.json() == {"error": "not_found", "error_description": "There is no such note"}
    assert alice.list().json() == [note]


def test_API18_owners_are_compared_exactly(api: TestClient, issuer: FakeIssuer, alice: Caller) -> None:
    note = alice.add("secret").json()
    for sub in ("AUTH0|ALICE", "auth0|alice ", "auth0|alic", "auth0|alice%", "%", "auth0|a_ice", "' OR '1'='1"):
        stranger = Caller(api, issuer.token(sub=sub))
        assert stranger.list().json() == []
        assert stranger.delete(note["id"]).status_code == 404
    assert alice.list().json() == [note]


@pytest.mark.parametrize(
    ("typ", "claims"),
    [
        ("JWT", {"sub": "backend@clients", "azp": "backend", "gty": "client-credentials"}),
        ("JWT", {"sub": "backend@clients", "azp": "backend"}),
        ("JWT", {"gty": "client-credentials"}),  # a client that was registered under a person's id
        ("at+jwt", {"sub": "backend", "client_id": "backend"}),
    ],
)
def test_API18_a_clients_own_token_has_no_notes(api: TestClient, issuer: FakeIssuer, typ: str, claims: Json) -> None:
    caller = Caller(api, issuer.token(typ, **claims))
    for response in (caller.list(), caller.add("x"), caller.delete("0" * 32)):
        assert (response.status_code, response.json()["error"]) == (403, "access_denied")
        assert "www-authenticate" not in response.headers
    assert api.get("/me", headers=caller.headers).status_code == 200


@pytest.mark.parametrize("note", ["%00", "1", "..", "a" * 33, "A" * 32, "' OR 1=1", "%F0%9F%A5%9B", "0" * 5000])
def test_ids_that_are_no_ids(alice: Caller, note: str) -> None:
    response = alice.delete(note)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b'["text"]', 400),
        (b'{"text": "a", "text": "b"}', 400),
        (b'{"text": NaN}', 400),
        (b'\xef\xbb\xbf{"text": "a"}', 400),
        (b'{"text": "\xff"}', 400),
        ('{"text": "a"}'.encode("utf-16"), 400),
        (b'{"text": "a\0b"}', 400),
        (b'{"a":' * 5000, 400),
        (b"[" * 30_000, 400),
        (b'{"text": ' + b"1" * 5000 + b"}", 400),
        (b"{}", 422),
        (b'{"text": null}', 422),
        (b'{"text": 1}', 422),
        (b'{"text": ["a"]}', 422),
        (b'{"text": ""}', 422),
        (b'{"text": "a", "sub": "auth0|bob"}', 422),
        (b'{"text": "a\\u0000b"}', 422),
        (b'{"text": "\\u001b[2J"}', 422),
        (b'{"text": "a\\rb"}', 422),
        (b'{"text": "\\u0085"}', 422),
        (b'{"text": "\\ud800"}', 422),
        (b'{"text": "\\udc00\\ud800"}', 422),
        (b'{"text": "' + b"a" * 2001 + b'"}', 422),
    ],
)
def test_bad_bodies_are_refused_and_not_repeated(alice: Caller, body: bytes, status: int) -> None:
    response = alice.add_raw(body)
    assert (response.status_code, response.json()["error"]) == (status, "invalid_request")
    assert response.json().keys() == {"error", "error_description"}
    assert "auth0|bob" not in response.text
    assert alice.list().json() == []


def test_the_longest_note_fits_in_its_longest_spelling(alice: Caller) -> None:
    text = "🥛" * 2000
    body = json.dumps({"text": text}).encode()
    assert body.count(b"\\u") == 4000
    assert alice.add_raw(body).json()["text"] == text


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "application/json-seq", "application/json x"])
def test_only_json_is_read(alice: Caller, kind: str) -> None:
    """A form or text/plain is what a page of another origin can send without asking."""
    response = alice.add_raw(b'{"text": "a"}', kind)
    assert (response.status_code, response.json()["error"]) == (415, "invalid_request")
    assert alice.add_raw(b'{"text": "a"}', "Application/JSON; charset=utf-8").status_code == 201
