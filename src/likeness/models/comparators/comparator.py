"""What every comparator is to the network, the losses and the training plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from torch import Tensor, nn


class Comparator(nn.Module, ABC):
    """Scores pairs of embeddings; symmetric to the last bit, so that the order of two photographs cannot decide.

    A class that overrides nothing but `forward` has no weights. One that computes something of each face alone
    overrides `prepared` and `compare` too, so that this is done once, however many it is compared with.
    """

    is_logit: ClassVar[bool] = False
    """Whether the score is the logit of the probability that both show one person."""
    trained_by: ClassVar[frozenset[str]] = frozenset()
    """What a loss must be taken of (`Objective.trains`) to train its weights; empty: no loss trains any."""
    by_cohort: ClassVar[bool] = False
    """Whether it is put behind a finished network (`train.cohort`), so that no training begins with it."""

    @classmethod
    def build(cls, params: Any, dim: int) -> Self:
        """The comparator that its section describes; unchanged, for one without parameters.

        Args:
            params: of the dataclass that the class is registered with.
            dim: D of the embeddings.
        """
        return cls()

    def metric_space(self, embeddings: Tensor) -> Tensor:
        """Embeddings [U, D] in the space where the comparator's distance is the plain Euclidean one."""
        return embeddings

    @abstractmethod
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] of embeddings [P, D] and [P, D]."""

    def prepared(self, embeddings: Tensor) -> Tensor:
        """What `compare` is given for embeddings [M, D]: all that one embedding alone decides, [M, D']."""
        return embeddings

    def compare(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] of prepared embeddings [P, D'] and [P, D']; the same as `forward` of the embeddings."""
        scores: Tensor = self(first, second)
        return scores
