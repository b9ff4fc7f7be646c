"""What every stage program shares: the command line, the log, and errors told in a sentence."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import typer

from likeness.errors import Failure, LikenessError, OutputError, failure_of
from likeness.files import write_json
from likeness.output import reported_output
from likeness.telemetry import disable_telemetry
from pipelines._parent import follow_parent

FAILURE = "LIKENESS_FAILURE"
"""Environment variable that names the file in which a stage that fails leaves its `Failure`."""


def run(main: Callable[..., Any]) -> None:
    """Runs a stage's `main` as a command line program; a LikenessError becomes a sentence and an exit code.

    SIGTERM, and the end of the DVC that started the stage, end it as an exception does: a training saves its
    state, and nothing unfinished is left.
    """
    signal.signal(signal.SIGTERM, _stop)
    if "DVC_STAGE" in os.environ and "LOCAL_RANK" not in os.environ:  # one of several has torchrun for a parent
        follow_parent()
    disable_telemetry()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        with reported_output():
            app()
    except LikenessError as error:
        _leave(failure_of(error))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        _leave(failure_of(error))
        raise


def _leave(failure: Failure) -> None:
    """Writes a failure to the file that whoever started the stage wants it in."""
    if target := os.environ.get(FAILURE):
        with suppress(OutputError):  # the disk is full: the exit code has to do
            write_json(Path(target), asdict(failure))


def _stop(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
