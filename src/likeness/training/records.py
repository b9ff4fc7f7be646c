"""What is written down about each step and each epoch of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from likeness.errors import DivergedError
from likeness.training.losses.objective import Loss


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


class Ledger:
    """The steps so far. Losses stay on the device until `settle`, so that a GPU never waits to be read."""

    columns = ("epoch", "loss", "accuracy", "learning_rate", "images")

    def __init__(self, table: Tensor | None = None) -> None:
        self.rows: list[tuple[int, float, float, float, int]] = []
        for epoch, loss, accuracy, rate, images in [] if table is None else table.tolist():
            self.rows.append((int(epoch), loss, accuracy, rate, int(images)))
        self._pending: list[tuple[int, Loss, float, int]] = []

    def __len__(self) -> int:
        return len(self.rows) + len(self._pending)

    def add(self, epoch: int, loss: Loss, rate: float, images: int) -> None:
        """Notes a step of `epoch` (counted from 1)."""
        self._pending.append((epoch, loss, rate, images))

    def settle(self) -> None:
        """Reads the losses noted since the last time.

        Raises:
            DivergedError: one of them is not finite.
        """
        if not self._pending:
            return
        nan = torch.full_like(self._pending[0][1].value, math.nan)
        losses = [loss for _, loss, _, _ in self._pending]
        pairs = [torch.stack([loss.value, nan if loss.accuracy is None else loss.accuracy]) for loss in losses]
        values = torch.stack(pairs).double().tolist()
        for (epoch, _, rate, images), (loss, accuracy) in zip(self._pending, values, strict=True):
            self.rows.append((epoch, loss, accuracy, rate, images))
        self._pending = []
        for step in range(len(self.rows) - len(values), len(self.rows)):
            if not math.isfinite(self.rows[step][1]):
                raise DivergedError(f"the training loss became {self.rows[step][1]} in step {step + 1}")

    @property
    def last_loss(self) -> float | None:
        """The latest loss that has been read, None before the first."""
        return self.rows[-1][1] if self.rows else None

    def table(self) -> Tensor:
        """The settled steps, float64 [S, 5], for a checkpoint."""
        return torch.tensor(self.rows, dtype=torch.float64).reshape(-1, len(self.columns))

    def records(self) -> list[StepRecord]:
        """The settled steps."""
        return [StepRecord(step, *row) for step, row in enumerate(self.rows, start=1)]

    def of_epoch(self, epoch: int) -> tuple[float, float | None, int]:
        """Loss and accuracy of an epoch, each the mean over its images, and their number."""
        rows = [row for row in self.rows if row[0] == epoch]
        images = sum(row[4] for row in rows)
        loss = sum(row[1] * row[4] for row in rows) / images
        accuracy = sum(row[2] * row[4] for row in rows) / images
        return loss, None if math.isnan(accuracy) else accuracy, images
