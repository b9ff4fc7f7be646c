"""The log of the steps of a training."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from likeness.artifacts.history import StepRecord
from likeness.errors import DivergedError
from likeness.training.losses.objective import Loss


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
