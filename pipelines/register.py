"""After the stages: registers the evaluated model as challenger and lets the gate decide.

No stage of dvc.yaml, because it changes what people are served: `make register` and the nightly flow call it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from likeness.data.faceset import FaceSet
from likeness.files import read_json
from likeness.models.card import TOWER
from likeness.models.export import export_onnx
from likeness.models.weights import load_model
from likeness.operations import read_operations
from likeness.serving.model import open_model
from likeness.tracking.gate import GateParams, Verdict, decide
from likeness.tracking.packing import named
from likeness.tracking.registry import Registered, Registry, write_verdict
from likeness.tracking.runs import TrackingParams
from pipelines._stage import run

_TIMED = 30


@dataclass(frozen=True)
class Evaluated:
    """What the stages left: the folders of faces, model and evaluation, and the run of the training."""

    faces: Path
    model: Path
    evaluation: Path
    run: Path


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
    gate, tracking = read_operations(params, gate=GateParams, tracking=TrackingParams)
    verdict = register_and_decide(Evaluated(faces, model, evaluation, training), gate, tracking, out)
    logging.info("%s", "registered before, and judged: nothing to do" if verdict is None else verdict.table())


def register_and_decide(
    evaluated: Evaluated, gate: GateParams, tracking: TrackingParams, out: Path
) -> Verdict | None:
    """Registers a model, holds it against the champion, notes the decision and acts on it.

    Returns:
        The decision, or None where this very model has been judged before. One that was registered, but not
        judged because the process was killed in between, is judged now.

    Raises:
        TrackingError: the registry refuses or is away; what serves is unchanged.
        DataError: the champion was measured on other pairs.
    """
    registry = Registry.open(tracking.uri)
    registered = _register(registry, evaluated)
    if registry.judged(registered.version):
        return None
    champion = registry.champion()
    verdict = decide(
        registry.candidate(registered.version), None if champion is None else registry.candidate(champion), gate
    )
    registry.record(verdict)
    write_verdict(out, verdict)
    return verdict


def _register(registry: Registry, evaluated: Evaluated) -> Registered:
    predictions = pd.read_parquet(evaluated.evaluation / "predictions.parquet")
    with tempfile.TemporaryDirectory() as scratch:
        folder, table = Path(scratch) / "model", Path(scratch) / "predictions.parquet"
        shutil.copytree(evaluated.model, folder)
        loaded = load_model(folder)
        export_onnx(folder / TOWER, loaded.siamese, loaded.card)
        named(predictions, FaceSet.open(evaluated.faces).manifest).to_parquet(table, index=False)
        metrics = read_json(evaluated.evaluation / "metrics.json")
        return registry.register(folder, table, metrics, evaluated.run, _milliseconds(folder))


def _milliseconds(folder: Path) -> float:
    """Median time of one embedding on one core, in milliseconds, as it will be served."""
    model = open_model(folder, threads=1)
    face = np.zeros((1, *model.card.preprocess.size), dtype=np.uint8)
    times = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        model.embed(face)
        times.append(time.perf_counter() - start)
    return float(np.median(times) * 1000)


if __name__ == "__main__":
    run(main)
