"""Metrics and a sweep that were never run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from likeness.artifacts.metrics import (
    CalibrationMetrics,
    IdentificationMetrics,
    IntervalFacts,
    MeasuredData,
    MeasuredProtocol,
    Metrics,
    PairCounts,
    SystemMetrics,
    VerificationMetrics,
)
from likeness.artifacts.sweep_table import SWEEP, SweepRecord
from likeness.metrics.intervals import Estimate
from likeness.metrics.scores import Confusion


def sample_metrics(
    model: float = 0.9,
    baseline: float = 0.6,
    *,
    half_width: float = 0.05,
    fold: int | None = None,
    **others: float,
) -> Metrics:
    """Metrics of a model, the baseline and other systems whose every figure is the one given."""
    figures = {"model": model, "baseline": baseline, **others}
    counts = PairCounts(200, 100, 100, 150)
    interval = IntervalFacts(0.95, "percentile bootstrap", "person-pair", 100, 0)
    protocol = MeasuredProtocol(
        "restricted",
        1 if fold is None else 2,
        fold,
        "none",
        "small",
        0,
        "holdout pairs",
        {"test": counts},
        interval,
    )
    return Metrics(
        synthetic=True,
        data=MeasuredData("synthetic", "synthetic", "f" * 64),
        protocol=protocol,
        comparison={},
        calibration=CalibrationMetrics(10, "equal mass"),
        identification=IdentificationMetrics("fewer than two test people have two photographs"),
        systems={name: _system(name, value, half_width) for name, value in figures.items()},
    )


def sweep_table(parameter: str, values: Sequence[float]) -> pd.DataFrame:
    """A sweep that reached the same with every value."""
    return SWEEP.records(
        SweepRecord(parameter, value, "holdout", 0.6, 0.55, 0.65, 0.7, 440, 2, 1.0, "lfw-a", "recipe koch")
        for value in values
    )


def _system(name: str, value: float, half_width: float) -> SystemMetrics:
    figure = Estimate(value, value - half_width, value + half_width, 200)
    confusion = Confusion(90, 10, 90, 10)
    side = VerificationMetrics(figure, figure, figure, (), confusion, {"tmr_at_fmr_1e-2": figure})
    return SystemMetrics(name, 0.5, side, side, {})
