"""The token endpoint: exchange, refresh, poll, revoke.

Done: RFC 6749 sections 4.1.3, 4.1.4, 5.1, 5.2, 6; RFC 7636 section 4.5; RFC 8628 section 3.4; RFC 7009. Authlib's
OAuth2Client makes the requests; the answer is read here first, because Authlib coerces `expires_in`,
reads clocks of its own and accepts any status below 500. `scope` is never sent on a refresh: leaving it
out means "as granted".
Left out: client authentication (this is a public client), DPoP, retries.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.httpx_client import OAuth2Client

from client.answers import busy, read_object, unavailable
from client.discovery import Metadata
from client.errors import MalformedError, RefusedError, UnavailableError

TEN_YEARS = 10 * 366 * 86400
WHAT = "The token endpoint"
SLOW_DOWN = "slow_down"  # RFC 8628 section 3.5
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
HINT = "refresh_token"  # RFC 7009 section 2.1


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """RFC 6749 section 5.1, checked."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str | None
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)


class TokenEndpoint:
    def __init__(self, client_id: str, metadata: Metadata, http_options: Callable[[], dict[str, Any]]) -> None:
        self._client_id = client_id
        self._metadata = metadata
        self._http_options = http_options

    def exchange(self, code: str, code_verifier: str, redirect_uri: str) -> TokenAnswer:
        # The grant type is spelled out: left alone, Authlib guesses, and its guess can be client_credentials.
        return self._ask(
            lambda oauth: oauth.fetch_token(
                self._metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=code_verifier,
                redirect_uri=redirect_uri,
            )
        )

    def refresh(self, refresh_token: str) -> TokenAnswer:
        return self._ask(lambda oauth: oauth.refresh_token(self._metadata.token_endpoint, refresh_token=refresh_token))

    def poll(self, device_code: str) -> TokenAnswer:
        """RFC 8628 section 3.4. While nobody has decided, a RefusedError whose error says so."""
        return self._ask(
            lambda oauth: oauth.fetch_token(
                self._metadata.token_endpoint, grant_type=DEVICE_GRANT, device_code=device_code
            ),
            read_poll_answer,
        )

    def revoke(self, refresh_token: str) -> None:
        url = self._metadata.revocation_endpoint
        if url is None:
            raise UnavailableError("The authorization server offers no way to revoke tokens.")
        with self._oauth() as oauth:
            try:
                answer = oauth.revoke_token(url, token=refresh_token, token_type_hint=HINT)
            except httpx2.HTTPError as problem:
                raise unavailable("The revocation endpoint", url, problem) from problem
        if answer.status_code != 200:
            raise UnavailableError(f"The revocation endpoint answered with status {answer.status_code}.")

    def _oauth(self) -> Any:
        # No scope, no token, no leeway: nothing that Authlib could send or refresh of its own accord.
        return OAuth2Client(self._client_id, token_endpoint_auth_method="none", **self._http_options())

    def _ask(
        self,
        request: Callable[[Any], object],
        reader: "Callable[[httpx2.Response], TokenAnswer] | None" = None,
    ) -> TokenAnswer:
        answers: list[TokenAnswer] = []

        def read(response: httpx2.Response) -> httpx2.Response:
            answers.append((reader or read_token_answer)(response))
            return response

        with self._oauth() as oauth:
            oauth.register_compliance_hook("access_token_response", read)
            oauth.register_compliance_hook("refresh_token_response", read)
            try:
                request(oauth)
            except httpx2.HTTPError as problem:
                raise unavailable(WHAT, self._metadata.token_endpoint, problem) from problem
            except (ValueError, TypeError, OverflowError) as problem:
                # Authlib reads the answer once more, e.g. a member `expires_at` that we have no use for.
                raise MalformedError(f"{WHAT} answered with values that make no sense.") from problem
        return answers[0]


def read_token_answer(response: httpx2.Response) -> TokenAnswer:
    status = response.status_code
    if status == 429 or status >= 500:
        raise busy(WHAT, response)
    if status != 200 and not 400 <= status < 500:
        raise MalformedError(f"{WHAT} answered with status {status}.")
    body = read_object(response, WHAT)
    if status != 200 or "error" in body:
        raise refusal(body, status)
    if str(body.get("token_type")).lower() != "bearer":
        raise _unusable("token_type is not Bearer")
    access_token = _text(body, "access_token")
    if access_token is None:
        raise _unusable("there is no access_token")
    return TokenAnswer(
        access_token=access_token,
        expires_in=_seconds(body),
        scope=_text(body, "scope", may_be_empty=True),
        refresh_token=_text(body, "refresh_token"),
        id_token=_text(body, "id_token"),
    )


def read_poll_answer(response: httpx2.Response) -> TokenAnswer:
    """Auth0 says slow_down with status 429, which otherwise means that a server is busy."""
    if response.status_code == 429:
        with suppress(MalformedError):  # whatever does not say so is busy
            body = read_object(response, WHAT)
            if body.get("error") == SLOW_DOWN:
                raise refusal(body, response.status_code)
    return read_token_answer(response)


def refusal(body: dict[str, Any], status: int, what: str = WHAT) -> RefusedError | MalformedError:
    """RFC 6749 section 5.2, or something broken that looks like it."""
    error, description = body.get("error"), body.get("error_description", "")
    if status == 200 or not isinstance(error, str) or not isinstance(description, str):
        return MalformedError(f"{what} answered with status {status} and a broken error.")
    return RefusedError(
        f"{what} said no: {error}{f' ({description})' if description else ''}.", error=error, status=status
    )


def _seconds(body: dict[str, Any]) -> int:
    value = body.get("expires_in")
    if type(value) is not int or not 0 < value < TEN_YEARS:  # `is not`: in Python, true is an int
        raise _unusable("expires_in is not a sensible number of seconds")
    return value


def _text(body: dict[str, Any], name: str, *, may_be_empty: bool = False) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise _unusable(f"{name} is not plain text")
    if not value and not may_be_empty:
        raise _unusable(f"{name} is empty")
    return value


def _unusable(reason: str) -> MalformedError:
    return MalformedError(f"{WHAT} gave an answer that cannot be used: {reason}.")
