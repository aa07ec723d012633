"""The page a person sees when the browser comes back.

Plain HTML, no script, nothing foreign, everything escaped (security row CL5). The style is allowed by
its hash, so the policy needs no `unsafe-inline`.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from client.errors import printable

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --desk: #eef1f5;
  --mark: #1a7f4b; }
.bad { --mark: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebef; --soft: #a3adb8; --paper: #1d2229; --desk: #12151a; --mark: #4cc38a; }
  .bad { --mark: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem;
  background: var(--desk); color: var(--ink); font: 1.0625rem/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2rem 1.75rem; background: var(--paper);
  border-radius: .75rem; border-top: .3rem solid var(--mark); overflow-wrap: anywhere; }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.3; }
p { margin: 0 0 .75rem; }
p:last-child { margin: 0; color: var(--soft); font-size: .9375rem; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    title: str
    text: str
    small: str = "You can close this window and go back to the terminal."

    def html(self) -> bytes:
        title, text, small = (escape(printable(part)) for part in (self.title, self.text, self.small))
        mark = "good" if self.status == 200 else "bad"
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n"
            f'<body class="{mark}">\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n<p>{small}</p>\n</main>\n'
            "</body>\n</html>\n"
        ).encode()


def logged_in(name: str) -> Page:
    return Page(200, "You are logged in", f"The notes app now acts for {name}.")


def failed(reason: str) -> Page:
    return Page(400, "The login did not work", reason, "Nothing was stored. The terminal says what you can do next.")


def not_for_us(status: int) -> Page:
    return Page(status, "Nothing here", "This address only takes the answer to the login that is under way.")
