"""Somebody with a browser, before anything is measured: logs in, agrees, and brings the callback's parameters back."""

import re
from typing import Self
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx2

from tests.bench.http import Answer, WrongAnswerError
from tests.stage import ALICE, PASSWORD, http_client

CALLBACK = "https://app.example/callback"
_STEPS = 12
_FORM = re.compile(r'<form[^>]*?(?: action="([^"]*)")?[^>]*>', re.IGNORECASE)
_HIDDEN = re.compile(r'<input[^>]* type="hidden" name="([^"]+)" value="([^"]*)"')
# Each page takes what it knows: ours username and action, oidc-provider's login.
_SAID = {"username": ALICE, "login": ALICE, "password": PASSWORD, "action": "default"}


class Visitor:
    """One browser; its cookies stay."""

    def __init__(self) -> None:
        # No connection is kept: between two cells the server may close it at the moment at which we ask again.
        self._http = http_client(limits=httpx2.Limits(max_keepalive_connections=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the browser."""
        self._http.close()

    def read(self, url: str, headers: dict[str, str] | None = None) -> bytes:
        """What a GET brings. Raises WrongAnswerError unless it is a 200."""
        answer = _told(self._http.get(url, headers=headers))
        answer.expect(200)
        return answer.body

    def keep(self, url: str, document: dict[str, str], headers: dict[str, str]) -> None:
        """Have a JSON document kept. Raises WrongAnswerError unless it was."""
        _told(self._http.post(url, json=document, headers=headers)).expect(201)

    def post(self, url: str, form: dict[str, str]) -> Answer:
        """What a form brings; not a browser's doing, but it is at hand."""
        return _told(self._http.post(url, data=form))

    def authorize(self, endpoint: str, parameters: dict[str, str]) -> dict[str, str]:
        """From the authorization endpoint to the callback, through whatever pages come."""
        answer = self._http.get(f"{endpoint}?{urlencode(parameters)}")
        for _ in range(_STEPS):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(CALLBACK):
                    return dict(parse_qsl(urlsplit(target).query))
                answer = self._http.get(target)
            elif answer.status_code == httpx2.codes.OK and (form := _FORM.search(answer.text)):
                action = urljoin(str(answer.url), form[1] or "")
                answer = self._http.post(action, data=dict(_HIDDEN.findall(answer.text)) | _SAID)
            else:
                break
        raise WrongAnswerError(f"login: status {answer.status_code}: {answer.text[:200]}")

    def cookies(self) -> str:
        """The Cookie header of this browser at the authorization endpoint."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar if cookie.path == "/")


def _told(response: httpx2.Response) -> Answer:
    return Answer(response.status_code, b"", response.content)
