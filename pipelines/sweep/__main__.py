"""`make sweep`: trains what a plan of conf/sweep.yaml lacks, and writes the table that the report draws.

Interrupted and started again, only what is missing is trained: each training is a DVC experiment whose name tells
parameters, data, code and configuration.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from likeness.errors import DataError, InterruptedTrainingError
from likeness.files import write_text
from likeness.params import load_document, section_of
from likeness.tracking.sweeps import tag_sweep
from pipelines._stage import run
from pipelines.source import FolderOption, SourceOption, source_overrides
from pipelines.sweep.experiments import Experiments
from pipelines.sweep.identity import identity
from pipelines.sweep.plan import Plan, Training
from pipelines.sweep.table import COLUMNS, Result, rows


def main(
    plan: Annotated[str, typer.Option(help="Section of the file of plans.")] = "drawn",
    plans: Annotated[Path, typer.Option(help="The file of plans.")] = Path("conf") / "sweep.yaml",
    source: SourceOption = None,
    mirror: FolderOption = None,
    out: Annotated[Path, typer.Option(help="The table.")] = Path("reports") / "sweep.csv",
    project: Annotated[Path, typer.Option(help="Folder of the project.")] = Path(),
) -> None:
    """Brings a sweep to its end, and its table up to date."""
    wanted = section_of(load_document(plans), str(plans), plan, Plan)
    experiments = Experiments(project.resolve())
    faces = source_overrides(source, mirror) if source or mirror or plan == "full" else []
    settings = [f"recipe={wanted.recipe}", *faces, *wanted.settings]
    names = {
        training: f"{plan}-{training.name}-{identity(experiments.root, [*settings, *training.overrides])[:10]}"
        for training in wanted.trainings()
    }
    missing = bring_about(experiments, names, settings)
    table = collect(experiments.root, plan, wanted, names, missing)
    write_text(out, table.to_csv(index=False))
    logging.info("%s: %d values of %d trainings", out, len(table), len(names) - len(missing))
    if missing:
        told = ", ".join(sorted(names[training] for training in missing))
        raise DataError(f"without result: {told}; `dvc queue logs NAME` tells why; a new start tries them again")


def bring_about(experiments: Experiments, names: Mapping[Training, str], settings: list[str]) -> set[Training]:
    """Trains what has no result yet; returns what has none after that.

    Raises:
        InterruptedTrainingError: somebody stopped it.
    """
    finished = experiments.finished()
    todo = {training: name for training, name in names.items() if name not in finished}
    waiting = experiments.waiting(list(todo.values()))
    logging.info("%d trainings: %d done, %d queued", len(names), len(names) - len(todo), len(waiting))
    try:
        for training, name in todo.items():
            if name not in waiting:
                experiments.put(name, [*settings, *training.overrides])
                logging.info("queued %s", name)
        if todo:
            experiments.run()
    except KeyboardInterrupt:
        raise InterruptedTrainingError("the sweep was stopped; started again, it trains what is missing") from None
    finished = experiments.finished() if todo else finished
    return {training for training, name in todo.items() if name not in finished}


def collect(
    root: Path, plan: str, wanted: Plan, names: Mapping[Training, str], missing: set[Training]
) -> pd.DataFrame:
    """The table of all trainings that have a result; their runs get the tag `sweep`."""
    found = []
    described = ", ".join([f"recipe {wanted.recipe}", *wanted.settings])
    for training, answered in wanted.trainings().items():
        if training not in missing:
            result = Result.read(root, names[training])
            found += rows(training, answered, result, described)
            swept = ", ".join(sorted({value.parameter for value in answered}))
            tag_sweep(result.run, {"sweep": plan, "sweep.parameters": swept}, root)
    return pd.DataFrame(found, columns=list(COLUMNS))


if __name__ == "__main__":
    run(main)
