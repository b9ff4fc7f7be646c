"""The Euclidean distance of two embeddings."""

from __future__ import annotations

import torch
from torch import Tensor

from likeness.models.architecture import COMPARATORS, ComparatorParams
from likeness.models.comparators.comparator import Comparator


@COMPARATORS.register("euclidean", ComparatorParams)
class Euclidean(Comparator):
    """Minus the Euclidean distance."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in (-∞, 0]."""
        return -norm(first - second)


def norm(difference: Tensor) -> Tensor:
    """Row norms whose gradient is finite at zero, where two photographs embed to the same point."""
    squared = difference.square().sum(dim=-1)
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1.0).sqrt(), 0.0)
