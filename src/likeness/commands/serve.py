"""`likeness serve`: the page and its interface for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from likeness.commands.common import GALLERY, GalleryOption, ModelOption, finite, print_notice
from likeness.extras import needing


def serve(
    model: ModelOption = None,
    gallery: GalleryOption = GALLERY,
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="LIKENESS_TOKEN",
            help="What callers must know, better given by the environment; on loopback one is made and kept.",
        ),
    ] = None,
    refresh: Annotated[
        float,
        typer.Option(
            min=0,
            help="Look for a newer model every so many seconds; 0: never.",
            metavar="SECONDS",
            callback=finite,
        ),
    ] = 0,
) -> None:
    """Serve the page on which people compare, enrol and identify faces; open the address that it prints."""
    with needing("serve"):
        from likeness.serving.server import run_server

    run_server(model, Path(gallery), host=host, port=port, token=token, refresh=refresh, notify=print_notice)
