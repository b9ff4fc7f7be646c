"""`python -m benchmarks.results`: every recipe on real faces, over seeds or folds, and the table of it.

Each row (recipe and seed, or fold) has its own folder under `--out`; what is finished is never repeated, and an
interrupted training goes on from its checkpoint. `pack` makes a folder for a machine with a GPU on which `run`
needs nothing but torch, the scientific Python packages and the stage programs.
"""

from __future__ import annotations

import logging
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer

from benchmarks.results.carrying import pack as pack_store
from benchmarks.results.rows import Place, plan, rows_of
from benchmarks.results.running import StageFailedError, divide, measure, prepare
from benchmarks.results.table import measured, put_into, view1_table, view2_table
from pipelines.source import FolderOption, SourceOption, source_overrides

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="Folder of all rows.")]
_LEFT_OUT = ("small", "own-photographs")  # made for drawn faces, and for sets beside LFW
_TRAVELLING = ("pytorch_metric_learning", "captum")  # pure Python, and not on every machine with a GPU


@app.command("plan")
def plan_rows(
    recipes: Annotated[list[str] | None, typer.Option("--recipe", help="Default: every recipe.")] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of each recipe, counted from 0.")] = 1,
    view2: Annotated[bool, typer.Option(help="The ten folds of View 2 instead of View 1.")] = False,
    source: SourceOption = None,
    mirror: FolderOption = None,
    override: Annotated[list[str] | None, typer.Option("--set", help="As `dvc exp run -S`, for all rows.")] = None,
    out: Out = Path("results"),
) -> None:
    """Composes parameters, ingests and splits; trains nothing."""
    faces = source_overrides(source, mirror) if source or mirror else []
    places = plan(out, rows_of(recipes or _all_recipes(), seeds, view2=view2), [*faces, *(override or [])])
    prepare(places, out)
    logging.info("%d rows are planned in %s; python -m benchmarks.results run", len(places), out)


@app.command()
def run(
    out: Out = Path("results"),
    only: Annotated[list[str] | None, typer.Option(help="Rows whose name begins so; default: all.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    evaluate: Annotated[bool, typer.Option(help="Measure on the test pairs too, once a finished row.")] = True,
) -> None:
    """Trains and measures every planned row that is not finished, and tells at the end which failed."""
    places = _planned(out, only)
    prepare(places, out)
    failed = []
    for number, place in enumerate(places, 1):
        try:
            seconds = measure(place, device, evaluate=evaluate)
        except StageFailedError as error:
            logging.error("%s", error)
            failed.append(place.name)
        else:
            logging.info("%d of %d: %s, %.0f s", number, len(places), place.name, seconds)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; run again to go on with them")


@app.command()
def pack(
    to: Annotated[Path, typer.Option(help="Folder to carry; made anew.")],
    out: Out = Path("results"),
    only: Annotated[list[str] | None, typer.Option(help="Rows whose name begins so; default: all.")] = None,
) -> None:
    """Copies planned rows, their stores (packed) and the packages that a GPU machine may lack, to be carried."""
    places = [place for place in _planned(out, only) if place.state == "planned"]
    prepare(places, out)
    for place in places:
        divide(place)
        shutil.copytree(place.folder, to / "runs" / place.name, dirs_exist_ok=True)
    for faces in {place.faces for place in places}:
        pack_store(faces, to / "faces" / faces.name, _needed(places, faces))
    for name in _TRAVELLING:
        found = find_spec(name)
        if found is not None and found.origin is not None:
            package = Path(found.origin).parent
            ignored = shutil.ignore_patterns("__pycache__", "insights")
            shutil.copytree(package, to / "packages" / name, ignore=ignored, dirs_exist_ok=True)
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    logging.info("%s: %d rows, %.1f MB", to, len(places), size / 1e6)


@app.command()
def table(
    out: Out = Path("results"),
    into: Annotated[list[Path] | None, typer.Option(help="Documents with markers to write it into.")] = None,
) -> None:
    """Prints the tables of everything measured so far, or writes them into documents."""
    rows = measured(out)
    tables = {"view 1": view1_table(rows), "view 2": view2_table(rows)}
    for name, text in tables.items():
        if text and not into:
            print(f"{name}\n\n{text}\n")
        for document in (into or []) if text else []:
            put_into(document, text, name)


def _all_recipes() -> list[str]:
    folder = Path(__file__).parents[2] / "conf" / "recipe"
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in _LEFT_OUT)


def _planned(out: Path, only: list[str] | None) -> list[Place]:
    folders = sorted(path.parent.name for path in (out / "runs").glob("*/params.yaml"))
    wanted = tuple(only or [""])
    return [Place(out, name) for name in folders if name.startswith(wanted) and ".old" not in name]


def _needed(places: list[Place], faces: Path) -> npt.NDArray[np.int64]:
    rows = []
    for place in places:
        if place.faces == faces:
            pairs, people = (
                pd.read_parquet(place.folder / "splits" / name) for name in ("pairs.parquet", "identities.parquet")
            )
            rows += [pairs["a"].to_numpy(), pairs["b"].to_numpy(), people["row"].to_numpy()]
    return np.unique(np.concatenate(rows)).astype(np.int64)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    app()
