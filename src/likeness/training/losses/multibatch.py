"""Multibatch: all pairs of a batch against one learnt threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective
from likeness.training.losses.pair_mean import balance_note, pair_mean, share


@dataclass(frozen=True)
class MultibatchParams(LossParams):
    """Parameters of Multibatch.

    Attributes:
        margin: m, in units of the squared distance.
        threshold: squared distance from which the learnt threshold sets out.
        balanced: same and different pairs weigh one half each in every batch, whatever their numbers.
    """

    margin: Annotated[float, Range(low=0)] = 1.0
    threshold: Annotated[float, Range(above=0)] = 1.0
    balanced: bool = False


@LOSSES.register("multibatch", MultibatchParams)
class Multibatch(Objective):
    """All k² − k pairs of a batch of k images against one global threshold θ, learnt with the metric.

    max(0, m − y·(θ − d²)) with y = ±1 (Tadmor et al. 2016, "Learning a metric embedding for face recognition
    using the multibatch method"). The gradient over all pairs is unbiased, with a variance of order 1/k² where
    k/2 random pairs have 1/k. As d is symmetric, the unordered pairs have the same mean.

    Args:
        margin: m, 1 in the paper.
        threshold: θ at the start.
        balanced: see `pair_mean`; without it different pairs, the vast majority, decide alone.
    """

    over_pairs = True
    trains = "distance"

    def __init__(self, margin: float, threshold: float, balanced: bool) -> None:
        super().__init__()
        self.margin, self.balanced = margin, balanced
        self.threshold = nn.Parameter(torch.tensor(threshold))

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(params.margin, params.threshold, params.balanced)

    @property
    def formula(self) -> str:
        """The hinge with its margin."""
        return f"max(0, {self.margin:g} − y·(θ − d²)), y = ±1, θ learnt, all k² − k pairs" + balance_note(
            self.balanced
        )

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's pairs; a decision is right on its side of θ."""
        first, second, same = batch.pairs
        points = siamese.comparator.metric_space(embeddings)
        room = self.threshold - (points[first] - points[second]).square().sum(dim=-1)
        losses = functional.relu(self.margin - torch.where(same, room, -room))
        return Loss(pair_mean(losses, same, self.balanced), share((room > 0) == same))
