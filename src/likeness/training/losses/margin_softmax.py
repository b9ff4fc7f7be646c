"""What ArcFace and CosFace share: one direction a person, and a margin that the right one has to overcome."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from likeness.models.siamese import Siamese
from likeness.params import Range
from likeness.training.batches import Batch
from likeness.training.losses.objective import Loss, Objective, labels_of
from likeness.training.losses.ramp import MarginParams, Ramp
from likeness.training.losses.softmax import identified


@dataclass(frozen=True)
class MarginSoftmaxParams(MarginParams):
    """Parameters of a softmax with a margin, beside the margin.

    Attributes:
        scale: factor s of the logits.
    """

    scale: Annotated[float, Range(above=0)] = 64.0


class MarginSoftmax(Objective):
    """Cross-entropy over scaled cosines to one direction a person, the right one handicapped by a margin m.

    Args:
        dim: D of the embeddings.
        people: C.
        margin: m, radians or cosine.
        scale: s.
    """

    logit: ClassVar[str]
    """The right person's logit, before its factor."""

    def __init__(self, dim: int, people: int, margin: Ramp, scale: float) -> None:
        super().__init__()
        self.margin = margin
        self.head = self.head_of(dim, people, margin.end, scale)
        # Only the directions matter, but Adam's steps have a length: from N(0, 1) they would hardly turn.
        nn.init.xavier_uniform_(self.head.W)

    @staticmethod
    @abstractmethod
    def head_of(dim: int, people: int, margin: float, scale: float) -> Any:
        """The loss of pytorch-metric-learning, with the directions W [dim, people]."""

    @classmethod
    def build(cls, params: Any, siamese: Siamese, people: int) -> Self:
        """See `Objective.build`."""
        return cls(siamese.embedding_dim, people, params.ramp, params.scale)

    @property
    def formula(self) -> str:
        """The logits."""
        right = f"{self.head.scale:g}·{self.logit}"
        return (
            f"−log softmax of the right one of {self.head.num_classes} people at {right}, "
            f"the others at {self.head.scale:g}·cos θ, m = {self.margin}"
        )

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's images; the accuracy is without the margin."""
        labels = labels_of(batch)
        self.head.margin = self.margin(progress)
        with torch.no_grad():
            accuracy = identified(self.head.get_logits(embeddings), labels)
        return Loss(self.head(embeddings, labels), accuracy)
