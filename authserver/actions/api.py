"""What an Action may ask for: Auth0's `api` objects, under its names and under Python's.

`api.accessToken.setCustomClaim(…)` and `api.access_token.set_custom_claim(…)` are one. Asking for something that is
not played here raises, and so fails the login under the Action's name: a rehearsal must not pass what the stage would
not do.
"""

import logging
import re
from typing import Any

from authserver.actions.custom_claims import check_size, checked, is_ignored
from authserver.actions.outcome import Outcome

log = logging.getLogger("authserver")

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,255}")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

CREDENTIALS_ERRORS = ("invalid_scope", "invalid_request", "server_error")


class _Named:
    """Members under two names; what is absent says so."""

    _path = "api"

    def __getattr__(self, name: str) -> Any:
        own = _CAPITAL.sub("_", name).lower()
        if own != name and own in {*dir(type(self)), *vars(self)}:
            return getattr(self, own)
        raise AttributeError(f"{self._path}.{name} is not played here")


class _Access(_Named):
    _path = "api.access"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def deny(self, reason: str) -> None:
        """Nobody logs in; the application is told `access_denied` and the reason."""
        self._outcome.denied = str(reason)

    def refuse(self, reason: str) -> None:
        """A rule's UnauthorizedError."""
        self._outcome.denied, self._outcome.error = reason, "unauthorized"


class _CredentialsAccess(_Named):
    _path = "api.access"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def deny(self, code: str, reason: str) -> None:
        """No token; `code` is invalid_scope, invalid_request or server_error."""
        if code not in CREDENTIALS_ERRORS:
            raise ValueError(f"api.access.deny: code must be one of {', '.join(CREDENTIALS_ERRORS)}")
        self._outcome.denied, self._outcome.error = str(reason), code


class _Token(_Named):
    def __init__(self, outcome: Outcome, token: str, action: str) -> None:
        self._path = f"api.{token}"
        self._outcome, self._token, self._action = outcome, token, action

    def set_custom_claim(self, name: str, value: Any) -> None:
        """Add a claim. A restricted name is ignored. Raises ValueError for what is no JSON, or too much of it."""
        if is_ignored(str(name), self._token):
            log.info("action %s: %s goes without the restricted claim %.80r", self._action, self._token, name)
            return
        claims: dict[str, Any] = getattr(self._outcome, self._token)
        claims[str(name)] = checked(value)
        check_size(claims)


class _AccessToken(_Token):
    def add_scope(self, scope: str) -> None:
        """Grant `scope`, asked for or not, permitted or not."""
        self._outcome.add_scope(_checked_scope(scope))

    def remove_scope(self, scope: str) -> None:
        """Grant everything but `scope`."""
        self._outcome.remove_scope(_checked_scope(scope))


class _User(_Named):
    _path = "api.user"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def set_user_metadata(self, name: str, value: Any) -> None:
        """Write what the person may change; None deletes."""
        self._outcome.user_metadata[str(name)] = checked(value)

    def set_app_metadata(self, name: str, value: Any) -> None:
        """Write what they may not; None deletes."""
        self._outcome.app_metadata[str(name)] = checked(value)


class _Transaction(_Named):
    _path = "api.transaction"

    def __init__(self, outcome: Outcome, granted: tuple[str, ...]) -> None:
        self._outcome, self._granted = outcome, granted

    def add_target_scope(self, scope: str) -> None:
        """Within the client's grant."""
        if scope in self._granted:
            self._outcome.add_scope(scope)

    def remove_target_scope(self, scope: str) -> None:
        """Everything but `scope`."""
        self._outcome.remove_scope(_checked_scope(scope))

    def set_target_scopes(self, scopes: list[str]) -> None:
        """These alone, within the client's grant."""
        for each in self._granted:
            self._outcome.remove_scope(each)
        for each in scopes:
            self.add_target_scope(_checked_scope(each))


class PostLoginApi(_Named):
    """`api` of on_execute_post_login."""

    def __init__(self, outcome: Outcome, action: str) -> None:
        self.access = _Access(outcome)
        self.access_token = _AccessToken(outcome, "access_token", action)
        self.id_token = _Token(outcome, "id_token", action)
        self.user = _User(outcome)


class CredentialsExchangeApi(_Named):
    """`api` of on_execute_credentials_exchange. `granted` are the scopes that the client may have at the API."""

    def __init__(self, outcome: Outcome, action: str, granted: tuple[str, ...]) -> None:
        self.access = _CredentialsAccess(outcome)
        self.access_token = _Token(outcome, "access_token", action)
        self.transaction = _Transaction(outcome, granted)


def _checked_scope(scope: object) -> str:
    if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
        raise ValueError("a scope is one word of RFC 6749 section 3.3")
    return scope
