"""`jwks-rsa`, unmodified: it finds the key of a token's `kid`, and the keys of a rotation before they sign."""

import base64
import json
import os
import subprocess

import pytest
from house import HERE, node_command
from proves import proves
from tokens import native_tokens


@pytest.fixture
def ask(server):
    """A new process, with an empty cache."""
    environment = {**os.environ, "JWKS_URI": f"{server.issuer}.well-known/jwks.json"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(node_command("jwks"), env=environment, cwd=HERE / "node", text=True, **pipes)
    assert process.stdout.readline() == "READY here\n"

    def asked(what, argument=None):
        process.stdin.write(json.dumps([what, argument]) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield asked
    process.stdin.close()
    process.wait(timeout=30)
    process.stdout.close()


def kid(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


@proves("GET /.well-known/jwks.json", "kid", "alg", "use", "POST /oauth/token", "access_token", "id_token")
def test_the_key_verifies_both_tokens(server, ask):
    tokens = native_tokens(server)
    for token in (tokens["access_token"], tokens["id_token"]):
        assert ask("key", kid(token)).startswith("-----BEGIN PUBLIC KEY-----")
        assert ask("signature", token) is True
        head, payload, _ = token.split(".")
        assert ask("signature", f"{head}.{payload}.{tokens['id_token'].split('.')[2][::-1]}") is False


@proves("GET /.well-known/jwks.json", "kid")
def test_an_unknown_kid_is_no_key(ask):
    assert ask("key", "unknown") == {"error": "SigningKeyNotFoundError"}


@proves("GET /.well-known/jwks.json", "rotation")
def test_the_next_key_is_published_before_it_signs(server, ask):
    before = ask("kids")
    server.command("rotate-keys")
    token = native_tokens(server)["access_token"]
    assert set(before) < set(ask("kids"))
    assert kid(token) in before
    assert ask("signature", token) is True
