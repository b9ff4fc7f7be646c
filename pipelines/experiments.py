"""`make sweep`, `make results`, `make view2`: trainings in series; `make lfw`, `make folder`: one DVC experiment.

Each trial of a plan has its own folder under `--out`; what is finished is never repeated, and an interrupted
training goes on from its checkpoint. `pack` makes a folder for a machine with a GPU, on which `run` needs nothing
but torch, the scientific Python packages and the stage programs.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from likeness.artifacts.recipe_table import RECIPES
from likeness.errors import DataError
from likeness.experiments.aims import check_aims, read_aims
from likeness.experiments.expectation import expected_minutes, in_words
from likeness.experiments.experiment_plan import read_plan
from likeness.experiments.gpu_package import pack_trials
from likeness.experiments.overrides import set_options, source_overrides
from likeness.experiments.result_tables import measured, put_into, recipe_records, view1_table, view2_table
from likeness.experiments.runner import prepare, run_trials
from likeness.experiments.sweep import write_sweep
from likeness.experiments.trials import TrialFolder, plan_trials, planned
from pipelines import _stage

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

FolderOption: TypeAlias = Annotated[
    str | None, typer.Option("--mirror", envvar="MIRROR", help="Folder, archive or URL that the images come from.")
]
SourceOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--source", help="A file of conf/data; by default the form of LFW that --mirror holds."),
]
SetOption: TypeAlias = Annotated[list[str] | None, typer.Option("--set", "-S", help="Further Hydra overrides.")]
Out: TypeAlias = Annotated[Path, typer.Option(help="Folder of all trials.")]
Only: TypeAlias = Annotated[list[str] | None, typer.Option(help="Trials whose name begins so; default: all.")]
Into: TypeAlias = Annotated[
    list[Path] | None, typer.Option(help="Document with markers for the tables, or a .csv; may be repeated.")
]


@app.command()
def workspace(
    recipe: Annotated[str, typer.Option(help="A file of conf/recipe.")],
    source: SourceOption = None,
    mirror: FolderOption = None,
    more: SetOption = None,
    stages: Annotated[list[str] | None, typer.Argument(help="Stages up to which it runs; default: all.")] = None,
) -> None:
    """Runs one DVC experiment in the workspace, so that no shell has to quote a path for Hydra."""
    overrides = [*source_overrides(source, mirror), f"recipe={recipe}", *(more or [])]
    command = [sys.executable, "-m", "dvc", "exp", "run", *set_options(overrides), *(stages or [])]
    raise SystemExit(subprocess.run(command, check=False).returncode)


@app.command()
def plan(
    name: Annotated[str, typer.Argument(help="A section of the file of plans.")],
    recipe: Annotated[list[str] | None, typer.Option(help="Instead of the plan's.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Instead of the plan's.")] = None,
    source: SourceOption = None,
    mirror: FolderOption = None,
    more: SetOption = None,
    plans: Annotated[Path, typer.Option(help="The file of plans.")] = Path("conf") / "plans.yaml",
    out: Out = Path("results"),
) -> None:
    """Composes parameters and ingests; trains nothing."""
    wanted = read_plan(plans, name)
    wanted = replace(wanted, recipes=tuple(recipe or wanted.recipes), seeds=seeds or wanted.seeds)
    asked = source or mirror or wanted.data
    faces = source_overrides(source, mirror, wanted.data or "lfw-a") if asked else []
    settings = [*wanted.settings, *(more or [])]
    shared = ", ".join([*(f"recipe {one}" for one in wanted.recipes), *settings])
    trials = wanted.trials(Path("conf"))
    folders = plan_trials(Path.cwd(), out, name, trials, [*faces, *settings], shared)
    prepare(folders)
    untrained = [folder for folder in folders if folder.state == "planned"]
    logging.info("%d trainings are planned in %s, %d of them to be done", len(folders), out, len(untrained))
    recipes = RECIPES.find(Path("reports") / RECIPES.name)
    minutes, unknown = (0.0, 0) if recipes is None else expected_minutes(untrained, recipes)
    if minutes:
        beside = f", without {unknown} that were not timed there" if unknown else ""
        logging.info("they take about %s on the machine of docs/results.md%s", in_words(minutes), beside)


@app.command()
def run(
    out: Out = Path("results"),
    only: Only = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    evaluate: Annotated[bool, typer.Option(help="Measure on the test pairs too, except a sweep's.")] = True,
    into: Into = None,
) -> None:
    """Trains and measures every planned trial that is not finished, and says at the end which failed."""
    folders = planned(out, only or [])
    failed = run_trials(folders, device, evaluate=evaluate)
    for document in into or []:
        write_tables(folders, document)
    if failed:
        raise DataError(f"failed: {', '.join(failed)}; run again to go on with them")


@app.command()
def pack(
    to: Annotated[Path, typer.Option(help="Folder to carry; made again.")],
    out: Out = Path("results"),
    only: Only = None,
) -> None:
    """Copies unfinished trials, their face sets (packed) and the packages that a GPU machine may lack."""
    folders = [folder for folder in planned(out, only or []) if folder.state == "planned"]
    size = pack_trials(folders, to)
    logging.info("%s: %d trials, %.1f MB", to, len(folders), size / 1e6)


@app.command()
def table(out: Out = Path("results"), only: Only = None, into: Into = None) -> None:
    """Prints the tables of everything measured so far, or writes them into a document or a .csv."""
    folders = planned(out, only or [])
    for document in into or []:
        write_tables(folders, document)
    if into:
        return
    for name, text in _tables(folders).items():
        typer.echo(f"{name}\n\n{text}\n")


@app.command()
def check(
    out: Out = Path("results"),
    only: Only = None,
    aims: Annotated[Path, typer.Option(help="The file of aims.")] = Path("conf") / "aims.yaml",
) -> None:
    """Prints each aim of accuracy, the figure measured, and whether it is met."""
    trials = measured(planned(out, only or []))
    for result in check_aims(read_aims(aims), trials):
        typer.echo(result.line())


def write_tables(folders: list[TrialFolder], into: Path) -> None:
    """Writes the rows of sweeps, or of recipes, into a .csv, results between the markers of a document."""
    if into.suffix == ".csv" and not any(folder.note and folder.note.values for folder in folders):
        RECIPES.write(into, RECIPES.records(recipe_records(measured(folders))))
    elif into.suffix == ".csv":
        logging.info("%s: %d values of %d trainings", into, write_sweep(folders, into), len(folders))
    else:
        for name, text in _tables(folders).items():
            put_into(into, text, name)


def _tables(folders: list[TrialFolder]) -> dict[str, str]:
    rows = measured(folders)
    tables = {"view 1": view1_table(rows), "view 2": view2_table(rows)}
    return {name: text for name, text in tables.items() if text}


if __name__ == "__main__":
    _stage.run(app)
