"""Writes what an evaluation found, the whole folder at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from likeness.artifacts.digests import DIGESTS, Digests
from likeness.artifacts.evaluation_tables import (
    CALIBRATION,
    CAUSES,
    CMC,
    CONFUSION,
    DET,
    EMBEDDINGS,
    LAYERS,
    ROC,
    SCORE_BARS,
    SLICES,
)
from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.predictions import PREDICTIONS
from likeness.artifacts.shown_decisions import DECISIONS
from likeness.evaluation.decision_picture import save_picture
from likeness.evaluation.evaluate_model import EvaluationResults
from likeness.evaluation.plot_tables import confusion_table, score_bars
from likeness.files import file_sha256, replaced_folder, write_json

_STRICT = "tmr_at_fmr_1e-2"


def write_results(folder: Path, found: EvaluationResults, inputs: Mapping[str, Path] | None = None) -> None:
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
        (CAUSES, found.causes),
        (EMBEDDINGS, found.embeddings),
        (CMC, found.cmc),
        (LAYERS, found.layers),
        (SCORE_BARS, score_bars(found.predictions)),
        (CONFUSION, confusion_table(found.metrics.model.test.confusion)),
    )
    with replaced_folder(folder) as temporary:
        METRICS.write(temporary / METRICS.name, found.metrics)
        write_json(temporary / "headline.json", headline(found.metrics))
        for file, table in tables:
            file.write(temporary / file.name, table)
        DECISIONS.write(temporary / DECISIONS.name, found.showcase.shown)
        made = {"metrics": temporary / METRICS.name, "predictions": temporary / PREDICTIONS.name}
        digests = {name: file_sha256(path) for name, path in {**(inputs or {}), **made}.items()}
        DIGESTS.write(temporary / DIGESTS.name, Digests(digests))
        for name, picture in found.showcase.pictures.items():
            save_picture(temporary / "decisions" / name, picture)


def headline(metrics: Metrics) -> dict[str, float | None]:
    """The few figures that `dvc metrics diff` and `dvc exp show` compare trainings by, with four digits.

    Of accuracy, AUC and the gain over the classical baseline more is better; of the error rates less is.
    """
    test, gain = metrics.model.test, metrics.comparison["model_minus_baseline"].accuracy
    found = {"accuracy": test.accuracy.value, "auc": test.auc.value, "gain_over_baseline": gain.value}
    found["eer"] = test.eer.value
    if _STRICT in test.tmr:
        found["fnmr_at_fmr_1e-2"] = 1 - test.tmr[_STRICT].value
    return {name: None if math.isnan(value) else round(value, 4) for name, value in found.items()}
