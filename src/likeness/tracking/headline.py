"""The figures of a run that MLflow draws; everything else is in tables among the run's artifacts.

MLflow draws one chart for each metric and sorts them by what stands before the slash, so a few well-named ones are
worth more than all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

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
_COSTS = {"seconds": "cost/seconds", "parameters": "cost/parameters"}
_FIGURES = ("accuracy", "auc", "tar_at_far_1e-2")
_OTHERS = ("baseline", "untrained")
_DIGITS = 4  # what a test of some hundred pairs can tell apart, and a column of the page can hold


def curve_points(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The points of one row of history.csv."""
    return ((_CURVES[key], value) for key, value in numbers(record) if key in _CURVES)


def cost(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What a training took, from summary.json."""
    return ((_COSTS[key], value) for key, value in numbers(summary) if key in _COSTS)


def final_figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The model's figures on the test pairs with 95 % intervals, and what its accuracy is measured against.

    Args:
        metrics: metrics.json of an evaluation.
    """
    model = metrics.get("model", {}).get("test", {})
    for name in _FIGURES:
        for key, ending in (("value", ""), ("low", "_low"), ("high", "_high")):
            if (value := model.get(name, {}).get(key)) is not None:
                yield f"test/{name}{ending}", round(float(value), _DIGITS)
    for system in _OTHERS:
        if (value := metrics.get(system, {}).get("test", {}).get("accuracy", {}).get("value")) is not None:
            yield f"test/accuracy_of_{system}", round(float(value), _DIGITS)


def interval(metrics: Mapping[str, Any]) -> str | None:
    """The model's accuracy with its 95 % interval, as one column shows it."""
    accuracy = metrics.get("model", {}).get("test", {}).get("accuracy", {})
    try:
        return "{value:.4f} ({low:.4f} to {high:.4f})".format(**accuracy)
    except KeyError:
        return None


def table(values: Mapping[str, Any]) -> str:
    """Every number as CSV, with the columns figure and value; MLflow's page shows it as a table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("figure", "value"))
    writer.writerows(numbers(values))
    return text.getvalue()
