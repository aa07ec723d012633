"""What cannot be asked for: it gets a sentence, no fault is set, and nothing of it is repeated."""

import re
from pathlib import Path
from typing import Any

import pytest

from authserver.testing.endpoints import ENDPOINTS
from authserver.testing.faults.kept import MOST
from authserver.testing.faults.kinds import DEEPEST, LARGEST
from authserver.testing.handle import Authserver, Control, HarnessError
from tests.harness.faulty import KINDS, World
from tests.stage import http_client

DEEP: list[Any] = []
for _ in range(DEEPEST + 1):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({}, "kind"),
        ({"kind": "sabotage-7f3a9c"}, "there is no such kind; there are 'answer', 'error'"),
        ({"kind": "hang", "endpoint": "sabotage-7f3a9c"}, "no such endpoint; there are activate, authorize"),
        ({"kind": "hang", "grant_type": "sabotage-7f3a9c"}, "no such grant type"),
        ({"kind": "hang", "sabotage": 1}, "Extra inputs"),
        ({"kind": "hang", "times": 0}, "greater than or equal to 1"),
        ({"kind": "hang", "times": 10_000_000}, "less than or equal to"),
        ({"kind": "hang", "skip": -1}, "greater than or equal to 0"),
        ({"kind": "hang", "client_id": "nobody"}, "no such client"),
        ({"kind": "hang", "user_id": "auth0|nobody"}, "no such user"),
        ({"kind": "hang", "grant_id": "none"}, "no such grant"),
        ({"kind": "hang", "client_id": ""}, "at least 1 character"),
        ({"kind": "hang", "endpoint": "jwks", "client_id": "app"}, "nobody says at jwks who they are"),
        ({"kind": "hang", "endpoint": "metadata", "user_id": "auth0|alice"}, "a person is known at"),
        ({"kind": "hang", "endpoint": "login", "grant_id": "x"}, "a grant is known at"),
        ({"kind": "hang", "endpoint": "login", "grant_type": "refresh_token"}, "said at token alone"),
        ({"kind": "truncate", "endpoint": "login"}, "truncate means nothing at login"),
        ({"kind": "truncate", "endpoint": "revoke"}, "truncate means nothing at revoke"),
        ({"kind": "html", "endpoint": "authorize"}, "html means nothing at authorize"),
        ({"kind": "html", "status": 204}, "has no page"),
        ({"kind": "id_token", "endpoint": "userinfo", "lie": "expired"}, "id_token means nothing at userinfo"),
        ({"kind": "id_token", "lie": "sabotage-7f3a9c"}, "no such lie; there are alg-none"),
        ({"kind": "id_token"}, "Field required"),
        ({"kind": "error", "error": "x", "endpoint": "jwks"}, "error means nothing at jwks"),
        ({"kind": "error", "error": 'a"b'}, "match pattern"),
        ({"kind": "error", "error": "x", "description": "two\r\nlines"}, "match pattern"),
        ({"kind": "error", "error": "x", "status": 200}, "greater than or equal to 400"),
        ({"kind": "error", "error": "x", "status": 503, "endpoint": "authorize"}, "is a redirect"),
        ({"kind": "error"}, "Field required"),
        ({"kind": "delay"}, "Field required"),
        ({"kind": "delay", "seconds": 301}, "less than or equal to 300"),
        ({"kind": "delay", "seconds": -1}, "greater than 0"),
        ({"kind": "delay", "seconds": "NaN"}, "finite|greater than 0|less than"),
        ({"kind": "cut", "after": -1}, "greater than or equal to 0"),
        ({"kind": "cut", "after": 10**9}, "less than or equal to"),
        ({"kind": "skew", "seconds": 10**10}, "less than or equal to"),
        ({"kind": "rate_limit", "retry_after": -1}, "greater than or equal to 0"),
        ({"kind": "answer", "status": 100}, "greater than or equal to 200"),
        ({"kind": "answer", "status": 700}, "less than or equal to 599"),
        ({"kind": "answer", "status": 204, "body": "x"}, "status 204 has none"),
        ({"kind": "answer", "body": "x" * LARGEST}, f"at most {LARGEST} bytes"),
        ({"kind": "answer", "body": DEEP}, f"at most {DEEPEST} levels"),
        ({"kind": "answer", "headers": {"X-A": "b\r\nSet-Cookie: c=d"}}, "in one line"),
        ({"kind": "answer", "headers": {"X A": "b"}}, "in one line"),
        ({"kind": "answer", "headers": {"Content-Length": "7"}}, "not to be chosen"),
        ({"kind": "answer", "headers": {"understudy-fault": "none"}}, "not to be chosen"),
    ],
)
def test_what_makes_no_sense_is_refused(authserver: Authserver, order: dict[str, Any], why: str) -> None:
    World(authserver)
    with pytest.raises(HarnessError, match=why) as refused:
        authserver.call("POST", "faults", order)
    assert ": 422 " in str(refused.value)
    assert "7f3a9c" not in str(refused.value)
    assert authserver.faults.list() == ()


@pytest.mark.parametrize(
    "body",
    [
        b'{"kind": "answer", "body": NaN}',
        b'{"kind": "answer", "body": [1e999]}',
        b'{"kind": "answer", "body": "\\ud800"}',
        b"[]",
        b"7",
    ],
)
def test_what_only_python_reads_as_json_is_refused(
    authserver: Authserver, authserver_host: Control, body: bytes
) -> None:
    headers = {**authserver_host._headers, "Content-Type": "application/json"}
    with http_client(base_url=authserver_host.url) as http:
        response = http.post(f"/_testing/tenants/{authserver.name}/faults", content=body, headers=headers)
    assert response.status_code == 422
    assert authserver.faults.list() == ()


def test_there_is_an_end_to_them(authserver: Authserver) -> None:
    """Spent ones count too: they stay, so that they can be asked."""
    for _ in range(MOST):
        authserver.faults.skew(1, endpoint="jwks")
    with pytest.raises(HarnessError, match=f"409 a tenant has at most {MOST} faults"):
        authserver.faults.skew(1, endpoint="jwks")
    authserver.faults.list()[0].remove()
    authserver.faults.skew(1, endpoint="jwks")


def test_unknown_ones_are_not_found(authserver: Authserver) -> None:
    for method in ("GET", "DELETE"):
        with pytest.raises(HarnessError, match="404 the tenant has no such fault"):
            authserver.call(method, "faults/nothing")
        with pytest.raises(HarnessError, match=r"40[45]"):
            authserver.call(method, "faults/../../x")


def test_every_kind_is_described(authserver_host: Control) -> None:
    """In OpenAPI, with its members and the names that they may have."""
    with http_client(base_url=authserver_host.url) as http:
        described = http.get("/_testing/openapi.json", headers=authserver_host._headers).json()
    kinds = {
        schema["properties"]["kind"]["const"]: schema
        for schema in described["components"]["schemas"].values()
        if "const" in schema.get("properties", {}).get("kind", {})
    }
    assert set(kinds) == {name.removesuffix(" in the body") for name in KINDS}
    assert all(schema["description"] for schema in kinds.values())


def test_the_page_names_every_kind_and_every_endpoint() -> None:
    told = (Path(__file__).parents[2] / "docs/harness.md").read_text(encoding="utf-8")
    section = re.search(r"^## Faults\n(.*?)^## ", told, re.MULTILINE | re.DOTALL)
    assert section
    assert {f"{name.removesuffix(' in the body')}" for name in KINDS} == set(
        re.findall(r"^\| `(\w+)\(", section[1], re.MULTILINE)
    )
    assert set(ENDPOINTS) <= set(re.findall(r"`([a-z_]+)`", section[1]))
