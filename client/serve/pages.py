"""Pages: plain HTML that works without scripts, everything escaped.

Problems are pages too: a sentence, what to do about it, and a way on.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from client.errors import (
    ClientError,
    InsufficientScopeError,
    LoginFailedError,
    LoginNeededError,
    MalformedError,
    RefusedError,
    StoreError,
    UnavailableError,
)
from client.serve.browser import Browser

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_PROBLEMS: tuple[tuple[type[ClientError], int, str], ...] = (
    (LoginNeededError, 403, "Please log in"),
    (LoginFailedError, 400, "The login did not work"),
    (InsufficientScopeError, 403, "403 insufficient_scope"),
    (RefusedError, 400, "The server said no"),
    (UnavailableError, 503, "Not available now"),
    (MalformedError, 502, "That answer cannot be used"),
    (StoreError, 500, "The token store cannot be used"),
    (ClientError, 500, "This did not work"),
)


def page(browser: Browser, template: str, status: int = 200, **context: Any) -> Response:
    html = _TEMPLATES.get_template(template).render(form_token=browser.form_token, **context)
    # A server may have sent half a surrogate pair, which no encoding has.
    response = Response(html.encode(errors="replace"), status, media_type="text/html")
    browser.remember(response)
    return response


def problem_page(browser: Browser, problem: ClientError, draft: str | None = None) -> Response:
    """`draft`: a note that was typed and could not be kept."""
    status, title = status_and_title(problem)
    return page(
        browser,
        "problem.html",
        status,
        title=title,
        problem=str(problem),
        hint=hint(problem),
        too_small=isinstance(problem, InsufficientScopeError),
        log_in=isinstance(problem, LoginNeededError | LoginFailedError),
        draft=draft,
    )


def status_and_title(problem: ClientError) -> tuple[int, str]:
    return next((status, title) for kind, status, title in _PROBLEMS if isinstance(problem, kind))


def hint(problem: ClientError) -> str:
    """Without those that lead to the terminal, where the page has a button for it."""
    return "" if "python -m client login" in problem.hint else problem.hint
