"""A login that a virtual person went through, and the way from its code to tokens."""

from dataclasses import dataclass, field
from typing import Any

import httpx2

from authserver.testing.handle.errors import HarnessError
from authserver.testing.handle.values import Client


@dataclass(frozen=True, slots=True)
class Login:
    """How a login ended: at the application, which is told `parameters` at `location`, or on `page` with `error`.

    `response_mode`: `query` or `fragment` of a redirect there, a `form_post` to it, a `web_message` to that origin.
    `asked` are the pages that the person filled in, such as `u/login` and `u/consent`.
    """

    location: str | None
    parameters: dict[str, str]
    response_mode: str | None
    page: str | None
    status: int
    error: str | None
    asked: tuple[str, ...]
    _redemption: "Redemption | None" = field(default=None, repr=False)

    @property
    def code(self) -> str:
        """The authorization code. Raises HarnessError when the login brought none."""
        if "code" not in self.parameters:
            raise HarnessError(f"no code: {self.parameters.get('error') or f'{self.page}: {self.error}'}")
        return self.parameters["code"]

    def exchange(self) -> httpx2.Response:
        """Redeem the code at the token endpoint, as the application would."""
        if self._redemption is None:
            raise HarnessError("the application that began this login has the verifier; it alone can redeem the code")
        return self._redemption.redeem(self.code)

    def tokens(self) -> dict[str, Any]:
        """The token response. Raises HarnessError for any other answer."""
        response = self.exchange()
        answered: dict[str, Any] = response.json()
        if response.status_code != 200:
            raise HarnessError(f"the code was refused: {response.status_code} {answered}")
        return answered


@dataclass(frozen=True, slots=True)
class Redemption:
    """What an application keeps between its two requests: the redirect URI and the verifier (RFC 7636 §4.1)."""

    http: httpx2.Client
    client: Client
    redirect_uri: str
    verifier: str
    token_endpoint: str

    def redeem(self, code: str) -> httpx2.Response:
        """The answer to the token request (RFC 6749 §4.1.3)."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        if self.client.client_secret is not None:
            form["client_secret"] = self.client.client_secret
        return self.http.post(self.token_endpoint, data=form)
