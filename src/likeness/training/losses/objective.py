"""What every loss is to the training loop: one module from a batch's embeddings to a scalar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

from likeness.models.comparators import Mahalanobis
from likeness.models.siamese import Siamese
from likeness.training.batches import Batch, PersonBatch


class Loss(NamedTuple):
    """The value to minimise, and the share of right decisions (None where a loss takes none), both scalars."""

    value: Tensor
    accuracy: Tensor | None = None


class Objective(nn.Module, ABC):
    """A loss over the embeddings of a batch's images; its own parameters, if any, are trained along."""

    @property
    @abstractmethod
    def formula(self) -> str:
        """The formula with its numbers, as the report prints it."""

    @abstractmethod
    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """The loss of a batch.

        Args:
            siamese: gives the comparator.
            embeddings: float [U, D], row i of the image `batch.rows[i]`.
            batch: on the same device.
            progress: share of the training that is over, in [0, 1].
        """


def metric_space(siamese: Siamese, embeddings: Tensor) -> Tensor:
    """Embeddings [U, D] in the space where the comparator's distance is the plain Euclidean one."""
    comparator = siamese.comparator
    if isinstance(comparator, Mahalanobis):
        projected: Tensor = comparator.factor(embeddings)
        return projected
    return embeddings


def labels_of(batch: Batch) -> Tensor:
    """Labels [U] of a batch; `build_objective` has made sure that there are some."""
    if not isinstance(batch, PersonBatch):
        raise TypeError("this loss needs the identity of every image, and the batch holds pairs alone")
    return batch.labels
