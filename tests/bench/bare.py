"""`python -m tests.bench.bare authserver|api …`: a bare Starlette application behind our own command's server.

The command starts as always, with its own uvicorn settings, whatever they are; only the application is another one.
"""

import functools
import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

import api.__main__
import authserver.__main__
import authserver.serve


@functools.cache
def filling(size: int) -> dict[str, str]:
    """A JSON object of about `size` bytes, in members of some forty."""
    return {f"member_{number:06}": "a value of usual length" for number in range(size // 41)}


async def answer(request: Request) -> Response:
    """Whatever was sent is read; then comes a JSON answer of the size that the path names."""
    await request.body()
    return JSONResponse(filling(request.path_params["size"]))


async def alive(_: Request) -> Response:
    """What the command waits for before it says READY."""
    return PlainTextResponse("ok\n")


def create_app(_: object, **_more: object) -> Starlette:
    """In place of the real application, whatever it is told besides."""
    return Starlette(routes=[Route("/json/{size:int}", answer, methods=["GET", "POST"]), Route("/healthz", alive)])


def main() -> None:
    """Run the command that the first argument names."""
    command = sys.argv.pop(1)
    if command == "authserver":
        authserver.serve.create_app = create_app  # type: ignore[assignment, attr-defined]  # on purpose
        authserver.__main__.main(["serve", *sys.argv[1:]])
    else:
        api.__main__.create_app = create_app  # type: ignore[assignment, attr-defined]  # likewise
        api.__main__.main()


if __name__ == "__main__":
    main()
