"""What every loss is to the training loop: one module from a batch's embeddings to a scalar."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from torch import Tensor, nn

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.parts import Parts
from likeness.training.batches import Batch, PersonBatch


class Loss(NamedTuple):
    """The value to minimise, and the share of right decisions (None where a loss takes none), both scalars."""

    value: Tensor
    accuracy: Tensor | None = None


class Objective(nn.Module, ABC):
    """A loss over the embeddings of a batch's images; its own parameters, if any, are trained along."""

    over_pairs: ClassVar[bool] = False
    """Whether pairs are enough for this loss; all others need the identity of every image."""
    trains: ClassVar[Literal["embedding", "distance", "score"]] = "embedding"
    """What the loss is taken of: a comparator with weights learns through its score, a learnt metric through its
    distance too, neither through the embedding alone."""

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """The loss that its section describes; unchanged, for one without parameters.

        Args:
            params: of the dataclass that the class is registered with.
            siamese: the network to be trained.
            people: number of training identities; 0 where only pairs are known.
        """
        return cls()

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


LOSSES: Parts[Objective] = Parts("loss", __package__)
"""All losses; each module of this package that defines one registers it."""


@dataclass(frozen=True)
class LossParams:
    """One loss, by name, with the parameters that this loss reads; each has the default of the loss's authors.

    Attributes:
        name: which loss.
        weight: factor of this loss in a sum of two.
    """

    PARTS: ClassVar[Parts[Objective]] = LOSSES

    name: str = "bce"
    weight: Annotated[float, Range(above=0)] = 1.0

    @property
    def part(self) -> type[Objective]:
        """The class of the loss."""
        return LOSSES.part(self.name)


def labels_of(batch: Batch) -> Tensor:
    """Labels [U] of a batch; `build_objective` has made sure that there are some."""
    if not isinstance(batch, PersonBatch):
        raise TypeError("this loss needs the identity of every image, and the batch holds pairs alone")
    return batch.labels
