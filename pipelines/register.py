"""After the stages: registers the evaluated model as challenger and lets the gate decide.

No stage of dvc.yaml, because it changes what people are served: `make register` and the nightly flow call it.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from likeness.data.faceset import FaceSet
from likeness.files import read_json
from likeness.models.card import TOWER
from likeness.models.export import export_onnx
from likeness.models.weights import load_model
from likeness.operations import read_operations
from likeness.serving.latency import compare_latency
from likeness.tracking.consistency import StageOutputs, check_outputs
from likeness.tracking.gate import GateParams, Verdict, decide
from likeness.tracking.packing import named
from likeness.tracking.registry import Registered, Registry, write_verdict
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
    verdict = register_and_decide(StageOutputs(faces, model, evaluation, training), gate, tracking, out)
    logging.info("%s", "registered before, and judged: nothing to do" if verdict is None else verdict.table())


def register_and_decide(
    outputs: StageOutputs, gate: GateParams, tracking: TrackingParams, out: Path
) -> Verdict | None:
    """Registers a model, holds it against the champion, notes the decision and acts on it.

    Returns:
        The decision, or None where this very model has been judged before. One that was registered, but not
        judged because the process was killed in between, is judged now.

    Raises:
        TrackingError: the registry refuses or is away; what serves is unchanged.
        DataError: the outputs do not belong together, or the champion was measured on other pairs.
    """
    check_outputs(outputs)
    registry = Registry.open(tracking.uri, create=True)
    registered = _register(registry, outputs, tracking)
    if registry.judged(registered.version):
        return None
    verdict = _decide(registry, registered.version, registry.champion(), gate)
    registry.record(verdict)
    write_verdict(out, verdict)
    return verdict


def _decide(registry: Registry, challenger: int, champion: int | None, gate: GateParams) -> Verdict:
    if champion is None:
        return decide(registry.candidate(challenger), None, gate)
    latency = compare_latency(registry.folder_of(challenger), registry.folder_of(champion))
    if latency.milliseconds:
        times = "%.2f ms an embedding, the champion's %.2f; timed %d times in turns"
        logging.info(times, *latency.milliseconds, latency.turns)
    return decide(registry.candidate(challenger), registry.candidate(champion), gate, latency.ratio)


def _register(registry: Registry, outputs: StageOutputs, tracking: TrackingParams) -> Registered:
    predictions = pd.read_parquet(outputs.evaluation / "predictions.parquet")
    with tempfile.TemporaryDirectory() as scratch:
        folder, table = Path(scratch) / "model", Path(scratch) / "predictions.parquet"
        shutil.copytree(outputs.model, folder)
        loaded = load_model(folder)
        export_onnx(folder / TOWER, loaded.siamese, loaded.card)
        named(predictions, FaceSet.open(outputs.faces).manifest).to_parquet(table, index=False)
        metrics = read_json(outputs.evaluation / "metrics.json")
        return registry.register(folder, table, metrics, outputs.run, tracking)


if __name__ == "__main__":
    run(main)
