"""`likeness`: the command line. Errors that a user can cause are one sentence on stderr and exit code 2."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from typing import Annotated

import typer

from likeness.commands import (
    bench,
    embed,
    faces,
    forget,
    people,
    project,
    prune,
    quarantine,
    rate,
    reproduce,
    serve,
    suspects,
    tower,
    verify,
)
from likeness.commands.common import Exit
from likeness.errors import LikenessError, MemoryLimitError
from likeness.extras import explain
from likeness.memory_limit import end_at_once, explain_memory
from likeness.standard_output import reported_output
from likeness.telemetry import disable_telemetry

app = typer.Typer(
    help="From two photographs: is this the same person?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_USE, _LOOK, _PROJECT = "Use a model", "Look after models", "Look after the project"

app.command(rich_help_panel=_USE)(verify.verify)
app.command(rich_help_panel=_USE)(people.enroll)
app.command(rich_help_panel=_USE)(people.identify)
app.add_typer(people.gallery_app, name="gallery", rich_help_panel=_USE)
app.command(rich_help_panel=_USE)(faces.faces)
app.command(rich_help_panel=_USE)(embed.embed)
app.command(rich_help_panel=_USE)(suspects.suspects)
app.command(rich_help_panel=_USE)(serve.serve)
app.command(rich_help_panel=_LOOK)(bench.bench)
app.command(rich_help_panel=_LOOK)(project.export)
app.add_typer(project.model_app, name="model", rich_help_panel=_LOOK)
app.add_typer(tower.tower_app, name="tower", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK)(project.promote)
app.command(rich_help_panel=_LOOK)(project.rollback)
app.command("find-rate", rich_help_panel=_PROJECT)(rate.find_rate)
app.command(rich_help_panel=_PROJECT)(project.doctor)
app.command(rich_help_panel=_PROJECT)(project.where)
app.command(rich_help_panel=_PROJECT)(project.history)
app.command(rich_help_panel=_PROJECT)(reproduce.reproduce)
app.command(rich_help_panel=_PROJECT)(forget.forget)
app.command(rich_help_panel=_PROJECT)(prune.prune)
app.add_typer(quarantine.quarantine_app, name="quarantine", rich_help_panel=_PROJECT)


def _show_version(wanted: bool) -> None:
    if wanted:
        from likeness._version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and leave.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """From two photographs: is this the same person?"""


def main() -> None:
    """Runs the command line; no error of a user's ends in a traceback, and no error in a verdict's exit code."""
    disable_telemetry()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    warnings.filterwarnings("ignore", module="PIL")  # of pictures that are judged, and refused, here
    try:
        with reported_output():
            app()
    except LikenessError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        explained = explain(error) if isinstance(error, ModuleNotFoundError) else explain_memory(error)
        if explained is not None:
            typer.echo(str(explained), err=True)
            if isinstance(explained, MemoryLimitError):
                end_at_once(explained.exit_code)
            raise SystemExit(explained.exit_code) from None
        traceback.print_exc()
        typer.echo("this is a defect of Likeness itself; please report it with the lines above", err=True)
        raise SystemExit(Exit.ERROR) from None
