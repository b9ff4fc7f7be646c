"""The cosine of two embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from likeness.models.architecture import COMPARATORS, ComparatorParams
from likeness.models.comparators.comparator import Comparator


@COMPARATORS.register("cosine", ComparatorParams)
class Cosine(Comparator):
    """The cosine of the angle between the embeddings; 0 where one of them is zero."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in [-1, 1]."""
        return (
            (nn.functional.normalize(first, dim=-1) * nn.functional.normalize(second, dim=-1))
            .sum(dim=-1)
            .clamp(-1, 1)
        )
