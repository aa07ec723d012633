"""`serve`: the app keeps running, with a page."""

from typing import Annotated

import typer

from client.settings import Settings


def serve(
    settings: Settings,
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page and of its callback; 0 takes a free one.")
    ] = 8400,
    allow_insecure_listen: Annotated[
        bool,
        typer.Option(
            "--allow-insecure-listen",
            help="Listen on all interfaces. For a container, whose port is then published on 127.0.0.1 alone.",
        ),
    ] = False,
) -> None:
    """Keep running, with a page in your browser that logs you in and shows your notes."""
    from client.serve.server import serve as run

    run(settings, port, everywhere=allow_insecure_listen)
