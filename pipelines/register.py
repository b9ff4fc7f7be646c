"""After the stages: registers the evaluated model as challenger and lets the gate decide.

No stage of dvc.yaml, because it changes what people are served: `make register` and the nightly flow call it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from likeness.nightly.registration import register_and_decide
from likeness.operations import read_operations
from likeness.tracking.consistency import StageOutputs
from likeness.tracking.gate import GateParams
from likeness.tracking.runs import TrackingParams
from pipelines._stage import run


def main(
    params: Annotated[
        Path, typer.Option(help="The params.yaml, beside which operations.yaml is looked for.")
    ] = Path("params.yaml"),
    faces: Annotated[Path, typer.Option(help="Folder of the ingest stage.")] = Path("data") / "faces",
    model: Annotated[Path, typer.Option(help="Folder of the trained model.")] = Path("models") / "model",
    evaluation: Annotated[Path, typer.Option(help="Folder of the evaluate stage.")] = Path("reports")
    / "evaluation",
    training: Annotated[Path, typer.Option(help="run.json of the train stage.")] = Path("reports")
    / "train"
    / "run.json",
    out: Annotated[Path, typer.Option(help="Folder for gate.json and gate.md.")] = Path("reports") / "gate",
) -> None:
    """Registers the model and prints the gate's decision."""
    gate, tracking = read_operations(params, GateParams, TrackingParams)
    decision = register_and_decide(StageOutputs(faces, model, evaluation, training), gate, tracking, out)
    logging.info(
        "%s", "registered before, and decided on: nothing to do" if decision is None else decision.table()
    )


if __name__ == "__main__":
    run(main)
