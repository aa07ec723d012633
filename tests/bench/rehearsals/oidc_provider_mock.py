"""`python -m tests.bench.rehearsals.oidc_provider_mock SECONDS`: PyPI's oidc-provider-mock, as its README uses it.

Runs in an environment of its own (`.venv-bench`). The README's client is replaced by a cheaper one, in its favour.
"""

import json
import sys
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.bench.rehearsals.timing import ask, expect_issuer, once, repeated, tell

CALLBACK = "http://127.0.0.1:8400/callback"
ASKED = {
    "client_id": "app",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile email",
    "state": "a-state",
}
FORM = "application/x-www-form-urlencoded"


def main(seconds: float) -> None:
    """Be a worker."""
    with ExitStack() as worker:
        urls = [""]

        def first() -> None:
            urls[0] = worker.enter_context(Started())
            expect_issuer(urls[0])

        took = {"first": [once(first)]}

        def fresh() -> None:
            with Started() as url:
                set_user(url)

        took["fresh"] = repeated(fresh, seconds)
        took["user"] = repeated(lambda: set_user(urls[0]), seconds)
        took["token"] = repeated(lambda: code_flow(urls[0]), seconds)
    tell(took)


class Started(AbstractContextManager[str]):
    """A server, as the README's fixture starts and stops it."""

    def __enter__(self) -> str:
        import oidc_provider_mock  # type: ignore[import-not-found]  # in an environment of its own

        self._running: Any = oidc_provider_mock.run_server_in_thread()
        return f"http://localhost:{self._running.__enter__().server_port}"

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(*error)


def set_user(url: str) -> None:
    """Put Alice there."""
    claims = json.dumps({"email": "alice@example.com", "name": "Alice"}).encode()
    status, _, body = ask("PUT", f"{url}/users/alice%40example.com", claims, "application/json")
    if status != 204:
        raise AssertionError(f"the user was not set: {status} {body[:200]!r}")


def code_flow(url: str) -> None:
    """Its only way to an access token: Alice agrees, the code is redeemed."""
    person = urlencode({"sub": "alice@example.com"}).encode()
    _, location, body = ask("POST", f"{url}/oauth2/authorize?{urlencode(ASKED)}", person, FORM)
    code = parse_qs(urlsplit(location or "").query).get("code")
    if not code:
        raise AssertionError(f"no code: {location} {body[:200]!r}")
    form = {"grant_type": "authorization_code", "code": code[0], "redirect_uri": CALLBACK}
    form |= {"client_id": "app", "client_secret": "any"}
    status, _, body = ask("POST", f"{url}/oauth2/token", urlencode(form).encode(), FORM)
    answered = json.loads(body)
    if status != 200 or not answered["access_token"] or answered["id_token"].count(".") != 2:
        raise AssertionError(f"no tokens: {status} {body[:200]!r}")


if __name__ == "__main__":
    main(float(sys.argv[1]))
