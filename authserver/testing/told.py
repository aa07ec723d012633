"""What an answer tells the application: as JSON, in a redirect, in a challenge, or by a page that carries it.

Done: RFC 6749 §4.1.2, §5.1, §5.2 · RFC 6750 §3 · OAuth 2.0 Form Post Response Mode §2 · web_message.
Left out: deciding whether it is right.
"""

import json
import re
from functools import cached_property
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authserver.testing.exchange import Answered

_ERROR = re.compile(r'id="error"[^>]*>(.*?)</', re.DOTALL)
_AUTH_PARAM = re.compile(r'\b(error|error_description)="([^"]*)"')
_FIELD = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_MESSAGE = re.compile(r'id="web-message"[^>]* data-response="([^"]*)"')


class Told:
    """An answer, read. `words` are its parameters, wherever they stand."""

    def __init__(self, answered: Answered) -> None:
        self.json, self.location = answered.json, answered.headers.get("location")
        is_page = answered.headers.get("content-type", "").startswith("text/html")
        self._challenge = answered.headers.get("www-authenticate", "")
        self._page = answered.body.decode("utf-8", "replace") if is_page else ""

    @cached_property
    def words(self) -> dict[str, Any]:
        """By name; of what stands twice the last."""
        members = self.json if isinstance(self.json, dict) else {}
        return {
            **dict(_AUTH_PARAM.findall(self._challenge)),
            **self._carried(),
            **_redirected(self.location),
            **members,
        }

    @property
    def description(self) -> str:
        """What is said to the developer, or to the person on the page; empty when nothing is."""
        said = self.words.get("error_description")
        if said is None and (shown := _ERROR.search(self._page)):
            return unescape(re.sub("<[^>]+>", "", shown[1])).strip()
        return str(said or "").strip()

    def _carried(self) -> dict[str, Any]:
        if 'id="form-post"' in self._page:
            return {unescape(name): unescape(value) for name, value in _FIELD.findall(self._page)}
        if message := _MESSAGE.search(self._page):
            try:
                carried = json.loads(unescape(message[1]))
            except ValueError:
                return {}
            return carried if isinstance(carried, dict) else {}
        return {}


def _redirected(location: str | None) -> dict[str, str]:
    if not location:
        return {}
    try:
        parts = urlsplit(location)
    except ValueError:
        return {}
    return {**dict(parse_qsl(parts.query)), **dict(parse_qsl(parts.fragment))}
