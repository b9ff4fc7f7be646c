"""The cosine of two embeddings, less how much each of them resembles other people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from torch import Tensor, nn

from likeness.models.architecture import COMPARATORS, ComparatorParams
from likeness.models.comparators.comparator import Comparator
from likeness.params import Range

_AT_ONCE = 1024  # embeddings that are compared with the cohort at a time


@dataclass(frozen=True)
class CslsParams(ComparatorParams):
    """Parameters of the locally scaled cosine.

    Attributes:
        people: N, embeddings in the cohort.
        nearest: K, of the cohort, that count for a face; all where there are fewer.
    """

    people: Annotated[int, Range(low=1)] = 1
    nearest: Annotated[int, Range(low=1)] = 20


@COMPARATORS.register("csls", CslsParams)
class Csls(Comparator):
    """cos(x, y) − (r(x) + r(y)) / 2, with r(x) the mean cosine of x to its K nearest of a cohort.

    Half of the cross-domain similarity local scaling of Conneau et al. 2018, "Word translation without parallel
    data", section 2.3, where both domains are faces. Some faces are near to everybody; the cosine takes them for
    other people. Without a cohort, all of it zero, this is the cosine.

    Args:
        dim: D of the embeddings.
        people: N.
        nearest: K.
    """

    by_cohort = True
    cohort: Tensor  # float32 [N, D], of length one

    def __init__(self, dim: int, people: int = 1, nearest: int = 20) -> None:
        super().__init__()
        self.nearest = min(nearest, people)
        self.register_buffer("cohort", torch.zeros(people, dim))

    @classmethod
    def build(cls, params: Any, dim: int) -> Self:
        """See `Comparator.build`."""
        return cls(dim, params.people, params.nearest)

    def prepared(self, embeddings: Tensor) -> Tensor:
        """Directions [M, D] with r beside them: [M, D + 1]."""
        directions = nn.functional.normalize(embeddings, dim=-1)
        found = [
            (part @ self.cohort.T).topk(self.nearest, dim=-1).values.mean(dim=-1, keepdim=True)
            for part in torch.split(directions, _AT_ONCE)
        ]
        return torch.cat([directions, torch.cat(found)], dim=-1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] in [-2, 2]."""
        return self.compare(self.prepared(first), self.prepared(second))

    def compare(self, first: Tensor, second: Tensor) -> Tensor:
        """See `Comparator.compare`."""
        cosines = (first[:, :-1] * second[:, :-1]).sum(dim=-1).clamp(-1, 1)
        return cosines - (first[:, -1] + second[:, -1]) / 2
