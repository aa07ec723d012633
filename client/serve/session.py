"""What a login can do with itself: refresh now, and log out.

Done: RFC 6749 section 6; RFC 7009 section 2.1; OpenID Connect RP-Initiated Logout 1.0 section 2 as an offer: a link to
the issuer, which asks the person. (No id_token_hint: a token does not belong into an address bar.)
"""

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from client.app import NativeApp
from client.errors import ClientError
from client.serve.pages import page
from client.serve.site import Site
from client.serve.visit import Visit

UNTOLD = "untold"
"""The query of the page after a logout that the server does not know of."""


def refresh(site: Site, visit: Visit) -> Response:
    site.app(visit.browser).refresh()
    return RedirectResponse("/", 303)


def logout(site: Site, visit: Visit) -> Response:
    done = site.app(visit.browser).logout()
    if done.was_logged_in:
        site.recent.begin(())
    response = RedirectResponse("/logged-out" + (f"?{UNTOLD}" if done.problem else ""), 303)
    visit.browser.leave(response)
    return response


def logged_out(site: Site, visit: Visit) -> Response:
    """At an address of its own, so that going back and forth or reloading logs nobody out again."""
    if site.own_tokens(visit.browser).load() is not None:
        return RedirectResponse("/", 303)
    untold = visit.query == UNTOLD
    end_session = None if untold else _end_session_url(site.app(visit.browser))
    return page(visit.browser, "logged_out.html", untold=untold, end_session=end_session)


def _end_session_url(app: NativeApp) -> str | None:
    try:
        endpoint = app.metadata.end_session_endpoint
    except ClientError:
        return None
    if endpoint is None:
        return None
    return endpoint + ("&" if "?" in endpoint else "?") + urlencode({"client_id": app.settings.client_id})
