"""Writes what an evaluation found, the whole folder at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from likeness.artifacts.evaluation_tables import CALIBRATION, CMC, DET, LAYERS, ROC, SLICES
from likeness.artifacts.metrics import METRICS, Metrics, VerificationMetrics
from likeness.artifacts.predictions import PREDICTIONS
from likeness.artifacts.shown_decisions import DECISIONS
from likeness.evaluation.pictures import save_picture
from likeness.evaluation.study import Study
from likeness.files import file_sha256, replaced_folder, write_json

_HEADLINE = ("accuracy", "auc", "eer", "tar_at_far_1e-2")


def write_study(folder: Path, found: Study, inputs: Mapping[str, Path] | None = None) -> None:
    """Writes metrics, headline, tables and decisions with their pictures in place of what `folder` held.

    Args:
        folder: where to.
        found: by the evaluation.
        inputs: files that were measured, by name: digests.json names them, the metrics and the predictions.

    Raises:
        OutputError: the folder cannot be written; what it held is intact.
    """
    tables = (
        (PREDICTIONS, found.predictions),
        (ROC, found.roc),
        (DET, found.det),
        (CALIBRATION, found.calibration),
        (SLICES, found.slices),
        (CMC, found.cmc),
        (LAYERS, found.layers),
    )
    with replaced_folder(folder) as temporary:
        METRICS.write(temporary / METRICS.name, found.metrics)
        write_json(temporary / "headline.json", headline(found.metrics))
        for file, table in tables:
            file.write(temporary / file.name, table)
        DECISIONS.write(temporary / DECISIONS.name, found.showcase.shown)
        made = {"metrics": temporary / METRICS.name, "predictions": temporary / PREDICTIONS.name}
        digests = {name: file_sha256(path) for name, path in {**(inputs or {}), **made}.items()}
        write_json(temporary / "digests.json", digests)
        for name, picture in found.showcase.pictures.items():
            save_picture(temporary / "decisions" / name, picture)


def headline(metrics: Metrics) -> dict[str, dict[str, float | None]]:
    """The few figures on the test pairs that `dvc metrics diff` and `dvc exp show` compare trainings by."""
    return {name: _headline(system.test) for name, system in metrics.systems.items()}


def _headline(test: VerificationMetrics) -> dict[str, float | None]:
    found = {"accuracy": test.accuracy, "auc": test.auc, "eer": test.eer, **test.tar}
    values = {name: found[name].value for name in _HEADLINE if name in found}
    return {name: None if math.isnan(value) else value for name, value in values.items()}
