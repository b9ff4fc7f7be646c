"""The weighted L1 distance of Koch et al. 2015."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn

from likeness.models.architecture import COMPARATORS, ComparatorParams, Deviation
from likeness.models.comparators.comparator import Comparator


@dataclass(frozen=True)
class WeightedL1Params(ComparatorParams):
    """Parameters of the weighted L1 distance.

    Attributes:
        weight_std: standard deviation of the initial weights.
    """

    weight_std: Deviation = 0.2


@COMPARATORS.register("weighted-l1", WeightedL1Params)
class WeightedL1(Comparator):
    """The logit w·|x − y| + b; its sigmoid is Koch et al. 2015's probability that both show one person.

    Args:
        dim: D of the embeddings.
        weight_std: standard deviation of the initial weights.
    """

    is_logit = True
    trained_by = frozenset({"score"})

    def __init__(self, dim: int, weight_std: float = 0.2) -> None:
        super().__init__()
        self.logit = nn.Linear(dim, 1)
        nn.init.normal_(self.logit.weight, 0.0, weight_std)
        nn.init.normal_(self.logit.bias, 0.5, 0.01)

    @classmethod
    def build(cls, params: Any, dim: int) -> Self:
        """See `Comparator.build`."""
        return cls(dim, params.weight_std)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Logits [P], unbounded."""
        logits: Tensor = self.logit((first - second).abs())
        return logits.squeeze(-1)
