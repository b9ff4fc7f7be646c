"""What every stage program shares: the command line, the log, and errors told in a sentence."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import typer

from likeness.errors import LikenessError
from likeness.telemetry import disable_telemetry


def run(main: Callable[..., Any]) -> None:
    """Runs a stage's `main` as a command line program; a LikenessError becomes a sentence and an exit code."""
    disable_telemetry()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except LikenessError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
