"""The doctor on Auth0's SDKs: which work with this configuration, and the line that would make the others work."""

from pathlib import Path

import pytest

from authserver.doctor.compose import IMAGE_MARK
from authserver.doctor.examine import examine
from authserver.doctor.report import Side, lines
from authserver.doctor.sdks import NAME, SDKS, explain
from authserver.settings import Settings
from tests.attacks.judge import on_sqlite
from tests.stage import Stage

LOCAL = "http://localhost:9000/"


def side(issuer: str = LOCAL, *algorithms: str, json_bodies: bool = True, in_containers: bool = False) -> Side:
    return explain(issuer, algorithms or ("RS256",), json_bodies=json_bodies, in_containers=in_containers)


def works(found: Side) -> set[str]:
    """The SDKs that are said to work."""
    said = [finding.text for finding in found.findings if finding.verdict == "works"]
    return {sdk.name for sdk in SDKS if any(f" {sdk.name}" in text for text in said)}


def told(found: Side, words: str) -> tuple[str, tuple[str, ...]]:
    (finding,) = [each for each in found.findings if words in each.text]
    return finding.text, finding.mend


def test_over_plain_http_those_that_insist_on_https_are_named_with_the_way_out() -> None:
    found = side()
    assert works(found) == {
        "auth0-python",
        "@auth0/auth0-spa-js",
        "express-oauth2-jwt-bearer",
        "express-openid-connect",
        "jwks-rsa",
    }
    assert 'auth0-python (protocol="http")' in "\n".join(lines([found]))
    text, mend = told(found, "insist on https")
    assert {"auth0-api-python", "auth0-fastapi-api", "auth0-server-python", "Auth0.swift"} <= set(
        text.partition(":")[0].split(", ")
    )
    assert "make up TLS=1" in mend[0]


def test_over_https_all_of_them_work_and_must_trust_the_authority() -> None:
    found = side("https://localhost:9443/")
    assert works(found) == {sdk.name for sdk in SDKS}
    assert "NODE_EXTRA_CA_CERTS" in told(found, "must trust")[0]
    assert "protocol=" not in "\n".join(lines([found]))


def test_an_es256_key_keeps_auth0_python_out() -> None:
    found = side(LOCAL, "RS256", "ES256")
    assert "auth0-python" not in works(found)
    text, mend = told(found, "ES256")
    assert text.startswith("auth0-python:")
    assert mend[0].startswith("signing_alg: RS256")


def test_the_other_dialect_refuses_their_json() -> None:
    found = side("https://localhost:9443/", json_bodies=False)
    assert works(found).isdisjoint({"auth0-python", "Auth0.swift", "Auth0.Android", "react-native-auth0"})
    assert told(found, "send JSON")[1] == ("AUTHSERVER_DIALECT: auth0",)


def test_a_page_needs_a_secure_context() -> None:
    assert "@auth0/auth0-spa-js" not in works(side("http://auth.example.test:9000/"))


def test_a_back_end_in_a_container_finds_nobody_at_localhost() -> None:
    assert told(side(in_containers=True), "In a container")[1][0].startswith('network_mode: "service:authserver"')
    assert not [each for each in side().findings if "In a container" in each.text]


@on_sqlite
@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_the_examination_looks_at_the_server_that_runs(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(IMAGE_MARK, raising=False)
    sides = examine(Settings(issuer=stage.issuer, dialect=stage.dialect), "http://127.0.0.1:1", run=lambda *_: "")
    (found,) = [each for each in sides if each.name == NAME]
    assert not found.fails
    assert ("auth0-python" in works(found)) == (stage.dialect == "auth0")


def test_nothing_is_said_of_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(IMAGE_MARK, raising=False)
    sides = examine(Settings(issuer="http://127.0.0.1:1/"), "http://127.0.0.1:1", run=lambda *_: "")
    assert NAME not in [each.name for each in sides]
