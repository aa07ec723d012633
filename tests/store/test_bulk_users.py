"""People of a bulk-import file: hashes as they are, or none; a mistake is named with its line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from authserver.tenant_file import Reading, TenantFileError, with_users
from authserver.tenant_file.models import is_verifiable
from tests.tenants import USERS, read_export

EXPORT = read_export()
BCRYPT = json.loads(USERS.read_text())[0]["password_hash"]
ARGON2 = json.loads(USERS.read_text())[1]["custom_password_hash"]["hash"]["value"]


def read(directory: Path, *people: Any) -> Reading:
    file = directory / "users.json"
    file.write_text(json.dumps(people, indent=1))
    return with_users(EXPORT, file)


def test_everybody_is_taken_or_named() -> None:
    reading = with_users(EXPORT, USERS)
    assert [user.email.partition("@")[0] for user in reading.imported] == ["ines", "joao", "kim"]
    told = [(each.what, each.line) for each in reading.findings if each.what.startswith("users.json")]
    assert told == [
        ("users.json: user ines@harbour-books.test: mfa_factors", 15),
        ("users.json: username", 20),
        ("users.json: user kim@harbour-books.test: custom_password_hash", 31),
        ("users.json: username", 37),
        ("users.json: user only-a-name", 36),
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"password_hash": BCRYPT}, BCRYPT),
        ({"password_hash": BCRYPT.replace("$2b$", "$2a$")}, BCRYPT.replace("$2b$", "$2a$")),
        ({"password_hash": BCRYPT.replace("$10$", "$31$")}, None),
        ({"password_hash": BCRYPT.replace("$2b$", "$2x$")}, None),
        ({"password_hash": BCRYPT[:-1]}, None),
        ({"password_hash": "secret"}, None),
        ({"password_hash": ""}, None),
        ({"password_hash": None}, None),
        ({"custom_password_hash": {"algorithm": "bcrypt", "hash": {"value": BCRYPT}}}, BCRYPT),
        ({"custom_password_hash": {"algorithm": "argon2", "hash": {"value": ARGON2, "encoding": "utf8"}}}, ARGON2),
        ({"custom_password_hash": {"algorithm": "argon2", "hash": {"value": ARGON2.replace("m=19456", "m=99999999")}}}, None),
        ({"custom_password_hash": {"algorithm": "md5", "hash": {"value": "0cc175b9c0f1b6a831c399e269772661"}}}, None),
        ({"custom_password_hash": {"algorithm": "bcrypt"}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_hash_is_kept_as_it_is_or_there_is_none(tmp_path: Path, given: dict[str, Any], kept: str | None) -> None:
    reading = read(tmp_path, {"email": "a@b.test", **given})
    (user,) = reading.imported
    assert (user.password_hash, user.password) == (kept, None)
    came = next(iter(given.values()), None)
    told = [each.why for each in reading.findings if each.what.startswith("users.json") and "password" in each.what]
    assert bool(told) == (bool(came) and kept is None)


def test_ids_are_those_of_the_database_and_stable(tmp_path: Path) -> None:
    people = [
        {"email": "a@b.test"},
        {"email": "c@b.test", "user_id": "77"},
        {"email": "d@b.test", "user_id": "auth0|78"},
    ]
    ids = [user.user_id for user in read(tmp_path, *people).imported]
    assert re.fullmatch(r"auth0\|[0-9a-f]{24}", ids[0])
    assert ids[1:] == ["auth0|77", "auth0|78"]
    assert [user.user_id for user in read(tmp_path, *people).imported] == ids


@pytest.mark.parametrize(
    ("people", "line", "expected"),
    [
        ([{"email": "a@b.test", "emial_verified": True}], 4, "emial_verified: is not known here"),
        ([{"email": "a@b.test"}, {"email": "A@B.test"}], 5, "email must be unique"),
        ([{"email": "a@b.test", "user_id": "1"}, {"email": "c@b.test", "user_id": "auth0|1"}], 6, "user_id must be unique"),
        ([{"email": "a"}], 3, "email: String should match"),
        ([{"email": "a@b.test", "blocked": "perhaps"}], 4, "blocked: Input should be a valid boolean"),
        ([{"email": "a@b.test", "user_id": "x@clients"}], 4, "user_id: must not end in @clients"),
        ([{"email": "a@b.test", "custom_password_hash": {"algorithm": "rot13"}}], 4, "custom_password_hash: is not known"),
        ([{"email": "a@b.test", "custom_password_hash": "x"}], 4, "custom_password_hash: is not known"),
        ([{"email": "a@b.test", "password": "clear", "password_hash": BCRYPT}], 2, "a password or a password_hash, and not both"),
        ([7], 2, "Input should be a valid dictionary"),
        ([{}], 2, "email: is missing here"),
        ([{"email": "a@b.test", "app_metadata": []}], 4, "app_metadata: Input should be a valid dictionary"),
        ([{"email": "a@b.test", "user_metadata": {"a": "\0"}}], 5, "cannot be stored"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, people: list[Any], line: int, expected: str) -> None:
    with pytest.raises(TenantFileError) as caught:
        read(tmp_path, *people)
    assert re.search(rf"users\.json:{line}: .*{re.escape(expected)}", str(caught.value)), str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[", b"null", b"[}", b"\xff", b'[{"email": "a@b.test"},]', b"[" * 5000]
)
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "users.json"
    file.write_bytes(content)
    with pytest.raises(TenantFileError, match=r"users\.json"):
        with_users(EXPORT, file)


def test_hashes_that_would_keep_the_server_busy_are_none() -> None:
    assert is_verifiable(BCRYPT)
    assert is_verifiable(ARGON2)
    for costly in (BCRYPT.replace("$10$", "$15$"), ARGON2.replace("t=2", "t=900"), ARGON2.replace("p=1", "p=99")):
        assert not is_verifiable(costly)
