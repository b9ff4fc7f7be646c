"""What every miner of triplets is to the triplet loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from likeness.parts import Parts

Triplets = tuple[Tensor, Tensor, Tensor]
"""Positions in the batch, int64 [T] each: anchors, positives, negatives."""


class Miner(ABC):
    """Picks the triplets of a batch that the loss is taken of.

    Args:
        distance: of two embeddings, as pytorch-metric-learning's classes take it.
    """

    def __init__(self, distance: Any) -> None:
        self.distance = distance

    @abstractmethod
    def __call__(self, points: Tensor, labels: Tensor, margin: float) -> Triplets:
        """The triplets.

        Args:
            points: embeddings float [U, D], detached.
            labels: person of each image, int64 [U].
            margin: m of the loss at this step, in units of `distance`.
        """


MINERS: Parts[Miner] = Parts("miner", __package__)
"""All miners; each module of this package that defines one registers it. They have no parameters."""
