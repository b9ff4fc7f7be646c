"""Registers the model that the stages left, and lets the gate decide, for `make register` and the nightly run."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

from likeness.artifacts.gate_decision import GateDecision, write_gate_decision
from likeness.artifacts.metrics import METRICS
from likeness.artifacts.predictions import read_test_pairs
from likeness.models.card import TOWER
from likeness.models.export import export_onnx
from likeness.models.weights import load_model
from likeness.serving.latency import compare_latency
from likeness.tracking.consistency import StageOutputs, check_outputs
from likeness.tracking.gate import GateParams, decide
from likeness.tracking.registry import Registered, Registry
from likeness.tracking.runs import TrackingParams

_log = logging.getLogger(__name__)


def register_and_decide(
    outputs: StageOutputs, gate: GateParams, tracking: TrackingParams, out: Path
) -> GateDecision | None:
    """Registers a model, compares it with the champion, records the decision and acts on it.

    Returns:
        The decision, or None where the gate has decided on this very model before. One that was registered, but
        not decided on because the process was killed in between, is decided on now.

    Raises:
        TrackingError: the registry refuses or cannot be reached; what serves is unchanged.
        DataError: the outputs do not belong together, or the champion was measured on other pairs.
    """
    check_outputs(outputs)
    registry = Registry.open(tracking.uri, create=True)
    registered = _register(registry, outputs, tracking)
    if registry.judged(registered.version):
        return None
    decision = _decide(registry, registered.version, registry.champion(), gate)
    registry.record(decision)
    write_gate_decision(out, decision)
    return decision


def _decide(registry: Registry, challenger: int, champion: int | None, gate: GateParams) -> GateDecision:
    if champion is None:
        return decide(registry.candidate(challenger), None, gate)
    latency = compare_latency(registry.folder_of(challenger), registry.folder_of(champion))
    if latency.milliseconds:
        times = "%.2f ms an embedding, the champion's %.2f; timed %d times in turns"
        _log.info(times, *latency.milliseconds, latency.turns)
    return decide(registry.candidate(challenger), registry.candidate(champion), gate, latency.ratio)


def _register(registry: Registry, outputs: StageOutputs, tracking: TrackingParams) -> Registered:
    with tempfile.TemporaryDirectory() as scratch:
        folder, predictions = Path(scratch) / "model", outputs.digests["predictions"]
        read_test_pairs(predictions)  # refuses a table that the gate could not read
        shutil.copytree(outputs.model, folder)
        loaded = load_model(folder)
        export_onnx(folder / TOWER, loaded.siamese, loaded.card)
        metrics = METRICS.read(outputs.evaluation / METRICS.name)
        return registry.register(folder, predictions, metrics, outputs.run, tracking)
