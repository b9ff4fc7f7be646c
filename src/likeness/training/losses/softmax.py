"""Softmax over the training identities; what is kept of it is the embedding underneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Self

from torch import Tensor, nn
from torch.nn import functional

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.objective import LOSSES, Loss, LossParams, Objective, labels_of


@dataclass(frozen=True)
class SoftmaxParams(LossParams):
    """Parameters of softmax.

    Attributes:
        scale: factor of the logits.
    """

    scale: Annotated[float, Range(above=0)] = 1.0


@LOSSES.register("softmax", SoftmaxParams)
class Softmax(Objective):
    """Cross-entropy over the C training identities, from one dense layer on the embedding (DeepFace's first step).

    Args:
        dim: D of the embeddings.
        people: C.
        scale: factor of the logits; embeddings on the unit sphere need one well above 1, or the loss cannot fall.
    """

    def __init__(self, dim: int, people: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Linear(dim, people)

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(siamese.embedding_dim, people, params.scale)

    @property
    def formula(self) -> str:
        """The logits' form."""
        return f"−log softmax({self.scale:g}·Wx + b) of the right one of {self.head.out_features} people"

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's images."""
        labels = labels_of(batch)
        logits = functional.linear(embeddings, self.scale * self.head.weight, self.head.bias)
        return Loss(functional.cross_entropy(logits, labels), identified(logits, labels))


def identified(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the images that are given to the right person."""
    return (logits.detach().argmax(dim=1) == labels).float().mean()
