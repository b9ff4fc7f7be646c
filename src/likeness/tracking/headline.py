"""The figures of a run that MLflow draws; everything else is in tables among the run's artifacts.

MLflow draws one chart for each metric and sorts them by what is before the slash, so a few well-named ones are
worth more than all.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from typing import Any

from likeness.artifacts.metrics import Metrics
from likeness.tracking.flatten import numbers

STEP_LOSS = "train/step_loss"
_CURVES = {
    "train_loss": "train/loss",
    "train_accuracy": "train/accuracy",
    "holdout_loss": "holdout/loss",
    "holdout_accuracy": "holdout/accuracy",
    "holdout_auc": "holdout/auc",
    "learning_rate": "train/learning_rate",
    "images_per_second": "train/images_per_second",
}
_COSTS = {"seconds": "train/seconds", "parameters": "model/parameters"}
_FIGURES = ("accuracy", "auc", "tmr_at_fmr_1e-2")
_OTHERS = ("baseline", "untrained")
_DIGITS = 4  # what a test of some hundred pairs can distinguish, and a column of the page can hold


def curve_points(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The points of one row of history.csv."""
    return ((_CURVES[key], value) for key, value in numbers(record) if key in _CURVES)


def cost(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What a training took, from summary.json."""
    return ((_COSTS[key], value) for key, value in numbers(summary) if key in _COSTS)


def final_figures(metrics: Metrics) -> Iterator[tuple[str, float]]:
    """The model's figures on the test pairs with 95 % intervals, and what its accuracy is measured against."""
    test = metrics.model.test
    figures = {"accuracy": test.accuracy, "auc": test.auc, **test.tmr}
    for name in (name for name in _FIGURES if name in figures):
        figure = figures[name]
        for ending, value in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            if not math.isnan(value):
                yield f"test/{name}{ending}", round(value, _DIGITS)
    for name in (name for name in _OTHERS if name in metrics.systems):
        yield f"test/accuracy_of_{name}", round(metrics.systems[name].test.accuracy.value, _DIGITS)


def interval(metrics: Metrics) -> str:
    """The model's accuracy with its 95 % interval, as one column shows it."""
    accuracy = metrics.model.test.accuracy
    return f"{accuracy.value:.4f} ({accuracy.low:.4f} to {accuracy.high:.4f})"


def table(values: Mapping[str, Any]) -> str:
    """Every number as CSV, with the columns figure and value; MLflow's page shows it as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("figure", "value"))
    writer.writerows(numbers(values))
    return text.getvalue()
