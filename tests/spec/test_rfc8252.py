"""RFC 8252, OAuth 2.0 for Native Apps."""

import pytest

from tests.attacks.judge import ask, goes_on, is_error_page, on_sqlite
from tests.stage import CALLBACK, Pkce, Stage, answer

pytestmark = on_sqlite


@pytest.mark.parametrize("dialect", ["rfc"])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_any_port_of_a_loopback_literal(stage: Stage, host: str) -> None:
    """§7.3: the port is variable at the time of the request"""
    stage.configure_client("native-app", callbacks=[f"http://{host}/callback"])
    pkce, browser, uri = Pkce(), stage.browser(), f"http://{host}:51004/callback"
    page = browser.log_in(stage.authorize(browser, pkce, redirect_uri=uri))
    back = browser.decide(page)
    assert back.headers["location"].startswith(uri + "?")
    assert stage.redeem(answer(back)["code"], pkce, redirect_uri=uri).status_code == 200
    assert goes_on(stage, ask(stage, redirect_uri=f"http://{host}/callback"))
    assert is_error_page(ask(stage, redirect_uri=f"http://{host}:51004/callback/"))


@pytest.mark.parametrize("dialect", ["auth0"])
def test_auth0_compares_the_port_too(stage: Stage) -> None:
    """§7.3, the documented deviation: Auth0 lists exact ports"""
    assert is_error_page(ask(stage, redirect_uri=CALLBACK.replace("8400", "51004")))
    for port in ("8400", "8401", "8402"):
        assert goes_on(stage, ask(stage, redirect_uri=CALLBACK.replace("8400", port)))


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_a_private_use_scheme(stage: Stage) -> None:
    """§7.1"""
    pkce, uri = Pkce(), "com.example.notes://callback"
    assert stage.redeem(stage.code(pkce, redirect_uri=uri), pkce, redirect_uri=uri).status_code == 200
    for other in (
        "com.example.notes:/callback",
        "com.example.notes://callback/",
        "com.example.notes2://callback",
        "com.example:x",
    ):
        assert is_error_page(ask(stage, redirect_uri=other)), other


@pytest.mark.parametrize("dialect", ["auth0", "rfc"])
def test_a_public_client_needs_no_secret_and_pkce(stage: Stage) -> None:
    """§8.1, §8.4, §8.5"""
    assert "access_token" in stage.tokens()
    refused = ask(stage, code_challenge=None, code_challenge_method=None)
    assert answer(refused)["error"] == "invalid_request"
