"""Providers that we did not write: npm's oidc-provider, and Auth0's own samlp, each as a process of its own."""

import base64
import html
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from authserver.connections.options import OIDC, SAML
from tests.attacks.judge import on_sqlite
from tests.stage import CALLBACK, Pkce, Stage, claims
from tests.upstream.saml_idp import signer
from tests.upstream.traveller import CONNECTION, Traveller, answer, connect, onward, start

NODE = Path(__file__).with_name("node")
CORP_ISSUER = "urn:corp:idp"

Travel = Callable[..., Traveller]


@pytest.fixture(scope="session")
def node(missing: Callable[[str], NoReturn]) -> str:
    command = shutil.which("node")
    if command is None:
        missing("node: Node is not on this machine")
    for package in ("oidc-provider", "samlp"):
        if not (NODE / "node_modules" / package).is_dir():
            missing(f"node: {package} is not installed (`make test` does that where npm can reach its registry)")
    return command


@contextmanager
def provider(*command: str) -> Iterator[str]:
    """A provider's URL, for as long as the block lasts."""
    process = subprocess.Popen(
        command, cwd=NODE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    try:
        url = next((line.removeprefix("READY ").strip() for line in process.stdout if line.startswith("READY ")), "")
        assert url, "the provider did not start"
        yield url
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def now(stage: Stage) -> Stage:
    """Our time is the machine's, because the provider's is."""
    stage.clock.now = int(time.time())
    return stage


@pytest.fixture
def oidc(now: Stage, node: str) -> Iterator[str]:
    with provider(node, "oidc.mjs", now.issuer + "login/callback", now.issuer + "v2/logout/callback") as url:
        options = {"issuer": url, "client_id": "understudy", "client_secret": "a-secret-between-us"}
        connect(now, strategy=OIDC, display_name="Elsewhere", options=options)
        yield url


def test_a_person_of_oidc_provider_logs_in(now: Stage, oidc: str, travel: Travel) -> None:
    pkce, traveller = Pkce(), travel(oidc)
    page = start(now, traveller, connection=CONNECTION, code_challenge=pkce.challenge)
    page = traveller.follow(traveller.submit(page, login="alice", password="any"))
    page = traveller.follow(traveller.submit(page))  # its consent
    said = answer(traveller.allow(page))
    token = claims(now.redeem(said["code"], pkce).json()["id_token"])
    assert token["sub"] == f"{CONNECTION}|alice"
    assert (token["email"], token["name"]) == ("alice@elsewhere.example", "Alice of Elsewhere")
    assert token["email_verified"] is True


def test_oidc_provider_asks_anew_where_that_is_asked(now: Stage, oidc: str, travel: Travel) -> None:
    traveller = travel(oidc)
    page = traveller.follow(traveller.submit(start(now, traveller, connection=CONNECTION), login="alice", password="x"))
    assert "code" in answer(traveller.allow(traveller.follow(traveller.submit(page))))
    now.change("UPDATE login_sessions SET ended_at = 1")
    assert "code" in answer(traveller.allow(start(now, traveller, connection=CONNECTION)))  # it remembers
    for changed in ({"prompt": "login"}, {"max_age": "0"}):
        page = start(now, traveller, connection=CONNECTION, **changed)
        assert 'name="login"' in page.text
        page = traveller.follow(traveller.submit(page, login="alice", password="x"))
        assert "code" in answer(traveller.allow(page)), page.text


@on_sqlite
def test_who_cancels_at_oidc_provider_is_told_to_the_application(now: Stage, oidc: str, travel: Travel) -> None:
    traveller = travel(oidc)
    page = start(now, traveller, connection=CONNECTION)
    abort = re.search(r'href="([^"]*/abort)"', page.text)
    assert abort
    said = answer(traveller.follow(traveller.get(html.unescape(abort[1]))))
    assert (said["error"], said["state"]) == ("access_denied", "af0ifjsldkj")


@on_sqlite
def test_federated_logout_leads_to_oidc_provider_and_back(now: Stage, oidc: str, travel: Travel) -> None:
    now.configure_client("native-app", allowed_logout_urls=[CALLBACK])
    traveller = travel(oidc)
    page = traveller.follow(traveller.submit(start(now, traveller, connection=CONNECTION), login="alice", password="x"))
    assert "code" in answer(traveller.allow(traveller.follow(traveller.submit(page))))
    page = traveller.follow(traveller.get(f"{now.issuer}v2/logout?federated&client_id=native-app&returnTo={CALLBACK}"))
    assert str(page.url).startswith(oidc)
    end = traveller.follow(traveller.submit(page, logout="yes"))
    assert onward(end) == CALLBACK


@on_sqlite
@pytest.mark.parametrize("how", ["assertion", "response", "both"])
def test_a_person_of_samlp_logs_in(now: Stage, node: str, travel: Travel, tmp_path: Path, how: str) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    key.write_text(signer().key, "utf-8")
    cert.write_text(signer().cert, "utf-8")
    acs = f"{now.issuer}login/callback?connection=corp"
    with provider(node, "saml.mjs", str(key), str(cert), acs, CORP_ISSUER, how) as url:
        signing_cert = base64.b64encode(signer().cert.encode()).decode()
        options = {"signInEndpoint": url + "/sso", "signingCert": signing_cert, "issuer": CORP_ISSUER}
        connect(now, "corp", SAML, options=options)
        pkce, traveller = Pkce(), travel(url)
        page = start(now, traveller, connection="corp", code_challenge=pkce.challenge)
        fields = dict(re.findall(r'name="(SAMLResponse|RelayState)"\s+value="([^"]*)"', page.text))
        posted = now.http.post(acs, data={name: html.unescape(value) for name, value in fields.items()})
        said = answer(traveller.allow(traveller.follow(posted)))
    token = claims(now.redeem(said["code"], pkce).json()["id_token"])
    assert token["sub"] == "corp|alice"
    assert (token["email"], token["given_name"], token["family_name"]) == ("alice@corp.example", "Alice", "Corp")
