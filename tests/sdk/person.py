"""A person with a browser, in nothing but the standard library. As a program: `person.py URL` logs in from there.

Follows redirects as a browser does, logs in where a form asks for it, allows what is asked for, and either stops at
the first address that is not the server's or goes on to it, as `$BROWSER` would.
"""

import http.cookiejar
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html import unescape


class _StopOutside(urllib.request.HTTPRedirectHandler):
    def __init__(self, inside: tuple[str, ...]) -> None:
        self.inside = inside

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return super().redirect_request(req, fp, code, msg, headers, newurl) if newurl.startswith(self.inside) else None


@dataclass
class Page:
    """What came: the address, the status, the text, and where a redirect leads that was not followed."""

    url: str
    status: int
    text: str
    location: str | None

    @property
    def answer(self) -> dict[str, str]:
        """The parameters of the address that it leads to."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.location or "").query))


class Person:
    """`inside`: the addresses within which redirects are followed. Cookies are kept."""

    def __init__(self, *inside: str, context: ssl.SSLContext | None = None) -> None:
        self.jar = http.cookiejar.CookieJar()
        self.browser = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.jar),
            _StopOutside(inside),
        )

    def open(self, url: str, form: dict[str, str] | None = None) -> Page:
        try:
            came = self.browser.open(url, urllib.parse.urlencode(form).encode() if form is not None else None, 30)
        except urllib.error.HTTPError as error:
            came = error
        with came:
            return Page(came.url, came.status, came.read().decode(), came.headers["Location"])

    def submit(self, page: Page, **fields: str) -> Page:
        """Post the page's form to where it says, or else back, as it is but for these fields."""
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        action = re.search(r'<form [^>]*action="([^"]+)"', page.text)
        url = urllib.parse.urljoin(page.url, unescape(action[1])) if action else page.url
        return self.open(url, {**{name: unescape(value) for name, value in hidden}, **fields})

    def log_in(self, url: str, action: str = "default") -> Page:
        """As Alice, from `url` until the answer leaves the server; `action` is the choice where there is one."""
        page = self.open(url)
        if 'id="login-submit"' in page.text:
            page = self.submit(page, username="alice@example.com", password="understudy", action="default")
        if 'id="consent-allow"' in page.text:
            page = self.submit(page, action=action)
        return page


if __name__ == "__main__":
    url = sys.argv[1]
    person = Person(urllib.parse.urljoin(url, "/"))
    person.open(person.log_in(url).location)
