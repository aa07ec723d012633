"""Logins elsewhere in a real Chromium: over two sites and back, past the `form-action` of both."""

import base64
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from playwright.sync_api import expect

from authserver.settings import Settings
from tests.browser.visitor import Listener, Visitor
from tests.client.fake_server import Answer, FakeServer, Request
from tests.conftest import Prepared
from tests.stage import Pkce, Stage, Theatre, claims
from tests.upstream.conftest import second_theatre
from tests.upstream.saml_idp import CORP, Asked, Idp, connect_corp
from tests.upstream.traveller import CONNECTION, connect

__all__ = ["second_theatre"]


@pytest.fixture
def provider(second_theatre: Theatre, prepared: Prepared, stage: Stage, tmp_path: Path) -> Iterator[Stage]:
    """Another tenant, on another host name, so that the sites are two for the browser, too."""
    issuer = f"http://localhost:{second_theatre.port}/"
    settings = Settings(issuer=issuer, dialect="rfc", database_url=prepared.copy(tmp_path))
    provider = Stage(second_theatre, settings, stage.clock, prepared.secrets)
    provider.configure_client("web-app", callbacks=[stage.issuer + "login/callback"])
    options = {
        "issuer": issuer,
        "client_id": "web-app",
        "client_secret": prepared.secrets["web-app"],
        "token_endpoint_auth_method": "client_secret_post",
    }
    connect(stage, display_name="Acme", options=options)
    yield provider
    provider.close()


def test_by_a_button_there_and_back(stage: Stage, provider: Stage, visitor: Visitor, listener: Listener) -> None:
    pkce = Pkce()
    visitor.open(stage, listener, pkce)
    visitor.sees("Log in")
    expect(visitor.page.get_by_role("button", name="Continue with Acme")).to_be_visible()
    visitor.has_no_complaints()
    visitor.page.get_by_role("button", name="Continue with Acme").click()
    visitor.page.wait_for_url(provider.issuer + "u/login?*")
    visitor.log_in()
    visitor.page.wait_for_url(provider.issuer + "u/consent?*")
    visitor.page.click("#consent-allow")
    visitor.page.wait_for_url(stage.issuer + "u/consent?*")
    visitor.page.click("#consent-allow")
    visitor.sees("Back in the application")
    said = listener.answer()
    tokens = stage.redeem(said["code"], pkce, redirect_uri=listener.url).json()
    assert claims(tokens["id_token"])["sub"].startswith(f"{CONNECTION}|auth0|")
    visitor.has_no_complaints()


def test_from_the_providers_form_straight_to_the_application(
    stage: Stage, provider: Stage, visitor: Visitor, listener: Listener
) -> None:
    """No page of ours in between: the provider's policy knows nothing of the application."""
    stage.configure_client("native-app", skip_non_verifiable_callback_uri_confirmation_prompt=True)
    visitor.open(stage, listener, connection=CONNECTION)
    visitor.page.wait_for_url(provider.issuer + "u/login?*")
    visitor.log_in()
    visitor.page.click("#consent-allow")
    visitor.sees("Back in the application")
    assert listener.answer()["state"] == "af0ifjsldkj"
    visitor.has_no_complaints()


def test_a_saml_response_finds_the_browser_that_asked(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    """The provider's page posts from another site, so Chromium sends none of our cookies with it."""
    company = FakeServer()
    company.origin = company.origin.replace("127.0.0.1", "localhost")
    connect_corp(stage, signInEndpoint=company.origin + "/sso")

    def sign_in(request: Request) -> Answer:
        query = request.query
        xml = etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15))
        response = base64.b64encode(Idp(stage, Asked(xml, query["RelayState"], "")).signed()).decode()
        page = (
            f'<!doctype html><title>Corp</title><h1>Corp</h1><form method="post" action="{stage.issuer}login/callback?connection={CORP}">'
            f'<input type="hidden" name="SAMLResponse" value="{response}">'
            f'<input type="hidden" name="RelayState" value="{query["RelayState"]}"><button id="go">Go</button></form>'
        )
        return Answer(200, page.encode(), {"Content-Type": "text/html"})

    company.routes["/sso"] = sign_in
    company.always("/favicon.ico", Answer(204, b""))
    try:
        visitor.open(stage, listener, connection=CORP)
        visitor.page.click("#go")
        visitor.page.wait_for_url(stage.issuer + "u/consent?*")
        visitor.page.click("#consent-allow")
        visitor.sees("Back in the application")
        assert "code" in listener.answer()
        visitor.has_no_complaints()
    finally:
        company.close()


def test_a_provider_that_is_down_leaves_two_ways_out(stage: Stage, visitor: Visitor, listener: Listener) -> None:
    connect(stage, display_name="Acme", options={"issuer": "http://127.0.0.1:1/", "client_id": "web-app"})
    visitor.open(stage, listener, connection=CONNECTION)
    visitor.sees("This login did not work")
    visitor.page.click("#back-to-login")
    visitor.sees("Log in")
    visitor.page.get_by_role("button", name="Continue with Acme").click()
    visitor.sees("This login did not work")
    visitor.page.click("#give-up")
    visitor.sees("Back in the application")
    assert listener.answer()["error"] == "temporarily_unavailable"
    visitor.has_no_complaints()
