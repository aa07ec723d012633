"""Login at the page: a form sends the browser to the issuer, and /callback takes the answer.

Done: RFC 6749 sections 4.1.1, 4.1.2 and 10.12; RFC 8252 section 8.10; RFC 9207 section 2.4. The order is that of the
loopback listener: path, method and Host (the door), one `state` that is ours and this browser's, `iss`, `error` or one
`code`, token request, ID token, save. Each outcome has an address of its own: no code stays in the address bar.
"""

from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.responses import RedirectResponse, Response

from client.serve.browser import OwnTokens, new_secret
from client.serve.logins import LIFETIME, OpenLogin
from client.serve.pages import problem_page
from client.serve.site import Site
from client.serve.told import LEFT, Step
from client.serve.visit import RefusedVisitError, Visit

NOTES_SCOPES = ("read:notes", "write:notes", "delete:notes")
MAX_QUERY = 8192
_NOT_OURS = (
    "This answer belongs to no login that this browser has under way: it was used already, is older than ten minutes, "
    "or the login was started elsewhere."
)


def start(site: Site, visit: Visit) -> Response:
    steps: list[Step] = []
    session = new_secret()
    settings = replace(site.settings, scope=_scope(site, visit))
    attempt = site.app_for(settings, OwnTokens(site.store, session), steps.append).attempt_login()
    steps.append(LEFT)
    redirect_uri = site.address.redirect_uri
    expires_at = site.now() + LIFETIME
    site.logins.add(OpenLogin(attempt, redirect_uri, visit.browser.secret, session, expires_at, steps))
    return RedirectResponse(attempt.url(redirect_uri), 303)


def callback(site: Site, visit: Visit) -> Response:
    login = _login_of(site, visit, pairs := _pairs(visit))
    made_it = login.finish(pairs)
    if login.failure:
        return RedirectResponse(f"/login/{login.name}", 303)
    if made_it:
        site.recent.begin(login.steps)
    response = RedirectResponse("/", 303)
    visit.browser.enter(response, login.session)
    return response


def failed(site: Site, visit: Visit, name: str) -> Response:
    login = site.logins.by_name(name, visit.browser.secret)
    if login is None or login.failure is None:
        return RedirectResponse("/", 303)
    return problem_page(visit.browser, login.failure)


def _scope(site: Site, visit: Visit) -> str:
    """What is set, what this login has already, and the one more that was asked for."""
    more = visit.form.get("scope", "")
    if not more:
        return site.settings.scope
    if more not in NOTES_SCOPES:
        raise RefusedVisitError(400, "This page asks for scopes of the notes API only.")
    held = site.own_tokens(visit.browser).load()
    granted = [scope for scope in held.scope.split() if scope in NOTES_SCOPES] if held else []
    return " ".join(dict.fromkeys([*site.settings.scope.split(), *granted, more]))


def _pairs(visit: Visit) -> list[tuple[str, str]]:
    if visit.method != "GET" or len(visit.query) > MAX_QUERY:
        raise RefusedVisitError(400, _NOT_OURS)
    try:
        return parse_qsl(visit.query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise RefusedVisitError(400, _NOT_OURS) from None


def _login_of(site: Site, visit: Visit, pairs: list[tuple[str, str]]) -> OpenLogin:
    states = [value for name, value in pairs if name == "state"]
    login = site.logins.by_state(states[0], visit.browser.secret) if len(states) == 1 else None
    if login is None:
        raise RefusedVisitError(400, _NOT_OURS)
    return login
