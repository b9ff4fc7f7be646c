"""What every comparator is to the network, the losses and the training plan."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from torch import Tensor, nn


class Comparator(nn.Module, ABC):
    """Scores pairs of embeddings; symmetric to the last bit, so that the order of two photographs cannot decide.

    A class that overrides nothing but `forward` has no weights.
    """

    is_logit: ClassVar[bool] = False
    """Whether the score is the logit of the probability that both show one person."""
    trained_by: ClassVar[frozenset[str]] = frozenset()
    """What a loss must be taken of (`Objective.trains`) to train its weights; empty: it has none."""

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

    def prepared(self, embeddings: Tensor) -> Tensor:
        """What `forward` is given for embeddings [M, D]: all that one embedding alone decides, [M, D']."""
        return embeddings

    @abstractmethod
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Scores [P] of prepared embeddings [P, D'] and [P, D']."""
