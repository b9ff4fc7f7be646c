"""Records of the steps and epochs of a training."""

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


class StepLog:
    """The steps so far. Losses stay on the device until `sync`, so that a GPU never waits to be read."""

    def __init__(self, table: Tensor | None = None) -> None:
        rows = [] if table is None else table.tolist()
        self.records = [
            StepRecord(step, int(epoch), loss, accuracy, rate, int(images))
            for step, (epoch, loss, accuracy, rate, images) in enumerate(rows, start=1)
        ]
        self._pending: list[tuple[int, Loss, float, int]] = []

    def __len__(self) -> int:
        return len(self.records) + len(self._pending)

    def add(self, epoch: int, loss: Loss, learning_rate: float, images: int) -> None:
        """Adds a step of `epoch` (counted from 1); its loss is read by the next `sync`."""
        self._pending.append((epoch, loss, learning_rate, images))

    def sync(self) -> None:
        """Reads the losses that were added since the last time, all in one transfer.

        Raises:
            DivergedError: one of them is not finite.
        """
        if not self._pending:
            return
        nan = torch.full_like(self._pending[0][1].value, math.nan)
        losses = [loss for _, loss, _, _ in self._pending]
        pairs = [torch.stack([loss.value, nan if loss.accuracy is None else loss.accuracy]) for loss in losses]
        values = torch.stack(pairs).double().tolist()
        read: list[StepRecord] = []
        for (epoch, _, rate, images), (loss, accuracy) in zip(self._pending, values, strict=True):
            step = len(self.records) + len(read) + 1
            read.append(StepRecord(step, epoch, loss, accuracy, rate, images))
        self.records += read
        self._pending = []
        for record in read:
            if not math.isfinite(record.loss):
                raise DivergedError(f"the training loss became {record.loss} in step {record.step}")

    @property
    def last_loss(self) -> float | None:
        """The latest loss that has been read, None before the first."""
        return self.records[-1].loss if self.records else None

    def table(self) -> Tensor:
        """The records without their number, float64 [S, 5], for a checkpoint."""
        rows = [(r.epoch, r.loss, r.accuracy, r.learning_rate, r.images) for r in self.records]
        return torch.tensor(rows, dtype=torch.float64).reshape(-1, 5)

    def epoch_means(self, epoch: int) -> tuple[float, float | None, int]:
        """Loss and accuracy of an epoch, each the mean over its images, and the number of images."""
        records = [record for record in self.records if record.epoch == epoch]
        images = sum(record.images for record in records)
        loss = sum(record.loss * record.images for record in records) / images
        accuracy = sum(record.accuracy * record.images for record in records) / images
        return loss, None if math.isnan(accuracy) else accuracy, images
