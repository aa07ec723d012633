"""What mutants showed that nobody asked yet: comparisons in constant time (CA2), and where one listens (DE7)."""

import ast
import inspect
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from authserver import client_auth
from authserver.rules import pkce
from authserver.settings import Settings


@pytest.mark.parametrize(
    "function",
    [client_auth._proved, pkce.check_verifier],
    ids=["secret", "verifier"],
)
def test_CA2_what_is_secret_is_compared_in_constant_time(function: Callable[..., object]) -> None:
    """No clock is steady enough to see this from outside, so the code is read."""
    tree = ast.parse(inspect.getsource(function))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "hmac.compare_digest" in called
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare) and _by_value(node)]
    assert not compared, [ast.unparse(node) for node in compared]


def _by_value(node: ast.Compare) -> bool:
    return any(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops)


@pytest.mark.parametrize(
    "unsafe",
    [
        {"issuer": "http://auth.example.com/"},
        {"issuer": "http://127.0.0.1.evil.test/"},
        {"issuer": "http://192.0.2.1/"},
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.0.2.1"},
    ],
    ids=str,
)
def test_DE7_beyond_loopback_only_with_an_explicit_word(unsafe: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="allow_insecure_"):
        Settings.model_validate(unsafe)
    word = "allow_insecure_http_issuer" if "issuer" in unsafe else "allow_insecure_listen"
    assert Settings.model_validate({**unsafe, word: True})
