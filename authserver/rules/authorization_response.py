"""The authorization response: back to the application, with a code or an error.

Done: RFC 6749 §4.1.2 and §4.1.2.1 · RFC 9207 §2 (`iss` in every answer) · OAuth 2.0 Multiple Response Types §2.1
(query, fragment) · OAuth 2.0 Form Post Response Mode §2 · OAuth 2.0 Web Message Response Mode
(an expired draft), simple mode.
Left out: the relay mode of that draft.
"""

import json
from collections.abc import Mapping
from urllib.parse import quote

from authserver.messages import Cookie, Page, Redirect
from authserver.rules.redirects import frame_source, origin

RESPONSE_MODES = ("query", "fragment", "form_post", "web_message")


def respond(
    redirect_uri: str,
    response_mode: str,
    params: Mapping[str, str | None],
    *,
    form_target: str,
    cookies: tuple[Cookie, ...] = (),
) -> Redirect | Page:
    """Hand `params` over in the way that was asked for; absent ones are left out.

    The redirect URI's own query stays byte for byte (RFC 6749 §3.1.2). Spaces become %20 and never +, because native
    SDKs split the query without form decoding. A message is for windows of the redirect URI's origin alone, and so is
    the page that sends it; that this origin is registered was checked with the request.
    """
    said = {name: value for name, value in params.items() if value is not None}
    if response_mode == "form_post":
        form = {"redirect_uri": redirect_uri, "params": said}
        return Page("form_post.html", form, form_targets=(form_target,), cookies=cookies, scripts=True)
    if response_mode == "web_message":
        message = {"receiver": origin(redirect_uri), "response": json.dumps(said)}
        framed_by = frame_source(redirect_uri)
        return Page("web_message.html", message, framed_by=framed_by, cookies=cookies, scripts=True)
    encoded = "&".join(f"{name}={quote(value, safe='-._~')}" for name, value in said.items())
    if response_mode == "fragment":
        joint = "#"
    elif "?" not in redirect_uri:
        joint = "?"
    else:
        joint = "" if redirect_uri.endswith(("?", "&")) else "&"
    return Redirect(f"{redirect_uri}{joint}{encoded}", cookies=cookies)
