"""From finished trainings to the table that the report draws: one row a value of a swept parameter."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from dvc.api import DVCFileSystem
from scipy.stats import binomtest

from likeness.artifacts.run_note import RUN_NOTE, RunNote
from likeness.errors import DataError
from pipelines.sweep.plan import Training, Value

COLUMNS = (
    *("parameter", "value", "split", "accuracy", "low", "high", "auc"),
    *("pairs", "epoch", "seconds", "faces", "training"),
)


@dataclass(frozen=True)
class Result:
    """What a finished training left behind.

    Attributes:
        history: one row an epoch.
        best_epoch: whose weights its own stopping kept.
        pairs: number of held-out pairs.
        faces: what it was trained on.
        run: of the training.
    """

    history: pd.DataFrame
    best_epoch: int
    pairs: int
    faces: str
    run: RunNote

    @classmethod
    def read(cls, root: Path, experiment: str) -> Result:
        """The result of an experiment, from DVC's cache."""
        files = DVCFileSystem(str(root), rev=experiment)
        source, split, summary, run = (
            json.loads(files.read_text(place))
            for place in (
                "data/faces/source.json",
                "data/splits/card.json",
                "reports/train/summary.json",
                "reports/train/run.json",
            )
        )
        history = pd.read_csv(io.StringIO(files.read_text("reports/train/history.csv")))
        pairs = int(split["splits"]["holdout"]["pairs"])
        return cls(
            history,
            int(summary["best_epoch"]),
            pairs,
            str(source["source"]),
            RUN_NOTE.parse(run, f"run.json of {experiment}"),
        )


def rows(training: Training, answered: Sequence[Value], result: Result, described: str) -> list[dict[str, Any]]:
    """One row a value, on the held-out pairs: these choose, the test pairs are none of a sweep's business.

    Where the training went to its end, a value is a number of epochs, and its row that of the weights at the end
    of the last of them; else the row is that of the weights which the training kept.

    Raises:
        DataError: the learning rate changed on the way, so fewer epochs would have been another training.
    """
    if training.to_the_end and result.history["learning_rate"].nunique() > 1:
        raise DataError(
            "a sweep of epochs reads them all from one training, but the learning rate of this recipe follows a "
            "schedule over all epochs; set train.lr_schedule=constant and train.warmup=0 among the plan's settings"
        )
    history = result.history.set_index("epoch")
    return [_row(value, history, result, training, described) for value in answered]


def _row(
    value: Value, history: pd.DataFrame, result: Result, training: Training, described: str
) -> dict[str, Any]:
    epoch = int(value.value) if training.to_the_end else result.best_epoch
    accuracy = float(history["holdout_accuracy"][epoch])
    interval = binomtest(round(accuracy * result.pairs), result.pairs).proportion_ci(method="wilson")
    auc, seconds = float(history["holdout_auc"][epoch]), round(float(history["seconds"][:epoch].sum()), 1)
    cells = (
        *(value.parameter, value.value, "holdout", accuracy, interval.low, interval.high, auc),
        *(result.pairs, epoch, seconds, result.faces, described),
    )
    return dict(zip(COLUMNS, cells, strict=True))
