"""The page as an application: its rooms put together, and what becomes of what goes wrong in them.

Rooms are plain functions from a visit to a response. They run in threads, because the native app below them waits for
locks, files and servers.
"""

import logging
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from client.errors import ClientError
from client.serve import login, notes, session
from client.serve.browser import Browser
from client.serve.door import Door
from client.serve.pages import page, problem_page
from client.serve.site import Site
from client.serve.visit import RefusedVisitError, read

log = logging.getLogger(__name__)
_TITLES = {403: "Not obeyed", 404: "Nothing here", 405: "Not in this way"}
_SENTENCES = {404: "There is nothing at this address.", 405: "This address is for a button of the page."}


def create_app(site: Site) -> ASGIApp:
    async def refuse(request: Request, problem: Exception) -> Response:
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        return _refused(_browser(site, request), status, _SENTENCES.get(status, "This did not work."))

    def room(answer: Callable[..., Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            browser = _browser(site, request)
            try:
                visit = await read(request, browser, site.address)
                return await run_in_threadpool(answer, site, visit, **request.path_params)
            except RefusedVisitError as problem:
                return _refused(browser, problem.status, str(problem))
            except ClientError as problem:
                return problem_page(browser, problem)
            except Exception as problem:  # the last net: a page instead of a traceback, and a word in the log
                return _unexpected(browser, problem)

        return endpoint

    async def readyz(_request: Request) -> Response:
        return await run_in_threadpool(_readyz, site)

    app = Starlette(
        routes=[
            Route("/", room(notes.home), methods=["GET"]),
            Route("/login", room(login.start), methods=["POST"]),
            Route("/login/{name}", room(login.failed), methods=["GET"]),
            Route("/callback", room(login.callback), methods=["GET"]),
            Route("/notes", room(notes.add), methods=["POST"]),
            Route("/notes/delete", room(notes.delete), methods=["POST"]),
            Route("/refresh", room(session.refresh), methods=["POST"]),
            Route("/logout", room(session.logout), methods=["POST"]),
            Route("/logged-out", room(session.logged_out), methods=["GET"]),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
            Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
        ],
        exception_handlers={HTTPException: refuse},
    )
    app.router.redirect_slashes = False
    return Door(app, site.address, site.settings.issuer)


def _browser(site: Site, request: Request) -> Browser:
    return Browser.of(request.cookies, site.address.port)


def _refused(browser: Browser, status: int, sentence: str) -> Response:
    return page(browser, "refused.html", status, title=_TITLES.get(status, "This did not work"), sentence=sentence)


def _unexpected(browser: Browser, problem: Exception) -> Response:
    """The message of the exception stays out of the log: it may quote what the browser or a server sent."""
    name = uuid.uuid4().hex[:12]
    place, trace = "", problem.__traceback__
    while trace is not None:
        place, trace = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}", trace.tb_next
    log.error("unexpected error %s: %s at %s", name, type(problem).__name__, place)
    return _refused(browser, 500, f"Something unexpected happened here; the log calls it {name}.")


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")


def _readyz(site: Site) -> Response:
    """Whether the token store can be used."""
    try:
        site.store.check()
    except ClientError:
        return PlainTextResponse("the token store cannot be used\n", 503)
    return PlainTextResponse("ok\n")
