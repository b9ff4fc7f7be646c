"""When to stop, and which epoch's weights to keep: decided by the held-out people alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from likeness.artifacts.history import EpochRecord
from likeness.params import Range


@dataclass(frozen=True)
class StoppingParams:
    """Early stopping (section `train.stopping`); the defaults are S1's.

    Attributes:
        monitor: figure of the held-out pairs that is watched. penalised-loss: with the L2 penalty, which is what
            Keras watches as val_loss.
        patience: epochs without an improvement by more than `min_delta` after which training stops; null: never.
        min_delta: smallest change that counts as an improvement.
        keep: weights of the best epoch by the monitored figure (however small its lead), or of the last one.
    """

    monitor: Literal["loss", "penalised-loss", "auc", "accuracy"] = "loss"
    patience: Annotated[int, Range(low=1)] | None = 5
    min_delta: Annotated[float, Range(low=0)] = 0.1
    keep: Literal["best", "last"] = "best"


@dataclass
class EarlyStopping:
    """Watches one figure over the epochs.

    Attributes:
        params: what to watch.
        best_epoch: epoch with the best figure so far, 0 before the first.
        best: that figure, turned so that more is better.
        reference: figure that an improvement is measured against.
        stale: epochs since it last improved by more than `min_delta`.
    """

    params: StoppingParams
    best_epoch: int = 0
    best: float = float("-inf")
    reference: float = float("-inf")
    stale: int = 0

    def update(self, record: EpochRecord) -> bool:
        """Takes in an epoch; returns whether its weights are those to keep so far."""
        value = self._goodness(record)
        if value > self.reference + self.params.min_delta:
            self.reference, self.stale = value, 0
        else:
            self.stale += 1
        if value <= self.best and self.params.keep == "best":
            return False
        self.best, self.best_epoch = value, record.epoch
        return True

    @property
    def out_of_patience(self) -> bool:
        """Whether training should stop now."""
        return self.params.patience is not None and self.stale >= self.params.patience

    def state(self) -> dict[str, Any]:
        """The values that a checkpoint keeps."""
        return {name: value for name, value in vars(self).items() if name != "params"}

    def _goodness(self, record: EpochRecord) -> float:
        match self.params.monitor:
            case "loss":
                return -record.holdout_loss
            case "penalised-loss":
                return -(record.holdout_loss + record.penalty)
            case "auc":
                return record.holdout_auc
            case "accuracy":
                return record.holdout_accuracy
