"""The distance under a learnt metric."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from likeness.models.architecture import COMPARATORS, ComparatorParams
from likeness.models.comparators.comparator import Comparator
from likeness.models.comparators.euclidean import norm


@COMPARATORS.register("mahalanobis", ComparatorParams)
class Mahalanobis(Comparator):
    """Minus the distance ‖L(x − y)‖ under the learnt pseudo-metric M = LᵀL, positive semidefinite by its form.

    L starts as the identity, so that learning sets out from the Euclidean distance.

    Args:
        dim: D of the embeddings; L is [D, D].
    """

    trained_by = frozenset({"score", "distance"})

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.factor = nn.Linear(dim, dim, bias=False)
        nn.init.eye_(self.factor.weight)

    @classmethod
    def build(cls, params: Any, dim: int) -> Self:
        """See `Comparator.build`."""
        return cls(dim)

    def metric_space(self, embeddings: Tensor) -> Tensor:
        """L·x."""
        projected: Tensor = self.factor(embeddings)
        return projected

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in (-∞, 0]."""
        return -norm(self.factor(first - second))
