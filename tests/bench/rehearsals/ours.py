"""`python -m tests.bench.rehearsals.ours SECONDS`: Understudy, by what the fixtures of its plugin do."""

import sys
from contextlib import ExitStack

from tests.bench.rehearsals.timing import expect_issuer, once, repeated, tell

AUDIENCE, SCOPE = "https://things.example/api", "read:things"


def main(seconds: float) -> None:
    """Be a worker."""
    with ExitStack() as worker:
        made = []

        def first() -> None:
            from authserver.testing.handle import Control
            from authserver.testing.live import LiveServer

            server = LiveServer()
            worker.callback(server.close)
            control = Control(server.url, server.token)
            worker.callback(control.close)
            made.append((control, control.make_tenant()))
            expect_issuer(made[0][1].issuer)

        took = {"first": [once(first)]}
        ((control, authserver),) = made

        def fresh() -> None:
            tenant = control.make_tenant()
            tenant.add_user("alice@example.com", "a-password")
            tenant.drop()

        authserver.add_user("alice@example.com", "a-password")  # hashed once, as in a suite
        took["fresh"] = repeated(fresh, seconds)
        authserver.add_api(AUDIENCE, [SCOPE])
        tokens = [""]

        def token() -> None:
            tokens[0] = authserver.issue_token("auth0|alice", AUDIENCE, SCOPE)

        took["token"] = repeated(token, seconds)
        verify(authserver.jwks_uri, authserver.issuer, tokens[0])
    tell(took)


def verify(jwks_uri: str, issuer: str, token: str) -> None:
    """Raise unless another library takes the token."""
    import jwt

    key = jwt.PyJWKClient(jwks_uri).get_signing_key_from_jwt(token)
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=issuer)
    if claims["sub"] != "auth0|alice" or claims["scope"] != SCOPE:
        raise AssertionError(f"another token than was ordered: {claims}")


if __name__ == "__main__":
    main(float(sys.argv[1]))
