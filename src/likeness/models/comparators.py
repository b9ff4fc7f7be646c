"""Comparators: two batches of embeddings [P, D] in, one score a pair [P] out, higher = more alike.

Every comparator is symmetric to the last bit, so that the order of two photographs cannot decide.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn


class WeightedL1(nn.Module):
    """The logit w·|x − y| + b; its sigmoid is Koch et al. 2015's probability that both show one person.

    Args:
        dim: D of the embeddings.
        weight_std: standard deviation of the initial weights.
    """

    name: ClassVar[str] = "weighted-l1"

    def __init__(self, dim: int, weight_std: float = 0.2) -> None:
        super().__init__()
        self.logit = nn.Linear(dim, 1)
        nn.init.normal_(self.logit.weight, 0.0, weight_std)
        nn.init.normal_(self.logit.bias, 0.5, 0.01)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Logits [P], unbounded."""
        logits: Tensor = self.logit((first - second).abs())
        return logits.squeeze(-1)


class Euclidean(nn.Module):
    """Minus the Euclidean distance."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in (-∞, 0]."""
        return -_norm(first - second)


class Cosine(nn.Module):
    """The cosine of the angle between the embeddings; 0 where one of them is zero."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in [-1, 1]."""
        return (
            (nn.functional.normalize(first, dim=-1) * nn.functional.normalize(second, dim=-1))
            .sum(dim=-1)
            .clamp(-1, 1)
        )


class Mahalanobis(nn.Module):
    """Minus the distance ‖L(x − y)‖ under the learnt pseudo-metric M = LᵀL, positive semidefinite by its form.

    L starts as the identity, so that learning sets out from the Euclidean distance.

    Args:
        dim: D of the embeddings; L is [D, D].
    """

    name: ClassVar[str] = "mahalanobis"

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.factor = nn.Linear(dim, dim, bias=False)
        nn.init.eye_(self.factor.weight)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in (-∞, 0]."""
        return -_norm(self.factor(first - second))


def _norm(difference: Tensor) -> Tensor:
    """Row norms whose gradient is finite at zero, where two photographs embed to the same point."""
    squared = difference.square().sum(dim=-1)
    positive = squared > 0
    return torch.where(positive, torch.where(positive, squared, 1.0).sqrt(), 0.0)
