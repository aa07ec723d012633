"""The notes, as the API gives them to this login; and who that is, with which scopes, for how long."""

import re
from typing import Any

from starlette.responses import RedirectResponse, Response

from client.errors import ClientError, LoginNeededError, MalformedError, RefusedError, StoreDamagedError
from client.serve.login import NOTES_SCOPES
from client.serve.pages import page, problem_page, status_and_title
from client.serve.site import Site
from client.serve.visit import RefusedVisitError, Visit
from client.store import TokenSet

ELSEWHERE = (
    "Somebody is logged in already, on the command line or in another browser, and only there the notes are shown. "
    "A login here is the current one for the command line, too."
)
ENDED = "Your login here has ended: it was given up elsewhere, or another one took its place."
DAMAGED = "What was stored of the last login is damaged. A new login replaces it."
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def home(site: Site, visit: Visit) -> Response:
    try:
        anybody = bool(site.store.drawer().people)
        own = site.own_tokens(visit.browser)
        if own.load(with_refresh_token=False) is None:
            reason = ELSEWHERE if anybody else ENDED if visit.browser.session else ""
            return _login_page(site, visit, reason)
        notes, problem = _fetch(site, visit)
        tokens = own.load()  # after the call: it may have brought new ones
    except StoreDamagedError:
        return _login_page(site, visit, DAMAGED)
    except LoginNeededError as ended:
        return _login_page(site, visit, str(ended))
    if tokens is None:
        return _login_page(site, visit, ENDED)
    status = status_and_title(problem)[0] if problem else 200
    return page(visit.browser, "notes.html", status, notes=notes, problem=problem, **_login(site, tokens))


def add(site: Site, visit: Visit) -> Response:
    text = visit.form.get("text", "").replace("\r\n", "\n")
    if not text.strip():
        raise RefusedVisitError(400, "A note needs some text.")
    try:
        site.app(visit.browser).call_api("POST", "/notes", {"text": text})
    except ClientError as problem:
        return problem_page(visit.browser, problem, draft=text)
    return RedirectResponse("/", 303)


def delete(site: Site, visit: Visit) -> Response:
    note = visit.form.get("id", "")
    if not _ID.fullmatch(note):  # it becomes a part of a path
        raise RefusedVisitError(400, "That is not the name of a note.")
    try:
        site.app(visit.browser).call_api("DELETE", f"/notes/{note}")
    except RefusedError as problem:
        if problem.status != 404:  # gone is gone, whoever was first
            raise
    return RedirectResponse("/", 303)


def _fetch(site: Site, visit: Visit) -> tuple[list[dict[str, str]], ClientError | None]:
    try:
        return _checked(site.app(visit.browser).call_api("GET", "/notes")), None
    except LoginNeededError:
        raise
    except ClientError as problem:
        return [], problem


def _checked(notes: Any) -> list[dict[str, str]]:
    if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
        raise MalformedError("The API's answer is no list of notes.")
    return [{"id": str(note.get("id", "")), "text": str(note.get("text", ""))} for note in notes]


def _login_page(site: Site, visit: Visit, reason: str) -> Response:
    return page(visit.browser, "login.html", reason=reason, issuer=site.settings.issuer)


def _login(site: Site, tokens: TokenSet) -> dict[str, Any]:
    scopes = tokens.scope.split()
    left = int(tokens.expires_at - site.now())
    return {
        "person": str(tokens.identity.get("name") or tokens.identity["sub"]),
        "email": str(tokens.identity.get("email") or ""),
        "scopes": scopes,
        "missing": [scope for scope in NOTES_SCOPES if scope not in scopes],
        "left": f"valid for another {duration(left)}" if left > 0 else "expired: refreshed when it is needed",
        "refreshable": tokens.refresh_token is not None,
        "steps": list(site.recent),
    }


def duration(seconds: int) -> str:
    """In the two largest units."""
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    first = next((number for number, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)
