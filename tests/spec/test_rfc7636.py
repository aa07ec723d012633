"""RFC 7636, Proof Key for Code Exchange, with S256 alone (RFC 9700 §2.1.1)."""

import pytest

from tests.attacks.judge import ask, both_dialects, goes_on, on_sqlite, refusal
from tests.stage import Pkce, Stage

pytestmark = [both_dialects, on_sqlite]

APPENDIX_B = ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


def test_the_example_of_appendix_b_verifies(stage: Stage) -> None:
    """Appendix B"""
    verifier, challenge = APPENDIX_B
    pkce = Pkce(verifier)
    assert pkce.challenge == challenge
    assert stage.redeem(stage.code(pkce), pkce).status_code == 200


@pytest.mark.parametrize("verifier", ["a" * 43, "-._~" * 32, "Az09-._~" * 6], ids=["shortest", "longest", "all kinds"])
def test_every_unreserved_character_and_both_lengths_are_taken(stage: Stage, verifier: str) -> None:
    """§4.1"""
    pkce = Pkce(verifier)
    assert stage.redeem(stage.code(pkce), pkce).status_code == 200


def test_a_missing_method_means_plain_and_is_refused(stage: Stage) -> None:
    """§4.3, §4.4.1"""
    assert refusal(stage, ask(stage, code_challenge_method=None)) == "invalid_request"
    assert goes_on(stage, ask(stage, code_challenge_method="S256"))


def test_a_failed_verification_is_invalid_grant(stage: Stage) -> None:
    """§4.6"""
    response = stage.redeem(stage.code(Pkce()), Pkce())
    assert stage.bad_grant(response)
    if stage.dialect == "auth0":
        assert response.json()["error_description"] == "Failed to verify code verifier"
