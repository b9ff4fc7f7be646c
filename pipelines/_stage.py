"""What every stage program shares: the command line, the log, and errors reported in a sentence."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from likeness.artifacts.failure import write_failure
from likeness.errors import ChangedParamsError, LikenessError, ParamsError, failure_of
from likeness.files import write_json
from likeness.params import ParamsSection, leaves, load_document, sections_of
from likeness.progress import elapsed_time
from likeness.standard_output import reported_output
from likeness.telemetry import disable_telemetry
from pipelines._parent import follow_parent

_SLOW_IMPORT = "rfc3987_syntax"
"""Optional part of jsonschema, which Altair and Great Expectations import: to import it compiles a grammar of
addresses for two seconds, and nothing here checks any."""


def run(main: Callable[..., Any] | typer.Typer) -> None:
    """Runs a stage's `main`, or commands, as a command line program; a LikenessError becomes an exit code.

    SIGTERM, and the end of the DVC that started the stage, end it as an exception does: a training saves its
    state, and nothing unfinished is left.
    """
    signal.signal(signal.SIGTERM, _stop)
    sys.unraisablehook = _report_unraisable
    if "DVC_STAGE" in os.environ and "LOCAL_RANK" not in os.environ:  # one of several has torchrun for a parent
        follow_parent()
    disable_telemetry()
    sys.modules.setdefault(_SLOW_IMPORT, None)  # type: ignore[arg-type]  # to import it is an ImportError then
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    app = main if isinstance(main, typer.Typer) else _program(main)
    try:
        with reported_output(), elapsed_time():
            app()
    except LikenessError as error:
        write_failure(failure_of(error))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        write_failure(failure_of(error))
        raise


def _program(main: Callable[..., Any]) -> typer.Typer:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    return app


UsedOption = Annotated[Path | None, typer.Option(help="File for the parameters that were used.")]


def confirm_parameters(params: Path, used: Path | None, *sections: ParamsSection) -> None:
    """Notes the parameters that a stage used, at its end, once they are still those of params.yaml.

    DVC writes into dvc.lock what params.yaml says when a stage has ended, whatever the stage was run with.

    Args:
        params: the params.yaml.
        used: file for the note; None: none is written.
        sections: as they were read at the beginning.

    Raises:
        ChangedParamsError: a value of these sections was edited meanwhile.
    """
    before = _plain(sections)
    try:
        now = sections_of(load_document(params), str(params), *(type(section) for section in sections))
    except ParamsError as error:
        raise ChangedParamsError(
            f"{params} was edited while this stage ran, and is not valid now: {error}"
        ) from error
    old, new = dict(leaves(before)), dict(leaves(_plain(now)))
    if changed := [key for key in old | new if old.get(key, "nothing") != new.get(key, "nothing")]:
        listed = [f"  {key}: used {old.get(key, 'nothing')!r}, now {new.get(key, 'nothing')!r}" for key in changed]
        raise ChangedParamsError(
            f"{params} was edited while this stage ran, so nothing was recorded; put the former values back, or "
            "leave the new ones, and run again\n" + "\n".join(listed)
        )
    if used is not None:
        write_json(used, before)


def _plain(sections: Sequence[Any]) -> dict[str, Any]:
    return {section.SECTION: asdict(section) for section in sections}


def _stop(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _report_unraisable(lost: sys.UnraisableHookArgs) -> None:
    """Repeats, a moment later, a signal whose exception was raised in a finalizer: Python ignores those."""
    if isinstance(lost.exc_value, SystemExit | KeyboardInterrupt):
        again = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(lost)
