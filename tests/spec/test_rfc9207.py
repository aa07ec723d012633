"""RFC 9207, Authorization Server Issuer Identification."""

from tests.attacks.judge import ask, both_dialects, logged_in, on_sqlite
from tests.stage import Stage, answer

pytestmark = [both_dialects, on_sqlite]


def test_success_and_error_carry_the_issuer_of_the_metadata(stage: Stage) -> None:
    """§2, §2.3, §3"""
    document = stage.http.get("/.well-known/oauth-authorization-server").json()
    assert document["authorization_response_iss_parameter_supported"] is True
    browser = logged_in(stage)
    success = answer(browser.decide(browser.follow(stage.authorize(browser))))
    error = answer(ask(stage, prompt="none"))
    assert "code" in success
    assert "error" in error
    assert success["iss"] == error["iss"] == document["issuer"]
