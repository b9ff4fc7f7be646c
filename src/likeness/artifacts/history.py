"""`history.csv` and `steps.csv` of the train stage: one row an epoch, one row a step of the optimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass

from likeness.artifacts.table_file import TableFile, columns_of


@dataclass(frozen=True)
class StepRecord:
    """One step of the optimiser.

    Attributes:
        step: counted from 1 over the whole training.
        epoch: counted from 1.
        loss: of the batch, without the L2 penalty.
        accuracy: share of right decisions in the batch, NaN where the loss takes none.
        learning_rate: of the step.
        images: embedded in the step, by all processes together.
    """

    step: int
    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images: int


@dataclass(frozen=True)
class EpochRecord:
    """One epoch.

    Attributes:
        epoch: counted from 1.
        train_loss: mean over the epoch's images as they were trained (augmented, with dropout, weights still
            moving), without the L2 penalty.
        train_accuracy: share of right decisions likewise, None where the loss takes none.
        holdout_loss: of the held-out pairs: the training loss where that is over pairs, else the cross-entropy of
            their calibrated probability; without the L2 penalty.
        holdout_accuracy: of the held-out pairs at the threshold that suits them best.
        holdout_auc: area under their ROC curve.
        learning_rate: of the epoch's last step.
        seconds: wall time of its steps, checkpoints between them, and evaluation.
        images_per_second: images trained on, by all processes together, over that time without the evaluation.
        penalty: L2 penalty at the end of the epoch.
        spread: of the held-out embeddings, see `spread`.
        cores: that the main process kept busy during the steps, on average; NaN in files of before.
        part: of the plan that the epoch belongs to, see `likeness.training.plan`.
    """

    epoch: int
    train_loss: float
    train_accuracy: float | None
    holdout_loss: float
    holdout_accuracy: float
    holdout_auc: float
    learning_rate: float
    seconds: float
    images_per_second: float
    penalty: float
    spread: float
    part: str = "train"
    cores: float = math.nan


HISTORY = TableFile(
    "history.csv", columns_of(EpochRecord), stage="train", defaults={"part": "train", "cores": math.nan}
)
STEPS = TableFile("steps.csv", columns_of(StepRecord), stage="train")
