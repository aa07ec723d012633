"""What a test proves of Auth0's surface: endpoints and parameters, as a decorator of plain strings.

    @proves("POST /oauth/token", "grant_type=refresh_token")
    def test_…

An endpoint is a method and a path; what follows it, up to the next endpoint, is a parameter, a header or an error code of
that endpoint. `docs/auth0-compatibility.md` reads the source; here nothing happens. (tests/sdk has the same word, in an
environment that cannot import this one.)
"""

from collections.abc import Callable
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


def proves(*_said: str) -> Callable[[Test], Test]:
    """Changes nothing about the test."""
    return lambda test: test
