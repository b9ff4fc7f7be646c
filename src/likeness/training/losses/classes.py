"""Losses that classify the training identities; what is kept of them is the embedding underneath."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from likeness.models.siamese import Siamese
from likeness.training.batches import Batch
from likeness.training.losses.objective import Loss, Objective, labels_of
from likeness.training.losses.params import Ramp


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

    @property
    def formula(self) -> str:
        """The logits' form."""
        return f"−log softmax({self.scale:g}·Wx + b) of the right one of {self.head.out_features} people"

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's images."""
        labels = labels_of(batch)
        logits = functional.linear(embeddings, self.scale * self.head.weight, self.head.bias)
        return Loss(functional.cross_entropy(logits, labels), _identified(logits, labels))


class MarginSoftmax(Objective):
    """Cross-entropy over scaled cosines to one direction a person, the right one handicapped by a margin m.

    arcface: s·cos(θ + m) (Deng et al. 2019); cosface: s·(cos θ − m) (Wang et al. 2018).

    Args:
        name: which of the two.
        dim: D of the embeddings.
        people: C.
        margin: m, radians or cosine.
        scale: s.
    """

    def __init__(
        self, name: Literal["arcface", "cosface"], dim: int, people: int, margin: Ramp, scale: float
    ) -> None:
        super().__init__()
        from pytorch_metric_learning.losses import ArcFaceLoss, CosFaceLoss

        self.name, self.margin = name, margin
        if name == "arcface":  # takes its margin in degrees, keeps it in radians
            self.head = ArcFaceLoss(people, dim, margin=math.degrees(margin.end), scale=scale)
        else:
            self.head = CosFaceLoss(people, dim, margin=margin.end, scale=scale)
        # Only the directions matter, but Adam's steps have a length: from N(0, 1) they would hardly turn.
        nn.init.xavier_uniform_(self.head.W)

    @property
    def formula(self) -> str:
        """The right person's logit."""
        right = "cos(θ + m)" if self.name == "arcface" else "(cos θ − m)"
        return (
            f"−log softmax of the right one of {self.head.num_classes} people at {self.head.scale:g}·{right}, "
            f"the others at {self.head.scale:g}·cos θ, m = {self.margin}"
        )

    def forward(self, siamese: Siamese, embeddings: Tensor, batch: Batch, progress: float) -> Loss:
        """Mean over the batch's images; the accuracy is without the margin."""
        labels = labels_of(batch)
        self.head.margin = self.margin(progress)
        with torch.no_grad():
            accuracy = _identified(self.head.get_logits(embeddings), labels)
        return Loss(self.head(embeddings, labels), accuracy)


def _identified(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the images that are given to the right person."""
    return (logits.detach().argmax(dim=1) == labels).float().mean()
