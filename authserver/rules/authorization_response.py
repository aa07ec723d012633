"""The authorization response: back to the application, with a code or an error.

Done: RFC 6749 §4.1.2 and §4.1.2.1 · RFC 9207 §2 (`iss` in every answer).
Left out: fragment, form_post and web_message.
"""

from collections.abc import Mapping
from urllib.parse import quote

from authserver.messages import Cookie, Redirect


def respond(
    redirect_uri: str,
    params: Mapping[str, str | None],
    *,
    state: str | None,
    issuer: str,
    cookies: tuple[Cookie, ...] = (),
) -> Redirect:
    """Append `params`, `state` and `iss` to the redirect URI, whose own query stays byte for byte (RFC 6749 §3.1.2).

    Spaces become %20 and never +, because native SDKs split the query without form decoding.
    """
    said = {**params, "state": state, "iss": issuer}
    query = "&".join(f"{name}={quote(value, safe='-._~')}" for name, value in said.items() if value is not None)
    if "?" not in redirect_uri:
        joint = "?"
    else:
        joint = "" if redirect_uri.endswith(("?", "&")) else "&"
    return Redirect(f"{redirect_uri}{joint}{query}", cookies=cookies)
