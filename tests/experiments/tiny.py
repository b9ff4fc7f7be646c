"""Trials on a few drawn faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from likeness.experiments.plan import Plan, Trial
from likeness.experiments.trials import TrialFolder, plan_trials

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
