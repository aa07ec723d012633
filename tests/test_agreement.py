"""What two services must both know is written in both, and has to agree: the same inputs, one verdict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver import slow_peers as server_peers
from authserver.errors import BadVerifier
from authserver.rules import pkce as server
from client import pkce as client
from client.serve import slow_peers as client_peers

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

verifiers = st.text(UNRESERVED, min_size=43, max_size=128)


def test_rfc7636_appendix_b() -> None:
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert server.s256(verifier) == client.s256(verifier) == challenge
    server.check_challenge(challenge, "S256", required=True)
    server.check_verifier(challenge, verifier)


@given(verifiers)
def test_s256_is_one_function(verifier: str) -> None:
    challenge = client.s256(verifier)
    assert challenge == server.s256(verifier)
    server.check_challenge(challenge, "S256", required=True)
    server.check_verifier(challenge, verifier)


@given(verifiers, verifiers)
def test_one_verifier_opens_one_challenge(verifier: str, other: str) -> None:
    if verifier != other:
        with pytest.raises(BadVerifier):
            server.check_verifier(client.s256(verifier), other)


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_s256_agrees_on_any_ascii(text: str) -> None:
    assert client.s256(text) == server.s256(text)


@given(st.text(st.characters(min_codepoint=128, exclude_categories=["Cs"]), min_size=1, max_size=50))
def test_neither_hashes_what_is_not_ascii(text: str) -> None:
    for s256 in (server.s256, client.s256):
        with pytest.raises(UnicodeEncodeError):
            s256(text)


def test_slow_peers_meet_the_same_patience() -> None:
    """How it is kept is tested at each server: HT2."""
    assert server_peers.PATIENCE == client_peers.PATIENCE
