"""Trials on a few drawn faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from likeness.artifacts.training_summary import Machine, PeakMemory, TrainingSummary
from likeness.experiments.experiment_plan import Plan, Trial
from likeness.experiments.result_tables import MeasuredTrial
from likeness.experiments.trials import TrialFolder, plan_trials
from tests.artifacts.samples import sample_metrics

ROOT = Path(__file__).parents[2]
TINY = (
    "data=synthetic",
    "synthetic.people=60",
    "synthetic.train_pairs=60",
    "synthetic.test_pairs=30",
    "synthetic.fold_pairs=4",
    "train.epochs=1",
    "evaluate.resamples=100",
    "evaluate.identification.trials=20",
    "evaluate.baseline.components=20",
)


def trials_of(recipe: str = "small", seeds: int = 1) -> list[Trial]:
    return Plan((recipe,), seeds=seeds).trials(ROOT / "conf")


def folds_of(folds: int, recipe: str = "small") -> list[Trial]:
    return Plan((recipe,), view=2).trials(ROOT / "conf")[:folds]


def plan_tiny(top: Path, trials: Sequence[Trial], *overrides: str) -> list[TrialFolder]:
    return plan_trials(ROOT, top, "tiny", trials, [*TINY, *overrides], "recipe small")


def measured_trial(trial: TrialFolder, value: float, fold: int | None = None, **others: float) -> MeasuredTrial:
    """A trial whose figures are all of this value."""
    metrics = sample_metrics(value, value, half_width=0.02, fold=fold, **others)
    summary = TrainingSummary(
        epochs=1,
        device="cpu",
        outside_data="none",
        parameters=1_000_000,
        trainable_parameters=1_000_000,
        seconds=60,
        seconds_to_best=60,
        processes=1,
        peak_memory_bytes=PeakMemory(1, 0),
        machine=Machine("x", "x", 1, 1),
        params={},
    )
    return MeasuredTrial(trial, metrics, summary, mmacs=1.0)
